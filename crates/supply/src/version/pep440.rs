//! Python's versions: PEP 440 by its crate, larger numbers and the texts from before it by rules here.
//!
//! Source: PEP 440; `packaging` before version 22 for legacy texts, which all come below every PEP 440 version.

use std::cmp::Ordering;

use super::number;

/// A version of a Python package.
#[derive(Clone, Debug)]
pub(super) enum Python {
    /// A PEP 440 version.
    Modern(Box<pep440_rs::Version>),
    /// A PEP 440 version of which a number of the release passes 64 bits: the release, and the version with that release left out.
    Large { release: Vec<String>, rest: Box<pep440_rs::Version> },
    /// Anything else, as the parts that it was compared by.
    Legacy(Vec<String>),
}

impl Python {
    pub(super) fn parse(text: &str) -> Self {
        if let Ok(version) = text.parse::<pep440_rs::Version>() {
            return Self::Modern(Box::new(version));
        }
        large(text).unwrap_or_else(|| Self::Legacy(legacy(text)))
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Legacy(a), Self::Legacy(b)) => a.cmp(b),
            (Self::Legacy(_), _) => Ordering::Less,
            (_, Self::Legacy(_)) => Ordering::Greater,
            (Self::Modern(a), Self::Modern(b)) => a.cmp(b),
            (a, b) => a.split().cmp_large(&b.split()),
        }
    }

    fn split(&self) -> Large {
        match self {
            Self::Modern(version) => {
                let release = version.release().iter().map(u64::to_string).collect();
                let rest = (**version).clone().with_release([0]);
                Large { epoch: version.epoch(), release, rest }
            }
            Self::Large { release, rest } => Large { epoch: rest.epoch(), release: release.clone(), rest: (**rest).clone() },
            // Never reached: legacy texts are ordered before.
            Self::Legacy(parts) => Large { epoch: 0, release: parts.clone(), rest: pep440_rs::Version::new([0]) },
        }
    }
}

struct Large {
    epoch: u64,
    release: Vec<String>,
    rest: pep440_rs::Version,
}

impl Large {
    fn cmp_large(&self, other: &Self) -> Ordering {
        let n = self.release.len().max(other.release.len());
        let at = |large: &Self, index: usize| large.release.get(index).cloned().unwrap_or_default();
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| {
                (0..n)
                    .map(|index| number::compare(&at(self, index), &at(other, index)))
                    .find(|order| order.is_ne())
                    .unwrap_or(Ordering::Equal)
            })
            .then_with(|| self.rest.cmp(&other.rest))
    }
}

/// Takes the release out of a text, so that the crate reads what is left.
fn large(text: &str) -> Option<Python> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let (epoch, text) = text.split_once('!').map_or((None, text), |(epoch, text)| (Some(epoch), text));
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (release, rest) = text.split_at_checked(end)?;
    // `1.0.dev1`: the dot belongs to what follows.
    let (release, dot) = release.strip_suffix('.').map_or((release, ""), |release| (release, "."));
    let release: Vec<String> = release.split('.').map(str::to_owned).collect();
    if !release.iter().all(|part| number::is_number(part)) || !release.iter().any(|part| part.len() > 19) {
        return None;
    }
    let rest = format!("{}0{dot}{rest}", epoch.map_or_else(String::new, |epoch| format!("{epoch}!")));
    Some(Python::Large { release, rest: Box::new(rest.parse().ok()?) })
}

/// Runs of digits padded to eight, words as they are with `*` before them, `*final` at the end: lists of texts that sort as the versions did.
fn legacy(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in pieces(&text.to_lowercase()) {
        let piece = match piece.as_str() {
            "pre" | "preview" | "rc" => "c".to_owned(),
            "dev" => "@".to_owned(),
            "-" => "final-".to_owned(),
            _ => piece,
        };
        if number::is_number(&piece) {
            parts.push(format!("{piece:0>8}"));
            continue;
        }
        let part = format!("*{piece}");
        if part.as_str() < "*final" {
            while parts.last().is_some_and(|last| last == "*final-") {
                parts.pop();
            }
        }
        while parts.last().is_some_and(|last| last == "00000000") {
            parts.pop();
        }
        parts.push(part);
    }
    parts.push("*final".to_owned());
    parts
}

/// Runs of digits, runs of other characters, and hyphens; dots only separate.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    for (index, part) in text.split('-').enumerate() {
        if index > 0 {
            pieces.push("-".to_owned());
        }
        pieces.extend(part.split('.').flat_map(number::runs).map(str::to_owned));
    }
    pieces
}
