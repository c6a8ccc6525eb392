//! `bartizan scan`: the packages of a system and the advisories that speak of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bartizan_model::{Severity, Sources};
use bartizan_report::folder;
use bartizan_supply::load::scan_path;
use bartizan_supply::matching::find;
use bartizan_supply::{Description, Document, Found, Matches, Rating, SkipReason, Vulnerability};

use super::db;
use crate::args::{Scan, ScanFormat, SeverityArg};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

/// Skipped things that are shown of each reason's kind; JSON has all.
const SHOWN: usize = 10;

pub(super) fn run(arguments: &Scan) -> anyhow::Result<Outcome> {
    let mut database = db::open(&db::place(&arguments.database)?)?;
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() { &here[..] } else { &arguments.paths };
    let mut sources = Sources::default();
    let mut found = Found::default();
    for path in paths {
        found.append(scan_path(path, &mut sources)?);
    }
    let matches = find(&mut database, &found.packages)?;
    let description = database.description();
    for diagnostic in found.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).take(SHOWN) {
        let place = diagnostic.span.map(|span| format!("{}:{}: ", sources.path(span), sources.start(span).line)).unwrap_or_default();
        terminal::problem(&format!("{place}{}", diagnostic.message));
    }
    let content = match arguments.format {
        ScanFormat::Json => folder::pretty(&Document::new(&found, &matches, description, &sources)),
        ScanFormat::Text => text(&found, &matches, description, &sources).into_bytes(),
    };
    pipeline::write(&content, arguments.output.as_deref())?;
    if matches.vulnerabilities.iter().any(|flaw| fails(flaw, arguments.fail_on)) {
        return Ok(Outcome::Findings);
    }
    let is_whole = !found.packages.is_empty() && found.skipped.is_empty() && matches.skipped.is_empty();
    Ok(if is_whole { Outcome::Clean } else { Outcome::Incomplete })
}

/// Whether a flaw ends the run with the code for findings. One that nobody rates may be anything, so it counts.
fn fails(flaw: &Vulnerability, gate: Option<SeverityArg>) -> bool {
    if flaw.informational.is_some() {
        return false;
    }
    let rating = flaw.rating();
    let wanted = match gate {
        None | Some(SeverityArg::Info) => Rating::Unknown,
        Some(SeverityArg::Low) => Rating::Low,
        Some(SeverityArg::Medium) => Rating::Medium,
        Some(SeverityArg::High) => Rating::High,
        Some(SeverityArg::Critical) => Rating::Critical,
    };
    rating == Rating::Unknown || rating >= wanted
}

/// What is known to be used first, then the worst, then the likeliest.
fn text(found: &Found, matches: &Matches, database: &Description, sources: &Sources) -> String {
    let mut flaws: Vec<&Vulnerability> = matches.vulnerabilities.iter().collect();
    let likely = |flaw: &Vulnerability| flaw.epss.map_or(0, |epss| (epss.probability * 10_000.0) as u32);
    flaws.sort_by_cached_key(|flaw| {
        (flaw.informational.is_some(), Reverse(flaw.kev.is_some()), Reverse(flaw.rating()), Reverse(likely(flaw)), flaw.package)
    });
    let mut out = String::new();
    for flaw in &flaws {
        let Some(package) = found.packages.get(flaw.package) else { continue };
        let word = flaw.informational.as_deref().unwrap_or(flaw.rating().id());
        let fixed = flaw.fixed.as_deref().map_or_else(|| ", no version mends it".to_owned(), |fixed| format!(", mended in {fixed}"));
        let used = flaw.kev.as_ref().map(|kev| format!(", known to be used since {}", kev.date_added)).unwrap_or_default();
        let epss = flaw.epss.map(|epss| format!(", EPSS {:.1} %", epss.probability * 100.0)).unwrap_or_default();
        let development = if package.is_development { ", for development only" } else { "" };
        let place = format!("{}:{}", sources.path(package.span), sources.start(package.span).line);
        out.push_str(&format!("{word}  {}  {} {}{fixed}{used}{epss}{development}\n", flaw.name(), package.name, package.version));
        out.push_str(&format!("    {place}  {}\n", flaw.summary()));
    }
    if !flaws.is_empty() {
        out.push('\n');
    }
    out.push_str(&counts(found, matches));
    out.push_str(&skipped(found, matches, database, sources));
    out.push_str(&format!("asked: {}\n", db::summary(database)));
    out
}

fn counts(found: &Found, matches: &Matches) -> String {
    let files: BTreeSet<_> = found.packages.iter().map(|package| package.span.file).collect();
    let packages = format!("{} in {}", counted(found.packages.len(), "package", "packages"), counted(files.len(), "file", "files"));
    let real = matches.vulnerabilities.iter().filter(|flaw| flaw.informational.is_none());
    let mut by_rating: BTreeMap<Reverse<Rating>, usize> = BTreeMap::new();
    let mut hit = BTreeSet::new();
    for flaw in real {
        *by_rating.entry(Reverse(flaw.rating())).or_default() += 1;
        hit.insert(flaw.package);
    }
    let warnings = matches.vulnerabilities.iter().filter(|flaw| flaw.informational.is_some()).count();
    let warnings = if warnings == 0 { String::new() } else { format!("; {}", counted(warnings, "warning", "warnings")) };
    let n: usize = by_rating.values().sum();
    if n == 0 {
        return format!("no known vulnerability in {packages}{warnings}\n");
    }
    let parts: Vec<String> = by_rating.iter().map(|(Reverse(rating), n)| format!("{n} {}", rating.id())).collect();
    format!("{} in {} of {packages}: {}{warnings}\n", counted(n, "vulnerability", "vulnerabilities"), hit.len(), parts.join(", "))
}

fn skipped(found: &Found, matches: &Matches, database: &Description, sources: &Sources) -> String {
    let all: Vec<_> = found.skipped.iter().chain(&matches.skipped).collect();
    let mut out = String::new();
    if all.is_empty() {
        if found.packages.is_empty() {
            out.push_str("nothing was scanned: there is no file that names packages\n");
        }
        return out;
    }
    out.push_str(&format!("not judged: {}\n", counted(all.len(), "package or file", "packages and files")));
    // One line for an ecosystem that nobody imported says as much as one for each of its packages.
    let (unasked, all): (Vec<_>, Vec<_>) = all.into_iter().partition(|skipped| skipped.reason == SkipReason::NoAdvisories);
    if !unasked.is_empty() {
        let n = counted(unasked.len(), "package", "packages");
        let ecosystems: BTreeSet<&str> = found
            .packages
            .iter()
            .map(|package| package.ecosystem.kind.name())
            .filter(|name| !database.by_ecosystem.contains_key(*name))
            .collect();
        let ecosystems: Vec<&str> = ecosystems.into_iter().collect();
        out.push_str(&format!("    {n}: the database holds no advisory of {}\n", ecosystems.join(", ")));
    }
    for skipped in all.iter().take(SHOWN) {
        let place = skipped.span.map(|span| format!("{}:{}  ", sources.path(span), sources.start(span).line)).unwrap_or_default();
        out.push_str(&format!("    {place}{}: {}\n", skipped.what, skipped.reason));
    }
    if all.len() > SHOWN {
        out.push_str(&format!("    and {} more; --format json lists all\n", all.len() - SHOWN));
    }
    out
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
