//! Places in the sources: file, line and column of a span, and the lines around it.

use bartizan_model::{Sources, Span};

use crate::redact::{Redactor, variable};

/// Where a span lies, as people and machines name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path relative to the reviewed root.
    pub file: String,
    /// First line, from 1.
    pub line: u32,
    /// First column in characters, from 1.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Last column, inclusive.
    pub end_column: u32,
}

impl Place {
    /// The place of a span; `None` where its file is not among the sources.
    pub fn of(sources: &Sources, span: Span) -> Option<Place> {
        let file = sources.get(span.file)?;
        let (start, end) = (sources.start(span), sources.end(span));
        Some(Place { file: file.path.clone(), line: start.line, column: start.column, end_line: end.line, end_column: end.column })
    }

    /// `file:line`.
    pub fn short(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// Lines of a source around a span, secrets hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The place that is shown.
    pub place: Place,
    /// Number of the first line in `lines`.
    pub first_line: u32,
    /// The lines, without line breaks.
    pub lines: Vec<String>,
    /// Last line that belongs to the span and is shown.
    pub marked_to: u32,
}

/// Longest run of marked lines; a block that is longer is cut, its first lines tell what it is.
const MOST_MARKED: u32 = 12;
/// Longest line that is shown, in characters: a minified policy must not swamp a page.
const MOST_COLUMNS: usize = 240;
/// A line longer than this, in bytes, is not written by hand: a plan in JSON is one line. Only the part around the span is looked at.
const LONG_LINE: usize = 4096;
/// Lines above the first one that are searched for the head of a variable.
const MOST_OF_VARIABLE: usize = 40;
/// How far before the span its key is looked for, in bytes.
const MOST_BEFORE: usize = 200;

impl Excerpt {
    /// The lines of a span with `context` lines before and after it.
    pub fn of(sources: &Sources, span: Span, context: u32) -> Option<Excerpt> {
        let place = Place::of(sources, span)?;
        let file = sources.get(span.file)?;
        let marked_to = place.end_line.max(place.line).min(place.line.saturating_add(MOST_MARKED - 1));
        let first_line = place.line.saturating_sub(context).max(1);
        let last_line = marked_to.saturating_add(context).min(file.n_lines());
        let mut redactor = Redactor::default();
        // The head of the variable that the lines lie in tells whether its default is a secret.
        let above = (1..first_line).rev().take(MOST_OF_VARIABLE).map_while(|line| file.line(line).filter(|line| !line.starts_with('}')));
        if let Some(head) = above.into_iter().find(|line| variable(line).is_some()) {
            redactor.line(window(head, None));
        }
        // One line more than is shown, so that `name: DB_PASSWORD` above the first line hides the value below it.
        if let Some(before) = first_line.checked_sub(1).and_then(|line| file.line(line)) {
            redactor.line(window(before, None));
        }
        let shown = |number: u32| {
            let inside = file.line_range(number)?;
            let at = (number == place.line).then(|| (span.start as usize).saturating_sub(inside.start));
            Some(window(file.text.get(inside)?, at))
        };
        let mut lines: Vec<String> = (first_line..=last_line).filter_map(shown).map(|line| cut(&redactor.line(line))).collect();
        // Blank lines at the edges tell nothing.
        let last_marked = usize::try_from(marked_to.saturating_sub(first_line)).unwrap_or(usize::MAX);
        while lines.len() > last_marked.saturating_add(1) && lines.last().is_some_and(|line| line.trim().is_empty()) {
            lines.pop();
        }
        let blank = lines.iter().zip(first_line..place.line).take_while(|(line, _)| line.trim().is_empty()).count();
        lines.drain(..blank);
        let first_line = first_line.saturating_add(u32::try_from(blank).unwrap_or(0));
        Some(Excerpt { place, first_line, lines, marked_to })
    }
}

/// The part of a line that is worth showing: all of it, or of a very long one what starts at the key before byte `at`.
///
/// INVARIANT: the part starts before a key, for a secret is recognised by its key.
fn window(line: &str, at: Option<usize>) -> &str {
    if line.len() <= LONG_LINE {
        return line;
    }
    let Some(at) = at else { return "" };
    let earliest = line.floor_char_boundary(at.saturating_sub(MOST_BEFORE));
    let key = line.get(earliest..at).and_then(|before| before.rfind(['{', '[', ',']));
    let start = match key {
        Some(offset) => earliest + offset,
        None if earliest == 0 => 0,
        None => return "",
    };
    line.get(start..line.floor_char_boundary(start.saturating_add(LONG_LINE))).unwrap_or("")
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(MOST_COLUMNS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bartizan_model::{Sources, Span};

    use super::Excerpt;

    #[test]
    fn an_excerpt_has_context_on_both_sides_and_stays_inside_the_file() {
        let mut sources = Sources::default();
        let text = "a\nb\nc\nd\ne\n";
        let file = sources.add("m.tf", text);
        let excerpt = Excerpt::of(&sources, Span::new(file, 4..5), 1).expect("the file is there");
        assert_eq!(
            (excerpt.first_line, excerpt.lines.as_slice(), excerpt.marked_to),
            (2, ["b", "c", "d"].map(str::to_owned).as_slice(), 3)
        );
        let last = Excerpt::of(&sources, Span::new(file, 8..9), 3).expect("the file is there");
        assert_eq!(last.lines, ["b", "c", "d", "e"]);
        let blank = sources.add("n.tf", "\n\nx\n\n");
        let alone = Excerpt::of(&sources, Span::new(blank, 2..3), 2).expect("the file is there");
        assert_eq!((alone.first_line, alone.lines), (3, vec!["x".to_owned()]));
    }

    #[test]
    fn of_a_plan_on_one_line_the_part_at_the_span_is_shown_with_its_secrets_hidden() {
        let mut sources = Sources::default();
        let many = "{\"name\":\"x\"},".repeat(2000);
        let text = format!("[{many}{{\"address\":\"aws_db_instance.d\",\"password\":\"hunter2\"}},{many}]\n");
        let file = sources.add("plan.json", text.as_str());
        let at = |text: &str, part: &str| text.find(part).expect("it is there");
        let address = at(&text, "\"aws_db");
        let excerpt = Excerpt::of(&sources, Span::new(file, address..address + 19), 2).expect("the file is there");
        let [line] = excerpt.lines.as_slice() else { panic!("one line: {excerpt:?}") };
        assert!(line.starts_with("{\"address\":\"aws_db_instance.d\",\"password\":\"********\"}"), "{line}");
        let password = at(&text, "\"hunter2");
        let excerpt = Excerpt::of(&sources, Span::new(file, password..password + 9), 0).expect("the file is there");
        assert!(excerpt.lines.iter().all(|line| line.starts_with(",\"password\":\"********\"")), "{excerpt:?}");
    }

    #[test]
    fn a_long_block_is_cut() {
        let mut sources = Sources::default();
        let text = "x = 1\n".repeat(100);
        let file = sources.add("m.tf", text.as_str());
        let excerpt = Excerpt::of(&sources, Span::new(file, 0..text.len()), 2).expect("the file is there");
        assert_eq!(excerpt.marked_to, 12);
        assert_eq!(excerpt.lines.len(), 14);
    }
}
