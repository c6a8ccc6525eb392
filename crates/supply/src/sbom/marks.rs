//! Names of properties: our own, by which a bill that we wrote reads back whole, and those of other tools that say the same.

use bartizan_model::Span;

use crate::ecosystem::Ecosystem;
use crate::package::{Origin, Package, Relation, SourcePackage};
use crate::purl;

pub(super) const ECOSYSTEM: &str = "bartizan:ecosystem";
pub(super) const NAME: &str = "bartizan:name";
pub(super) const VERSION: &str = "bartizan:version";
pub(super) const SOURCE_NAME: &str = "bartizan:source:name";
pub(super) const SOURCE_VERSION: &str = "bartizan:source:version";
pub(super) const ORIGIN: &str = "bartizan:origin";
pub(super) const RELATION: &str = "bartizan:relation";
pub(super) const DEVELOPMENT: &str = "bartizan:development";
pub(super) const LAYER: &str = "bartizan:layer";

/// Other tools' words for the image layer.
const LAYERS: &[&str] = &["aquasecurity:trivy:LayerDiffID", "syft:location:0:layerID"];

pub(super) fn get<'p>(properties: &'p [(String, String)], name: &str) -> Option<&'p str> {
    properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

pub(super) fn has(properties: &[(String, String)], name: &str) -> bool {
    get(properties, name).is_some()
}

/// What a package URL does not say of a package, ready to be written.
pub(super) fn of(package: &Package) -> Vec<(&'static str, String)> {
    let mut marks = Vec::new();
    let kind = package.ecosystem.kind;
    let read_back = purl::package_url(package).and_then(|url| purl::package(&url.to_string().parse().ok()?, package.span));
    // The component's own name tells how a name is spelled that its ecosystem folds.
    let same = |back: Package| {
        back.ecosystem == package.ecosystem
            && kind.canonical_name(&back.name) == kind.canonical_name(&package.name)
            && back.version == package.version
            && back.source == package.source
    };
    if !read_back.is_some_and(same) {
        marks.extend([(ECOSYSTEM, package.ecosystem.to_string()), (NAME, package.name.clone()), (VERSION, package.version.clone())]);
        if let Some(source) = &package.source {
            marks.extend([(SOURCE_NAME, source.name.clone()), (SOURCE_VERSION, source.version.clone())]);
        }
    }
    match &package.origin {
        Origin::Registry => {}
        Origin::Own => marks.push((ORIGIN, "own".to_owned())),
        Origin::Elsewhere(address) => marks.push((ORIGIN, format!("elsewhere:{address}"))),
    }
    let relation = match package.relation {
        Relation::Direct => "direct",
        Relation::Transitive => "transitive",
        Relation::Unknown => "unknown",
    };
    marks.push((RELATION, relation.to_owned()));
    if package.is_development {
        marks.push((DEVELOPMENT, "true".to_owned()));
    }
    if let Some(layer) = &package.layer {
        marks.push((LAYER, layer.clone()));
    }
    marks
}

/// A package that the marks tell without a package URL.
pub(super) fn package(properties: &[(String, String)], span: Span) -> Option<Package> {
    let ecosystem: Ecosystem = get(properties, ECOSYSTEM)?.parse().ok()?;
    let mut package = Package::new(ecosystem, get(properties, NAME)?, get(properties, VERSION)?, span);
    if let (Some(name), Some(version)) = (get(properties, SOURCE_NAME), get(properties, SOURCE_VERSION)) {
        package = package.built_from(name, version);
    }
    apply(properties, &mut package);
    Some(package)
}

/// Adds what the properties say to a package.
pub(super) fn apply(properties: &[(String, String)], package: &mut Package) {
    match get(properties, ORIGIN) {
        Some("own") => package.origin = Origin::Own,
        Some(text) => {
            if let Some(address) = text.strip_prefix("elsewhere:") {
                package.origin = Origin::Elsewhere(address.to_owned());
            }
        }
        None => {}
    }
    match get(properties, RELATION) {
        Some("direct") => package.relation = Relation::Direct,
        Some("transitive") => package.relation = Relation::Transitive,
        _ => {}
    }
    package.is_development |=
        get(properties, DEVELOPMENT) == Some("true") || get(properties, "cdx:npm:package:development") == Some("true");
    if let Some(layer) = get(properties, LAYER).or_else(|| LAYERS.iter().find_map(|name| get(properties, name))) {
        package.layer = Some(layer.to_owned());
    }
    if package.source.is_none() && package.ecosystem.kind.has_source_packages() {
        package.source = trivy_source(properties).filter(|source| (&source.name, &source.version) != (&package.name, &package.version));
    }
}

/// Trivy tells the source package of a distribution in four properties.
fn trivy_source(properties: &[(String, String)]) -> Option<SourcePackage> {
    let part = |name: &str| get(properties, &format!("aquasecurity:trivy:Src{name}"));
    let mut version = part("Version")?.to_owned();
    if let Some(release) = part("Release").filter(|release| !release.is_empty()) {
        version = format!("{version}-{release}");
    }
    if let Some(epoch) = part("Epoch").filter(|epoch| !matches!(*epoch, "" | "0")) {
        version = format!("{epoch}:{version}");
    }
    Some(SourcePackage { name: part("Name")?.to_owned(), version })
}
