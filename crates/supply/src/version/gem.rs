//! Ruby's versions: by their crate where all numbers fit it, by the same rules here where they do not (dates with a time pass 32 bits).
//!
//! Source: `Gem::Version` of RubyGems: `-` reads as `.pre.`, zeros at the end of the numbers and of the rest do not count, words come below numbers.

use std::cmp::Ordering;

use super::number;

/// Digits that surely fit the crate's 32 bits.
const SAFE_DIGITS: usize = 9;

/// A version of a gem.
#[derive(Clone, Debug)]
pub(super) struct Gem {
    by_crate: Option<gem_version::GemVersion>,
    segments: Vec<String>,
}

impl Gem {
    pub(super) fn parse(text: &str) -> Self {
        let segments = segments(text);
        let fits = segments.iter().all(|segment| !number::is_number(segment) || segment.len() <= SAFE_DIGITS);
        Self { by_crate: text.parse().ok().filter(|_| fits), segments }
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        if let (Some(a), Some(b)) = (&self.by_crate, &other.by_crate) {
            return a.cmp(b);
        }
        let n = self.segments.len().max(other.segments.len());
        let at = |gem: &Self, index: usize| gem.segments.get(index).cloned().unwrap_or_else(|| "0".to_owned());
        (0..n).map(|index| segment(&at(self, index), &at(other, index))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

fn segment(a: &str, b: &str) -> Ordering {
    match (number::is_number(a), number::is_number(b)) {
        (true, true) => number::compare(a, b),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => a.cmp(b),
    }
}

fn segments(text: &str) -> Vec<String> {
    let text = text.trim().replace('-', ".pre.");
    let parts: Vec<&str> = text.split(|character: char| !character.is_ascii_alphanumeric()).flat_map(number::runs).collect();
    let n_numbers = parts.iter().take_while(|part| number::is_number(part)).count();
    let (numbers, rest) = parts.split_at_checked(n_numbers).unwrap_or((&parts, &[]));
    let mut segments = without_zeros(numbers);
    segments.extend(without_zeros(rest));
    segments
}

fn without_zeros(parts: &[&str]) -> Vec<String> {
    let end = parts.iter().rposition(|part| !part.bytes().all(|byte| byte == b'0')).map_or(0, |last| last + 1);
    parts.iter().take(end).map(|part| (*part).to_owned()).collect()
}
