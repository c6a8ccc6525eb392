//! A comparison as a comment on a pull request: what got worse at a glance, everything else folded.
//!
//! Source of the limit: GitHub refuses the body of an issue comment of more than 65,536 characters.

use super::document::{Change, Difference, Spot};
use super::lines::{self, Line};
use super::sentence;
use crate::markdown::escape::{code, prose, text};

/// By this a later run finds the comment of an earlier one.
const MARK: &str = "<!-- bartizan-diff -->";
/// Characters of a comment: below GitHub's limit, so that whoever posts it can add a line.
const MOST_CHARACTERS: usize = 64_000;
/// Rows of the table.
const MOST_ROWS: usize = 20;

/// The comparison as Markdown.
pub fn comment(difference: &Difference) -> String {
    let mut out = format!("{MARK}\n### Architecture: {}\n\n", text(&sentence::headline(difference)));
    out.push_str(&format!("{} → {}: {}\n", code(&difference.base), code(&difference.head), text(&sentence::risk(difference))));
    if difference.is_empty() && difference.renamed.is_empty() && difference.switched_off.is_empty() {
        return out;
    }
    let rows = rows(difference);
    if !rows.is_empty() {
        out.push_str("\n| | severity | what | where |\n| --- | --- | --- | --- |\n");
        rows.iter().take(MOST_ROWS).for_each(|row| out.push_str(row));
        if rows.len() > MOST_ROWS {
            out.push_str(&format!("\n{} more are below.\n", rows.len() - MOST_ROWS));
        }
    }
    let mut left_out = 0;
    for (title, lines) in sections(difference) {
        left_out += folded(&mut out, title, &lines);
    }
    if left_out > 0 {
        out.push_str(&format!("\n{left_out} lines were left out: a comment may not be longer. `bartizan diff --format json` lists all.\n"));
    }
    out
}

/// What got worse, one row each.
fn rows(difference: &Difference) -> Vec<String> {
    let threats = difference.threats.iter().filter(|threat| threat.judged).map(|threat| {
        let mut what = prose(&threat.message);
        for note in sentence::threat_notes(threat) {
            what.push_str(&format!("<br>{}", prose(&note)));
        }
        format!(
            "| {} | {} | {what} | {} |\n",
            sentence::change(threat.change),
            text(&sentence::threat_severity(threat)),
            place(threat.origin.as_ref())
        )
    });
    let paths = lines::paths(difference.attack_paths.iter().filter(|path| path.change <= Change::Worse));
    let paths = paths
        .into_iter()
        .map(|(path, told)| format!("| {} attack path | {} | {} | |\n", sentence::change(path.change), path.severity, prose(&told)));
    threats.chain(paths).collect()
}

fn sections(difference: &Difference) -> Vec<(&'static str, Vec<String>)> {
    let line = |word: &str, told: String, origin: Option<&Spot>| {
        let place = place(origin);
        let place = if place.is_empty() { place } else { format!(" ({place})") };
        format!("- {word}: {}{place}\n", prose(&told))
    };
    let threats = difference.threats.iter().filter(|threat| !threat.judged);
    let all =
        |lines: Vec<Line>| -> Vec<String> { lines.into_iter().map(|told| line(told.word, told.text, told.origin.as_ref())).collect() };
    let paths = lines::paths(difference.attack_paths.iter().filter(|path| path.change > Change::Worse));
    let more = rows(difference)
        .into_iter()
        .skip(MOST_ROWS)
        .map(|row| format!("- {}\n", row.trim().trim_matches('|').trim().replace(" | ", " · ")));
    vec![
        ("More that got worse", more.collect()),
        (
            "Threats that are gone, milder or decided",
            threats
                .map(|threat| {
                    line(
                        sentence::change(threat.change),
                        format!("{}: {}", sentence::threat_severity(threat), threat.message),
                        threat.origin.as_ref(),
                    )
                })
                .collect(),
        ),
        ("Exposure", all(lines::exposures(difference))),
        ("Permissions", all(lines::permissions(difference))),
        ("Flows", all(lines::flows(difference))),
        ("Crossings of trust boundaries", all(lines::crossings(difference))),
        ("Components", all(lines::components(difference))),
        (
            "Attack paths that are gone or less likely",
            paths.into_iter().map(|(path, told)| line(sentence::change(path.change), told, None)).collect(),
        ),
        (
            "Questions",
            difference
                .questions
                .iter()
                .map(|question| line(sentence::change(question.change), format!("to {}: {}", question.to, question.text), None))
                .collect(),
        ),
        ("Switched off", all(lines::switched_off(difference))),
        ("Renamed", difference.renamed.iter().map(|renamed| format!("- {} → {}\n", code(&renamed.before), code(&renamed.after))).collect()),
    ]
}

fn place(origin: Option<&Spot>) -> String {
    origin.map_or_else(String::new, |origin| code(&format!("{}:{}", origin.file, origin.line)))
}

/// Writes a section as far as it fits; gives how many lines did not.
fn folded(out: &mut String, title: &str, lines: &[String]) -> usize {
    if lines.is_empty() {
        return 0;
    }
    let head = format!("\n<details><summary>{title} ({})</summary>\n\n", lines.len());
    let foot = "\n</details>\n";
    let mut length = out.chars().count() + head.chars().count() + foot.chars().count();
    if length > MOST_CHARACTERS {
        return lines.len();
    }
    out.push_str(&head);
    let mut n_written = 0;
    for line in lines {
        length += line.chars().count();
        if length > MOST_CHARACTERS {
            break;
        }
        out.push_str(line);
        n_written += 1;
    }
    out.push_str(foot);
    lines.len() - n_written
}
