//! Composer's `vendor/composer/installed.json`: an object with `packages` since Composer 2, the list alone before.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ecosystem::EcosystemKind;
use crate::lockfile::{File, json};
use crate::package::{Found, Package, SkipReason};

#[derive(Deserialize)]
struct Installed<'a> {
    #[serde(borrow, default)]
    packages: Vec<&'a RawValue>,
    #[serde(borrow, default, rename = "dev-package-names")]
    development: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let is_list = file.text.trim_start().starts_with('[');
    let installed = if is_list {
        json::whole(file, &mut found).map(|packages| Installed { packages, development: Vec::new() })
    } else {
        json::whole(file, &mut found)
    };
    let Some(installed) = installed else { return found };
    for raw in installed.packages {
        let Some(entry) = json::part::<Entry<'_>>(file, raw, "a package", &mut found) else { continue };
        let Some(name) = json::part::<Cow<'_, str>>(file, entry.name, "a name", &mut found) else { continue };
        let span = file.span_of(entry.name.get());
        match entry.version {
            Some(version) if !version.starts_with("dev-") && !version.ends_with("-dev") => {
                let is_development = installed.development.contains(&name);
                found.packages.push(Package::new(EcosystemKind::PACKAGIST, name, version, span).for_development(is_development));
            }
            version => found.skip(name, span, SkipReason::NoExactVersion(version.unwrap_or_default().into_owned())),
        }
    }
    found
}
