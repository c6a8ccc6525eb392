//! Text → instructions with the words after them, each with its place.
//!
//! Lines that go on, comments between them, quotes, here-documents and the escape directive are what makes it more than a split.

use std::ops::Range;

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// In upper case.
    pub(super) keyword: String,
    pub(super) words: Vec<Word>,
    /// From the keyword to the end of the last line, without here-documents.
    pub(super) range: Range<usize>,
}

/// A word, without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

/// The instructions of a Dockerfile.
pub(super) fn instructions(text: &str) -> Vec<Instruction> {
    let escape = escape(text);
    let mut out = Vec::new();
    let mut lines = lines(text).peekable();
    while let Some((start, line)) = lines.next() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let mut characters = Vec::new();
        let mut end = start;
        let mut next = Some((start, line));
        while let Some((start, line)) = next.take() {
            let trimmed = line.trim_end();
            let body = trimmed.strip_suffix(escape);
            let part = body.unwrap_or(trimmed);
            characters.extend(part.char_indices().map(|(at, character)| (start + at, character)));
            end = start + part.len();
            if body.is_none() {
                break;
            }
            // Empty lines and comments between the lines of one instruction are left out.
            while lines.peek().is_some_and(|(_, line)| line.trim().is_empty() || line.trim_start().starts_with('#')) {
                lines.next();
            }
            next = lines.next();
        }
        let mut words = words(&characters, escape);
        if words.is_empty() {
            continue;
        }
        let keyword = words.remove(0);
        let keyword_text = keyword.text.to_ascii_uppercase();
        if matches!(keyword_text.as_str(), "RUN" | "COPY" | "ADD") {
            for end in words.iter().filter_map(|word| heredoc(&word.text)) {
                // A document without its end goes on to the end of the file.
                for (_, line) in lines.by_ref() {
                    if line.trim_start_matches('\t').trim_end_matches(['\n', '\r']) == end {
                        break;
                    }
                }
            }
        }
        out.push(Instruction { keyword: keyword_text, words, range: keyword.range.start..end });
    }
    out
}

/// Lines with where they start.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        (start, line)
    })
}

/// The character that lets lines go on: `\`, or what the directive in the comments at the top names.
fn escape(text: &str) -> char {
    for line in text.lines().map(str::trim) {
        let Some((name, value)) = line.strip_prefix('#').and_then(|comment| comment.split_once('=')) else { break };
        if name.trim().eq_ignore_ascii_case("escape") {
            return if value.trim() == "`" { '`' } else { '\\' };
        }
    }
    '\\'
}

fn words(characters: &[(usize, char)], escape: char) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote = None;
    let mut characters = characters.iter().copied().peekable();
    while let Some((at, character)) = characters.next() {
        if quote.is_none() && character.is_whitespace() {
            out.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_with(|| Word { text: String::new(), range: at..at });
        word.range.end = at + character.len_utf8();
        if quote == Some(character) {
            quote = None;
        } else if quote.is_none() && matches!(character, '"' | '\'') {
            quote = Some(character);
        } else if character == escape && quote != Some('\'') {
            if let Some((at, escaped)) = characters.next() {
                word.range.end = at + escaped.len_utf8();
                word.text.push(escaped);
            }
        } else {
            word.text.push(character);
        }
    }
    out.extend(word);
    out
}

/// The word that ends a here-document: `<<EOF`, `<<-EOF`.
fn heredoc(word: &str) -> Option<String> {
    // A file descriptor may stand before it.
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let name = rest.strip_prefix('-').unwrap_or(rest);
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then(|| name.to_owned())
}
