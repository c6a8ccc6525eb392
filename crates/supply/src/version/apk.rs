//! Alpine's versions: `1.2.3a_rc1_p2~hash-r4`.
//!
//! Source: `apk-package(5)` and apk-tools' `version.c`: numbers (after the first, those with a leading zero are fractions), one letter, suffixes, a
//! commit hash that orders nothing, and the build of the package.

use std::cmp::Ordering;

use super::number;

/// Suffixes in their order; nothing stands at [`NOTHING`].
const SUFFIXES: &[&str] = &["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"];
/// Place of "no suffix" in [`SUFFIXES`].
const NOTHING: usize = 4;

/// A version of an Alpine package.
#[derive(Clone, Debug)]
pub(super) struct Apk {
    text: String,
    numbers: Vec<String>,
    letter: Option<char>,
    suffixes: Vec<(usize, String)>,
    build: String,
    /// Whether something without meaning stands before the build, as in `6.6.2p1-r0`: two such versions are compared as text.
    is_foreign: bool,
    /// What the format gives no meaning; such a version is below the one that ends before it.
    rest: String,
}

impl Apk {
    pub(super) fn parse(text: &str) -> Self {
        let mut apk = Self {
            text: text.to_owned(),
            numbers: Vec::new(),
            letter: None,
            suffixes: Vec::new(),
            build: String::new(),
            is_foreign: false,
            rest: String::new(),
        };
        let mut rest = text;
        loop {
            let (digits, after) = number::split_digits(rest);
            if digits.is_empty() {
                break;
            }
            apk.numbers.push(digits.to_owned());
            rest = after;
            match after.strip_prefix('.') {
                Some(after) => rest = after,
                None => break,
            }
        }
        if let Some(letter) = rest.chars().next().filter(char::is_ascii_lowercase) {
            apk.letter = Some(letter);
            rest = rest.get(1..).unwrap_or_default();
        }
        while let Some((suffix, after)) = split_suffix(rest) {
            let (digits, after) = number::split_digits(after);
            apk.suffixes.push((suffix, digits.to_owned()));
            rest = after;
        }
        if let Some(hash) = rest.strip_prefix('~') {
            rest = hash.trim_start_matches(|character: char| matches!(character, '0'..='9' | 'a'..='f'));
        }
        if let Some(build) = rest.strip_prefix("-r") {
            let (digits, after) = number::split_digits(build);
            apk.build = digits.to_owned();
            rest = after;
        } else {
            apk.is_foreign = !rest.is_empty();
        }
        apk.rest = rest.to_owned();
        apk
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        if self.is_foreign && other.is_foreign {
            return foreign(&self.text, &other.text);
        }
        numbers(&self.numbers, &other.numbers)
            .then_with(|| self.letter.cmp(&other.letter))
            .then_with(|| suffixes(&self.suffixes, &other.suffixes))
            .then_with(|| number::compare(&self.build, &other.build))
            .then_with(|| self.rest.is_empty().cmp(&other.rest.is_empty()))
    }
}

/// Runs of digits by value, anything else by its characters.
fn foreign(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (number::runs(a), number::runs(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) if number::is_number(a) && number::is_number(b) => number::compare(a, b),
            (a, b) => a.cmp(&b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The first suffix of a text and what follows it; the longest name wins (`pre` before `p`).
fn split_suffix(text: &str) -> Option<(usize, &str)> {
    let text = text.strip_prefix('_')?;
    let named = SUFFIXES.iter().enumerate().filter(|(place, _)| *place != NOTHING);
    let (place, name) = named.filter(|(_, name)| text.starts_with(**name)).max_by_key(|(_, name)| name.len())?;
    Some((place, text.get(name.len()..)?))
}

fn numbers(a: &[String], b: &[String]) -> Ordering {
    let n = a.len().max(b.len());
    for index in 0..n {
        let order = match (a.get(index), b.get(index)) {
            (Some(a), Some(b)) if index > 0 && (a.starts_with('0') || b.starts_with('0')) => a.cmp(b),
            (a, b) => number::compare(a.map_or("", String::as_str), b.map_or("", String::as_str)),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn suffixes(a: &[(usize, String)], b: &[(usize, String)]) -> Ordering {
    let n = a.len().max(b.len());
    let at = |suffixes: &[(usize, String)], index: usize| suffixes.get(index).cloned().unwrap_or((NOTHING, String::new()));
    let each = (0..n).map(|index| {
        let ((a, a_number), (b, b_number)) = (at(a, index), at(b, index));
        a.cmp(&b).then_with(|| number::compare(&a_number, &b_number))
    });
    each.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}
