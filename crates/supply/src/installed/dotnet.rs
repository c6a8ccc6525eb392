//! `.deps.json`, which .NET writes beside a program.
//!
//! Source: the runtime's `docs/design/features/host-probing.md` and the file format's page in the SDK.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ecosystem::EcosystemKind;
use crate::lockfile::{File, json};
use crate::package::{Found, Origin, Package};

#[derive(Deserialize)]
struct Dependencies<'a> {
    #[serde(borrow, default)]
    libraries: IndexMap<Cow<'a, str>, &'a RawValue>,
}

#[derive(Deserialize)]
struct Library<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(dependencies) = json::whole::<Dependencies<'_>>(file, &mut found) else { return found };
    for (key, raw) in dependencies.libraries {
        let Some(library) = json::part::<Library<'_>>(file, raw, &key, &mut found) else { continue };
        let Some((name, version)) = key.split_once('/') else {
            found.malformed(key.clone(), file.span_of(raw.get()), format!("`{key}` names no version"));
            continue;
        };
        // `project` is the system's own; `reference` and `runtimepack` are files that some package brought.
        let origin = match &*library.kind {
            "package" => Origin::Registry,
            "project" => Origin::Own,
            _ => continue,
        };
        found.packages.push(Package::new(EcosystemKind::NUGET, name, version, file.span_of(raw.get())).from(origin));
    }
    found
}
