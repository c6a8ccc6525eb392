//! `package.json` of a package that lies in `node_modules`, or of the system itself.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ecosystem::EcosystemKind;
use crate::lockfile::{File, json};
use crate::package::{Found, Origin, Package};

#[derive(Deserialize)]
struct Manifest<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    version: Option<serde_json::Value>,
}

/// A `package.json` without name or version only sets how the files around it are read, and names no package; so does one that is no JSON, as test
/// data of packages often is.
pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let is_installed = file.path.split('/').any(|part| part == "node_modules");
    let manifest = match serde_json::from_str::<Manifest<'_>>(file.text) {
        Ok(manifest) => manifest,
        Err(_) if is_fixture(file.path) => return found,
        Err(_) => match json::whole::<Manifest<'_>>(file, &mut found) {
            Some(manifest) => manifest,
            None => return found,
        },
    };
    let (Some(raw), Some(version)) = (manifest.name, manifest.version.as_ref().and_then(serde_json::Value::as_str)) else { return found };
    let Ok(name) = serde_json::from_str::<String>(raw.get()) else { return found };
    if name.is_empty() || version.is_empty() {
        return found;
    }
    let origin = if is_installed { Origin::Registry } else { Origin::Own };
    found.packages.push(Package::new(EcosystemKind::NPM, name, version, file.span_of(raw.get())).from(origin));
    found
}

/// Whether a file is part of a package rather than its description, which lies directly in `node_modules/NAME` or `node_modules/@SCOPE/NAME`.
fn is_fixture(path: &str) -> bool {
    let Some((_, inside)) = path.rsplit_once("node_modules/") else { return false };
    let depth = inside.split('/').count();
    depth != if inside.starts_with('@') { 3 } else { 2 }
}
