//! Jars: which artifact one is. Maven writes `pom.properties` into what it builds, also those of artifacts that were merged into it; other builds
//! write no more than a manifest, whose headers are a guess.
//!
//! Source: Maven Archiver's page on `addMavenDescriptor`; the JAR File Specification; OSGi Core, bundle manifest headers.

use std::collections::BTreeMap;

use crate::ecosystem::EcosystemKind;
use crate::lockfile::File;
use crate::package::{Found, Package, SkipReason};

pub(super) fn read_properties(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let value = |wanted: &str| {
        file.text.lines().find_map(|line| {
            let (key, value) = line.split_once(['=', ':'])?;
            (key.trim() == wanted && !value.trim().is_empty()).then(|| value.trim())
        })
    };
    match (value("groupId"), value("artifactId"), value("version")) {
        (Some(group), Some(artifact), Some(version)) if !version.contains("${") => {
            found.packages.push(Package::new(EcosystemKind::MAVEN, format!("{group}:{artifact}"), version, file.span_of(artifact)));
        }
        _ => found.skip(file.path, file.span(0..0), SkipReason::Unresolved("group, artifact or version".to_owned())),
    }
    found
}

/// The group is `Implementation-Vendor-Id`, or what an OSGi symbolic name has before the artifact; without one nobody's advisory can be asked.
pub(super) fn read_manifest(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let headers = headers(file.text);
    let header = |names: &[&str]| names.iter().find_map(|name| headers.get(*name)).map(String::as_str);
    let jar = file.path.rsplit_once("!/META-INF/").map_or(file.path, |(jar, _)| jar);
    let (artifact, named_version) = of_file_name(jar.rsplit('/').next().unwrap_or(jar));
    let version = named_version.or_else(|| header(&["Implementation-Version", "Bundle-Version", "Specification-Version"]));
    let symbolic = header(&["Bundle-SymbolicName", "Automatic-Module-Name"]).map(|name| name.split(';').next().unwrap_or(name).trim());
    let group = header(&["Implementation-Vendor-Id"]).or_else(|| symbolic.and_then(|name| group_of(name, artifact)));
    match (group, version) {
        (Some(group), Some(version)) => {
            found.packages.push(Package::new(EcosystemKind::MAVEN, format!("{group}:{artifact}"), version, file.span(0..0)));
        }
        _ => found.skip(jar, file.span(0..0), SkipReason::Unresolved("group or version".to_owned())),
    }
    found
}

/// Main headers; a line that starts with a blank goes on from the one above.
fn headers(text: &str) -> BTreeMap<&str, String> {
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    let mut last = None;
    for line in text.lines().map(|line| line.trim_end_matches('\r')).take_while(|line| !line.is_empty()) {
        if let (Some(more), Some(key)) = (line.strip_prefix(' '), last) {
            headers.entry(key).or_default().push_str(more);
        } else if let Some((key, value)) = line.split_once(':') {
            headers.insert(key, value.trim().to_owned());
            last = Some(key);
        }
    }
    headers
}

/// `commons-io-2.11.0.jar` → `commons-io` and `2.11.0`: the version starts at the first digit after a hyphen.
fn of_file_name(name: &str) -> (&str, Option<&str>) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let at = stem.match_indices('-').map(|(at, _)| at).find(|at| stem.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit));
    at.map_or((stem, None), |at| (stem.get(..at).unwrap_or(stem), stem.get(at + 1..)))
}

/// `org.example.tool` and `tool` → `org.example`.
fn group_of<'a>(symbolic: &'a str, artifact: &str) -> Option<&'a str> {
    let (group, last) = symbolic.rsplit_once('.')?;
    (last == artifact || artifact.ends_with(last)).then_some(group)
}
