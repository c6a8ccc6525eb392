//! Constraints as advisory repositories write them (`>= 1.2, < 2`, `~> 2.3`, `^1.0`) as ranges.

use crate::range::{Edge, Range};
use crate::version::{Scheme, Version, VersionError};

/// Whose constraints they are: a version without an operator, and `~`, mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Gem,
    Cargo,
    Npm,
    Composer,
}

impl Dialect {
    fn scheme(self) -> Scheme {
        match self {
            Self::Gem => Scheme::RubyGems,
            Self::Cargo | Self::Npm => Scheme::SemVer,
            Self::Composer => Scheme::Composer,
        }
    }
}

/// Ranges of a text of alternatives (`||`), each of comparators (separated by commas or blanks) that must all hold.
pub(crate) fn ranges(text: &str, dialect: Dialect) -> Result<Vec<Range>, VersionError> {
    let mut ranges = Vec::new();
    for alternative in text.split("||") {
        let mut both = Some(Range::default());
        for (operator, version) in comparators(alternative) {
            let range = comparator(operator, version, dialect)?;
            both = match both {
                Some(both) => both.intersection(&range, dialect.scheme())?,
                None => None,
            };
        }
        ranges.extend(both);
    }
    Ok(ranges)
}

/// Pairs of operator and version; the operator may be empty or stand apart.
fn comparators(text: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let end = rest.find(|character: char| !matches!(character, '<' | '>' | '=' | '~' | '^' | '!')).unwrap_or(rest.len());
        let (operator, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let after = after.trim_start();
        let end = after.find([' ', ',']).unwrap_or(after.len());
        let (version, after) = after.split_at_checked(end).unwrap_or((after, ""));
        pairs.push((operator, version));
        rest = after.trim_start_matches([' ', ',']);
    }
    pairs
}

fn comparator(operator: &str, version: &str, dialect: Dialect) -> Result<Range, VersionError> {
    let error = |reason| VersionError { text: format!("{operator}{version}"), reason };
    if version == "*" && operator.is_empty() {
        return Ok(Range::default());
    }
    Version::parse(dialect.scheme(), version)?;
    let from = |edge| Ok(Range { from: Some(edge), to: None });
    let to = |edge| Ok(Range { from: None, to: Some(edge) });
    let up_to = |upper: String| Ok(Range { from: Some(Edge::inclusive(version)), to: Some(Edge::exclusive(upper)) });
    match (operator, dialect) {
        (">=", _) => from(Edge::inclusive(version)),
        (">", _) => from(Edge::exclusive(version)),
        ("<", _) => to(Edge::exclusive(version)),
        ("<=", _) => to(Edge::inclusive(version)),
        ("=" | "==", _) | ("", Dialect::Gem | Dialect::Npm | Dialect::Composer) => {
            Ok(Range { from: Some(Edge::inclusive(version)), to: Some(Edge::inclusive(version)) })
        }
        // Pre-releases of the next version are below it and still not meant.
        ("~>", Dialect::Gem) => {
            up_to(format!("{}.a", bumped(version, n_parts(version).saturating_sub(1).max(1)).ok_or_else(|| error("it has no number"))?))
        }
        ("^", _) | ("", Dialect::Cargo) => {
            let leading_zeros = numbers(version).iter().take_while(|number| **number == 0).count();
            let n = n_parts(version);
            let part = if leading_zeros >= n { n } else { leading_zeros + 1 };
            up_to(padded(&bumped(version, part).ok_or_else(|| error("it has no number"))?))
        }
        ("~", _) => up_to(padded(&bumped(version, n_parts(version).min(2)).ok_or_else(|| error("it has no number"))?)),
        _ => Err(error("the operator is not known")),
    }
}

/// Numbers at the front of a version.
fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

fn n_parts(version: &str) -> usize {
    numbers(version).len()
}

/// The first `n` numbers with the last of them one higher.
fn bumped(version: &str, n: usize) -> Option<String> {
    let mut numbers: Vec<u64> = numbers(version).into_iter().take(n).collect();
    let last = numbers.last_mut()?;
    *last = last.checked_add(1)?;
    Some(numbers.iter().map(u64::to_string).collect::<Vec<_>>().join("."))
}

/// Three numbers, as semantic versions have.
fn padded(version: &str) -> String {
    let missing = 3usize.saturating_sub(version.split('.').count());
    format!("{version}{}", ".0".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::{Dialect, ranges};
    use crate::version::Version;

    fn holds(text: &str, dialect: Dialect, version: &str) -> bool {
        let version = Version::parse(dialect.scheme(), version).unwrap();
        ranges(text, dialect).unwrap().iter().any(|range| range.contains(&version).unwrap())
    }

    #[test]
    fn each_dialect_has_its_own_operators() {
        let cases = [
            ("~> 2.3.5", Dialect::Gem, "2.3.9", true),
            ("~> 2.3.5", Dialect::Gem, "2.4.0.pre", false),
            ("~> 2.3", Dialect::Gem, "2.9", true),
            ("~> 2.3, >= 2.3.5.1", Dialect::Gem, "2.3.5", false),
            ("~> 4", Dialect::Gem, "4.9", true),
            ("^1.2.3", Dialect::Cargo, "1.9.0", true),
            ("^1.2.3", Dialect::Cargo, "2.0.0", false),
            ("^0.2.3", Dialect::Cargo, "0.3.0", false),
            ("0.0.3", Dialect::Cargo, "0.0.4", false),
            (">= 0.9.7, <0.10.0", Dialect::Cargo, "0.9.8", true),
            ("<1.6.5 || < 2.1.7 > 2.0.0", Dialect::Npm, "2.0.1", true),
            ("<1.6.5 || < 2.1.7 > 2.0.0", Dialect::Npm, "1.7.0", false),
            ("<5.0.3 >=5.0.0 || < 4.2.1", Dialect::Npm, "4.9.0", false),
            ("1.0.0", Dialect::Npm, "1.0.1", false),
            ("*", Dialect::Npm, "9.9.9", true),
            ("~0.8.0-pre", Dialect::Npm, "0.8.5", true),
            (">=1.8.0,<1.12.0", Dialect::Composer, "v1.11.0", true),
        ];
        for (text, dialect, version, expected) in cases {
            assert_eq!(holds(text, dialect, version), expected, "{version} in {text}");
        }
        assert!(ranges("!= 1.0", Dialect::Gem).is_err());
    }
}
