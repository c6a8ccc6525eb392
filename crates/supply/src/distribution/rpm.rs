//! Packages of rpm, from the list that [`crate::unpack`] makes of its database: the database is no text, so the list stands for it, a package each
//! line, in the database's order.

use crate::ecosystem::Ecosystem;
use crate::lockfile::File;
use crate::package::{Found, Package};
use crate::unpack::rpm::Header;

/// A line of the list: fields between tabs.
pub(crate) fn line(header: &Header) -> String {
    let mut version = format!("{}-{}", header.version, header.release);
    if let Some(epoch) = header.epoch.filter(|epoch| *epoch != 0) {
        version = format!("{epoch}:{version}");
    }
    let mut line = String::new();
    for field in [&header.name, &version, &header.arch, &header.source, &header.module] {
        if !line.is_empty() {
            line.push('\t');
        }
        // A tab or a line break would be another field's or package's start.
        line.extend(field.chars().map(|character| if character.is_control() { ' ' } else { character }));
    }
    line.push('\n');
    line
}

/// Reads the list.
pub(crate) fn read(file: &File<'_>, ecosystem: &Ecosystem) -> Found {
    let mut found = Found::default();
    for line in file.text.lines() {
        let mut fields = line.split('\t');
        let (Some(name), Some(version)) = (fields.next(), fields.next()) else { continue };
        let package = Package::new(ecosystem.clone(), name, version, file.span_of(name));
        found.packages.push(match source(fields.nth(1).unwrap_or_default()) {
            Some((source, source_version)) => {
                // A source package has the epoch of what is built from it.
                let epoch = version.split_once(':').map(|(epoch, _)| format!("{epoch}:")).unwrap_or_default();
                let source_version = format!("{epoch}{source_version}");
                if (source, source_version.as_str()) == (name, version) { package } else { package.built_from(source, source_version) }
            }
            None => package,
        });
    }
    found
}

/// `openssl-3.0.7-27.el9.src.rpm` → `openssl` and `3.0.7-27.el9`.
fn source(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let release = stem.rfind('-')?;
    let version = stem.get(..release)?.rfind('-')?;
    Some((stem.get(..version)?, stem.get(version + 1..)?))
}
