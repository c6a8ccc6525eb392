//! Runs of versions: whether a version lies in one, and their union and complement.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::version::{Scheme, Version, VersionError};

/// Versions from one to another; a missing end is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The lower end.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "a")]
    pub from: Option<Edge>,
    /// The upper end.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "b")]
    pub to: Option<Edge>,
}

/// An end of a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The version, as written.
    #[serde(rename = "v")]
    pub version: String,
    /// Whether the version itself belongs to the range.
    #[serde(rename = "i", default, skip_serializing_if = "std::ops::Not::not")]
    pub inclusive: bool,
}

impl Edge {
    /// An end that belongs to the range.
    pub fn inclusive(version: impl Into<String>) -> Self {
        Self { version: version.into(), inclusive: true }
    }

    /// An end that does not belong to the range.
    pub fn exclusive(version: impl Into<String>) -> Self {
        Self { version: version.into(), inclusive: false }
    }
}

impl Range {
    /// Whether a version lies in the range.
    ///
    /// # Errors
    /// An end is no version of the scheme.
    pub fn contains(&self, version: &Version) -> Result<bool, VersionError> {
        if let Some(from) = &self.from {
            let order = version.cmp(&Version::parse(version.scheme(), &from.version)?);
            if order == Ordering::Less || order == Ordering::Equal && !from.inclusive {
                return Ok(false);
            }
        }
        if let Some(to) = &self.to {
            let order = version.cmp(&Version::parse(version.scheme(), &to.version)?);
            if order == Ordering::Greater || order == Ordering::Equal && !to.inclusive {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Versions in both ranges; `None` where there are none.
    ///
    /// # Errors
    /// An end is no version of the scheme.
    pub fn intersection(&self, other: &Self, scheme: Scheme) -> Result<Option<Self>, VersionError> {
        let from = inner(&self.from, &other.from, scheme, Ordering::Greater)?;
        let to = inner(&self.to, &other.to, scheme, Ordering::Less)?;
        let range = Self { from, to };
        Ok(if range.is_empty(scheme)? { None } else { Some(range) })
    }

    fn is_empty(&self, scheme: Scheme) -> Result<bool, VersionError> {
        let (Some(from), Some(to)) = (&self.from, &self.to) else { return Ok(false) };
        Ok(match Version::parse(scheme, &from.version)?.cmp(&Version::parse(scheme, &to.version)?) {
            Ordering::Less => false,
            Ordering::Equal => !(from.inclusive && to.inclusive),
            Ordering::Greater => true,
        })
    }
}

/// The end that leaves less, an open one leaving all.
fn inner(a: &Option<Edge>, b: &Option<Edge>, scheme: Scheme, wanted: Ordering) -> Result<Option<Edge>, VersionError> {
    let (Some(left), Some(right)) = (a, b) else { return Ok(a.clone().or_else(|| b.clone())) };
    Ok(Some(match Version::parse(scheme, &left.version)?.cmp(&Version::parse(scheme, &right.version)?) {
        Ordering::Equal => Edge { version: left.version.clone(), inclusive: left.inclusive && right.inclusive },
        order if order == wanted => left.clone(),
        _ => right.clone(),
    }))
}

/// Versions in none of the ranges, in order.
///
/// # Errors
/// An end is no version of the scheme.
pub fn complement(ranges: &[Range], scheme: Scheme) -> Result<Vec<Range>, VersionError> {
    let mut gaps = vec![Range::default()];
    for range in ranges {
        let before = range
            .from
            .as_ref()
            .map(|from| Range { from: None, to: Some(Edge { version: from.version.clone(), inclusive: !from.inclusive }) });
        let after =
            range.to.as_ref().map(|to| Range { from: Some(Edge { version: to.version.clone(), inclusive: !to.inclusive }), to: None });
        let mut next = Vec::new();
        for gap in &gaps {
            for side in [&before, &after].into_iter().flatten() {
                next.extend(gap.intersection(side, scheme)?);
            }
        }
        gaps = next;
    }
    Ok(gaps)
}

#[cfg(test)]
mod tests {
    use super::{Edge, Range, complement};
    use crate::version::{Scheme, Version};

    fn shown(ranges: &[Range]) -> String {
        let edge = |edge: &Option<Edge>| {
            edge.as_ref().map_or_else(|| "*".to_owned(), |edge| format!("{}{}", edge.version, if edge.inclusive { "!" } else { "" }))
        };
        ranges.iter().map(|range| format!("{}..{}", edge(&range.from), edge(&range.to))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_patched_leaves_what_is_vulnerable() {
        let from = |version: &str| Range { from: Some(Edge::inclusive(version)), to: None };
        let between = |from: &str, to: &str| Range { from: Some(Edge::inclusive(from)), to: Some(Edge::exclusive(to)) };
        let below = |version: &str| Range { from: None, to: Some(Edge::exclusive(version)) };
        let of = |ranges: &[Range]| shown(&complement(ranges, Scheme::SemVer).unwrap());
        assert_eq!(of(&[from("1.2.3")]), "*..1.2.3");
        assert_eq!(of(&[from("2.0.0"), below("1.0.0")]), "1.0.0!..2.0.0");
        assert_eq!(of(&[between("1.0.5", "2.0.0"), from("2.1.0")]), "*..1.0.5 2.0.0!..2.1.0");
        assert_eq!(of(&[]), "*..*");
        assert_eq!(of(&[Range::default()]), "");
    }

    #[test]
    fn ends_belong_to_a_range_or_do_not() {
        let range = Range { from: Some(Edge::exclusive("1.0.0")), to: Some(Edge::inclusive("2.0.0")) };
        let has = |text: &str| range.contains(&Version::parse(Scheme::SemVer, text).unwrap()).unwrap();
        assert_eq!(["1.0.0", "1.0.1", "2.0.0", "2.0.1"].map(has), [false, true, true, false]);
    }
}
