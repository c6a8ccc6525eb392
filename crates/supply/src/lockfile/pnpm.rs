//! `pnpm-lock.yaml`, versions 5 to 9.
//!
//! Keys of `packages` are `/name/1.0.0_peers` (5), `/name@1.0.0(peers)` (6) or `name@1.0.0` (9); in 5 and 6 the host of another registry may stand
//! before the first slash.
//! A first document may lock the package manager itself and its plugins; the project is then in the second.

use std::collections::{BTreeMap, BTreeSet};

use super::yaml::{self, Yaml};
use super::{File, npm};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation, SkipReason};

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    for lock in yaml::documents(file, &mut found) {
        read_document(file, &lock, &mut found);
    }
    found
}

fn read_document(file: &File<'_>, lock: &Yaml<'_>, found: &mut Found) {
    let version = lock.get("lockfileVersion").and_then(Yaml::text).unwrap_or_default();
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    if !(5..=9).contains(&major) {
        found.skip(file.path, file.span(0..0), SkipReason::FormatVersion(version.to_owned()));
        return;
    }
    let asked = asked(lock);
    let direct: BTreeSet<String> = asked.iter().map(|asked| asked.key.clone()).collect();
    let production = (major == 9).then(|| reachable(lock, &asked));
    for member in lock.get("packages").map(Yaml::members).unwrap_or_default() {
        let key = member.key.as_ref();
        let span = file.span(member.at.clone());
        let text = |name: &str| member.value.get(name).and_then(Yaml::text);
        let (key_name, key_version) = split(key, major);
        let (name, version) = (text("name").unwrap_or(key_name), text("version").unwrap_or(key_version));
        let resolution = member.value.get("resolution");
        let tarball = resolution.and_then(|of| of.get("tarball").or_else(|| of.get("repo"))).and_then(Yaml::text);
        if name.is_empty() || version.is_empty() || version.contains(['/', ':']) {
            if resolution.and_then(|of| of.get("directory")).is_some() {
                continue;
            }
            found.skip(key, span, SkipReason::NoExactVersion(version.to_owned()));
            continue;
        }
        let origin = match tarball {
            Some(address) if npm::is_elsewhere(address) || !address.contains("/-/") => Origin::Elsewhere(address.to_owned()),
            _ => Origin::Registry,
        };
        let bare = without_peers(key, major);
        let is_development = production.as_ref().map_or_else(|| text("dev") == Some("true"), |production| !production.contains(bare));
        let relation = if direct.contains(bare) { Relation::Direct } else { Relation::Transitive };
        found
            .packages
            .push(Package::new(EcosystemKind::NPM, name, version, span).from(origin).related(relation).for_development(is_development));
    }
}

/// A package that a project of the workspace asks for, by its key without peers.
struct Asked {
    key: String,
    is_development: bool,
}

/// Where an importer asks, and whether only for development.
const ASKING: [(&str, bool); 5] = [
    ("dependencies", false),
    ("optionalDependencies", false),
    ("devDependencies", true),
    ("configDependencies", true),
    ("packageManagerDependencies", true),
];

fn asked(lock: &Yaml<'_>) -> Vec<Asked> {
    let major: u32 = lock.get("lockfileVersion").and_then(Yaml::text).and_then(|text| text.split('.').next()?.parse().ok()).unwrap_or(0);
    let importers: Vec<&Yaml<'_>> = match lock.get("importers") {
        Some(importers) => importers.members().iter().map(|member| &member.value).collect(),
        None => vec![lock],
    };
    let mut asked = Vec::new();
    for importer in importers {
        for (kind, is_development) in ASKING {
            for member in importer.get(kind).map(Yaml::members).unwrap_or_default() {
                let version = member.value.text().or_else(|| member.value.get("version").and_then(Yaml::text)).unwrap_or_default();
                asked.push(Asked { key: key_of(&member.key, version, major), is_development });
            }
        }
    }
    asked
}

/// Key of a dependency `name: version`, where the version may itself be a key (an alias or an address).
fn key_of(name: &str, version: &str, major: u32) -> String {
    let bare = without_peers(version, major);
    match major {
        _ if bare.starts_with('/') => bare.to_owned(),
        ..9 if bare.contains('/') => bare.to_owned(),
        9 if bare.contains('@') && !bare.starts_with("link:") => bare.to_owned(),
        9 => format!("{name}@{bare}"),
        6.. => format!("/{name}@{bare}"),
        _ => format!("/{name}/{bare}"),
    }
}

/// Keys that production reaches, by version 9's `snapshots`.
fn reachable(lock: &Yaml<'_>, asked: &[Asked]) -> BTreeSet<String> {
    let mut edges: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for member in lock.get("snapshots").map(Yaml::members).unwrap_or_default() {
        let to = edges.entry(without_peers(&member.key, 9)).or_default();
        for kind in ["dependencies", "optionalDependencies"] {
            for dependency in member.value.get(kind).map(Yaml::members).unwrap_or_default() {
                to.push(key_of(&dependency.key, dependency.value.text().unwrap_or_default(), 9));
            }
        }
    }
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = asked.iter().filter(|asked| !asked.is_development).map(|asked| asked.key.clone()).collect();
    while let Some(key) = open.pop() {
        if reached.contains(&key) {
            continue;
        }
        open.extend(edges.get(key.as_str()).into_iter().flatten().cloned());
        reached.insert(key);
    }
    reached
}

/// Peers stand in brackets (6, 9) or after an underscore of the version (5).
fn without_peers(key: &str, major: u32) -> &str {
    let key = key.split('(').next().unwrap_or(key);
    if major > 5 {
        return key;
    }
    let from = key.rfind('/').map_or(0, |slash| slash + 1);
    let version = key.get(from..).unwrap_or_default();
    version.find('_').and_then(|underscore| key.get(..from + underscore)).unwrap_or(key)
}

fn split(key: &str, major: u32) -> (&str, &str) {
    let bare = without_peers(key, major);
    // The default registry's host is left empty.
    let bare = bare.strip_prefix('/').or_else(|| bare.split_once('/').filter(|_| major < 9).map(|(_, path)| path)).unwrap_or(bare);
    let parts = if major == 5 {
        bare.rsplit_once('/')
    } else {
        bare.get(1..).and_then(|rest| rest.find('@')).and_then(|at| Some((bare.get(..=at)?, bare.get(at + 2..)?)))
    };
    parts.unwrap_or((bare, ""))
}
