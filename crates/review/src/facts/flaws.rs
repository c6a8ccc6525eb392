//! Known flaws of packages, joined to the components that ship them.
//!
//! A component ships what lies in the folder of its code, or what belongs to the nearest folder around it that names packages; a container ships
//! what its image holds, or where that was not scanned, what lies in a folder of its name. What nothing ships is left to the scan, which lists
//! every flaw.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::path::{folder, join};
use bartizan_model::{Address, Architecture, Component, Flaw, FlawRating, Part, ScannedImage, Software, Span, Text, Value};

use super::read::texts;
use super::sink::Sink;
use crate::flows::index::Index;
use crate::flows::{Context, ServiceApis};
use crate::outcome::Evidence;

/// From this probability of use within 30 days on a flaw is taken for one that attackers use.
/// Judgement: the model's authors advise thresholds between 0.1 and 0.36 by effort (FIRST, "EPSS user guide").
const LIKELY: f64 = 0.1;
/// Flaws of one component that a step of a path shows.
const SHOWN: usize = 2;
/// Settings that name container images, as a text, a list, or within definitions of containers.
const IMAGES: &[&str] = &["images", "image_uri", "image_identifier", "container_definitions", "container_properties"];

/// Sets `packages_known`, `flaw_use_known`, `exploited_flaws`, `severe_flaws` and `lesser_flaws`.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    let Some(software) = &context.index.architecture.software else { return };
    for (component, places, flaws) in joined(&context.index, software) {
        let mut packages: BTreeMap<(&'static str, Span, &str, &str), Vec<&Flaw>> = BTreeMap::new();
        for flaw in flaws {
            packages.entry((fact(flaw), flaw.span, &flaw.package, &flaw.version)).or_default().push(flaw);
        }
        let mut packages: Vec<_> = packages.into_iter().collect();
        packages.sort_by_key(|((_, span, ..), flaws)| (Reverse(flaws.iter().map(|flaw| (flaw.exploited, flaw.rating)).max()), *span));
        for user in bearers(&context.index, component) {
            if places.iter().all(|place| is_judged(software, place)) {
                sink.yes(&user, "packages_known", component.span);
                sink.set(&user, "flaw_use_known", Value::Bool(software.knows_use), component.span);
            }
            for ((fact, span, ..), flaws) in &packages {
                sink.push_text(&user, fact, &words(flaws), Some(*span));
            }
        }
    }
}

/// By component the packages that it ships with flaws that attackers use.
pub(crate) fn exploited(index: &Index<'_>) -> BTreeMap<Address, Vec<Evidence>> {
    let mut found: BTreeMap<Address, Vec<Evidence>> = BTreeMap::new();
    for (component, _, flaws) in index.architecture.software.iter().flat_map(|software| joined(index, software)) {
        let used: Vec<Evidence> = flaws
            .into_iter()
            .filter(|flaw| is_used(flaw))
            .map(|flaw| Evidence { span: flaw.span, text: words(&[flaw]) })
            .take(SHOWN)
            .collect();
        if !used.is_empty() {
            bearers(index, component).into_iter().for_each(|user| found.entry(user).or_default().extend(used.iter().cloned()));
        }
    }
    found
}

/// By file, of those that a scan saw, the components that ship what it names.
pub fn shippers(architecture: &Architecture, services: &ServiceApis, files: &BTreeSet<&str>) -> BTreeMap<String, Vec<Address>> {
    let Some(software) = &architecture.software else { return BTreeMap::new() };
    let index = Index::new(architecture, services);
    let mut by_place: BTreeMap<&str, BTreeSet<Address>> = BTreeMap::new();
    for component in architecture.components.values() {
        for place in shipped(&index, component, software) {
            by_place.entry(place).or_default().extend(bearers(&index, component));
        }
    }
    let of = |file: &&str| Some(((*file).to_owned(), by_place.get(place(software, file))?.iter().cloned().collect()));
    files.iter().filter_map(of).collect()
}

/// The references of container images that the plan names in full.
pub fn named_images(architecture: &Architecture) -> BTreeSet<String> {
    let named = architecture.components.values().flat_map(image_settings);
    named.filter_map(|(image, _)| image.known().map(std::borrow::Cow::into_owned)).filter(|name| !name.is_empty()).collect()
}

/// The container images that a component names, with where.
pub(super) fn image_settings(component: &Component) -> impl Iterator<Item = (Text, Span)> {
    IMAGES.iter().filter_map(|name| component.setting(name)).flat_map(images)
}

/// Components that ship what a scan saw, with the places of that and the flaws in them.
fn joined<'a>(index: &Index<'a>, software: &'a Software) -> Vec<(&'a Component, BTreeSet<&'a str>, Vec<&'a Flaw>)> {
    let mut flaws: BTreeMap<&str, Vec<&Flaw>> = BTreeMap::new();
    for flaw in &software.flaws {
        flaws.entry(place(software, index.architecture.sources.path(flaw.span))).or_default().push(flaw);
    }
    let of = |component: &'a Component| {
        let places = shipped(index, component, software);
        let flaws = places.iter().filter_map(|place| flaws.get(place)).flatten().copied().collect();
        (!places.is_empty()).then_some((component, places, flaws))
    };
    index.architecture.components.values().filter_map(of).collect()
}

/// The image that a file lies in, or else its folder.
fn place<'a>(software: &'a Software, path: &'a str) -> &'a str {
    software.images.iter().find(|image| image.holds(path)).map_or_else(|| folder(path), |image| &image.path)
}

