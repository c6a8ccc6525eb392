//! Composer's versions: PHP's `version_compare` after the leading `v` that Composer takes off.
//!
//! Source: php.net, `version_compare`: separators and changes between digits and letters part; `dev` < `alpha` < `beta` < `RC` < number < `pl`.

use std::cmp::Ordering;

use super::number;

/// A version of a PHP package, as its parts.
#[derive(Clone, Debug)]
pub(super) struct Composer(Vec<String>);

/// Numbers at the front of a version, the missing ones zero.
const N_NUMBERS: usize = 4;
/// Place of a number among the words.
const NUMBER: u8 = 5;

impl Composer {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let mut parts = Vec::new();
        for part in text.split(['.', '-', '_', '+']) {
            if part.is_empty() {
                parts.push(String::new());
            }
            parts.extend(number::runs(part).map(str::to_owned));
        }
        // Composer knows four numbers, so `1.12` and `1.12.0` are one version; PHP's function alone puts the longer one later.
        let n_numbers = parts.iter().take_while(|part| number::is_number(part)).count();
        if n_numbers > 0 {
            parts.splice(n_numbers..n_numbers, (n_numbers..N_NUMBERS).map(|_| "0".to_owned()));
        }
        Self(parts)
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let n = self.0.len().max(other.0.len());
        for index in 0..n {
            let order = match (self.0.get(index), other.0.get(index)) {
                (Some(a), Some(b)) => part(a, b),
                (Some(a), None) => beyond(a),
                (None, Some(b)) => beyond(b).reverse(),
                (None, None) => Ordering::Equal,
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

fn part(a: &str, b: &str) -> Ordering {
    if number::is_number(a) && number::is_number(b) {
        return number::compare(a, b);
    }
    rank(a).cmp(&rank(b))
}

/// A part that the other version does not have: a number makes the version later, a word counts against a number.
fn beyond(part: &str) -> Ordering {
    if number::is_number(part) { Ordering::Greater } else { rank(part).cmp(&NUMBER) }
}

/// Words are known by how they begin; unknown ones, such as a branch's name, are below all.
fn rank(part: &str) -> u8 {
    const WORDS: &[(&str, u8)] = &[("dev", 1), ("a", 2), ("b", 3), ("RC", 4), ("rc", 4), ("#", NUMBER), ("p", 6)];
    if number::is_number(part) {
        return NUMBER;
    }
    WORDS.iter().find(|(word, _)| part.starts_with(word)).map_or(0, |(_, rank)| *rank)
}
