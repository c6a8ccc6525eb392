//! The lock files in TOML of Poetry, uv and PDM: a list of packages each.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::{File, toml_text};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation, SkipReason};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: Spanned<String>,
    version: Option<String>,
    /// Poetry before 1.5.
    category: Option<String>,
    /// Poetry 2 and PDM.
    groups: Option<Vec<String>>,
    /// Poetry: `type`, `url`; uv: one of `registry`, `git`, `url`, `path`, `directory`, `editable`, `virtual`.
    source: Option<Table>,
    /// uv: a list of tables; Poetry: a table.
    dependencies: Option<Value>,
    /// uv: development groups of a member of the workspace.
    #[serde(rename = "dev-dependencies")]
    dev_dependencies: Option<Table>,
    /// PDM keeps these beside the name.
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
}

pub(super) fn read_poetry(file: &File<'_>) -> Found {
    read(file, |locked| {
        let source = locked.source.as_ref()?;
        let text = |key: &str| source.get(key).and_then(Value::as_str);
        Some(match text("type")? {
            "directory" | "file" => Origin::Own,
            // Another index that serves the same packages.
            "legacy" => Origin::Registry,
            _ => Origin::Elsewhere(text("url").unwrap_or_default().to_owned()),
        })
    })
}

pub(super) fn read_uv(file: &File<'_>) -> Found {
    read(file, |locked| {
        let source = locked.source.as_ref()?;
        let text = |key: &str| source.get(key).and_then(Value::as_str);
        if ["editable", "virtual", "directory", "path"].iter().any(|key| source.contains_key(*key)) {
            return Some(Origin::Own);
        }
        text("git").or_else(|| text("url")).map(|address| Origin::Elsewhere(address.to_owned()))
    })
}

pub(super) fn read_pdm(file: &File<'_>) -> Found {
    read(file, |locked| match (&locked.path, locked.git.as_ref().or(locked.url.as_ref())) {
        (Some(_), _) => Some(Origin::Own),
        (None, address) => address.map(|address| Origin::Elsewhere(address.clone())),
    })
}

/// `origin` gives `None` for what comes from the registry.
fn read(file: &File<'_>, origin: impl Fn(&Locked) -> Option<Origin>) -> Found {
    let mut found = Found::default();
    let Some(lock) = toml_text::whole::<Lock>(file, &mut found) else { return found };
    let mut direct = BTreeSet::new();
    let mut has_own = false;
    for own in lock.package.iter().filter(|locked| origin(locked) == Some(Origin::Own)) {
        has_own = true;
        names(own.dependencies.as_ref(), &mut direct);
        for group in own.dev_dependencies.iter().flat_map(|groups| groups.values()) {
            names(Some(group), &mut direct);
        }
    }
    let production = has_own.then(|| reachable(&lock, &origin));
    for locked in &lock.package {
        let name = locked.name.get_ref();
        let span = file.span(locked.name.span());
        let origin = origin(locked).unwrap_or(Origin::Registry);
        let Some(version) = locked.version.as_deref().or((origin == Origin::Own).then_some("")) else {
            found.skip(name, span, SkipReason::NoExactVersion(String::new()));
            continue;
        };
        let is_development = match (&locked.category, &locked.groups, &production) {
            (Some(category), ..) => category == "dev",
            (None, Some(groups), _) => !groups.iter().any(|group| group == "main" || group == "default"),
            (None, None, Some(production)) => !production.contains(name),
            (None, None, None) => false,
        };
        let relation = match (has_own, direct.contains(name)) {
            (_, true) => Relation::Direct,
            (true, false) => Relation::Transitive,
            (false, false) => Relation::Unknown,
        };
        found
            .packages
            .push(Package::new(EcosystemKind::PYPI, name, version, span).from(origin).related(relation).for_development(is_development));
    }
    found
}

/// Names in a list of texts or of tables with a `name`, or keys of a table.
fn names(dependencies: Option<&Value>, out: &mut BTreeSet<String>) {
    match dependencies {
        Some(Value::Array(items)) => {
            out.extend(items.iter().filter_map(|item| item.get("name").and_then(Value::as_str).map(str::to_owned)))
        }
        Some(Value::Table(table)) => out.extend(table.keys().cloned()),
        _ => {}
    }
}

/// What the system's own packages reach without their development groups.
fn reachable(lock: &Lock, origin: &impl Fn(&Locked) -> Option<Origin>) -> BTreeSet<String> {
    let mut open: Vec<&Locked> = lock.package.iter().filter(|locked| origin(locked) == Some(Origin::Own)).collect();
    let mut reached: BTreeSet<String> = open.iter().map(|locked| locked.name.get_ref().clone()).collect();
    while let Some(locked) = open.pop() {
        let mut next = BTreeSet::new();
        names(locked.dependencies.as_ref(), &mut next);
        // Extras that somebody asks for are kept apart; all of them count, since a package in production is never taken for less.
        for name in next {
            if reached.insert(name.clone()) {
                open.extend(lock.package.iter().filter(|locked| *locked.name.get_ref() == name));
            }
        }
    }
    reached
}
