//! A comparison for the terminal: what is new and worst first. Plain text; whoever shows it may colour the first word of a line.

use super::document::{Difference, Spot};
use super::lines::{self, Line};
use super::sentence;

/// Lines shown of each section; the JSON has all.
const MOST: usize = 40;

/// The comparison as text.
pub fn text(difference: &Difference) -> String {
    let mut out = format!("{} → {}: {}\n", difference.base, difference.head, sentence::headline(difference));
    out.push_str(&format!("risk: {}\n", sentence::risk(difference)));
    let threats = difference.threats.iter().map(|threat| {
        let place = at(threat.origin.as_ref());
        let mut line = format!(
            "{:8}{}: {}{place}\n{:10}{}",
            sentence::change(threat.change),
            sentence::threat_severity(threat),
            threat.message,
            "",
            threat.id
        );
        for note in sentence::threat_notes(threat) {
            line.push_str(&format!("\n{:10}{note}", ""));
        }
        line
    });
    section(&mut out, "threats", threats.collect());
    let paths = lines::paths(difference.attack_paths.iter());
    let paths =
        paths.into_iter().map(|(path, told)| format!("{:8}{}: {told}\n{:10}{}", sentence::change(path.change), path.severity, "", path.id));
    section(&mut out, "attack paths", paths.collect());
    for (title, lines) in [
        ("exposure", lines::exposures(difference)),
        ("permissions", lines::permissions(difference)),
        ("flows", lines::flows(difference)),
        ("crossings of trust boundaries", lines::crossings(difference)),
        ("components", lines::components(difference)),
        ("switched off", lines::switched_off(difference)),
    ] {
        let line = |line: &Line| format!("{:8}{}{}", line.word, line.text, at(line.origin.as_ref()));
        section(&mut out, title, lines.iter().map(line).collect());
    }
    let questions =
        difference.questions.iter().map(|question| format!("{:8}to {}: {}", sentence::change(question.change), question.to, question.text));
    section(&mut out, "questions", questions.collect());
    let renamed = difference.renamed.iter().map(|renamed| format!("{} → {}", renamed.before, renamed.after));
    section(&mut out, "renamed", renamed.collect());
    out
}

fn at(place: Option<&Spot>) -> String {
    place.map_or_else(String::new, |place| format!("  ({}:{})", place.file, place.line))
}

fn section(out: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}\n"));
    for line in lines.iter().take(MOST) {
        out.push_str(&format!("  {line}\n"));
    }
    if lines.len() > MOST {
        out.push_str(&format!("  and {} more; --format json lists all\n", lines.len() - MOST));
    }
}
