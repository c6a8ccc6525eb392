//! Everything that is shown: threats and diagnostics as compilers show theirs, counts, problems.
//!
//! Results go to standard output, problems to standard error; colour only where a terminal listens.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use bartizan_model::{Architecture, Diagnostic, Sources, Span};
use bartizan_report::baseline::{Known, Standing};
use bartizan_report::{Counts, Excerpt, Remedies, counts as count, path_sentence, redact, weightiest};
use bartizan_review::{Review, Severity, Status, Threat};

/// Places shown per threat.
const PLACES: usize = 2;
/// Diagnostics shown; the report has all.
const DIAGNOSTICS: usize = 10;
/// Diagnostics shown of one code: the tenth module that is not available says no more than the first.
const DIAGNOSTICS_PER_CODE: usize = 3;
/// Types listed that the catalogue does not know.
const TYPES: usize = 8;

/// Writes to standard output; a reader that went away is no problem.
pub(crate) fn output(content: &[u8]) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(content) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Tells a problem of the run.
pub(crate) fn problem(message: &str) {
    tell("error", AnsiColor::Red, message);
}

/// Tells something that does not stop the run.
pub(crate) fn warning(message: &str) {
    tell("warning", AnsiColor::Yellow, message);
}

/// A text without what would steer a terminal: names and messages may come from strangers.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|character| if character.is_control() && !matches!(character, '\n' | '\t') { '?' } else { character }).collect()
}

fn tell(word: &str, colour: AnsiColor, message: &str) {
    let style = Style::new().bold().fg_color(Some(colour.into()));
    let message = harmless(message);
    // Nobody is left to be told when standard error is gone.
    let _ = writeln!(anstream::stderr(), "{style}{word}{style:#}: {message}");
}

/// The worst open threats.
pub(crate) fn threats(review: &Review, most: usize, standing: Option<&Standing>) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let known = |threat: &Threat| standing.map(|standing| standing.of(threat));
    let mut open: Vec<&Threat> = review.threats.iter().filter(|threat| threat.status == Status::Open).collect();
    // What nobody knows yet comes first.
    open.sort_by_key(|threat| known(threat) == Some(Known::Known));
    for threat in open.into_iter().take(most) {
        let mut message = threat_groups(review, threat);
        match known(threat) {
            Some(Known::Known) => message.notes.push("known: it is in the baseline".to_owned()),
            Some(Known::Worse) => message.notes.push("worse than in the baseline".to_owned()),
            Some(Known::New) | None => {}
        }
        let text = render(&message);
        if !written(writeln!(out, "{text}\n"))? {
            return Ok(());
        }
    }
    Ok(())
}

/// How the open threats stand against a baseline, and what of it no longer occurs.
pub(crate) fn standing(review: &Review, standing: &Standing) -> anyhow::Result<()> {
    let of = |known: Known| review.threats.iter().filter(|threat| threat.status == Status::Open && standing.of(threat) == known).count();
    let mut out = anstream::stderr().lock();
    let summary = format!("baseline: {} known, {} worse, {} new", of(Known::Known), of(Known::Worse), of(Known::New));
    let mut go_on = written(writeln!(out, "{summary}"))?;
    for entry in standing.absent.iter().take(DIAGNOSTICS) {
        go_on = go_on && written(writeln!(out, "baseline: `{}` no longer occurs; it can be taken out", entry.id))?;
    }
    if standing.absent.len() > DIAGNOSTICS && go_on {
        written(writeln!(out, "baseline: and {} more no longer occur", standing.absent.len() - DIAGNOSTICS))?;
    }
    Ok(())
}

/// Why a review ends with exit code 1; `tolerated` is what `bartizan.yaml` tolerates, where that set the gate.
pub(crate) fn gate(n_threats: usize, gate: Severity, tolerated: Option<&str>) -> anyhow::Result<()> {
    let what = if n_threats == 1 { "1 threat is" } else { &format!("{n_threats} threats are") };
    let why = tolerated.map(|tolerated| format!(", and `bartizan.yaml` tolerates nothing worse than `{tolerated}`")).unwrap_or_default();
    written(writeln!(anstream::stderr().lock(), "gate: {what} of `{}` or worse{why}: exit code 1", gate.id()))?;
    Ok(())
}

/// False when the reader went away.
fn written(result: std::io::Result<()>) -> anyhow::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Problems of the input, errors first.
pub(crate) fn diagnostics(architecture: &Architecture, more: &[Diagnostic]) -> anyhow::Result<()> {
    let mut all: Vec<&Diagnostic> =
        architecture.diagnostics.iter().chain(more).filter(|diagnostic| diagnostic.severity > bartizan_model::Severity::Note).collect();
    all.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut out = anstream::stderr().lock();
    for diagnostic in &all {
        let of_code = shown.entry(diagnostic.code).or_default();
        if *of_code >= DIAGNOSTICS_PER_CODE || shown.values().sum::<usize>() >= DIAGNOSTICS {
            *left.entry(diagnostic.code).or_default() += 1;
            continue;
        }
        *shown.entry(diagnostic.code).or_default() += 1;
        let text = render(&diagnostic_groups(diagnostic, &architecture.sources));
        if !written(writeln!(out, "{text}\n"))? {
            return Ok(());
        }
    }
    if !left.is_empty() {
        let parts: Vec<String> = left.iter().map(|(code, n)| format!("{n} × {code}")).collect();
        written(writeln!(out, "more problems of the input are in the report: {}\n", parts.join(", ")))?;
    }
    if let Some(text) = gaps(architecture) {
        written(writeln!(out, "{text}\n"))?;
    }
    Ok(())
}

