//! Where something is written: files, byte spans, lines and columns.

use std::sync::Arc;

/// Index of a file in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A half-open byte range `start..end` in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from byte offsets; offsets past 4 GiB saturate (files that large are refused before).
    pub fn new(file: FileId, range: std::ops::Range<usize>) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: clamp(range.start), end: clamp(range.end) }
    }
}

/// A line and column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path relative to the reviewed root, with `/`.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
    /// Byte offset of the start of each line, ascending.
    line_starts: Vec<u32>,
    /// Characters before each multiple of [`STRIDE`] bytes: a plan in JSON is one line of a hundred megabytes, and columns are asked for often.
    n_before: Vec<u32>,
}

/// Bytes from one known number of characters to the next.
const STRIDE: usize = 1024;

/// Characters that start in these bytes of a text.
fn n_characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count()
}

impl SourceFile {
    /// Byte range of line `line` (from 1) without its line break; `None` past the end.
    pub fn line_range(&self, line: u32) -> Option<std::ops::Range<usize>> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let start = *self.line_starts.get(index)? as usize;
        let end = self.line_starts.get(index + 1).map_or(self.text.len(), |next| *next as usize);
        let text = self.text.get(start..end)?;
        Some(start..start + text.trim_end_matches(['\n', '\r']).len())
    }

    /// Text of line `line` (from 1) without its line break.
    pub fn line(&self, line: u32) -> Option<&str> {
        self.text.get(self.line_range(line)?)
    }

    /// Number of characters that start from one byte offset to another.
    fn n_characters(&self, start: usize, end: usize) -> usize {
        match self.text.as_bytes().get(start..end) {
            Some(bytes) if bytes.len() <= STRIDE => n_characters(bytes),
            _ => self.n_characters_before(end).saturating_sub(self.n_characters_before(start)),
        }
    }

    fn n_characters_before(&self, offset: usize) -> usize {
        let stride = offset / STRIDE;
        let known = self.n_before.get(stride).map_or(0, |count| *count as usize);
        known + self.text.as_bytes().get(stride * STRIDE..offset).map_or(0, n_characters)
    }

    /// Number of lines; an empty file has one.
    pub fn n_lines(&self) -> u32 {
        u32::try_from(self.line_starts.len()).unwrap_or(u32::MAX)
    }
}

/// All files that were read, in the order they were added.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    /// Where the reviewed root lies in its repository, with `/` at the end; empty at the root of one and where there is none.
    below: String,
}

impl Sources {
    /// Says where the reviewed root lies in its repository: `infra/prod`; empty for its root.
    pub fn lie_below(&mut self, folder: &str) {
        self.below = if folder.is_empty() { String::new() } else { format!("{}/", folder.trim_end_matches('/')) };
    }

    /// The path of a file from the root of the repository, as services that show findings in it need it.
    pub fn path_in_repository(&self, path: &str) -> String {
        format!("{}{path}", self.below)
    }

    /// Adds a file; `path` is relative to the reviewed root.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let text: Arc<str> = text.into();
        let mut line_starts = vec![0];
        for (offset, byte) in text.bytes().enumerate() {
            if byte == b'\n' {
                line_starts.push(u32::try_from(offset + 1).unwrap_or(u32::MAX));
            }
        }
        let mut n_before = vec![0];
        let mut count = 0;
        for chunk in text.as_bytes().chunks(STRIDE) {
            count += n_characters(chunk);
            n_before.push(u32::try_from(count).unwrap_or(u32::MAX));
        }
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile { path: path.into(), text, line_starts, n_before });
        id
    }

    /// The file behind an id.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().zip(0u32..).map(|(file, index)| (FileId(index), file))
    }

    /// Path of the file a span lies in; empty for a file that is not known.
    pub fn path(&self, span: Span) -> &str {
        self.get(span.file).map_or("", |file| file.path.as_str())
    }

    /// Line and column where a span starts.
    pub fn start(&self, span: Span) -> Position {
        self.position(span.file, span.start)
    }

    /// Line and column of the last byte of a span (of its start where it is empty).
    pub fn end(&self, span: Span) -> Position {
        self.position(span.file, if span.end > span.start { span.end - 1 } else { span.start })
    }

    /// The text a span covers.
    pub fn excerpt(&self, span: Span) -> &str {
        self.get(span.file).and_then(|file| file.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    fn position(&self, file: FileId, offset: u32) -> Position {
        let Some(file) = self.get(file) else { return Position { line: 1, column: 1 } };
        let index = file.line_starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = file.line_starts.get(index).copied().unwrap_or(0);
        let before = file.n_characters(start as usize, offset as usize);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position { line: count(index + 1), column: count(before + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, Sources, Span};

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let mut sources = Sources::default();
        let file = sources.add("a.tf", "ä = 1\r\nbc = 2\n");
        let span = Span::new(file, 9..14);
        assert_eq!(sources.start(span), Position { line: 2, column: 2 });
        assert_eq!(sources.get(file).and_then(|f| f.line(1)), Some("ä = 1"));
        assert_eq!(sources.get(file).and_then(|f| f.line(4)), None);
    }

    #[test]
    fn columns_of_a_long_line_count_characters_across_strides() {
        let mut sources = Sources::default();
        let text = format!("first\n{}", "ä€x".repeat(2000));
        let file = sources.add("plan.json", text.as_str());
        for n_repeats in [0, 1, 169, 170, 171, 500, 1999] {
            let at = 6 + n_repeats * 6;
            let column = u32::try_from(n_repeats * 3 + 1).unwrap();
            assert_eq!(sources.start(Span::new(file, at..at + 2)), Position { line: 2, column });
        }
    }
}
