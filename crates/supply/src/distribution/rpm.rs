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
        found.packages.push(Package::new(ecosystem.clone(), name, version, file.span_of(name)));
    }
    found
}