/// What of the input says nothing to the review: references that could not be resolved, types that the catalogue does not know.
fn gaps(architecture: &Architecture) -> Option<String> {
    let mut parts = Vec::new();
    match architecture.unresolved_references {
        0 => {}
        1 => parts.push("1 reference could not be resolved".to_owned()),
        n => parts.push(format!("{n} references could not be resolved")),
    }
    let types = &architecture.unknown_types;
    if !types.is_empty() {
        let n: usize = types.values().sum();
        let listed: Vec<String> = types.iter().take(TYPES).map(|(name, n)| format!("{name} ({n})")).collect();
        let more = if types.len() > TYPES { format!(" and {} more types", types.len() - TYPES) } else { String::new() };
        let resources = if n == 1 { "1 resource is" } else { &format!("{n} resources are") };
        parts.push(format!("{resources} of types that the catalogue does not know: {}{more}", listed.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// How many threats there are, and where the report lies.
pub(crate) fn counts(review: &Review, report: &Path) -> anyhow::Result<()> {
    let counts = count(review);
    let bold = Style::new().bold();
    let mut text = String::new();
    if counts.open == 0 {
        text.push_str(&format!("{bold}no open threat{bold:#}"));
    } else {
        text.push_str(&format!("{bold}{} open {}{bold:#}: ", counts.open, if counts.open == 1 { "threat" } else { "threats" }));
        let parts: Vec<String> = counts
            .by_severity
            .iter()
            .filter(|(_, n)| *n > 0)
            .map(|(severity, n)| {
                let style = style(*severity);
                format!("{style}{n} {}{style:#}", severity.id())
            })
            .collect();
        text.push_str(&parts.join(", "));
    }
    text.push_str(&rest(review, &counts));
    match unread(&review.architecture) {
        0 => {}
        1 => text.push_str(&format!("\n{bold}1 place could not be read{bold:#}; what stands there is not reviewed")),
        n => text.push_str(&format!("\n{bold}{n} places could not be read{bold:#}; what stands there is not reviewed")),
    }
    if let Some(path) = weightiest(review) {
        let n = review.attack_paths.len();
        let paths = if n == 1 { "1 attack path".to_owned() } else { format!("{n} attack paths, the weightiest") };
        text.push_str(&format!("\n{bold}{paths}{bold:#}: {} ({})", redact(&path_sentence(review, path)), path.id));
    }
    text.push_str(&format!("\nreport: {}\n", report.display()));
    written(anstream::stdout().lock().write_all(text.as_bytes()))?;
    Ok(())
}

/// Number of places of the input that could not be read.
pub(crate) fn unread(architecture: &Architecture) -> usize {
    architecture.diagnostics.iter().filter(|diagnostic| diagnostic.severity == bartizan_model::Severity::Error).count()
}

fn rest(review: &Review, counts: &Counts) -> String {
    let questions = review.questions.len();
    let mut parts = Vec::new();
    for (n, words) in [
        (counts.mitigated, "held by controls"),
        (counts.accepted, "accepted"),
        (questions, if questions == 1 { "question to answer" } else { "questions to answer" }),
        (review.in_order.len(), "checks in order"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {words}"));
        }
    }
    if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) }
}

fn style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Critical | Severity::High => AnsiColor::Red,
        Severity::Medium => AnsiColor::Yellow,
        Severity::Low | Severity::Info => AnsiColor::Cyan,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

/// What is shown of one place: its file and line, the line itself with secrets hidden, and the bytes of it that are meant.
struct Shown {
    path: String,
    line: u32,
    text: String,
    range: std::ops::Range<usize>,
    label: String,
}

impl Shown {
    fn of(sources: &Sources, span: Span, label: &str) -> Option<Self> {
        let excerpt = Excerpt::of(sources, span, 0)?;
        let text = excerpt.lines.first()?.clone();
        let original = sources.get(span.file)?.line(excerpt.place.line)?;
        let trimmed = text.len() - text.trim_start().len()..text.trim_end().len().max(text.len() - text.trim_start().len());
        // Where hiding a secret moved the text, or the place goes on below, the whole line is meant.
        let range = if excerpt.place.line == excerpt.place.end_line && original == text {
            let from = usize::try_from(excerpt.place.column - 1).unwrap_or(0);
            let count = usize::try_from(excerpt.place.end_column.saturating_sub(excerpt.place.column) + 1).unwrap_or(1);
            let offset = |characters: usize| text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
            offset(from)..offset(from + count)
        } else {
            trimmed
        };
        Some(Self { path: excerpt.place.file, line: excerpt.place.line, text, range, label: redact(label) })
    }

    fn snippet<'a>(&'a self, kind: AnnotationKind) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let annotation = kind.span(self.range.clone());
        let annotation = if self.label.is_empty() { annotation } else { annotation.label(self.label.as_str()) };
        Snippet::source(self.text.as_str())
            .path(self.path.as_str())
            .line_start(usize::try_from(self.line).unwrap_or(1))
            .annotation(annotation)
    }
}

