//! apk's `installed`: a package each paragraph, with one letter a field.

use crate::ecosystem::Ecosystem;
use crate::lockfile::File;
use crate::package::{Found, Package, SkipReason};

/// Reads the packages.
pub(crate) fn read(file: &File<'_>, ecosystem: &Ecosystem) -> Found {
    let mut found = Found::default();
    let mut name: Option<&str> = None;
    let mut version: Option<&str> = None;
    let mut origin: Option<&str> = None;
    for line in file.text.lines().chain([""]) {
        match line.split_once(':') {
            Some(("P", value)) => name = Some(value),
            Some(("V", value)) => version = Some(value),
            Some(("o", value)) => origin = Some(value),
            None if line.is_empty() => match (name.take(), version.take(), origin.take()) {
                (Some(name), Some(version), origin) => {
                    let package = Package::new(ecosystem.clone(), name, version, file.span_of(name));
                    found.packages.push(match origin.filter(|origin| *origin != name) {
                        Some(origin) => package.built_from(origin, version),
                        None => package,
                    });
                }
                (Some(name), None, _) => found.skip(name, file.span_of(name), SkipReason::NoExactVersion(String::new())),
                (None, Some(version), _) => found.malformed("a package", file.span_of(version), "a package of apk without a name"),
                (None, None, _) => {}
            },
            _ => {}
        }
    }
    found
}

/// Paths of the files that the packages own.
pub(crate) fn files(text: &str) -> impl Iterator<Item = String> {
    let mut folder = "";
    text.lines().filter_map(move |line| match line.split_once(':') {
        Some(("F", value)) => {
            folder = value;
            None
        }
        Some(("R", value)) => Some(if folder.is_empty() { value.to_owned() } else { format!("{folder}/{value}") }),
        _ => None,
    })
}
