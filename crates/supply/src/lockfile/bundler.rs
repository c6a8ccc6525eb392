//! Bundler's `Gemfile.lock`.

use std::collections::BTreeSet;

use super::File;
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation};

/// What a lock file always has, if it asks for anything.
const SECTIONS: [&str; 5] = ["GEM", "GIT", "PATH", "PLATFORMS", "DEPENDENCIES"];

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let mut section = "";
    let mut remote = "";
    let mut direct: BTreeSet<&str> = BTreeSet::new();
    if !file.text.lines().any(|line| SECTIONS.contains(&line.trim_end())) {
        // Bundler before 0.9 wrote YAML.
        found.malformed(file.path, file.span(0..0), "none of the sections of a lock file is here");
        return found;
    }
    for line in file.text.split_inclusive('\n').map(str::trim_end).filter(|line| !line.trim().is_empty()) {
        let text = line.trim_start();
        match line.len() - text.len() {
            0 => {
                if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") || line.starts_with("=======") {
                    found.malformed(file.path, file.span_of(line), "the file holds an unresolved merge");
                }
                (section, remote) = (line, "");
            }
            2 if section == "DEPENDENCIES" => {
                direct.insert(text.split([' ', '!']).next().unwrap_or(text));
            }
            2 => {
                if let Some(address) = text.strip_prefix("remote: ") {
                    remote = address;
                }
            }
            4 if matches!(section, "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE") => {
                let Some((name, version)) = text.strip_suffix(')').and_then(|text| text.split_once(" (")) else {
                    found.malformed(file.path, file.span_of(text), format!("`{text}` is no `name (version)`"));
                    continue;
                };
                let origin = match section {
                    "GIT" => Origin::Elsewhere(remote.to_owned()),
                    "PATH" => Origin::Own,
                    _ => Origin::Registry,
                };
                // `1.2.3-x86_64-linux`: the build for a platform of version 1.2.3.
                let version = version.split('-').next().unwrap_or(version);
                found.packages.push(Package::new(EcosystemKind::RUBYGEMS, name, version, file.span_of(text)).from(origin));
            }
            _ => {}
        }
    }
    for package in &mut found.packages {
        package.relation = if direct.contains(package.name.as_str()) { Relation::Direct } else { Relation::Transitive };
    }
    found
}
