//! Prose and pages as HTML: the little Markdown that the catalogue uses. Everything else is text.

use crate::redact::redact;

/// Plain text.
pub(super) fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    for character in plain.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

/// A sentence with names in backticks.
pub(super) fn prose(sentence: &str) -> String {
    let sentence = redact(sentence);
    let pieces: Vec<&str> = sentence.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return text(&sentence);
    }
    let piece = |(index, piece): (usize, &&str)| {
        if index.is_multiple_of(2) { text(piece) } else { format!("<code>{}</code>", text(piece)) }
    };
    pieces.iter().enumerate().map(piece).collect()
}

/// A page: headings, paragraphs, lists, tables, fenced code, links to https, strong and emphasised text.
pub(super) fn page(body: &str) -> String {
    let mut out = String::new();
    let mut open = Open::Nothing;
    let mut lines = body.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        let ticks = trimmed.bytes().take_while(|byte| *byte == b'`').count();
        if ticks >= 3 {
            open.close(&mut out);
            let mut code = Vec::new();
            for inside in lines.by_ref() {
                if inside.trim().len() >= ticks && inside.trim().bytes().all(|byte| byte == b'`') {
                    break;
                }
                code.push(redact(inside));
            }
            out.push_str(&format!("<div class=\"fix\"><pre tabindex=\"0\"><code>{}</code></pre></div>", text(&code.join("\n"))));
        } else if trimmed.is_empty() {
            open.close(&mut out);
        } else if let Some(title) = heading(trimmed) {
            open.close(&mut out);
            out.push_str(&format!("<h5>{}</h5>", inline(title)));
        } else if trimmed.starts_with('|') {
            if is_rule(trimmed) {
                continue;
            }
            let head = lines.peek().is_some_and(|next| is_rule(next.trim()));
            open.switch(Open::Table, &mut out);
            out.push_str(&row(trimmed, if head { "th" } else { "td" }));
        } else if let Some(item) = trimmed.strip_prefix("- ").or_else(|| trimmed.strip_prefix("* ")) {
            open.switch(Open::Bullets, &mut out);
            out.push_str(&format!("<li>{}", inline(item)));
        } else if let Some((number, item)) = numbered(trimmed) {
            // A list goes on after the code that belongs to its step.
            let was_open = open == Open::Numbers;
            open.switch(Open::Numbers, &mut out);
            if !was_open && number != "1" {
                let start = out.len() - "<ol>".len();
                out.truncate(start);
                out.push_str(&format!("<ol start=\"{number}\">"));
            }
            out.push_str(&format!("<li>{}", inline(item)));
        } else {
            if open == Open::Nothing || open == Open::Table {
                open.switch(Open::Paragraph, &mut out);
            }
            out.push(' ');
            out.push_str(&inline(trimmed));
        }
    }
    open.close(&mut out);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Paragraph,
    Bullets,
    Numbers,
    Table,
}

impl Open {
    fn close(&mut self, out: &mut String) {
        out.push_str(match self {
            Open::Nothing => "",
            Open::Paragraph => "</p>",
            Open::Bullets => "</ul>",
            Open::Numbers => "</ol>",
            Open::Table => "</table></div>",
        });
        *self = Open::Nothing;
    }

    fn switch(&mut self, to: Open, out: &mut String) {
        if *self == to {
            return;
        }
        self.close(out);
        out.push_str(match to {
            Open::Nothing => "",
            Open::Paragraph => "<p>",
            Open::Bullets => "<ul>",
            Open::Numbers => "<ol>",
            Open::Table => "<div class=\"scroll\"><table>",
        });
        *self = to;
    }
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    (title.len() < line.len()).then(|| title.strip_prefix(' ')).flatten()
}

