//! Advisory repositories with a form of their own: RustSec, rubysec, FriendsOfPHP and the old list of the Node.js security group.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::osv::shortened;
use super::{Imported, NotImported};
use crate::advisory::{Advisory, Affected};
use crate::constraint::{Dialect, ranges};
use crate::ecosystem::EcosystemKind;
use crate::range::{Range, complement};
use crate::version::{Scheme, VersionError};

fn one(advisory: Advisory) -> Imported {
    Imported { advisories: vec![advisory], ..Imported::default() }
}

fn affected(kind: EcosystemKind, name: &str, ranges: Vec<Range>, informational: Option<String>) -> Vec<Affected> {
    vec![Affected { ecosystem: kind.into(), name: kind.canonical_name(name), ranges, versions: Vec::new(), informational }]
}

/// What is neither patched nor was ever affected.
fn vulnerable(safe: &[String], dialect: Dialect, scheme: Scheme) -> Result<Vec<Range>, NotImported> {
    let wrong = |error: VersionError| NotImported::Malformed(error.to_string());
    let mut all = Vec::new();
    for text in safe {
        all.extend(ranges(text, dialect).map_err(wrong)?);
    }
    complement(&all, scheme).map_err(wrong)
}

#[derive(Deserialize)]
struct RustSec {
    advisory: RustSecAdvisory,
    #[serde(default)]
    versions: RustSecVersions,
}

#[derive(Deserialize)]
struct RustSecAdvisory {
    id: String,
    package: String,
    date: String,
    withdrawn: Option<String>,
    url: Option<String>,
    cvss: Option<String>,
    informational: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    references: Vec<String>,
}

