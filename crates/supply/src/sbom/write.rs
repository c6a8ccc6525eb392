//! A scan → bills of materials. No clock: the same scan gives the same bytes.

mod cyclonedx;
mod spdx2;
mod spdx3;

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::Sources;

pub use cyclonedx::document as cyclonedx;
pub use spdx2::document as spdx2;
pub use spdx3::document as spdx3;

use crate::matching::Matches;
use crate::package::{Origin, Package, Relation};
use crate::purl::package_url;

/// What is written.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// Name of the system.
    pub name: &'a str,
    /// Its packages.
    pub packages: &'a [Package],
    /// What was found of them.
    pub matches: &'a Matches,
    /// The files that packages were read from.
    pub sources: &'a Sources,
    /// When the bill was made, RFC 3339; `None` where the caller leaves it out.
    pub timestamp: Option<&'a str>,
}

/// Where a standard asks for a time and nobody gave one.
const NO_TIME: &str = "1970-01-01T00:00:00Z";
const TOOL: &str = "bartizan";

/// One component: a package once, however many files name it.
struct Component<'a> {
    /// Unique in the bill: the package URL, with a number where several components share it.
    id: String,
    url: Option<String>,
    /// The package with the nearest relation that any of its places tells.
    package: Package,
    /// Files and lines, ascending.
    places: BTreeSet<(&'a str, u32)>,
}

/// Components in the order of their ids, and the component of each package.
struct Components<'a> {
    all: Vec<Component<'a>>,
    of_package: Vec<usize>,
}

impl<'a> Components<'a> {
    fn new(content: &Content<'a>) -> Self {
        let key = |package: &Package| {
            let url = package_url(package).map(|url| url.to_string());
            let origin = package.origin.clone();
            (
                url,
                package.ecosystem.clone(),
                package.name.clone(),
                package.version.clone(),
                origin,
                package.source.clone(),
                package.layer.clone(),
            )
        };
        let mut by_key: BTreeMap<_, (Component<'a>, Vec<usize>)> = BTreeMap::new();
        for (index, package) in content.packages.iter().enumerate() {
            let key = key(package);
            let (component, indices) = by_key.entry(key).or_insert_with_key(|key| {
                let mut package = package.clone();
                package.is_development = true;
                (Component { id: String::new(), url: key.0.clone(), package, places: BTreeSet::new() }, Vec::new())
            });
            component.package.is_development &= package.is_development;
            component.package.relation = component.package.relation.min(package.relation);
            component.places.insert((content.sources.path(package.span), content.sources.start(package.span).line));
            indices.push(index);
        }
        let mut used: BTreeMap<String, usize> = BTreeMap::new();
        let mut all = Vec::new();
        let mut of_package = vec![0; content.packages.len()];
        for (mut component, indices) in by_key.into_values() {
            let package = &component.package;
            let name = component.url.clone().unwrap_or_else(|| format!("{}/{}@{}", package.ecosystem, package.name, package.version));
            let n = used.entry(name.clone()).or_default();
            *n += 1;
            component.id = if *n == 1 { name } else { format!("{name}#{n}") };
            for index in indices {
                if let Some(place) = of_package.get_mut(index) {
                    *place = all.len();
                }
            }
            all.push(component);
        }
        Self { all, of_package }
    }

    fn of(&self, package: usize) -> Option<&Component<'a>> {
        self.all.get(*self.of_package.get(package)?)
    }

    /// What the system asks for itself.
    fn direct(&self) -> impl Iterator<Item = &Component<'a>> {
        self.all.iter().filter(|component| component.package.relation == Relation::Direct && component.package.origin != Origin::Own)
    }
}

/// Group and name, where the ecosystem's names have a group.
fn group_and_name(package: &Package) -> (Option<&str>, &str) {
    let separator = if package.ecosystem.kind.name() == "Maven" { ':' } else { '/' };
    let has_groups = matches!(package.ecosystem.kind.name(), "Maven" | "npm" | "Packagist");
    match package.name.rsplit_once(separator) {
        Some((group, name)) if has_groups && !group.is_empty() && !name.is_empty() => (Some(group), name),
        _ => (None, &package.name),
    }
}
