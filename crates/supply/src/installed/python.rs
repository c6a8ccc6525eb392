//! `METADATA` and `PKG-INFO` of installed Python packages.
//!
//! Source: Core metadata specifications of the Python Packaging Authority: headers of a message, of which `Name` and `Version` are mandatory.

use crate::ecosystem::EcosystemKind;
use crate::lockfile::File;
use crate::package::{Found, Package};

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let mut name = None;
    let mut version = None;
    // The headers end at the first empty line; what follows is the description.
    for line in file.text.lines().take_while(|line| !line.trim_end().is_empty()) {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key.to_ascii_lowercase().as_str() {
            "name" => name = name.or(Some(value.trim())),
            "version" => version = version.or(Some(value.trim())),
            _ => {}
        }
    }
    match (name.filter(|name| !name.is_empty()), version.filter(|version| !version.is_empty())) {
        (Some(name), Some(version)) => found.packages.push(Package::new(EcosystemKind::PYPI, name, version, file.span_of(name))),
        _ => found.malformed(file.path, file.span(0..0), "a description of a Python package without `Name` or `Version`"),
    }
    found
}
