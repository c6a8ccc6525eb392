//! Text that may hold references to things whose value the plan does not know.
//!
//! `"${aws_s3_bucket.logs.arn}/*"` is a text of two parts: a reference and the literal `/*`.
//! The references are kept *inside* the string, between private-use characters, so that every string operation that copies text
//! (join, format, jsonencode, a template, a JSON parser) carries them along without knowing of them.
//! A reference may also know its value (a bucket name that the plan spells out): then [`Text::known`] gives the plain string, and the
//! reference still tells which resource it came from.

use std::fmt;

const OPEN: char = '\u{F8F0}';
const SEPARATOR: char = '\u{F8F1}';
const CLOSE: char = '\u{F8F2}';
const UNKNOWN: char = '\u{F8F3}';

/// Text with references in it; see the module's page.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

/// One piece of a [`Text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Plain text.
    Literal(&'a str),
    /// An attribute of a resource.
    Reference {
        /// Address of the resource or data source: `module.a.aws_sqs_queue.q[0]`.
        address: &'a str,
        /// The attribute: `arn`, `id`, `endpoint`.
        attribute: &'a str,
        /// Its value where the plan spells it out.
        value: Option<&'a str>,
    },
    /// Text that the plan cannot know, with the reason.
    Unknown(&'a str),
}

impl Text {
    /// Plain text; characters that mark references are removed, so that input cannot forge one.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(if text.contains([OPEN, SEPARATOR, CLOSE, UNKNOWN]) {
            text.replace([OPEN, SEPARATOR, CLOSE, UNKNOWN], "\u{FFFD}")
        } else {
            text
        })
    }

    /// A reference to an attribute of a resource, with its value where that is known.
    pub fn reference(address: &str, attribute: &str, value: Option<&str>) -> Self {
        let clean = |text: &str| Self::literal(text).0;
        let mut out = format!("{OPEN}{}{SEPARATOR}{}", clean(address), clean(attribute));
        if let Some(value) = value {
            out.push(SEPARATOR);
            out.push_str(&clean(value));
        }
        out.push(CLOSE);
        Self(out)
    }

    /// Text that the plan cannot know, with the reason.
    pub fn unknown(reason: &str) -> Self {
        Self(format!("{UNKNOWN}{}{CLOSE}", Self::literal(reason).0))
    }

    /// Takes back what [`Text::encoded`] gave, after an operation that only copies text.
    pub fn from_encoded(encoded: impl Into<String>) -> Self {
        Self(encoded.into())
    }

    /// The string with its marks, for operations that only copy text.
    pub fn encoded(&self) -> &str {
        &self.0
    }

    /// Length in bytes of the mark (a reference or an unknown) that encoded text starts with; `None` where it starts with plain text.
    pub fn mark_length(encoded: &str) -> Option<usize> {
        if !encoded.starts_with([OPEN, UNKNOWN]) {
            return None;
        }
        Some(encoded.find(CLOSE).map_or(encoded.len(), |end| end + CLOSE.len_utf8()))
    }

    /// True for the characters that mark references in encoded text.
    pub fn is_mark(character: char) -> bool {
        matches!(character, OPEN | SEPARATOR | CLOSE | UNKNOWN)
    }

    /// Appends another text.
    pub fn push(&mut self, other: &Text) {
        self.0.push_str(&other.0);
    }

    /// True when there is no character at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when there is no reference and nothing unknown in it.
    pub fn is_literal(&self) -> bool {
        !self.0.contains([OPEN, UNKNOWN])
    }

    /// The plain string when every part is literal or a reference with a known value.
    pub fn known(&self) -> Option<std::borrow::Cow<'_, str>> {
        if self.is_literal() {
            return Some(std::borrow::Cow::Borrowed(&self.0));
        }
        let mut out = String::new();
        for part in self.parts() {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Reference { value: Some(value), .. } => out.push_str(value),
                Part::Reference { value: None, .. } | Part::Unknown(_) => return None,
            }
        }
        Some(std::borrow::Cow::Owned(out))
    }

    /// The parts in order.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        Parts { rest: &self.0 }
    }

    /// Address and attribute of every reference, in order.
    pub fn references(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts().filter_map(|part| match part {
            Part::Reference { address, attribute, .. } => Some((address, attribute)),
            Part::Literal(_) | Part::Unknown(_) => None,
        })
    }

    /// Address and attribute when the whole text is one reference.
    pub fn as_reference(&self) -> Option<(&str, &str)> {
        let mut parts = self.parts();
        match (parts.next(), parts.next()) {
            (Some(Part::Reference { address, attribute, .. }), None) => Some((address, attribute)),
            _ => None,
        }
    }

    /// The same text with each reference's address passed through `rename`; used to give references of one stack its prefix.
    pub fn map_addresses(&self, mut rename: impl FnMut(&str) -> String) -> Text {
        if self.is_literal() {
            return self.clone();
        }
        let mut out = Text::default();
        for part in self.parts() {
            match part {
                Part::Literal(text) => out.0.push_str(text),
                Part::Reference { address, attribute, value } => {
                    out.push(&Text::reference(&rename(address), attribute, value));
                }
                Part::Unknown(reason) => out.push(&Text::unknown(reason)),
            }
        }
        out
    }
}

