//! Components of any bill → packages.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::Span;

use super::marks;
use crate::ecosystem::{Ecosystem, EcosystemKind};
use crate::package::{Found, Origin, Package, Relation, SkipReason};
use crate::purl::{self, PackageUrl};

/// What a bill says of one component.
#[derive(Debug, Default)]
pub(super) struct Component {
    /// What relations call it; empty where the bill gives it no name.
    pub(super) id: String,
    /// What it is, in CycloneDX's words: `library`, `application`, `operating-system`, `file`, …
    pub(super) kind: String,
    /// Name with its group.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) purl: Option<String>,
    pub(super) is_development: bool,
    /// Properties or annotations.
    pub(super) properties: Vec<(String, String)>,
}

/// What a whole bill says.
#[derive(Debug, Default)]
pub(super) struct Bill {
    pub(super) components: Vec<(Component, Span)>,
    /// What the bill is about: ids, and components that stand apart.
    pub(super) roots: BTreeSet<String>,
    /// Who depends on whom, by id.
    pub(super) edges: Vec<(String, String)>,
    /// Ids of what only serves development.
    pub(super) development: BTreeSet<String>,
}

/// Kinds of components that no package manager installs.
const NO_PACKAGES: &[&str] = &["file", "operating-system", "data", "cryptographic-asset", "device", "machine-learning-model", "source"];

pub(super) fn lower(bill: Bill, found: &mut Found) {
    let distribution = bill.components.iter().find_map(|(component, _)| distribution(component));
    let relations = Relations::new(&bill);
    for (component, span) in &bill.components {
        let is_root = bill.roots.contains(&component.id) && !component.id.is_empty();
        match package(component, *span, distribution.as_ref()) {
            Ok(mut package) => {
                if package.relation == Relation::Unknown && !marks::has(&component.properties, marks::RELATION) {
                    package.relation = relations.of(&component.id);
                }
                if is_root && !marks::has(&component.properties, marks::ORIGIN) {
                    package.origin = Origin::Own;
                    package.relation = Relation::Direct;
                }
                package.is_development |= component.is_development || bill.development.contains(&component.id);
                found.packages.push(package);
            }
            // What the bill is about, or what groups packages, is no package that anybody could look up.
            Err(SkipReason::NoPackageUrl) if is_root || NO_PACKAGES.contains(&component.kind.as_str()) || is_group(component) => {}
            Err(SkipReason::UnknownType(_)) if is_root => {}
            Err(reason) => {
                let at = if component.version.is_empty() { "" } else { "@" };
                found.skip(format!("{}{at}{}", component.name, component.version), *span, reason);
            }
        }
    }
}

/// Trivy writes a component for each lock file and image it looked into.
fn is_group(component: &Component) -> bool {
    component.properties.iter().any(|(name, _)| name == "aquasecurity:trivy:Class")
}

fn package(component: &Component, span: Span, distribution: Option<&Ecosystem>) -> Result<Package, SkipReason> {
    if let Some(package) = marks::package(&component.properties, span) {
        return Ok(package);
    }
    let text = component.purl.as_deref().map(str::trim).filter(|text| !text.is_empty()).ok_or(SkipReason::NoPackageUrl)?;
    let url: PackageUrl = text.parse().map_err(|_| SkipReason::UnknownType(text.to_owned()))?;
    let mut package = purl::package(&url, span).ok_or_else(|| SkipReason::UnknownType(text.to_owned()))?;
    // Package URLs fold what the ecosystem takes for the same; the component's own spelling is what its file says.
    let kind = package.ecosystem.kind;
    let spelled = if kind == EcosystemKind::MAVEN { component.name.replacen('/', ":", 1) } else { component.name.clone() };
    if kind.canonical_name(&spelled) == kind.canonical_name(&package.name) {
        package.name = spelled;
    }
    if package.version.is_empty() {
        package.version.clone_from(&component.version);
    }
    if package.ecosystem.release.is_none()
        && let Some(distribution) = distribution.filter(|distribution| distribution.kind == kind)
    {
        package.ecosystem.release.clone_from(&distribution.release);
    }
    marks::apply(&component.properties, &mut package);
    Ok(package)
}

/// The distribution whose packages a bill lists, from its component for the operating system.
fn distribution(component: &Component) -> Option<Ecosystem> {
    if component.kind != "operating-system" {
        return None;
    }
    let kind = ["deb", "apk", "rpm"].iter().find_map(|purl| EcosystemKind::from_purl(purl, Some(&component.name.to_lowercase())))?;
    Some(Ecosystem::of_distribution(kind, &component.version))
}

/// How components relate to what the bill is about.
struct Relations<'a> {
    direct: BTreeSet<&'a str>,
    asked_for: BTreeSet<&'a str>,
}

impl<'a> Relations<'a> {
    fn new(bill: &'a Bill) -> Self {
        let by_id: BTreeMap<&str, &Component> = bill.components.iter().map(|(component, _)| (component.id.as_str(), component)).collect();
        // A lock file or an image between the root and a package is no package that asks for another.
        let asks = |id: &str| bill.roots.contains(id) || by_id.get(id).is_some_and(|component| component.purl.is_none());
        let direct = bill.edges.iter().filter(|(from, _)| asks(from)).map(|(_, to)| to.as_str()).collect();
        Self { direct, asked_for: bill.edges.iter().map(|(_, to)| to.as_str()).collect() }
    }

    fn of(&self, id: &str) -> Relation {
        match (self.direct.contains(id), self.asked_for.contains(id)) {
            _ if id.is_empty() => Relation::Unknown,
            (true, _) => Relation::Direct,
            (false, true) => Relation::Transitive,
            (false, false) => Relation::Unknown,
        }
    }
}
