//! Policy text: a string that may hold references to things whose value the plan does not know.

use std::borrow::Cow;
use std::fmt;

/// One piece of a [`PolicyText`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Plain text.
    Literal(String),
    /// An attribute of something in the plan. Never the empty string.
    Reference {
        /// Address: `module.a.aws_sqs_queue.q[0]`, `data.aws_caller_identity.current`.
        address: String,
        /// Attribute: `arn`, `id`, `account_id`.
        attribute: String,
        /// Its value where the plan spells it out.
        value: Option<String>,
    },
    /// Text that cannot be known (any string, also the empty one), with the reason.
    Unknown(String),
}

/// A string of the policy language, perhaps with references in it.
///
/// INVARIANT: neighbouring literals are merged and no literal is empty, so equal texts have equal parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyText {
    parts: Vec<Part>,
}

impl PolicyText {
    pub(crate) const EMPTY: Self = Self { parts: Vec::new() };

    /// Plain text.
    pub fn literal(text: impl Into<String>) -> Self {
        let mut out = Self::default();
        out.push(Part::Literal(text.into()));
        out
    }

    /// A reference to an attribute, with its value where that is known.
    pub fn reference(address: impl Into<String>, attribute: impl Into<String>, value: Option<String>) -> Self {
        Self { parts: vec![Part::Reference { address: address.into(), attribute: attribute.into(), value }] }
    }

    /// Text that cannot be known, with the reason.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self { parts: vec![Part::Unknown(reason.into())] }
    }

    /// Appends a part.
    pub fn push(&mut self, part: Part) {
        if let Part::Literal(text) = &part {
            if text.is_empty() {
                return;
            }
            if let Some(Part::Literal(last)) = self.parts.last_mut() {
                last.push_str(text);
                return;
            }
        }
        self.parts.push(part);
    }

    /// Appends another text.
    pub fn append(&mut self, other: Self) {
        other.parts.into_iter().for_each(|part| self.push(part));
    }

    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// True when there is no part at all.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// True when something in it cannot be known at all; a reference without value does not count.
    pub fn has_unknown(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Unknown(_)))
    }

    /// The plain string when every part is a literal or a reference with a value.
    pub fn known(&self) -> Option<Cow<'_, str>> {
        match self.parts.as_slice() {
            [] => return Some(Cow::Borrowed("")),
            [Part::Literal(text)] | [Part::Reference { value: Some(text), .. }] => return Some(Cow::Borrowed(text)),
            _ => {}
        }
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) | Part::Reference { value: Some(text), .. } => out.push_str(text),
                Part::Reference { value: None, .. } | Part::Unknown(_) => return None,
            }
        }
        Some(Cow::Owned(out))
    }

    /// Address and attribute when the whole text is one reference.
    pub fn as_reference(&self) -> Option<(&str, &str)> {
        match self.parts.as_slice() {
            [Part::Reference { address, attribute, .. }] => Some((address, attribute)),
            _ => None,
        }
    }

    /// Address and attribute of every reference, in order.
    pub fn references(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Reference { address, attribute, .. } => Some((address.as_str(), attribute.as_str())),
            Part::Literal(_) | Part::Unknown(_) => None,
        })
    }

    /// The same text with every known value written out, so that references with a value become literals.
    pub fn with_values(&self) -> Self {
        let mut out = Self::default();
        for part in &self.parts {
            match part {
                Part::Reference { value: Some(value), .. } => out.push(Part::Literal(value.clone())),
                other => out.push(other.clone()),
            }
        }
        out
    }

    /// Splits at the first `limit - 1` separators that are plainly written; references are never split.
    pub fn split(&self, separator: char, limit: usize) -> Vec<Self> {
        let mut out = vec![Self::default()];
        for part in self.with_values().parts {
            let Part::Literal(text) = part else {
                if let Some(last) = out.last_mut() {
                    last.push(part);
                }
                continue;
            };
            let room = limit.saturating_sub(out.len()).saturating_add(1);
            for (index, piece) in text.splitn(room.max(1), separator).enumerate() {
                if index > 0 {
                    out.push(Self::default());
                }
                if let Some(last) = out.last_mut() {
                    last.push(Part::Literal(piece.to_owned()));
                }
            }
        }
        out
    }

    /// The six segments of an ARN: `arn`, partition, service, region, account, resource.
    ///
    /// `None` where the text does not spell the segments out, as with a reference to a whole ARN.
    pub fn arn_segments(&self) -> Option<[Self; 6]> {
        let segments: [Self; 6] = self.split(':', 6).try_into().ok()?;
        let [first, ..] = &segments;
        (first.known().as_deref() == Some("arn")).then_some(segments)
    }

    /// The literal text at the start, up to the first thing that is not plainly known.
    pub fn known_prefix(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) | Part::Reference { value: Some(text), .. } => out.push_str(text),
                Part::Reference { value: None, .. } | Part::Unknown(_) => break,
            }
        }
        out
    }

    /// The literal text at the end, after the last thing that is not plainly known.
    pub fn known_suffix(&self) -> String {
        let mut pieces = Vec::new();
        for part in self.parts.iter().rev() {
            match part {
                Part::Literal(text) | Part::Reference { value: Some(text), .. } => pieces.push(text.as_str()),
                Part::Reference { value: None, .. } | Part::Unknown(_) => break,
            }
        }
        pieces.into_iter().rev().collect()
    }
}

impl From<&str> for PolicyText {
    fn from(text: &str) -> Self {
        Self::literal(text)
    }
}

impl From<String> for PolicyText {
    fn from(text: String) -> Self {
        Self::literal(text)
    }
}

/// As a reader would write it: literals and known values as they are, references as `${address.attribute}`, the unknown as `${?}`.
impl fmt::Display for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(text) | Part::Reference { value: Some(text), .. } => f.write_str(text)?,
                Part::Reference { address, attribute, value: None } if attribute.is_empty() => write!(f, "${{{address}}}")?,
                Part::Reference { address, attribute, value: None } => write!(f, "${{{address}.{attribute}}}")?,
                Part::Unknown(_) => f.write_str("${?}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, PolicyText};

    fn queue_arn() -> PolicyText {
        let mut text = PolicyText::literal("arn:aws:sqs:eu-west-1:");
        text.append(PolicyText::reference("data.aws_caller_identity.current", "account_id", None));
        text.push(Part::Literal(":orders:x".to_owned()));
        text
    }

    #[test]
    fn an_arn_with_a_reference_inside_splits_into_six_segments() {
        let segments = queue_arn().arn_segments().unwrap();
        assert_eq!(segments[4].as_reference(), Some(("data.aws_caller_identity.current", "account_id")));
        assert_eq!(segments[5].known().as_deref(), Some("orders:x"));
    }

    #[test]
    fn a_reference_to_a_whole_arn_has_no_segments() {
        let mut text = PolicyText::reference("aws_s3_bucket.b", "arn", None);
        text.push(Part::Literal("/*".to_owned()));
        assert!(text.arn_segments().is_none());
        assert_eq!(text.known_suffix(), "/*");
        assert_eq!(text.to_string(), "${aws_s3_bucket.b.arn}/*");
    }

    #[test]
    fn known_values_are_written_out() {
        let text = PolicyText::reference("aws_s3_bucket.b", "arn", Some("arn:aws:s3:::b".to_owned()));
        assert_eq!(text.known().as_deref(), Some("arn:aws:s3:::b"));
        assert_eq!(text.arn_segments().unwrap()[2].known().as_deref(), Some("s3"));
    }
}