/// A message as it is shown: a title with its places, then notes and help.
struct Message {
    level: Level<'static>,
    id: String,
    title: String,
    places: Vec<Shown>,
    notes: Vec<String>,
    help: Option<String>,
}

fn threat_groups(review: &Review, threat: &Threat) -> Message {
    let sources = &review.architecture.sources;
    let level = match threat.severity {
        Severity::Critical => Level::ERROR.with_name("critical"),
        Severity::High => Level::ERROR.with_name("high"),
        Severity::Medium => Level::WARNING.with_name("medium"),
        Severity::Low => Level::NOTE.with_name("low"),
        Severity::Info => Level::INFO.with_name("info"),
    };
    let mut notes = vec![format!(
        "likelihood {} × impact {} = risk {} of 25",
        threat.residual_likelihood.value,
        threat.residual_impact.value,
        threat.residual_risk()
    )];
    if threat.targets.len() > 1 {
        let shown: Vec<&str> = threat.targets.iter().take(4).map(|target| target.as_str()).collect();
        let more = threat.targets.len().saturating_sub(4);
        notes.push(format!("concerns {}{}", shown.join(", "), if more == 0 { String::new() } else { format!(" and {more} more") }));
    }
    let remedy = Remedies::of(review).first(threat);
    Message {
        level,
        id: threat.id.clone(),
        title: redact(&threat.message),
        places: threat.evidence.iter().take(PLACES).filter_map(|item| Shown::of(sources, item.span, &item.text)).collect(),
        notes,
        help: remedy.map(|remedy| format!("{}: {}", remedy.title, remedy.effect)),
    }
}

fn diagnostic_groups(diagnostic: &Diagnostic, sources: &Sources) -> Message {
    let level = match diagnostic.severity {
        bartizan_model::Severity::Error => Level::ERROR,
        bartizan_model::Severity::Warning => Level::WARNING,
        bartizan_model::Severity::Note => Level::NOTE,
    };
    let first = diagnostic.span.and_then(|span| Shown::of(sources, span, ""));
    let related = diagnostic.related.iter().take(PLACES).filter_map(|related| Shown::of(sources, related.span, &related.text));
    Message {
        level,
        id: diagnostic.code.to_owned(),
        title: redact(&diagnostic.message),
        places: first.into_iter().chain(related).collect(),
        notes: Vec::new(),
        help: diagnostic.help.clone(),
    }
}

fn render(message: &Message) -> String {
    let mut group = Group::with_title(message.level.clone().primary_title(message.title.as_str()).id(message.id.as_str()));
    for (index, place) in message.places.iter().enumerate() {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        group = group.element(place.snippet(kind));
    }
    for note in &message.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    if let Some(help) = &message.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    // Styles are always written; the stream drops them where no terminal listens.
    Renderer::styled().render(&[group])
}

#[cfg(test)]
mod tests {
    use bartizan_model::{Diagnostic, Severity, Sources, Span};

    use super::{diagnostic_groups, render};

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_diagnostic_shows_its_line_and_what_to_do() {
        let mut sources = Sources::default();
        let text = "a = 1\nb = var.missing\n";
        let file = sources.add("main.tf", text);
        let diagnostic =
            Diagnostic::new("terraform/unresolved-reference", Severity::Warning, "`var.missing` is not declared", Span::new(file, 10..21))
                .with_help("declare it");
        let shown = plain(&render(&diagnostic_groups(&diagnostic, &sources)));
        assert!(shown.contains("warning[terraform/unresolved-reference]: `var.missing` is not declared"), "{shown}");
        assert!(shown.contains("main.tf:2:5"), "{shown}");
        assert!(shown.contains("b = var.missing\n  |     ^^^^^^^^^^^"), "{shown}");
        assert!(shown.contains("help: declare it"), "{shown}");
    }

    #[test]
    fn secrets_are_hidden_and_the_whole_line_is_meant() {
        let mut sources = Sources::default();
        let file = sources.add("main.tf", "  password = \"hunter2hunter2\"\n");
        let diagnostic = Diagnostic::new("x", Severity::Error, "a secret", Span::new(file, 13..29));
        let shown = plain(&render(&diagnostic_groups(&diagnostic, &sources)));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("^^^^^^^^^^^^^^^^^^^^^"), "{shown}");
    }
}
