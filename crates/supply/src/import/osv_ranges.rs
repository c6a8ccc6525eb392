//! Events of OSV ranges → ranges.
//!
//! Source: osv-schema, "Evaluation": events are sorted by version; between `introduced` and the next `fixed`, `last_affected` or `limit` versions
//! are affected.

use std::borrow::Cow;

use serde::Deserialize;

use crate::range::{Edge, Range};
use crate::version::{Scheme, Version, VersionError};

#[derive(Deserialize, Default)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    introduced: Option<Cow<'a, str>>,
    #[serde(borrow)]
    fixed: Option<Cow<'a, str>>,
    #[serde(borrow)]
    last_affected: Option<Cow<'a, str>>,
    #[serde(borrow)]
    limit: Option<Cow<'a, str>>,
}

/// What happens at a version, in the order in which it happens where several stand at one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Fixed,
    Introduced,
    LastAffected,
}

pub(super) fn ranges(events: &[Event<'_>], scheme: Scheme) -> Result<Vec<Range>, VersionError> {
    let mut sorted: Vec<(Option<Version>, Kind, &str)> = Vec::new();
    for event in events {
        let known = [
            (&event.introduced, Kind::Introduced),
            (&event.fixed, Kind::Fixed),
            (&event.limit, Kind::Fixed),
            (&event.last_affected, Kind::LastAffected),
        ];
        for (text, kind) in known {
            let Some(text) = text.as_deref() else { continue };
            match (text, kind) {
                // Before every version; and an end that is none.
                ("0", Kind::Introduced) => sorted.push((None, kind, text)),
                ("*", Kind::Fixed) => {}
                _ => sorted.push((Some(Version::parse(scheme, text)?), kind, text)),
            }
        }
    }
    sorted.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut ranges = Vec::new();
    let mut open: Option<Option<Edge>> = None;
    for (version, kind, text) in sorted {
        match kind {
            Kind::Introduced => {
                open.get_or_insert_with(|| version.map(|_| Edge::inclusive(text)));
            }
            Kind::Fixed | Kind::LastAffected => {
                if let Some(from) = open.take() {
                    ranges.push(Range { from, to: Some(Edge { version: text.to_owned(), inclusive: kind == Kind::LastAffected }) });
                }
            }
        }
    }
    if let Some(from) = open {
        ranges.push(Range { from, to: None });
    }
    Ok(ranges)
}
