//! Semantic versions, and what is written where one should be: a leading `v`, one or two numbers, five numbers, NuGet's four.
//!
//! Source: semver.org 2.0.0, items 9 to 11; learn.microsoft.com, NuGet package versioning.

use std::cmp::Ordering;

use super::number;

/// A semantic version, by the `semver` crate where it is one.
#[derive(Clone, Debug)]
pub(super) enum Semantic {
    Strict(semver::Version),
    Loose(Loose),
}

impl Semantic {
    pub(super) fn parse(text: &str) -> Self {
        match semver::Version::parse(without_v(text)) {
            Ok(version) => Self::Strict(version),
            Err(_) => Self::Loose(Loose::parse(text, 3)),
        }
    }

    /// Order without build metadata.
    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Strict(a), Self::Strict(b)) => a.cmp_precedence(b),
            (a, b) => a.to_loose().precedence(&b.to_loose()),
        }
    }

    pub(super) fn build(&self) -> &str {
        match self {
            Self::Strict(version) => version.build.as_str(),
            Self::Loose(loose) => &loose.build,
        }
    }

    fn to_loose(&self) -> Loose {
        match self {
            Self::Strict(version) => Loose {
                numbers: vec![version.major.to_string(), version.minor.to_string(), version.patch.to_string()],
                pre_release: identifiers(version.pre.as_str()),
                build: String::new(),
            },
            Self::Loose(loose) => loose.clone(),
        }
    }
}

/// Numbers, a pre-release and build metadata, however badly written.
#[derive(Clone, Debug)]
pub(super) struct Loose {
    /// Missing ones count as zero.
    numbers: Vec<String>,
    pre_release: Vec<String>,
    build: String,
}

impl Loose {
    /// Numbers past `n_numbers` belong to what follows.
    pub(super) fn parse(text: &str, n_numbers: usize) -> Self {
        let text = without_v(text);
        let (text, build) = text.split_once('+').unwrap_or((text, ""));
        let mut numbers = Vec::new();
        let mut rest = text;
        while numbers.len() < n_numbers {
            let (digits, after) = number::split_digits(rest);
            if digits.is_empty() {
                break;
            }
            numbers.push(digits.to_owned());
            rest = after;
            match after.strip_prefix('.') {
                Some(after) => rest = after,
                None => break,
            }
        }
        let pre_release = identifiers(rest.strip_prefix('-').unwrap_or(rest));
        Self { numbers, pre_release, build: build.to_owned() }
    }

    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        let n = self.numbers.len().max(other.numbers.len());
        let at = |loose: &Self, index: usize| loose.numbers.get(index).cloned().unwrap_or_default();
        let numbers = (0..n).map(|index| number::compare(&at(self, index), &at(other, index))).find(|order| order.is_ne());
        numbers.unwrap_or_else(|| match (self.pre_release.is_empty(), other.pre_release.is_empty()) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => pre_release(&self.pre_release, &other.pre_release),
        })
    }
}

fn without_v(text: &str) -> &str {
    text.strip_prefix(['v', 'V', '=']).unwrap_or(text)
}

fn identifiers(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { text.split('.').map(str::to_owned).collect() }
}

/// Item 11: numbers by value and below words, words by their bytes, the longer of two equal beginnings last.
fn pre_release(a: &[String], b: &[String]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        let order = match (number::is_number(a), number::is_number(b)) {
            (true, true) => number::compare(a, b),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}
