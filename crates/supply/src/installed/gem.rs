//! Specifications of installed Ruby gems, as RubyGems writes them: Ruby, with literals where names and versions are.

use crate::ecosystem::EcosystemKind;
use crate::lockfile::File;
use crate::package::{Found, Package, SkipReason};

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let mut name = None;
    let mut version = None;
    for line in file.text.lines() {
        let Some((target, value)) = line.split_once('=') else { continue };
        match target.trim().rsplit_once('.').map(|(_, field)| field) {
            Some("name") => name = name.or_else(|| literal(value)),
            Some("version") => version = version.or_else(|| literal(value)),
            _ => {}
        }
    }
    match (name, version) {
        (Some(name), Some(version)) => found.packages.push(Package::new(EcosystemKind::RUBYGEMS, name, version, file.span_of(name))),
        // A name that is computed: specifications that RubyGems itself writes have none.
        _ => {
            let named = file.path.rsplit('/').next().unwrap_or(file.path);
            found.skip(named, file.span(0..0), SkipReason::Unresolved("name or version".to_owned()));
        }
    }
    found
}

/// The text of `"x".freeze`, `'x'` or `Gem::Version.new("x")`.
fn literal(value: &str) -> Option<&str> {
    let value = value.trim();
    let value = value.strip_prefix("Gem::Version.new(").unwrap_or(value);
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inner = value.get(1..)?;
    let end = inner.find(quote)?;
    inner.get(..end).filter(|text| !text.is_empty() && !text.contains("#{"))
}
