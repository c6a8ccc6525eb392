//! `bartizan review`: the whole review.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bartizan_report::baseline::{Baseline, Known, Standing};
use bartizan_report::{dfd, folder, gitlab, html, json, junit, markdown, sarif};
use bartizan_review::{Severity, Status, Threat};

use crate::args::{Review, ReviewFormat};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

const FOLDER: &str = "bartizan-report";

pub(super) fn run(arguments: &Review) -> anyhow::Result<Outcome> {
    // A baseline that cannot be read is told before anything is reviewed.
    let baseline = arguments.baseline.as_deref().map(read_baseline).transpose()?;
    let review = pipeline::review(&arguments.input)?;
    let standing = baseline.map(|baseline| baseline.compare(&review));
    match arguments.format {
        Some(format) => {
            terminal::diagnostics(&review.architecture, &review.diagnostics)?;
            pipeline::write(&in_format(&review, format, standing.as_ref()), arguments.output.as_deref())?;
        }
        None => {
            let target = arguments.output.clone().unwrap_or_else(|| PathBuf::from(FOLDER));
            write_folder(&review, standing.as_ref(), &target)?;
            terminal::threats(&review, arguments.top, standing.as_ref())?;
            terminal::diagnostics(&review.architecture, &review.diagnostics)?;
            terminal::counts(&review, &target.join("index.html"))?;
        }
    }
    if let Some(standing) = &standing {
        terminal::standing(&review, standing)?;
    }
    if let Some(path) = &arguments.write_baseline {
        pipeline::write(&folder::pretty(&Baseline::of(&review)), Some(path))?;
    }
    let is_new = |threat: &Threat| standing.as_ref().is_none_or(|standing| standing.of(threat) != Known::Known);
    let tolerated = review.architecture.declarations.appetite.tolerated.as_deref();
    let gate = arguments.fail_on.map(Severity::from).or_else(|| above(tolerated));
    let at_gate = gate.map_or(0, |gate| {
        review.threats.iter().filter(|threat| threat.status == Status::Open && threat.severity >= gate && is_new(threat)).count()
    });
    if let Some(gate) = gate.filter(|_| at_gate > 0) {
        terminal::gate(at_gate, gate, tolerated.filter(|_| arguments.fail_on.is_none()))?;
    }
    Ok(match at_gate > 0 {
        true => Outcome::Findings,
        // Nobody may take what was not read for sound.
        false if terminal::unread(&review.architecture) > 0 => Outcome::Incomplete,
        false => Outcome::Clean,
    })
}

fn read_baseline(path: &Path) -> anyhow::Result<Baseline> {
    let text = std::fs::read(path).with_context(|| format!("cannot read the baseline `{}`", path.display()))?;
    Baseline::from_json(&text).with_context(|| format!("cannot use `{}` as a baseline", path.display()))
}

fn in_format(review: &bartizan_review::Review, format: ReviewFormat, standing: Option<&Standing>) -> Vec<u8> {
    match format {
        ReviewFormat::Json => folder::pretty(&json::v1::review(review)),
        ReviewFormat::Sarif => folder::pretty(&sarif::sarif(review, standing)),
        ReviewFormat::Markdown => markdown::markdown(review).into_bytes(),
        ReviewFormat::Html => html::html(review, &dfd::svg(&review.architecture, &dfd::Options::of_review(review))).into_bytes(),
        ReviewFormat::Junit => junit::junit(review).into_bytes(),
        ReviewFormat::GitlabSast => folder::pretty(&gitlab::sast(review, &pipeline::today().unwrap_or_default())),
        ReviewFormat::Codequality => folder::pretty(&gitlab::code_quality(review)),
    }
}

fn write_folder(review: &bartizan_review::Review, standing: Option<&Standing>, target: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(target).with_context(|| format!("cannot make the folder `{}`", target.display()))?;
    folder::folder(review, standing, |name, content| pipeline::write(&content, Some(&target.join(name))))
}

/// The mildest severity above what the owners tolerate; none where they say nothing or tolerate everything.
fn above(tolerated: Option<&str>) -> Option<Severity> {
    const ASCENDING: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let tolerated = ASCENDING.into_iter().find(|severity| Some(severity.id()) == tolerated)?;
    ASCENDING.into_iter().find(|severity| *severity > tolerated)
}

#[cfg(test)]
mod tests {
    use bartizan_review::Severity;

    use super::above;

    #[test]
    fn the_gate_lies_above_what_is_tolerated() {
        assert_eq!(above(Some("medium")), Some(Severity::High));
        assert_eq!(above(Some("critical")), None);
        assert_eq!(above(None), None);
    }
}