struct Parts<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let first = self.rest.chars().next()?;
        if first != OPEN && first != UNKNOWN {
            let end = self.rest.find([OPEN, UNKNOWN]).unwrap_or(self.rest.len());
            let (literal, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Some(Part::Literal(literal));
        }
        // INVARIANT: marks are written only by this module, so a mark without its close is a text that was cut: what is left is unknown.
        let body = self.rest.get(first.len_utf8()..).unwrap_or("");
        let Some(end) = body.find(CLOSE) else {
            self.rest = "";
            return Some(Part::Unknown("the text was cut inside a reference"));
        };
        let (inside, rest) = body.split_at(end);
        self.rest = rest.get(CLOSE.len_utf8()..).unwrap_or("");
        if first == UNKNOWN {
            return Some(Part::Unknown(inside));
        }
        let mut fields = inside.splitn(3, SEPARATOR);
        let address = fields.next().unwrap_or("");
        let attribute = fields.next().unwrap_or("");
        Some(Part::Reference { address, attribute, value: fields.next() })
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::literal(text)
    }
}

impl fmt::Display for Text {
    /// References appear as `${address.attribute}`, or as their value where it is known; what is unknown appears as `${?}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.parts() {
            match part {
                Part::Literal(text) => f.write_str(text)?,
                Part::Reference { value: Some(value), .. } => f.write_str(value)?,
                Part::Reference { address, attribute: "", value: None } => write!(f, "${{{address}}}")?,
                Part::Reference { address, attribute, value: None } => write!(f, "${{{address}.{attribute}}}")?,
                Part::Unknown(_) => f.write_str("${?}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Text};

    #[test]
    fn references_survive_copying_and_tell_their_value() {
        let mut text = Text::literal("arn:");
        text.push(&Text::reference("aws_sqs_queue.q", "name", Some("orders")));
        text.push(&Text::literal("/*"));
        let copied = Text::from_encoded(format!("{}!", text.encoded()));
        assert_eq!(copied.known().as_deref(), Some("arn:orders/*!"));
        assert_eq!(copied.references().collect::<Vec<_>>(), [("aws_sqs_queue.q", "name")]);
        assert_eq!(copied.parts().count(), 3);
    }

    #[test]
    fn an_unvalued_reference_is_not_known_and_shows_as_source() {
        let text = Text::reference("aws_db_instance.d", "endpoint", None);
        assert_eq!(text.known(), None);
        assert_eq!(text.as_reference(), Some(("aws_db_instance.d", "endpoint")));
        assert_eq!(text.to_string(), "${aws_db_instance.d.endpoint}");
    }

    #[test]
    fn input_cannot_forge_a_reference() {
        let text = Text::literal("a\u{F8F0}x\u{F8F1}y\u{F8F2}");
        assert!(text.is_literal());
        assert!(matches!(text.parts().next(), Some(Part::Literal(_))));
    }
}
