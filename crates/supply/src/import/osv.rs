//! OSV records, in JSON or YAML.
//!
//! Source: ossf.github.io/osv-schema.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::osv_ranges::{self, Event};
use super::{Imported, NotImported};
use crate::advisory::{Advisory, Affected};
use crate::ecosystem::Ecosystem;
use crate::version::Version;

/// Pages kept of each advisory.
const MAX_REFERENCES: usize = 4;
/// Bytes kept of what an advisory is about.
const MAX_SUMMARY: usize = 300;

#[derive(Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    /// Required by the schema, which tells a record from other JSON with an `id`.
    #[serde(borrow)]
    modified: Cow<'a, str>,
    #[serde(borrow)]
    published: Option<Cow<'a, str>>,
    #[serde(borrow)]
    withdrawn: Option<Cow<'a, str>>,
    aliases: Option<Vec<String>>,
    upstream: Option<Vec<String>>,
    #[serde(borrow)]
    summary: Option<Cow<'a, str>>,
    #[serde(borrow)]
    details: Option<Cow<'a, str>>,
    #[serde(borrow)]
    severity: Option<Vec<Severity<'a>>>,
    #[serde(borrow)]
    affected: Option<Vec<RawAffected<'a>>>,
    #[serde(borrow)]
    references: Option<Vec<Reference<'a>>>,
    database_specific: Option<Loose<OfDatabase>>,
}

#[derive(Deserialize)]
struct Severity<'a> {
    #[serde(borrow)]
    score: Cow<'a, str>,
}

#[derive(Deserialize)]
struct RawAffected<'a> {
    #[serde(borrow)]
    package: Option<RawPackage<'a>>,
    #[serde(borrow)]
    ranges: Option<Vec<RawRange<'a>>>,
    #[serde(borrow)]
    versions: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    severity: Option<Vec<Severity<'a>>>,
    database_specific: Option<Loose<OfDatabase>>,
}

#[derive(Deserialize)]
struct RawPackage<'a> {
    #[serde(borrow)]
    ecosystem: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct RawRange<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
}

/// Every database puts here what it likes, so nothing here may spoil the record.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Loose<T> {
    Fits(T),
    Other(#[serde(skip)] IgnoredAny),
}

impl<T> Loose<T> {
    fn get(self) -> Option<T> {
        match self {
            Self::Fits(value) => Some(value),
            Self::Other(_) => None,
        }
    }
}

#[derive(Deserialize, Default)]
struct OfDatabase {
    severity: Option<Loose<String>>,
    cwe_ids: Option<Loose<Vec<String>>>,
    informational: Option<Loose<String>>,
}

pub(super) fn from_json(text: &str) -> Result<Record<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

pub(super) fn from_yaml(text: &str) -> Result<Record<'_>, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

/// Whether a JSON object that is no OSV record was surely meant as one.
pub(super) fn is_meant(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Marks {
        schema_version: Option<IgnoredAny>,
        affected: Option<IgnoredAny>,
    }
    serde_json::from_str::<Marks>(text).is_ok_and(|marks| marks.schema_version.is_some() || marks.affected.is_some())
}

