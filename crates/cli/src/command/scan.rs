//! `bartizan scan`: the packages of a system and the advisories that speak of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Context as _;
use bartizan_model::{Severity, Sources};
use bartizan_report::folder;
use bartizan_supply::image;
use bartizan_supply::instant::{normalised, rfc3339};
use bartizan_supply::load::{read_named, scan_path};
use bartizan_supply::matching::find;
use bartizan_supply::results::Results;
use bartizan_supply::sbom::write;
use bartizan_supply::vex::{Judgement, Statements, openvex_document};
use bartizan_supply::{Description, Document, Found, Image, Matches, Rating, SkipReason, Vulnerability};

use serde_json::Value;

use super::db;
use crate::args::{Scan, ScanFormat, SeverityArg};
use crate::exit::Outcome;
use crate::progress::Progress;
use crate::{images, pipeline, terminal};

/// Skipped things that are shown of each reason's kind; JSON has all.
const SHOWN: usize = 10;

pub(super) fn run(arguments: &Scan) -> anyhow::Result<Outcome> {
    let mut database = db::open(&db::place(&arguments.database)?)?;
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() && arguments.images.images.is_empty() { &here[..] } else { &arguments.paths };
    let mut sources = Sources::default();
    let mut found = Found::default();
    let progress = Progress::start();
    for path in paths {
        progress.say(format!("reading {}", path.display()));
        let platform = arguments.images.platform.as_ref();
        found.append(if image::is_image(path) { images::of_path(path, platform, &mut sources) } else { scan_path(path, &mut sources)? });
    }
    found.append(images::scan(&arguments.images, &mut sources, &progress)?);
    drop(progress);
    let mut matches = find(&mut database, &found.packages)?;
    let mut results = Results::default();
    for path in &arguments.results {
        read_named(path, &mut sources, &mut found, |file, found| results.read(file, found));
    }
    results.merge(&mut found, &mut matches);
    let mut statements = Statements::default();
    for path in &arguments.vex {
        read_named(path, &mut sources, &mut found, |file, found| statements.read(file, found));
    }
    statements.apply(&found.packages, &mut matches);
    let description = database.description();
    for diagnostic in found.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).take(SHOWN) {
        let place = diagnostic.span.map(|span| format!("{}:{}: ", sources.path(span), sources.start(span).line)).unwrap_or_default();
        terminal::problem(&format!("{place}{}", diagnostic.message));
    }
    let content = match arguments.format {
        ScanFormat::Json => folder::pretty(&Document::new(&found, &matches, description, &sources)),
        ScanFormat::Text => terminal::harmless(&text(&found, &matches, description, &sources)).into_bytes(),
        format => folder::pretty(&exchanged(format, arguments, paths, &found, &matches, description, &sources)?),
    };
    pipeline::write(&content, arguments.output.as_deref())?;
    let reported = matches.findings.iter().filter(|finding| finding.is_flaw).any(|finding| is_reached(finding.rating, arguments.fail_on));
    if reported || matches.vulnerabilities.iter().any(|flaw| fails(flaw, arguments.fail_on)) {
        return Ok(Outcome::Findings);
    }
    // Results of a tool that found nothing are something that was looked at.
    let is_whole = (!found.packages.is_empty() || !arguments.results.is_empty()) && found.skipped.is_empty() && matches.skipped.is_empty();
    Ok(if is_whole { Outcome::Clean } else { Outcome::Incomplete })
}

/// Bills of materials and statements, which other tools read.
fn exchanged(
    format: ScanFormat,
    arguments: &Scan,
    paths: &[PathBuf],
    found: &Found,
    matches: &Matches,
    database: &Description,
    sources: &Sources,
) -> anyhow::Result<Value> {
    let timestamp = timestamp(arguments.timestamp.as_deref())?;
    // A document of statements must tell when they held; the advisories are no older than what is told from them.
    let known = timestamp.clone().or_else(|| normalised(&database.imported)).unwrap_or_else(|| rfc3339(0));
    let name = name(paths, &arguments.images.images);
    let content = write::Content { name: &name, packages: &found.packages, matches, sources, timestamp: timestamp.as_deref() };
    Ok(match format {
        ScanFormat::Spdx => write::spdx2(&write::Content { timestamp: Some(&known), ..content }),
        ScanFormat::Spdx3 => write::spdx3(&write::Content { timestamp: Some(&known), ..content }),
        ScanFormat::Openvex => openvex_document(&found.packages, matches, &known),
        _ => write::cyclonedx(&content),
    })
}

