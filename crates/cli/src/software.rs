//! The packages that lie beside a plan, and what is known of them: what the scan found, in the words of the review.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bartizan_import::Tree;
use bartizan_model::{Architecture, Diagnostic, Flaw, FlawRating, Recipe, ScannedImage, Severity, Software, path};
use bartizan_supply::dockerfile::{self, WeaknessKind};
use bartizan_supply::matching::find;
use bartizan_supply::{Dockerfile, Found, Package, Rating, SkipReason, Skipped, Version, Vulnerability, scan};

use crate::args::Input;
use crate::command::db;
use crate::images;
use crate::progress::Progress;

/// Folders of what others wrote and a build fetched.
const FETCHED: &[&str] = &[".terraform", "node_modules", "venv", ".tox"];

/// Tells the architecture what its images are built from, where packages are not looked for.
pub(crate) fn read_recipes(architecture: &mut Architecture, tree: &Tree) {
    let found = scan_files(architecture, tree, dockerfile::is_dockerfile);
    add_recipes(architecture, &found.dockerfiles);
    architecture.diagnostics.extend(found.diagnostics);
}

fn scan_files(architecture: &mut Architecture, tree: &Tree, is_wanted: impl Fn(&str) -> bool) -> Found {
    let is_own = |path: &&str| tree.is_reviewed(path) && !path.split('/').any(|part| FETCHED.contains(&part)) && is_wanted(path);
    let paths: BTreeSet<String> = tree.paths().filter(is_own).map(str::to_owned).collect();
    let read = |path: &str| tree.bytes(path).map_err(SkipReason::Unreadable);
    scan::scan(&paths, &read, &mut architecture.sources)
}

/// Looks the packages of a tree up in a database, and reads its Dockerfiles; without a database these alone.
pub(crate) fn look_up(architecture: &mut Architecture, tree: &Tree, database: Option<&Path>) -> anyhow::Result<()> {
    let Some(database) = database else {
        read_recipes(architecture, tree);
        return Ok(());
    };
    let found = scan_files(architecture, tree, |_| true);
    add(architecture, &found, Some(database))
}

/// Tells the architecture what a scan found; packages are looked up where there is a database of advisories.
pub(crate) fn add(architecture: &mut Architecture, found: &Found, database: Option<&Path>) -> anyhow::Result<()> {
    add_recipes(architecture, &found.dockerfiles);
    database.map_or(Ok(()), |database| add_packages(architecture, found, database))
}

/// Tells the architecture what its images are built from.
fn add_recipes(architecture: &mut Architecture, dockerfiles: &[Dockerfile]) {
    for file in dockerfiles {
        let mut recipe = Recipe { path: file.path.clone(), ..Recipe::default() };
        for weakness in file.of_image() {
            match &weakness.kind {
                WeaknessKind::SecretInEnvironment(name) | WeaknessKind::SecretInArgument(name) => {
                    recipe.secrets.push((name.clone(), weakness.span));
                }
                WeaknessKind::BaseMoves(name) => recipe.moving_bases.push((name.clone(), weakness.span)),
                WeaknessKind::RunsAsRoot(true) => recipe.root = Some(weakness.span),
                // What is not said there may be so or not.
                WeaknessKind::RunsAsRoot(false) | WeaknessKind::UncheckedDownload(_) => {}
            }
        }
        architecture.recipes.push(recipe);
    }
}

/// Reads the packages of the files of a tree, of the images that are named beside it, and of those that the plan names where they are to be pulled.
///
/// # Errors
/// An image that is named is neither a file nor a reference.
pub(crate) fn scan(architecture: &mut Architecture, tree: &Tree, input: &Input, progress: &Progress) -> anyhow::Result<Found> {
    let mut found = scan_files(architecture, tree, |_| true);
    found.append(images::scan(&input.images, &mut architecture.sources, progress)?);
    if input.pull {
        for name in bartizan_review::named_images(architecture) {
            if input.images.images.contains(&name) {
                continue;
            }
            progress.say(format!("reading {name}"));
            match images::pull(&name, input.images.platform.as_ref(), &mut architecture.sources) {
                Ok(pulled) => found.append(pulled),
                Err(error) => found.skipped.push(Skipped { what: name, span: None, reason: SkipReason::Image(format!("{error:#}")) }),
            }
        }
    }
    Ok(found)
}

