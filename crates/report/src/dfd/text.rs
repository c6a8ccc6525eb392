//! How wide text is, and where it breaks, without a font at hand.

/// Advance widths of ASCII 32..=126 in thousandths of the font size: Helvetica's (Adobe Core 14 font metrics), which Arial and Liberation
/// Sans share.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278,
    278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722,
    667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556,
    556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Other sans-serif fonts are wider than Helvetica; this much room is kept for them.
const SAFETY: f64 = 1.07;

/// Width of a text in pixels at a font size.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let thousandths: u32 = text.chars().map(|character| u32::from(advance(character))).sum();
    f64::from(thousandths) / 1000.0 * size * SAFETY
}

/// Width of a bold text: Helvetica Bold is up to about 6 % wider.
pub(crate) fn bold_width(text: &str, size: f64) -> f64 {
    width(text, size) * 1.06
}

fn advance(character: char) -> u16 {
    match u32::from(character) {
        code @ 32..=126 => usize::try_from(code - 32).ok().and_then(|index| WIDTHS.get(index)).copied().unwrap_or(600),
        0..=31 => 0,
        // Ideographs and full-width forms take the whole square.
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0x1F000.. => 1000,
        _ => 620,
    }
}

/// Breaks a name into at most `max_lines` lines no wider than `max_width`, preferably after separators; what does not fit loses its middle.
pub(crate) fn wrap(text: &str, size: f64, max_width: f64, max_lines: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if bold_width(rest, size) <= max_width {
            lines.push(rest.to_owned());
            return lines;
        }
        if lines.len() + 1 >= max_lines {
            lines.push(shorten(rest, size, max_width));
            return lines;
        }
        let cut = break_at(rest, size, max_width);
        let (head, tail) = rest.split_at(cut);
        lines.push(head.trim_end().to_owned());
        rest = tail.trim_start();
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// Byte offset of the best break: after the last separator that fits if that leaves the line at least 40 % full, else where it is full.
fn break_at(text: &str, size: f64, max_width: f64) -> usize {
    let mut used = 0.0;
    let mut hard = 0;
    let mut soft = None;
    for (offset, character) in text.char_indices() {
        used += bold_width(character.encode_utf8(&mut [0; 4]), size);
        if used > max_width && hard > 0 {
            break;
        }
        hard = offset + character.len_utf8();
        if matches!(character, ' ' | '-' | '_' | '.' | '/' | ':' | ',') && used > 0.4 * max_width {
            soft = Some(hard);
        }
    }
    soft.unwrap_or(hard)
}

/// The text, or its beginning and end around an ellipsis.
pub(crate) fn shorten(text: &str, size: f64, max_width: f64) -> String {
    if bold_width(text, size) <= max_width {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    for keep in (2..characters.len()).rev() {
        let head = keep.div_ceil(2);
        let tail = keep - head;
        let candidate: String =
            characters.iter().take(head).chain(['…'].iter()).chain(characters.iter().skip(characters.len() - tail)).collect();
        if bold_width(&candidate, size) <= max_width {
            return candidate;
        }
    }
    "…".to_owned()
}

/// Text for XML content and attributes; characters that XML 1.0 forbids become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Kept as references: an XML parser turns a bare line break in an attribute into a space.
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{bold_width, escape, wrap};

    #[test]
    fn names_break_after_separators_and_lose_their_middle_last() {
        let lines = wrap("forms-api-production-submission-lambda-with-a-rather-long-name", 12.0, 150.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].ends_with('-'), "{lines:?}");
        assert!(lines[1].contains('…'), "{lines:?}");
        assert!(lines.iter().all(|line| bold_width(line, 12.0) <= 150.0));
        assert_eq!(wrap("x", 12.0, 150.0, 2), ["x"]);
        assert_eq!(wrap("ああああああああああああああああああああ", 12.0, 60.0, 1).len(), 1);
    }

    #[test]
    fn hostile_names_stay_text() {
        assert_eq!(escape("a<b>&\"'\u{0}"), "a&lt;b&gt;&amp;&quot;&#39;\u{FFFD}");
    }
}
