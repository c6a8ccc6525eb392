//! The packages that lie beside a plan, and what is known of them: what the scan found, in the words of the review.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bartizan_import::Tree;
use bartizan_model::{Architecture, Diagnostic, Flaw, FlawRating, Severity, Software, path};
use bartizan_supply::matching::find;
use bartizan_supply::scan::scan;
use bartizan_supply::{Package, Rating, SkipReason, Version, Vulnerability};

use crate::command::db;

/// Folders of what others wrote and a build fetched.
const FETCHED: &[&str] = &[".terraform", "node_modules", "venv", ".tox"];

/// Scans the files of a tree for packages, looks them up in a database of advisories, and adds what is found to the architecture.
pub(crate) fn add(architecture: &mut Architecture, tree: &Tree, database: &Path) -> anyhow::Result<()> {
    let is_own = |path: &&str| !path.split('/').any(|part| FETCHED.contains(&part));
    let paths: BTreeSet<String> = tree.paths().filter(is_own).map(str::to_owned).collect();
    let read = |path: &str| tree.bytes(path).map_err(SkipReason::Unreadable);
    let found = scan(&paths, &read, &mut architecture.sources);
    if found.packages.is_empty() && found.skipped.is_empty() {
        return Ok(());
    }
    let mut database = db::open(database)?;
    let matches = find(&mut database, &found.packages)?;
    let folder = |path: &str| path::folder(path).to_owned();
    let mut folders: BTreeMap<String, bool> =
        found.packages.iter().map(|package| (folder(architecture.sources.path(package.span)), true)).collect();
    for skipped in found.skipped.iter().chain(&matches.skipped) {
        let place = skipped.span.map_or(skipped.what.as_str(), |span| architecture.sources.path(span));
        folders.insert(folder(place), false);
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
    architecture.software = Some(Software { folders, knows_use: database.description().n_kev > 0, flaws });
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
