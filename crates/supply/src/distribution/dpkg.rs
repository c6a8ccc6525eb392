//! dpkg's `status`, and the single entries in `status.d` of images without a package manager.

use crate::ecosystem::Ecosystem;
use crate::lockfile::File;
use crate::package::{Found, Package, SkipReason};

/// Reads the packages that are installed; removed ones whose configuration is left are none.
pub(crate) fn read(file: &File<'_>, ecosystem: &Ecosystem) -> Found {
    let mut found = Found::default();
    for paragraph in paragraphs(file.text) {
        let field = |wanted: &str| {
            paragraph.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(wanted).then(|| value.trim())
            })
        };
        let Some(name) = field("Package") else {
            if !paragraph.trim().is_empty() {
                found.malformed(
                    "a package",
                    file.span_of(paragraph.lines().next().unwrap_or(paragraph)),
                    "a package of dpkg without a name",
                );
            }
            continue;
        };
        // Three words: what is wanted, an error flag, what is.
        let is_there = field("Status").is_none_or(|status| {
            let state = status.split_whitespace().nth(2).unwrap_or_default();
            !matches!(state, "not-installed" | "config-files")
        });
        if !is_there {
            continue;
        }
        let Some(version) = field("Version") else {
            found.skip(name, file.span_of(name), SkipReason::NoExactVersion(String::new()));
            continue;
        };
        let package = Package::new(ecosystem.clone(), name, version, file.span_of(name));
        // `Source: NAME`, or `Source: NAME (VERSION)` where that differs; left out where both are the package's.
        found.packages.push(match field("Source").map(|source| source.split_once('(').unwrap_or((source, ""))) {
            Some((source, "")) => package.built_from(source.trim(), version),
            Some((source, source_version)) => package.built_from(source.trim(), source_version.trim_end_matches(')').trim()),
            None => package,
        });
    }
    found
}

fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty())
}
