//! Composer's `composer.lock`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{File, json};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, SkipReason};

#[derive(Deserialize)]
struct Lock<'a> {
    #[serde(borrow, default)]
    packages: Vec<&'a RawValue>,
    #[serde(borrow, default, rename = "packages-dev")]
    packages_dev: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dist: Option<Dist<'a>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Dist<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(lock) = json::whole::<Lock<'_>>(file, &mut found) else { return found };
    let development = lock.packages_dev.unwrap_or_default();
    for (raw, is_development) in lock.packages.into_iter().map(|raw| (raw, false)).chain(development.into_iter().map(|raw| (raw, true))) {
        let Some(entry) = json::part::<Entry<'_>>(file, raw, "a package", &mut found) else { continue };
        let Some(name) = json::part::<Cow<'_, str>>(file, entry.name, "a name", &mut found) else { continue };
        let span = file.span_of(entry.name.get());
        let Some(version) = entry.version else {
            found.skip(name, span, SkipReason::NoExactVersion(String::new()));
            continue;
        };
        let is_path = entry.dist.and_then(|dist| dist.kind).is_some_and(|kind| kind == "path");
        let origin = if is_path { Origin::Own } else { Origin::Registry };
        // A branch is no version: what it holds is nowhere said.
        if origin == Origin::Registry && (version.starts_with("dev-") || version.ends_with("-dev")) {
            // A metapackage has no files at all.
            if entry.kind.as_deref() == Some("metapackage") {
                continue;
            }
            found.skip(format!("{name}@{version}"), span, SkipReason::NoExactVersion(version.into_owned()));
            continue;
        }
        found.packages.push(Package::new(EcosystemKind::PACKAGIST, name, version, span).from(origin).for_development(is_development));
    }
    found
}