fn is_judged(software: &Software, place: &str) -> bool {
    software.folders.get(place) == Some(&true) || software.images.iter().any(|image| image.path == place && image.is_judged)
}

fn is_used(flaw: &Flaw) -> bool {
    flaw.exploited || flaw.probability.is_some_and(|probability| probability >= LIKELY)
}

fn fact(flaw: &Flaw) -> &'static str {
    if is_used(flaw) {
        return "exploited_flaws";
    }
    match flaw.rating {
        FlawRating::Critical | FlawRating::High | FlawRating::Unknown => "severe_flaws",
        FlawRating::Medium | FlawRating::Low => "lesser_flaws",
    }
}

/// `log4j-core 2.14.1 with CVE-2021-44228 and 2 more, mended in 2.17.1`: one package, which one step to another version mends.
fn words(flaws: &[&Flaw]) -> String {
    const NAMED: usize = 2;
    let Some(first) = flaws.first() else { return String::new() };
    let names: Vec<&str> = flaws.iter().take(NAMED).map(|flaw| flaw.name.as_str()).collect();
    let more = flaws.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let mended = first.fixed.as_deref().map_or_else(|| "not mended yet".to_owned(), |fixed| format!("mended in {fixed}"));
    format!("{} {} with {}{more}, {mended}", first.package, first.version, names.join(", "))
}

/// What suffers from the flaws of a component's code: itself, or what runs the definition that it is.
fn bearers(index: &Index<'_>, component: &Component) -> Vec<Address> {
    let users = index.users(&component.address);
    if users.is_empty() { vec![component.address.clone()] } else { users }
}

/// The folders and images that a component ships.
fn shipped<'f>(index: &Index<'_>, component: &Component, software: &'f Software) -> BTreeSet<&'f str> {
    let mut found = BTreeSet::new();
    let folders = || software.folders.keys().map(String::as_str);
    if let Some(code) = component.setting("code") {
        for path in texts(code).filter_map(Text::known).filter_map(|path| join(&component.stack, &path)) {
            found.extend(folders().filter(|folder| is_within(folder, &path)));
            if found.is_empty() {
                found.extend(around(&path).find_map(|outer| software.folders.get_key_value(outer)).map(|(folder, _)| folder.as_str()));
            }
        }
    }
    for (image, _) in image_settings(component) {
        let Some(name) = name_of(index, &image) else { continue };
        let scanned = scanned(software, &image, &name);
        if !scanned.is_empty() {
            found.extend(scanned);
            continue;
        }
        found.extend(folders().filter(|folder| folder.split('/').any(|part| is_called(part, &name))));
    }
    found
}

/// Whether a folder is called like an image, or like the last part of its name: `orders` for `shop-orders`.
pub(super) fn is_called(folder: &str, image: &str) -> bool {
    folder.len() > 2 && (folder == image || image.strip_suffix(folder).is_some_and(|rest| rest.ends_with('-')))
}

/// The scanned images that are meant by an image of the plan: those of its reference, or else those of its name, whatever their tag. A pipeline
/// scans what it has just built, under a tag that the plan gets later.
pub(super) fn scanned<'f>(software: &'f Software, image: &Text, name: &str) -> Vec<&'f str> {
    let called = |of: &&'f ScannedImage| image.known().is_some_and(|text| of.names.iter().any(|name| *name == text));
    let paths = |images: Vec<&'f ScannedImage>| images.into_iter().map(|image| image.path.as_str()).collect();
    let exact: Vec<&ScannedImage> = software.images.iter().filter(called).collect();
    if !exact.is_empty() {
        return paths(exact);
    }
    paths(software.images.iter().filter(|of| of.names.iter().any(|of| repository_name(of) == Some(name))).collect())
}

/// Image references below a node, with where: texts of a list, or members called `image`.
fn images(node: &bartizan_model::Node) -> Vec<(Text, Span)> {
    match &node.value {
        Value::Text(text) => vec![(text.clone(), node.span)],
        Value::List(items) => items.iter().flat_map(images).collect(),
        Value::Map(members) => {
            let image = members.get("image").or_else(|| members.get("Image"));
            image.and_then(|image| Some((image.value.as_text()?.clone(), image.span))).into_iter().collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => Vec::new(),
    }
}

/// The last part of an image's repository: `orders` of `registry/shop/orders:1.2`, or of the repository that the plan makes.
pub(super) fn name_of(index: &Index<'_>, image: &Text) -> Option<String> {
    let repository = image.parts().find_map(|part| match part {
        Part::Reference { address, .. } => index.component(&Address::new(address)).filter(|component| component.service == "ecr"),
        Part::Literal(_) | Part::Unknown(_) => None,
    });
    let text = match repository {
        Some(repository) => repository.name.clone(),
        None => image.known()?.into_owned(),
    };
    repository_name(&text).map(str::to_owned)
}

/// `orders` of `registry.example.com/shop/orders:1.2`.
fn repository_name(reference: &str) -> Option<&str> {
    let untagged = reference.split('@').next()?;
    let last = untagged.rsplit('/').next()?;
    last.split(':').next().filter(|name| !name.is_empty())
}

fn is_within(folder: &str, path: &str) -> bool {
    path.is_empty() || folder == path || folder.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

/// The folders around a path, from the inside out, down to the root.
fn around(path: &str) -> impl Iterator<Item = &str> {
    let mut at = Some(path);
    std::iter::from_fn(move || {
        let outer = folder(at?);
        at = (!outer.is_empty()).then_some(outer);
        Some(outer)
    })
}