fn numbered(line: &str) -> Option<(&str, &str)> {
    let (number, item) = line.split_once(". ")?;
    (!number.is_empty() && number.len() < 4 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some((number, item))
}

fn is_rule(line: &str) -> bool {
    line.starts_with('|') && line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

fn row(line: &str, cell: &str) -> String {
    let cells = line.trim_matches('|').replace("\\|", "\u{0}");
    let cells: String = cells.split('|').map(|text| format!("<{cell}>{}</{cell}>", inline(&text.trim().replace('\u{0}', "|")))).collect();
    format!("<tr>{cells}</tr>")
}

/// Code spans first; in what is left, links, strong and emphasised text.
fn inline(line: &str) -> String {
    let line = redact(line);
    let pieces: Vec<&str> = line.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return marked(&line);
    }
    let piece = |(index, piece): (usize, &&str)| {
        if index.is_multiple_of(2) { marked(piece) } else { format!("<code>{}</code>", text(piece)) }
    };
    pieces.iter().enumerate().map(piece).collect()
}

fn marked(piece: &str) -> String {
    let mut out = String::new();
    let mut rest = piece;
    while let Some((before, label, url, after)) = next_link(rest) {
        out.push_str(&emphasised(before));
        out.push_str(&format!("<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>", text(url), text(label)));
        rest = after;
    }
    out.push_str(&emphasised(rest));
    out
}

/// The next `[label](https://…)` or `<https://…>`, with what stands before and after it.
fn next_link(piece: &str) -> Option<(&str, &str, &str, &str)> {
    let bracket = piece.find("](https://").and_then(|middle| {
        let start = piece.get(..middle)?.rfind('[')?;
        let url_start = middle + 2;
        let end = url_start + piece.get(url_start..)?.find(')')?;
        Some((start, piece.get(start + 1..middle)?, piece.get(url_start..end)?, end + 1))
    });
    let angle = piece.find("<https://").and_then(|start| {
        let end = start + piece.get(start..)?.find('>')?;
        let url = piece.get(start + 1..end)?;
        Some((start, url, url, end + 1))
    });
    let (start, label, url, end) = match (bracket, angle) {
        (Some(a), Some(b)) => {
            if a.0 < b.0 {
                a
            } else {
                b
            }
        }
        (found, None) | (None, found) => found?,
    };
    Some((piece.get(..start)?, label, url, piece.get(end..)?))
}

fn emphasised(piece: &str) -> String {
    let escaped = text(piece);
    let strong = between(&escaped, "**", "strong");
    between(&strong, "*", "em")
}

fn between(text: &str, mark: &str, tag: &str) -> String {
    let pieces: Vec<&str> = text.split(mark).collect();
    if pieces.len() < 3 || pieces.len().is_multiple_of(2) {
        return text.to_owned();
    }
    let piece = |(index, piece): (usize, &&str)| {
        if index.is_multiple_of(2) { (*piece).to_owned() } else { format!("<{tag}>{piece}</{tag}>") }
    };
    pieces.iter().enumerate().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::{page, prose};

    #[test]
    fn names_in_backticks_become_code_and_nothing_becomes_markup() {
        assert_eq!(prose("`<b>` leaks"), "<code>&lt;b&gt;</code> leaks");
        assert_eq!(prose("a ` b"), "a ` b");
    }

    #[test]
    fn a_page_keeps_its_structure() {
        assert_eq!(
            page("## Contain\n\nDo **this**,\nthen:\n\n1. Close `x`:\n```sh\naws <y>\n```\n2. Look at [it](https://a.b/c).\n- one\n- two"),
            "<h5>Contain</h5><p> Do <strong>this</strong>, then:</p><ol><li>Close <code>x</code>:</ol>\
             <div class=\"fix\"><pre tabindex=\"0\"><code>aws &lt;y&gt;</code></pre></div>\
             <ol start=\"2\"><li>Look at <a href=\"https://a.b/c\" rel=\"noopener noreferrer\">it</a>.</ol><ul><li>one<li>two</ul>"
        );
        assert_eq!(
            page("| a | b |\n| --- | --- |\n| 1 | `x` |"),
            "<div class=\"scroll\"><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td><code>x</code></td></tr></table></div>"
        );
    }

    #[test]
    fn only_https_becomes_a_link() {
        assert_eq!(page("[x](javascript:alert(1)) <script>"), "<p> [x](javascript:alert(1)) &lt;script&gt;</p>");
        assert_eq!(page("see <https://a.b>"), "<p> see <a href=\"https://a.b\" rel=\"noopener noreferrer\">https://a.b</a></p>");
    }
}
