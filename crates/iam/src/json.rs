//! A small JSON reader that keeps the byte range of every value. It reads text and nothing else.

use thiserror::Error;

use crate::{Node, Origin, PolicyText, Tree};

/// Deeper nesting is refused: a policy has about six levels, and recursion must end.
const MAX_DEPTH: usize = 64;

/// The text is not JSON; the author of the policy is at fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message} at byte {offset}")]
pub struct JsonError {
    /// What is wrong, lower case.
    pub message: String,
    /// Byte offset where it shows; never past the end of the text.
    pub offset: usize,
}

/// Reads one JSON value; origins are byte ranges of `text`, their source is 0.
pub fn parse_json(text: &str) -> Result<Node, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.error("text after the end of the document"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    /// INVARIANT: on a character boundary, at most `text.len()`.
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn error(&self, message: &str) -> JsonError {
        JsonError { message: message.to_owned(), offset: self.at }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        // A byte order mark is no JSON, but AWS consoles and editors leave one at the start of files.
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{FEFF}']);
        self.at += rest.len() - trimmed.len();
    }

    fn expect(&mut self, wanted: char) -> Result<(), JsonError> {
        if self.peek() == Some(wanted) {
            self.at += wanted.len_utf8();
            return Ok(());
        }
        Err(self.error(&format!("expected `{wanted}`")))
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        self.skip_space();
        let start = self.at;
        let tree = match self.peek() {
            Some('{') => self.map(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Tree::Text(PolicyText::literal(self.string()?)),
            Some('-' | '0'..='9') => self.number()?,
            Some('a'..='z') => self.word()?,
            Some(_) => return Err(self.error("expected a value")),
            None => return Err(self.error("unexpected end of the document")),
        };
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Ok(Node::new(tree, Origin { source: 0, start: offset(start), end: offset(self.at) }))
    }

    fn map(&mut self, depth: usize) -> Result<Tree, JsonError> {
        self.expect('{')?;
        let mut entries = Vec::new();
        self.skip_space();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(Tree::Map(entries));
        }
        loop {
            self.skip_space();
            let key = self.string()?;
            self.skip_space();
            self.expect(':')?;
            entries.push((PolicyText::literal(key), self.value(depth + 1)?));
            if !self.another('}')? {
                return Ok(Tree::Map(entries));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Tree, JsonError> {
        self.expect('[')?;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(Tree::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.another(']')? {
                return Ok(Tree::List(items));
            }
        }
    }

    /// After an element: true at a comma, false at the closing bracket.
    fn another(&mut self, close: char) -> Result<bool, JsonError> {
        self.skip_space();
        if self.peek() == Some(',') {
            self.at += 1;
            return Ok(true);
        }
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        Err(self.error(&format!("expected `,` or `{close}`")))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.expect('"')?;
        let mut out = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(out),
                Some('\\') => out.push(self.escape()?),
                // Control characters are not allowed in JSON, yet documents with raw line breaks are common and harmless.
                Some(other) => out.push(other),
                None => return Err(self.error("string without an end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        Ok(match self.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{C}',
            Some(plain @ ('"' | '\\' | '/')) => plain,
            Some('u') => {
                let first = self.hex4()?;
                let code = if (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    let second = self.hex4()?;
                    0x1_0000 + ((first - 0xD800) << 10) + second.wrapping_sub(0xDC00) % 0x400
                } else {
                    first
                };
                char::from_u32(code).unwrap_or('\u{FFFD}')
            }
            _ => return Err(self.error("unknown escape in a string")),
        })
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|c| c.to_digit(16)).ok_or_else(|| self.error("expected four hexadecimal digits"))?;
            self.at += 1;
            code = code * 16 + digit;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Tree, JsonError> {
        let rest = self.rest();
        let length = rest.find(|c: char| !matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9')).unwrap_or(rest.len());
        let number: f64 = rest.get(..length).unwrap_or("").parse().map_err(|_| self.error("not a number"))?;
        self.at += length;
        Ok(Tree::Number(number))
    }

    fn word(&mut self) -> Result<Tree, JsonError> {
        for (word, tree) in [("true", Tree::Bool(true)), ("false", Tree::Bool(false)), ("null", Tree::Null)] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(tree);
            }
        }
        Err(self.error("expected a value"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, proptest};

    use super::{JsonError, parse_json};
    use crate::{Node, Tree};

    fn spans(node: &Node, out: &mut Vec<(u32, u32)>) {
        out.push((node.origin.start, node.origin.end));
        match &node.tree {
            Tree::List(items) => items.iter().for_each(|item| spans(item, out)),
            Tree::Map(entries) => entries.iter().for_each(|(_, item)| spans(item, out)),
            _ => {}
        }
    }

    #[test]
    fn values_keep_their_byte_ranges() {
        let text = r#" {"a": ["x", 12, true]} "#;
        let node = parse_json(text).unwrap();
        let Tree::Map(entries) = &node.tree else { panic!("not a map") };
        let Tree::List(items) = &entries[0].1.tree else { panic!("not a list") };
        let texts: Vec<_> = items.iter().map(|item| &text[item.origin.start as usize..item.origin.end as usize]).collect();
        assert_eq!(texts, ["\"x\"", "12", "true"]);
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(parse_json("{\"a\" 1}"), Err(JsonError { message: "expected `:`".to_owned(), offset: 5 }));
        assert!(parse_json(&"[".repeat(10_000)).unwrap_err().message.contains("too deeply"));
        assert!(parse_json("{} x").is_err());
    }

    #[test]
    fn escapes_are_decoded() {
        let node = parse_json(r#""a\u00e4\n\ud83d\ude00\ud800""#).unwrap();
        assert_eq!(node.tree, Tree::Text("aä\n😀\u{FFFD}".into()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn never_panics_and_spans_stay_in_range(text in "[\\[\\]{}\",:\\\\u0-9a-fä truenls.-]{0,60}", other in any::<String>()) {
            for text in [text, other] {
                match parse_json(&text) {
                    Ok(node) => {
                        let mut all = Vec::new();
                        spans(&node, &mut all);
                        for (start, end) in all {
                            assert!(start <= end && text.get(start as usize..end as usize).is_some());
                        }
                    }
                    Err(error) => assert!(text.is_char_boundary(error.offset)),
                }
            }
        }
    }
}