/// Looks packages up in a database of advisories, and adds what is found to the architecture.
fn add_packages(architecture: &mut Architecture, found: &Found, database: &Path) -> anyhow::Result<()> {
    if found.packages.is_empty() && found.skipped.is_empty() {
        return Ok(());
    }
    let mut database = db::open(database)?;
    let matches = find(&mut database, &found.packages)?;
    let mut scanned: Vec<ScannedImage> = Vec::new();
    for image in &found.images {
        let names = image.tags.iter().chain([&image.path]).cloned().collect();
        scanned.push(ScannedImage { path: image.path.clone(), names, is_judged: true, runs_as_root: image.runs_as_root() });
    }
    // Of what could not be read nobody may think that its build context says enough.
    for skipped in found.skipped.iter().filter(|skipped| matches!(skipped.reason, SkipReason::Image(_))) {
        scanned.push(ScannedImage { path: skipped.what.clone(), names: vec![skipped.what.clone()], is_judged: false, runs_as_root: false });
    }
    let mut folders: BTreeMap<String, bool> = BTreeMap::new();
    let mut judge = |path: &str, is_judged: bool| match scanned.iter_mut().find(|image| image.holds(path)) {
        Some(image) => image.is_judged &= is_judged,
        None => *folders.entry(path::folder(path).to_owned()).or_insert(true) &= is_judged,
    };
    for package in &found.packages {
        judge(architecture.sources.path(package.span), true);
    }
    let of_files = found.skipped.iter().filter(|skipped| !matches!(skipped.reason, SkipReason::Image(_)));
    for skipped in of_files.chain(&matches.skipped) {
        judge(skipped.span.map_or(skipped.what.as_str(), |span| architecture.sources.path(span)), false);
    }
    let mended = mended(&found.packages, &matches.vulnerabilities);
    let mut flaws: Vec<Flaw> = Vec::new();
    for known in matches.vulnerabilities.iter().filter(|known| known.informational.is_none()) {
        let Some(package) = found.packages.get(known.package).filter(|package| !package.is_development) else { continue };
        flaws.push(Flaw {
            name: known.name().to_owned(),
            package: package.name.clone(),
            version: package.version.clone(),
            fixed: mended.get(&known.package).cloned(),
            rating: rating(known.rating()),
            exploited: known.kev.is_some(),
            probability: known.epss.as_ref().map(|epss| f64::from(epss.probability)),
            span: package.span,
        });
    }
    flaws.sort_by(|a, b| {
        let rank = |flaw: &Flaw| (flaw.exploited, flaw.rating);
        rank(b).cmp(&rank(a)).then_with(|| (a.span, &a.name).cmp(&(b.span, &b.name)))
    });
    architecture.software = Some(Software { folders, images: scanned, knows_use: database.description().n_kev > 0, flaws });
    let n_skipped = found.skipped.len() + matches.skipped.len();
    if n_skipped > 0 {
        let message = format!("{n_skipped} packages or files that name them could not be judged");
        let diagnostic = Diagnostic::new("supply/skipped", Severity::Warning, message, None);
        architecture.diagnostics.push(diagnostic.with_help("`bartizan scan` lists them with their reasons"));
    }
    Ok(())
}

/// By package the highest of the versions that mend one of its flaws each.
fn mended(packages: &[Package], flaws: &[Vulnerability]) -> BTreeMap<usize, String> {
    let mut found: BTreeMap<usize, String> = BTreeMap::new();
    for flaw in flaws.iter().filter(|flaw| flaw.informational.is_none()) {
        let (Some(fixed), Some(package)) = (&flaw.fixed, packages.get(flaw.package)) else { continue };
        let version = |text: &str| Version::parse(package.ecosystem.kind.scheme()?, text).ok();
        let known = found.entry(flaw.package).or_insert_with(|| fixed.clone());
        if version(fixed) > version(known) {
            known.clone_from(fixed);
        }
    }
    found
}

fn rating(rating: Rating) -> FlawRating {
    match rating {
        Rating::Unknown => FlawRating::Unknown,
        Rating::Low => FlawRating::Low,
        Rating::Medium => FlawRating::Medium,
        Rating::High => FlawRating::High,
        Rating::Critical => FlawRating::Critical,
    }
}
