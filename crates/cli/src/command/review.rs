//! `bartizan review`: the whole review.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bartizan_report::{dfd, folder, html, json, markdown, sarif};
use bartizan_review::{Severity, Status};

use crate::args::{Review, ReviewFormat};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

const FOLDER: &str = "bartizan-report";

pub(super) fn run(arguments: &Review) -> anyhow::Result<Outcome> {
    let review = pipeline::review(&arguments.input)?;
    match arguments.format {
        Some(format) => {
            terminal::diagnostics(&review.architecture, &review.diagnostics)?;
            pipeline::write(&in_format(&review, format), arguments.output.as_deref())?;
        }
        None => {
            let target = arguments.output.clone().unwrap_or_else(|| PathBuf::from(FOLDER));
            write_folder(&review, &target)?;
            terminal::threats(&review, arguments.top)?;
            terminal::diagnostics(&review.architecture, &review.diagnostics)?;
            terminal::counts(&review, &target.join("index.html"))?;
        }
    }
    let gate = arguments.fail_on.map(Severity::from).or_else(|| above(review.architecture.declarations.appetite.tolerated.as_deref()));
    let at_gate = gate.is_some_and(|gate| review.threats.iter().any(|threat| threat.status == Status::Open && threat.severity >= gate));
    Ok(match at_gate {
        true => Outcome::Findings,
        // Nobody may take what was not read for sound.
        false if terminal::unread(&review.architecture) > 0 => Outcome::Incomplete,
        false => Outcome::Clean,
    })
}

fn in_format(review: &bartizan_review::Review, format: ReviewFormat) -> Vec<u8> {
    match format {
        ReviewFormat::Json => folder::pretty(&json::v1::review(review)),
        ReviewFormat::Sarif => folder::pretty(&sarif::sarif(review)),
        ReviewFormat::Markdown => markdown::markdown(review).into_bytes(),
        ReviewFormat::Html => html::html(review, &dfd::svg(&review.architecture, &dfd::Options::of_review(review))).into_bytes(),
    }
}

fn write_folder(review: &bartizan_review::Review, target: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(target).with_context(|| format!("cannot make the folder `{}`", target.display()))?;
    folder::folder(review, |name, content| pipeline::write(&content, Some(&target.join(name))))
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