/// The time that the user or the build gives. Source: reproducible-builds.org, `SOURCE_DATE_EPOCH`.
fn timestamp(given: Option<&str>) -> anyhow::Result<Option<String>> {
    if let Some(text) = given {
        return normalised(text).map(Some).with_context(|| format!("`{text}` is no time: write it as `2026-01-31T12:00:00Z`"));
    }
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text
            .parse()
            .map(|seconds| Some(rfc3339(seconds)))
            .with_context(|| format!("SOURCE_DATE_EPOCH `{text}` is no number of seconds")),
        Err(_) => Ok(None),
    }
}

/// The system is called like the first folder or image that was named.
fn name(paths: &[PathBuf], images: &[String]) -> String {
    let first = paths.first().and_then(|path| std::path::absolute(path).ok());
    first
        .and_then(|path| path.components().next_back().map(|name| name.as_os_str().to_string_lossy().into_owned()))
        .or_else(|| images.first().cloned())
        .unwrap_or_else(|| "system".to_owned())
}

/// Whether a flaw ends the run with the code for findings. One that nobody rates may be anything, so it counts.
fn fails(flaw: &Vulnerability, gate: Option<SeverityArg>) -> bool {
    flaw.informational.is_none() && is_reached(flaw.rating(), gate)
}

fn is_reached(rating: Rating, gate: Option<SeverityArg>) -> bool {
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
        let tools = if flaw.tools.is_empty() { String::new() } else { format!(", reported by {}", flaw.tools.join(", ")) };
        let said = flaw.judgement.as_ref().map(|judgement| format!(", {}", said(judgement))).unwrap_or_default();
        out.push_str(&format!(
            "{word}  {}  {} {}{fixed}{used}{epss}{development}{tools}{said}\n",
            flaw.name(),
            package.name,
            package.version
        ));
        out.push_str(&format!("    {place}  {}\n", flaw.summary()));
    }
    for flaw in &matches.suppressed {
        let (Some(package), Some(judgement)) = (found.packages.get(flaw.package), &flaw.judgement) else { continue };
        let place = format!("{}:{}", sources.path(judgement.span), sources.start(judgement.span).line);
        out.push_str(&format!("closed  {}  {} {}, {}\n    {place}\n", flaw.name(), package.name, package.version, said(judgement)));
    }
    if !flaws.is_empty() || !matches.suppressed.is_empty() {
        out.push('\n');
    }
    for image in &found.images {
        out.push_str(&format!("{}\n", described(image)));
    }
    for dockerfile in &found.dockerfiles {
        for weakness in &dockerfile.weaknesses {
            out.push_str(&format!("{}:{}: {}\n", dockerfile.path, sources.start(weakness.span).line, weakness.kind.message()));
        }
    }
    out.push_str(&counts(found, matches));
    out.push_str(&skipped(found, matches, database, sources));
    out.push_str(&format!("asked: {}\n", db::summary(database)));
    out
}

/// What people say of a flaw.
fn said(judgement: &Judgement) -> String {
    let because = judgement.justification.as_deref().map(|text| format!(" ({text})")).unwrap_or_default();
    let note = if judgement.note.is_empty() { String::new() } else { format!(": {}", judgement.note) };
    format!("{}{because}{note}", judgement.status.id().replace('_', " "))
}

/// `app.tar: Debian GNU/Linux 12 (bookworm), linux/amd64, 3 layers, runs as root`.
fn described(image: &Image) -> String {
    let user = if image.runs_as_root() { "root" } else { &image.user };
    let distribution = if image.distribution.is_empty() { "no distribution" } else { &image.distribution };
    format!("{}: {distribution}, {}, {}, runs as {user}", image.path, image.platform, counted(image.layers.len(), "layer", "layers"))
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
    let mut warnings = if warnings == 0 { String::new() } else { format!("; {}", counted(warnings, "warning", "warnings")) };
    if !matches.findings.is_empty() {
        warnings.push_str(&format!("; {} of other tools that name no package", counted(matches.findings.len(), "finding", "findings")));
    }
    if !matches.suppressed.is_empty() {
        warnings.push_str(&format!("; {} not affected by VEX", matches.suppressed.len()));
    }
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