pub(super) fn import(record: Record<'_>) -> Result<Imported, NotImported> {
    let mut imported = Imported::default();
    if record.withdrawn.is_some() {
        imported.withdrawn.push(record.id.into_owned());
        return Ok(imported);
    }
    let of_database = record.database_specific.and_then(Loose::get).unwrap_or_default();
    let mut advisory = Advisory {
        aliases: record.aliases.unwrap_or_default(),
        upstream: record.upstream.unwrap_or_default(),
        summary: summary(record.summary.as_deref(), record.details.as_deref()),
        published: record.published.unwrap_or_default().into_owned(),
        modified: record.modified.into_owned(),
        severity: of_database.severity.and_then(Loose::get).map(|severity| severity.to_lowercase()),
        cwe: of_database.cwe_ids.and_then(Loose::get).unwrap_or_default(),
        references: references(record.references.unwrap_or_default()),
        id: record.id.into_owned(),
        ..Advisory::default()
    };
    let mut cvss: Vec<String> = record.severity.into_iter().flatten().map(|severity| severity.score.into_owned()).collect();
    for raw in record.affected.unwrap_or_default() {
        for severity in raw.severity.iter().flatten() {
            cvss.push(severity.score.clone().into_owned());
        }
        affected(&advisory.id, raw, &mut advisory.affected, &mut imported);
    }
    cvss.retain(|vector| vector.contains('/'));
    cvss.sort();
    cvss.dedup();
    advisory.cvss = cvss;
    if !advisory.affected.is_empty() {
        imported.advisories.push(advisory);
    } else if imported.unread.is_empty() && imported.unknown_ecosystems.is_empty() {
        imported.without_package = 1;
    }
    Ok(imported)
}

fn affected(id: &str, raw: RawAffected<'_>, out: &mut Vec<Affected>, imported: &mut Imported) {
    // Without a package it speaks of commits of a repository, which no package list has.
    let Some(package) = raw.package else { return };
    let Ok(ecosystem) = package.ecosystem.parse::<Ecosystem>() else {
        let name = package.ecosystem.split(':').next().unwrap_or_default().to_owned();
        *imported.unknown_ecosystems.entry(name).or_default() += 1;
        return;
    };
    let mut ranges = Vec::new();
    let mut versions: Vec<String> = raw.versions.unwrap_or_default().into_iter().map(Cow::into_owned).collect();
    for range in raw.ranges.unwrap_or_default() {
        if range.kind == "GIT" {
            continue;
        }
        let read = match ecosystem.kind.scheme() {
            Some(scheme) => osv_ranges::ranges(&range.events, scheme).map_err(|error| error.to_string()),
            None => Err(format!("versions of {} have no order", ecosystem.kind.name())),
        };
        match read {
            Ok(read) => ranges.extend(read),
            // Where the record also lists versions, those still match.
            Err(error) => imported.unread.push(format!("{id}: {}: {error}", package.name)),
        }
    }
    // The list repeats what the ranges say, mostly; only what they do not say is kept.
    if let Some(scheme) = ecosystem.kind.scheme()
        && !ranges.is_empty()
    {
        versions.retain(|version| match Version::parse(scheme, version) {
            Ok(version) => !ranges.iter().any(|range| range.contains(&version).unwrap_or(false)),
            Err(_) => true,
        });
    }
    if ranges.is_empty() && versions.is_empty() {
        return;
    }
    let informational = raw.database_specific.and_then(Loose::get).and_then(|of| of.informational).and_then(Loose::get);
    let name = ecosystem.kind.canonical_name(&package.name);
    out.push(Affected { ecosystem, name, ranges, versions, informational });
}

/// The summary, or how the details begin.
fn summary(summary: Option<&str>, details: Option<&str>) -> String {
    let text = summary.filter(|text| !text.trim().is_empty()).or(details).unwrap_or_default();
    shortened(text.trim_start_matches('#').trim().lines().next().unwrap_or_default())
}

/// A text cut at a blank where it is too long.
pub(super) fn shortened(text: &str) -> String {
    if text.len() <= MAX_SUMMARY {
        return text.to_owned();
    }
    let cut = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_SUMMARY).last().unwrap_or(0);
    let cut = text.get(..cut).unwrap_or_default();
    format!("{} …", cut.rsplit_once(' ').map_or(cut, |(before, _)| before))
}

fn references(mut references: Vec<Reference<'_>>) -> Vec<String> {
    let rank = |kind: &str| match kind {
        "ADVISORY" => 0,
        "FIX" => 1,
        "REPORT" => 2,
        _ => 3,
    };
    references.sort_by_key(|reference| rank(&reference.kind));
    references.into_iter().take(MAX_REFERENCES).map(|reference| reference.url.into_owned()).collect()
}
