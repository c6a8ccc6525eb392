//! Pipenv's `Pipfile.lock`.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{File, json};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, SkipReason};

/// A section is `default`, `develop` or a category of the project's own; what it holds by name.
type Section<'a> = IndexMap<Cow<'a, str>, &'a RawValue>;

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    git: Option<Cow<'a, str>>,
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    file: Option<Cow<'a, str>>,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(lock) = json::whole::<Section<'_>>(file, &mut found) else { return found };
    for (section, raw) in lock.iter().filter(|(section, _)| *section != "_meta") {
        let Some(packages) = json::part::<Section<'_>>(file, raw, section, &mut found) else { continue };
        let is_development = section == "develop";
        for (name, raw) in &packages {
            let Some(entry) = json::part::<Entry<'_>>(file, raw, name, &mut found) else { continue };
            let span = file.span_of(raw.get());
            if entry.path.is_some() {
                found
                    .packages
                    .push(Package::new(EcosystemKind::PYPI, name.as_ref(), "", span).from(Origin::Own).for_development(is_development));
                continue;
            }
            let exact = entry.version.as_deref().and_then(|version| version.strip_prefix("=="));
            let Some(version) = exact else {
                let constraint = entry.version.or(entry.git).or(entry.file).unwrap_or_default();
                found.skip(name.as_ref(), span, SkipReason::NoExactVersion(constraint.into_owned()));
                continue;
            };
            let origin = entry.git.or(entry.file).map_or(Origin::Registry, |address| Origin::Elsewhere(address.into_owned()));
            found
                .packages
                .push(Package::new(EcosystemKind::PYPI, name.as_ref(), version, span).from(origin).for_development(is_development));
        }
    }
    found
}
