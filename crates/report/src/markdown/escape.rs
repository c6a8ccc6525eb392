//! Text that is not ours inside Markdown: it must read as it is and never become markup.

use crate::redact::redact;

/// Plain text; line breaks become spaces.
pub(crate) fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    for character in redact(plain).chars() {
        match character {
            '\n' | '\r' | '\t' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    out
}

/// A code span, also inside a table.
pub(crate) fn code(plain: &str) -> String {
    let flat: String = redact(plain).chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().replace('|', "\\|");
    if flat.trim().is_empty() {
        return String::new();
    }
    let longest = longest_run(&flat, '`');
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("{fence}{flat}{fence}") } else { format!("{fence} {flat} {fence}") }
}

/// A sentence of ours with the user's names in backticks.
pub(crate) fn prose(sentence: &str) -> String {
    let pieces: Vec<&str> = sentence.split('`').collect();
    // An even number of pieces means a backtick without its partner: then none is trusted.
    if pieces.len().is_multiple_of(2) {
        return text(sentence);
    }
    pieces.iter().enumerate().map(|(index, piece)| if index.is_multiple_of(2) { text(piece) } else { code(piece) }).collect()
}

/// A fenced block; the fence is longer than any in the code.
pub(super) fn fenced(language: &str, body: &str) -> String {
    let fence = "`".repeat(longest_run(body, '`').max(2) + 1);
    let language: String = language.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{fence}{language}\n{}\n{fence}\n", body.trim_end())
}

/// A page of ours (runbook, training, explanation) as part of the document: its headings go `deeper`, and names in it cannot become HTML.
pub(super) fn page(body: &str, deeper: usize) -> String {
    let mut out = String::with_capacity(body.len());
    let mut fence = None;
    for line in body.trim_end().lines() {
        let ticks = line.trim_start().bytes().take_while(|byte| *byte == b'`').count();
        match fence {
            Some(open) => {
                if ticks >= open && line.trim().len() == ticks {
                    fence = None;
                }
                out.push_str(line);
            }
            None if ticks >= 3 => {
                fence = Some(ticks);
                out.push_str(line);
            }
            None => {
                if line.starts_with('#') {
                    out.push_str(&"#".repeat(deeper));
                }
                out.push_str(&without_html(line));
            }
        }
        out.push('\n');
    }
    if let Some(open) = fence {
        out.push_str(&format!("{}\n", "`".repeat(open)));
    }
    out
}

fn without_html(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    let code_spans = !pieces.len().is_multiple_of(2);
    let plain = |piece: &str| piece.replace('<', "&lt;").replace("](javascript:", "](");
    pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| if code_spans && !index.is_multiple_of(2) { (*piece).to_owned() } else { plain(piece) })
        .collect::<Vec<_>>()
        .join("`")
}

fn longest_run(text: &str, wanted: char) -> usize {
    let (mut longest, mut current) = (0, 0);
    for character in text.chars() {
        current = if character == wanted { current + 1 } else { 0 };
        longest = longest.max(current);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::{code, fenced, page, prose, text};

    #[test]
    fn names_stay_text() {
        assert_eq!(text("a|b <i>*x*"), "a\\|b &lt;i&gt;\\*x\\*");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(prose("`a_b` reads *x*"), "`a_b` reads \\*x\\*");
        assert_eq!(prose("a ` b"), "a \\` b");
    }

    #[test]
    fn a_fence_in_code_does_not_end_the_block() {
        assert_eq!(fenced("hcl", "a\n```\nb\n"), "````hcl\na\n```\nb\n````\n");
    }

    #[test]
    fn pages_keep_their_code_and_lose_html() {
        assert_eq!(page("## A\n<b>x</b> `<y>`\n```sh\n# <z>\n```", 2), "#### A\n&lt;b>x&lt;/b> `<y>`\n```sh\n# <z>\n```\n");
    }
}