#[derive(Deserialize, Default)]
struct RustSecVersions {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// Markdown with a block of TOML in front.
pub(super) fn rustsec(text: &str) -> Result<Imported, NotImported> {
    let Some((toml, page)) = text.trim_start().strip_prefix("```toml").and_then(|rest| rest.split_once("\n```")) else {
        return Err(NotImported::NoAdvisory);
    };
    if !toml.contains("[advisory]") {
        return Err(NotImported::NoAdvisory);
    }
    let read: RustSec = toml::from_str(toml).map_err(|error| NotImported::Malformed(error.to_string()))?;
    let advisory = read.advisory;
    if advisory.withdrawn.is_some() {
        return Ok(Imported { withdrawn: vec![advisory.id], ..Imported::default() });
    }
    // Advisories of the language itself name no crate.
    if matches!(advisory.package.as_str(), "std" | "rustdoc" | "cargo" if advisory.id.starts_with("CVE-")) {
        return Err(NotImported::NoAdvisory);
    }
    let safe: Vec<String> = read.versions.patched.into_iter().chain(read.versions.unaffected).collect();
    let title = page.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
    Ok(one(Advisory {
        affected: affected(
            EcosystemKind::CRATES,
            &advisory.package,
            vulnerable(&safe, Dialect::Cargo, Scheme::SemVer)?,
            advisory.informational,
        ),
        id: advisory.id,
        aliases: advisory.aliases,
        summary: shortened(title.trim()),
        published: advisory.date.clone(),
        modified: advisory.date,
        cvss: advisory.cvss.into_iter().collect(),
        references: advisory.url.into_iter().chain(advisory.references).collect(),
        ..Advisory::default()
    }))
}

#[derive(Deserialize)]
struct RubySec {
    gem: String,
    cve: Option<String>,
    ghsa: Option<String>,
    osvdb: Option<String>,
    url: Option<String>,
    title: String,
    date: String,
    #[serde(default)]
    patched_versions: Option<Vec<String>>,
    #[serde(default)]
    unaffected_versions: Option<Vec<String>>,
}

pub(super) fn rubysec(text: &str) -> Result<Imported, NotImported> {
    let read: RubySec = serde_saphyr::from_str(text).map_err(|error| NotImported::Malformed(error.to_string()))?;
    let named = |prefix: &str, number: Option<String>| number.map(|number| format!("{prefix}-{number}"));
    let mut names = [named("CVE", read.cve), named("GHSA", read.ghsa), named("OSVDB", read.osvdb)].into_iter().flatten();
    let id = names.next().ok_or_else(|| NotImported::Malformed("it has neither `cve` nor `ghsa` nor `osvdb`".to_owned()))?;
    let safe: Vec<String> = read.patched_versions.into_iter().chain(read.unaffected_versions).flatten().collect();
    Ok(one(Advisory {
        id,
        scope: read.gem.clone(),
        aliases: names.collect(),
        summary: shortened(read.title.trim()),
        published: read.date.clone(),
        modified: read.date,
        references: read.url.into_iter().collect(),
        affected: affected(EcosystemKind::RUBYGEMS, &read.gem, vulnerable(&safe, Dialect::Gem, Scheme::RubyGems)?, None),
        ..Advisory::default()
    }))
}

#[derive(Deserialize)]
struct FriendsOfPhp {
    title: String,
    link: Option<String>,
    cve: Option<String>,
    reference: String,
    branches: BTreeMap<String, Branch>,
}

#[derive(Deserialize)]
struct Branch {
    time: Option<String>,
    versions: Vec<String>,
}

/// The file's name is the id, which most often is the CVE.
pub(super) fn friends_of_php(stem: &str, text: &str) -> Result<Imported, NotImported> {
    let read: FriendsOfPhp = serde_saphyr::from_str(text).map_err(|error| NotImported::Malformed(error.to_string()))?;
    let name = read.reference.strip_prefix("composer://").ok_or(NotImported::NoAdvisory)?;
    let mut all = Vec::new();
    for branch in read.branches.values() {
        all.extend(ranges(&branch.versions.join(","), Dialect::Composer).map_err(|error| NotImported::Malformed(error.to_string()))?);
    }
    let published = read.branches.values().filter_map(|branch| branch.time.clone()).min().unwrap_or_default();
    Ok(one(Advisory {
        id: stem.to_owned(),
        scope: name.to_owned(),
        aliases: read.cve.into_iter().filter(|cve| cve.starts_with("CVE-") && cve != stem).collect(),
        summary: shortened(read.title.trim()),
        modified: published.clone(),
        published,
        references: read.link.into_iter().collect(),
        affected: affected(EcosystemKind::PACKAGIST, name, all, None),
        ..Advisory::default()
    }))
}

#[derive(Deserialize)]
struct NodeSecurity {
    id: u32,
    title: String,
    overview: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
    module_name: String,
    #[serde(default)]
    cves: Vec<String>,
    vulnerable_versions: Option<String>,
    #[serde(default)]
    references: Vec<String>,
    cvss_vector: Option<String>,
}

/// `None` where the JSON has another form.
pub(super) fn node_security(text: &str) -> Option<Imported> {
    let read: NodeSecurity = serde_json::from_str(text).ok()?;
    let id = format!("NSWG-ECO-{}", read.id);
    let versions = read.vulnerable_versions.unwrap_or_default();
    let ranges = match ranges(&versions, Dialect::Npm) {
        Ok(ranges) if !versions.is_empty() => ranges,
        Ok(_) => {
            return Some(Imported { unread: vec![format!("{id}: {}: it names no versions", read.module_name)], ..Imported::default() });
        }
        Err(error) => return Some(Imported { unread: vec![format!("{id}: {}: {error}", read.module_name)], ..Imported::default() }),
    };
    let summary = read.overview.filter(|_| read.title.is_empty()).unwrap_or(read.title);
    Some(one(Advisory {
        id,
        aliases: read.cves,
        summary: shortened(summary.trim()),
        published: read.created_at.unwrap_or_default(),
        modified: read.updated_at.unwrap_or_default(),
        cvss: read.cvss_vector.into_iter().collect(),
        references: read.references.into_iter().take(4).collect(),
        affected: affected(EcosystemKind::NPM, &read.module_name, ranges, None),
        ..Advisory::default()
    }))
}
