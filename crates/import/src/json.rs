//! JSON → tree with spans. Reads plan files, `.tf.json`, policy documents and what `jsondecode` is handed.
//!
//! Strings may hold the reference marks of [`bartizan_model::Text`]; they are carried through whole, also where the text around them was put
//! together by a template and the mark's inside would not be valid in a JSON string.

use bartizan_model::{FileId, Node, Span, Text, Value};
use indexmap::IndexMap;

/// Nesting deeper than this is refused.
const MAX_DEPTH: usize = 128;

/// Where spans of the tree come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// The text is the file's own: byte offsets count from `base`.
    File { file: FileId, base: usize },
    /// The text was computed: every node has this span.
    Computed(Span),
}

/// A JSON syntax error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    /// Byte offset in the text, on a character boundary.
    pub(crate) offset: usize,
    /// Lower case, no full stop.
    pub(crate) message: &'static str,
}

/// Reads one JSON value; only white space may follow.
pub(crate) fn parse(text: &str, origin: Origin) -> Result<Node, JsonError> {
    parse_without(text, origin, |_| false)
}

/// As [`parse`], but leaves out the members for which `skip` is true of the keys on the way to them; lists on the way have no key.
///
/// Of what is left out only brackets and quotes are looked at.
pub(crate) fn parse_without(text: &str, origin: Origin, skip: fn(&[&str]) -> bool) -> Result<Node, JsonError> {
    let mut reader = Reader { text, bytes: text.as_bytes(), offset: 0, origin, keys: Vec::new(), skip };
    if text.starts_with('\u{feff}') {
        reader.offset = '\u{feff}'.len_utf8();
    }
    reader.white_space();
    let node = reader.value(0)?;
    reader.white_space();
    if reader.offset < text.len() {
        return Err(reader.error("text after the end of the JSON value"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    offset: usize,
    origin: Origin,
    /// Keys from the root to here, as they are written.
    keys: Vec<&'a str>,
    skip: fn(&[&str]) -> bool,
}

impl Reader<'_> {
    fn error(&self, message: &'static str) -> JsonError {
        JsonError { offset: self.text.floor_char_boundary(self.offset), message }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.offset).copied()
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.offset += 1;
        }
    }

    fn node(&self, value: Value, start: usize) -> Node {
        let span = match self.origin {
            Origin::File { file, base } => Span::new(file, base + start..base + self.offset),
            Origin::Computed(span) => span,
        };
        Node::new(value, span)
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        let start = self.offset;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            // A template may put a reference where JSON wants a whole value: `"Resource": ${jsonencode(x)}`.
            Some(_) => self.bare_mark()?,
            None => return Err(self.error("unexpected end of the JSON text")),
        };
        Ok(self.node(value, start))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if self.text.get(self.offset..).is_some_and(|rest| rest.starts_with(word)) {
            self.offset += word.len();
            Ok(value)
        } else {
            Err(self.error("expected a JSON value"))
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.offset;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.offset += 1;
        }
        let digits = self.text.get(start..self.offset).unwrap_or("");
        digits.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::Number).ok_or_else(|| self.error("not a number"))
    }

    fn bare_mark(&mut self) -> Result<Value, JsonError> {
        let rest = self.text.get(self.offset..).unwrap_or("");
        match Text::mark_length(rest) {
            Some(length) => {
                let mark = rest.get(..length).unwrap_or("");
                self.offset += length;
                Ok(Value::Text(Text::from_encoded(mark)))
            }
            None => Err(self.error("expected a JSON value")),
        }
    }

    fn string(&mut self) -> Result<Text, JsonError> {
        self.offset += 1;
        let mut out = String::new();
        loop {
            // Only quotes, escapes and marks (whose first byte is 0xEF) are more than themselves.
            let plain = self.bytes.get(self.offset..).unwrap_or(&[]).iter().position(|byte| matches!(byte, b'"' | b'\\' | 0xEF));
            let end = plain.map_or(self.bytes.len(), |length| self.offset + length);
            out.push_str(self.text.get(self.offset..end).unwrap_or(""));
            self.offset = end;
            let rest = self.text.get(self.offset..).unwrap_or("");
            let Some(character) = rest.chars().next() else { return Err(self.error("the string has no closing quote")) };
            if let Some(length) = Text::mark_length(rest) {
                let mark = rest.get(..length).unwrap_or("");
                // `jsonencode` escaped the quotes of an instance key inside the mark.
                out.push_str(&mark.replace("\\\"", "\"").replace("\\\\", "\\"));
                self.offset += length;
                continue;
            }
            self.offset += character.len_utf8();
            match character {
                '"' => return Ok(Text::from_encoded(out)),
                '\\' => out.push(self.escape()?),
                other => out.push(other),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let escaped = self.peek();
        self.offset += 1;
        Ok(match escaped {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.hex4()?;
                if (0xD800..0xDC00).contains(&high) && self.text.get(self.offset..).is_some_and(|rest| rest.starts_with("\\u")) {
                    self.offset += 2;
                    let low = self.hex4()?;
                    let code = 0x10000 + ((high - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF);
                    char::from_u32(code).unwrap_or('\u{FFFD}')
                } else {
                    // A mark must not be forged by an escape.
                    char::from_u32(high).filter(|c| !Text::is_mark(*c)).unwrap_or('\u{FFFD}')
                }
            }
            _ => return Err(self.error("unknown escape in a string")),
        })
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.get(self.offset..self.offset + 4).ok_or_else(|| self.error("`\\u` wants four hex digits"))?;
        let code = u32::from_str_radix(digits, 16).map_err(|_| self.error("`\\u` wants four hex digits"))?;
        self.offset += 4;
        Ok(code)
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.offset += 1;
        let mut items = Vec::new();
        loop {
            self.white_space();
            if self.peek() == Some(b']') {
                self.offset += 1;
                return Ok(Value::List(items));
            }
            items.push(self.value(depth + 1)?);
            self.separator(b']')?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.offset += 1;
        let mut members = IndexMap::new();
        loop {
            self.white_space();
            match self.peek() {
                Some(b'}') => {
                    self.offset += 1;
                    return Ok(Value::Map(members));
                }
                Some(b'"') => {}
                _ => return Err(self.error("expected a key in quotes or `}`")),
            }
            let start = self.offset + 1;
            let key = self.string()?.to_string();
            self.keys.push(self.text.get(start..self.offset.saturating_sub(1)).unwrap_or(""));
            self.white_space();
            if self.peek() != Some(b':') {
                return Err(self.error("expected `:` after a key"));
            }
            self.offset += 1;
            self.white_space();
            if (self.skip)(&self.keys) {
                self.pass_over()?;
            } else {
                let value = self.value(depth + 1)?;
                members.insert(key, value);
            }
            self.keys.pop();
            self.separator(b'}')?;
        }
    }

    /// Goes to the end of a value without reading it.
    fn pass_over(&mut self) -> Result<(), JsonError> {
        let mut depth = 0usize;
        loop {
            let Some(byte) = self.peek() else { return Err(self.error("unexpected end of the JSON text")) };
            match byte {
                b'}' | b']' | b',' if depth == 0 => return Ok(()),
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.offset += 1;
        }
    }

    /// A comma, or the closing bracket (which stays).
    fn separator(&mut self, close: u8) -> Result<(), JsonError> {
        self.white_space();
        match self.peek() {
            Some(b',') => {
                self.offset += 1;
                Ok(())
            }
            Some(byte) if byte == close => Ok(()),
            _ => Err(self.error("expected `,` or a closing bracket")),
        }
    }
}

/// Writes a value as compact JSON, keys sorted as Terraform's `jsonencode` sorts them; `None` where part of it is not known.
pub(crate) fn write(node: &Node) -> Option<Text> {
    let mut out = String::new();
    write_value(&node.value, &mut out)?;
    Some(Text::from_encoded(out))
}

fn write_value(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&crate::terraform::number_text(*number)),
        Value::Text(text) => write_string(text.encoded(), out),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(&item.value, out)?;
            }
            out.push(']');
        }
        Value::Map(members) => {
            out.push('{');
            let mut keys: Vec<_> = members.iter().collect();
            keys.sort_by(|a, b| a.0.cmp(b.0));
            for (index, (key, member)) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_value(&member.value, out)?;
            }
            out.push('}');
        }
        // Inside a document an unknown is a string whose content is not known; the rest of the document stays readable.
        Value::Unknown(unknown) => write_string(Text::unknown(&unknown.why).encoded(), out),
    }
    Some(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if (control as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{Origin, parse, write};
    use bartizan_model::{FileId, Span, Text, Value};

    fn origin() -> Origin {
        Origin::File { file: FileId(0), base: 0 }
    }

    #[test]
    fn spans_cover_the_values() {
        let text = "{\"a\": [1, \"x\"]}";
        let node = parse(text, origin()).unwrap();
        let inner = node.at("a[]")[1];
        assert_eq!(&text[inner.span.start as usize..inner.span.end as usize], "\"x\"");
    }

    #[test]
    fn members_can_be_left_out() {
        let text = r#"{"a": [{"before": {"x": "}\"", "y": [1]}, "after": 2}], "before": 3}"#;
        let node = super::parse_without(text, origin(), |keys| matches!(keys, ["a", "before"])).unwrap();
        assert_eq!(node.at("a.after").len(), 1);
        assert_eq!(node.at("a.before").len(), 0);
        assert_eq!(node.at("before").len(), 1);
    }

    #[test]
    fn references_survive_a_template_and_an_encoding() {
        let mark = Text::reference("aws_sqs_queue.q[\"a\"]", "arn", None);
        let by_template = format!("{{\"Resource\": \"{}/*\"}}", mark.encoded());
        let computed = Origin::Computed(Span::new(FileId(0), 0..1));
        let node = parse(&by_template, computed).unwrap();
        let text = node.get("Resource").and_then(|n| n.value.as_text()).unwrap().clone();
        assert_eq!(text.references().next(), Some(("aws_sqs_queue.q[\"a\"]", "arn")));
        let encoded = write(&node).unwrap();
        let again = parse(encoded.encoded(), computed).unwrap();
        assert_eq!(again.get("Resource").map(|n| &n.value), Some(&Value::Text(text)));
    }

    #[test]
    fn errors_name_the_place() {
        assert_eq!(parse("{\"a\" 1}", origin()).unwrap_err().offset, 5);
        assert!(parse(&"[".repeat(10_000), origin()).is_err());
    }
}
