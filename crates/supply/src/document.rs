//! `bartizan/scan/1`: what a scan writes as JSON.
//!
//! The types here are what is written, apart from what is computed, so that the one can change without the other.

use bartizan_model::{Sources, Span};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::database::Description;
use crate::dockerfile::{Base, Dockerfile, Stage, Weakness};
use crate::image::Image;
use crate::matching::{Matches, Vulnerability};
use crate::package::{Found, Origin, Package, Relation, Skipped};
use crate::purl::package_url;
use crate::results::Finding;

/// A whole scan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bartizan/scan/1")]
pub struct Document<'a> {
    /// Name and version of the format.
    #[schemars(extend("const" = "bartizan/scan/1"))]
    pub schema: &'static str,
    /// The advisories that were asked.
    pub database: &'a Description,
    /// Container images that were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageEntry<'a>>,
    /// Dockerfiles, by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dockerfiles: Vec<DockerfileEntry<'a>>,
    /// All packages, by file and line.
    pub packages: Vec<PackageEntry<'a>>,
    /// All vulnerabilities, by package.
    pub vulnerabilities: Vec<VulnerabilityEntry<'a>>,
    /// Vulnerabilities that are not open, for people say that the system is not affected or has mended them.
    pub suppressed: Vec<VulnerabilityEntry<'a>>,
    /// Results of other tools that are no vulnerability of a package.
    pub findings: Vec<FindingEntry<'a>>,
    /// What could not be judged.
    pub skipped: Vec<SkippedEntry<'a>>,
    /// Problems of the input.
    pub diagnostics: Vec<DiagnosticEntry<'a>>,
}

/// A container image.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImageEntry<'a> {
    /// Path, as its files are named before `!/`.
    pub path: &'a str,
    /// Names that the archive gives it.
    pub tags: &'a [String],
    /// What it runs on, such as `linux/amd64`.
    pub platform: &'a str,
    /// What the image calls its distribution; empty where it does not.
    pub distribution: &'a str,
    /// User that its processes run as; empty is root.
    pub user: &'a str,
    /// Layers, the lowest first.
    pub layers: Vec<LayerEntry<'a>>,
}

/// A layer of an image.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LayerEntry<'a> {
    /// Digest of its content without compression; packages name it.
    pub digest: &'a str,
    /// The command that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<&'a str>,
}

/// A Dockerfile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DockerfileEntry<'a> {
    /// Path.
    pub file: &'a str,
    /// Stages in their order; the last one is the image.
    pub stages: Vec<StageEntry<'a>>,
    /// What a reviewer has to look at, by line.
    pub weaknesses: Vec<WeaknessEntry>,
}

/// A stage of a Dockerfile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StageEntry<'a> {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Line of its `FROM`, from 1.
    pub line: u32,
    /// Name of the image that it starts from; absent where it starts from a stage, from nothing, or from what is not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<&'a str>,
    /// Tag of that image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<&'a str>,
    /// Digest of that image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<&'a str>,
    /// Index of the stage that it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<usize>,
    /// What it starts from, as written, where an argument of the build settles it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<&'a str>,
    /// User that its processes run as; absent where the base image decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a str>,
}

/// Something in a Dockerfile that a reviewer has to look at.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WeaknessEntry {
    /// `runs-as-root`, `base-moves`, `secret-in-environment`, `secret-in-argument` or `unchecked-download`.
    pub id: &'static str,
    /// One sentence, with what to do.
    pub message: String,
    /// Line, from 1.
    pub line: u32,
}

/// A package.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PackageEntry<'a> {
    /// Package URL; absent where there is no type for its ecosystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// Ecosystem as OSV names it.
    pub ecosystem: String,
    /// Name.
    pub name: &'a str,
    /// Version; empty where the system's own package has none.
    pub version: &'a str,
    /// Where it was read.
    pub file: &'a str,
    /// Line, from 1.
    pub line: u32,
    /// `registry`, `elsewhere` or `own`.
    #[schemars(extend("enum" = ["registry", "elsewhere", "own"]))]
    pub origin: &'static str,
    /// `direct`, `transitive` or `unknown`.
    #[schemars(extend("enum" = ["direct", "transitive", "unknown"]))]
    pub relation: &'static str,
    /// Whether it only serves development.
    pub development: bool,
    /// Image layer that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<&'a str>,
}

/// One flaw of one package.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VulnerabilityEntry<'a> {
    /// The name that people know best.
    pub id: &'a str,
    /// All names.
    pub names: &'a [String],
    /// Index of the package in `packages`.
    pub package: usize,
    /// `critical`, `high`, `medium`, `low` or `unknown`.
    #[schemars(extend("enum" = ["critical", "high", "medium", "low", "unknown"]))]
    pub severity: &'static str,
    /// CVSS base score, 0..=10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The lowest version that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<&'a str>,
    /// `unmaintained`, `unsound` or `notice` where it is no flaw that an attacker uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub informational: Option<&'a str>,
    /// Day since which it is known to be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_exploited: Option<&'a str>,
    /// Probability that it is used within 30 days, 0..=1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f32>,
    /// One sentence.
    pub summary: &'a str,
    /// What publishers call it, as they were asked.
    pub advisories: Vec<&'a str>,
    /// Pages about it.
    pub references: Vec<&'a str>,
    /// Other tools that report it.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub tools: &'a [String],
    /// What people say of it (VEX).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<JudgementEntry<'a>>,
}

/// What people say of a vulnerability in this system.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JudgementEntry<'a> {
    /// `not_affected`, `fixed`, `under_investigation` or `affected`.
    #[schemars(extend("enum" = ["not_affected", "fixed", "under_investigation", "affected"]))]
    pub status: &'static str,
    /// Why it is not affected, in the words of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<&'a str>,
    /// What they wrote; empty where they wrote nothing.
    pub note: &'a str,
    /// When, as written; empty where nobody told.
    pub timestamp: &'a str,
    /// Where.
    pub file: &'a str,
    /// Line, from 1.
    pub line: u32,
}

/// A result of another tool that is no vulnerability of a package.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingEntry<'a> {
    /// The tool.
    pub tool: &'a str,
    /// Its rule.
    pub rule: &'a str,
    /// `critical`, `high`, `medium`, `low` or `unknown`.
    #[schemars(extend("enum" = ["critical", "high", "medium", "low", "unknown"]))]
    pub severity: &'static str,
    /// What the tool says.
    pub message: &'a str,
    /// The place that the tool names.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub file: &'a str,
    /// Line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Whether it is a known flaw, whose package could not be told.
    pub flaw: bool,
}

/// Something that was not judged.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SkippedEntry<'a> {
    /// A package or a file.
    pub what: &'a str,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    /// Line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Why.
    pub reason: String,
}

/// A problem of the input.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiagnosticEntry<'a> {
    /// Stable code.
    pub code: &'a str,
    /// What is wrong.
    pub message: &'a str,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    /// Line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// JSON Schema of the format.
pub fn schema() -> Value {
    schemars::schema_for!(Document<'static>).to_value()
}

impl<'a> Document<'a> {
    /// What a scan writes.
    pub fn new(found: &'a Found, matches: &'a Matches, database: &'a Description, sources: &'a Sources) -> Self {
        let place = |span: Option<Span>| (span.map(|span| sources.path(span)), span.map(|span| sources.start(span).line));
        let skipped = |skipped: &'a Skipped| {
            let (file, line) = place(skipped.span);
            SkippedEntry { what: &skipped.what, file, line, reason: skipped.reason.to_string() }
        };
        Self {
            schema: "bartizan/scan/1",
            database,
            images: found.images.iter().map(image).collect(),
            dockerfiles: found.dockerfiles.iter().map(|of| dockerfile(of, sources)).collect(),
            packages: found.packages.iter().map(|of| package(of, sources)).collect(),
            vulnerabilities: matches.vulnerabilities.iter().map(|of| vulnerability(of, sources)).collect(),
            suppressed: matches.suppressed.iter().map(|of| vulnerability(of, sources)).collect(),
            findings: matches.findings.iter().map(finding).collect(),
            skipped: found.skipped.iter().chain(&matches.skipped).map(skipped).collect(),
            diagnostics: found
                .diagnostics
                .iter()
                .map(|diagnostic| {
                    let (file, line) = place(diagnostic.span);
                    DiagnosticEntry { code: diagnostic.code, message: &diagnostic.message, file, line }
                })
                .collect(),
        }
    }
}

fn image(image: &Image) -> ImageEntry<'_> {
    ImageEntry {
        path: &image.path,
        tags: &image.tags,
        platform: &image.platform,
        distribution: &image.distribution,
        user: &image.user,
        layers: image.layers.iter().map(|layer| LayerEntry { digest: &layer.digest, created_by: layer.created_by.as_deref() }).collect(),
    }
}

fn dockerfile<'a>(of: &'a Dockerfile, sources: &Sources) -> DockerfileEntry<'a> {
    let stage = |stage: &'a Stage| {
        let reference = match &stage.base {
            Base::Image(reference) => Some(reference),
            _ => None,
        };
        StageEntry {
            name: stage.name.as_deref(),
            line: sources.start(stage.span).line,
            image: reference.map(|reference| reference.name.as_str()),
            tag: reference.and_then(|reference| reference.tag.as_deref()),
            digest: reference.and_then(|reference| reference.digest.as_deref()),
            stage: if let Base::Stage(index) = stage.base { Some(index) } else { None },
            unresolved: if let Base::Unresolved(text) = &stage.base { Some(text) } else { None },
            user: stage.user.as_deref(),
        }
    };
    let weakness = |of: &Weakness| WeaknessEntry { id: of.kind.id(), message: of.kind.message(), line: sources.start(of.span).line };
    DockerfileEntry {
        file: &of.path,
        stages: of.stages.iter().map(stage).collect(),
        weaknesses: of.weaknesses.iter().map(weakness).collect(),
    }
}

fn package<'a>(package: &'a Package, sources: &'a Sources) -> PackageEntry<'a> {
    PackageEntry {
        purl: package_url(package).map(|url| url.to_string()),
        ecosystem: package.ecosystem.to_string(),
        name: &package.name,
        version: &package.version,
        file: sources.path(package.span),
        line: sources.start(package.span).line,
        origin: match package.origin {
            Origin::Registry => "registry",
            Origin::Elsewhere(_) => "elsewhere",
            Origin::Own => "own",
        },
        relation: match package.relation {
            Relation::Direct => "direct",
            Relation::Transitive => "transitive",
            Relation::Unknown => "unknown",
        },
        development: package.is_development,
        layer: package.layer.as_deref(),
    }
}

fn finding(of: &Finding) -> FindingEntry<'_> {
    FindingEntry {
        tool: &of.tool,
        rule: &of.rule,
        severity: of.rating.id(),
        message: &of.message,
        file: &of.file,
        line: of.line,
        flaw: of.is_flaw,
    }
}

fn vulnerability<'a>(of: &'a Vulnerability, sources: &'a Sources) -> VulnerabilityEntry<'a> {
    VulnerabilityEntry {
        id: of.name(),
        names: &of.names,
        package: of.package,
        severity: of.rating().id(),
        score: of.score(),
        fixed: of.fixed.as_deref(),
        informational: of.informational.as_deref(),
        known_exploited: of.kev.as_ref().map(|kev| kev.date_added.as_str()),
        epss: of.epss.map(|epss| epss.probability),
        summary: of.summary(),
        advisories: of.advisories.iter().map(|advisory| advisory.id.as_str()).collect(),
        references: of.advisories.iter().flat_map(|advisory| &advisory.references).map(String::as_str).collect(),
        tools: &of.tools,
        judgement: of.judgement.as_ref().map(|judgement| JudgementEntry {
            status: judgement.status.id(),
            justification: judgement.justification.as_deref(),
            note: &judgement.note,
            timestamp: &judgement.timestamp,
            file: sources.path(judgement.span),
            line: sources.start(judgement.span).line,
        }),
    }
}
