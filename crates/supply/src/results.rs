//! What other tools found: their results become vulnerabilities of the packages here, with the tool named, and one flaw counts once.
//!
//! Trivy, Grype, Snyk, Amazon ECR and Inspector, pip-audit, npm audit, cargo-audit, and SARIF of any tool; which it is, is told by the content.
//! A result that names no package stays a finding of its rule at its place.

mod audits;
mod aws;
mod sarif;
mod scanners;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bartizan_model::Span;
use serde_json::Value;

use crate::advisory::Advisory;
use crate::ecosystem::{Ecosystem, EcosystemKind};
use crate::lockfile::File;
use crate::matching::{Matches, Rating, Vulnerability};
use crate::package::{Found, Package};
use crate::version::Version;

/// A result that is no vulnerability of a package that is known by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The tool.
    pub tool: String,
    /// Its rule.
    pub rule: String,
    /// How bad it is, as the tool says.
    pub rating: Rating,
    /// What the tool says.
    pub message: String,
    /// The place that the tool names; empty where it names none.
    pub file: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Where the result stands.
    pub span: Span,
    /// Whether it is a known flaw, whose package could not be told.
    pub is_flaw: bool,
}

/// A vulnerability that a tool reports.
#[derive(Clone, Debug, PartialEq)]
struct Reported {
    tool: String,
    package: Subject,
    advisory: Advisory,
    fixed: Option<String>,
}

/// The package that a tool means.
#[derive(Clone, Debug, PartialEq)]
enum Subject {
    /// A package of an ecosystem.
    Known(Package),
    /// Name and version of a package of the scanned image's distribution, which the tool does not tell.
    OfDistribution { name: String, version: String, span: Span },
}

/// Results of several files.
#[derive(Clone, Debug, Default)]
pub struct Results {
    reported: Vec<Reported>,
    findings: Vec<Finding>,
}

/// A reader's view of a file: its JSON, its text for spans, and where it puts what it reads.
struct Reader<'f, 'o> {
    file: &'f File<'f>,
    found: &'o mut Found,
    results: &'o mut Results,
}

impl Results {
    /// Reads a file; what cannot be read is counted as skipped.
    pub fn read(&mut self, file: &File<'_>, found: &mut Found) {
        let value: Value = match serde_json::from_str(file.text) {
            Ok(value) => value,
            Err(error) => {
                let span = file.span_at(error.line(), error.column());
                return found.malformed(file.path, span, format!("no results that can be read: {error}"));
            }
        };
        let mut reader = Reader { file, found, results: self };
        let readers: [fn(&Value, &mut Reader<'_, '_>) -> bool; 9] = [
            sarif::read,
            scanners::trivy,
            scanners::grype,
            aws::ecr,
            aws::inspector,
            audits::cargo,
            audits::pip,
            audits::npm,
            scanners::snyk,
        ];
        if !readers.iter().any(|read| read(&value, &mut reader)) {
            reader.found.malformed(file.path, file.span(0..0), "results of no tool that is known here");
        }
    }

    /// Adds the results to what was found: to the vulnerability that they share a name with, else as vulnerabilities of their own.
    ///
    /// A package that no file named is added; its tool judged it, so the database is not asked.
    pub fn merge(self, found: &mut Found, matches: &mut Matches) {
        let mut by_name: BTreeMap<(EcosystemKind, String), Vec<usize>> = BTreeMap::new();
        for (index, package) in found.packages.iter().enumerate() {
            by_name.entry(key(package)).or_default().push(index);
        }
        matches.findings.extend(self.findings);
        for reported in self.reported {
            let known: Vec<usize> = match &reported.package {
                Subject::Known(package) => {
                    let same = |index: &usize| found.packages.get(*index).is_some_and(|known| is_same_version(known, package));
                    by_name.get(&key(package)).into_iter().flatten().copied().filter(same).collect()
                }
                Subject::OfDistribution { name, version, .. } => of_distribution(&found.packages, name, version),
            };
            let indices = match reported.package {
                Subject::Known(package) if known.is_empty() => {
                    by_name.entry(key(&package)).or_default().push(found.packages.len());
                    found.packages.push(package);
                    vec![found.packages.len() - 1]
                }
                Subject::OfDistribution { ref name, ref version, span } if known.is_empty() => {
                    matches.findings.push(Finding {
                        tool: reported.tool.clone(),
                        rule: reported.advisory.id.clone(),
                        rating: rating(&reported.advisory),
                        message: format!("{name} {version}: {}", reported.advisory.summary),
                        file: String::new(),
                        line: None,
                        span,
                        is_flaw: true,
                    });
                    continue;
                }
                _ => known,
            };
            let advisory = Arc::new(reported.advisory);
            for index in indices {
                join(index, &reported.tool, &advisory, reported.fixed.as_ref(), matches);
            }
        }
        matches.vulnerabilities.sort_by(|a, b| (a.package, &a.names).cmp(&(b.package, &b.names)));
    }
}

fn key(package: &Package) -> (EcosystemKind, String) {
    (package.ecosystem.kind, package.ecosystem.kind.canonical_name(&package.name))
}

fn is_same_version(a: &Package, b: &Package) -> bool {
    let parsed = |package: &Package| package.ecosystem.kind.scheme().and_then(|scheme| Version::parse(scheme, &package.version).ok());
    let release = a.ecosystem.release == b.ecosystem.release || a.ecosystem.release.is_none() || b.ecosystem.release.is_none();
    release && (a.version == b.version || parsed(a).is_some_and(|a| parsed(b) == Some(a)))
}

/// Packages of whatever distribution, by their own name or their source's; versions without epoch are meant with it.
fn of_distribution(packages: &[Package], name: &str, version: &str) -> Vec<usize> {
    let same = |own: &str| own == version || own.split_once(':').is_some_and(|(_, rest)| rest == version);
    let is_meant = |package: &Package| {
        let source = package.source.as_ref().is_some_and(|source| source.name == name && same(&source.version));
        package.ecosystem.kind.has_source_packages() && (source || package.name == name && same(&package.version))
    };
    packages.iter().enumerate().filter(|(_, package)| is_meant(package)).map(|(index, _)| index).collect()
}

fn rating(advisory: &Advisory) -> Rating {
    advisory.score().map(Rating::of_score).or_else(|| advisory.severity.as_deref().map(Rating::of_word)).unwrap_or(Rating::Unknown)
}

/// Adds what a tool says of a package to the vulnerability with one of its names, or as a new one.
fn join(index: usize, tool: &str, advisory: &Arc<Advisory>, fixed: Option<&String>, matches: &mut Matches) {
    let names: BTreeSet<&str> = advisory.names().collect();
    let is_same = |flaw: &&mut Vulnerability| flaw.package == index && flaw.names.iter().any(|name| names.contains(name.as_str()));
    let Some(flaw) = matches.vulnerabilities.iter_mut().find(is_same) else {
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.dedup();
        matches.vulnerabilities.push(Vulnerability {
            package: index,
            names,
            advisories: vec![Arc::clone(advisory)],
            fixed: fixed.cloned(),
            kev: None,
            epss: None,
            informational: None,
            judgement: None,
            tools: vec![tool.to_owned()],
        });
        return;
    };
    let more: Vec<String> = names.into_iter().filter(|name| !flaw.names.iter().any(|known| known == name)).map(str::to_owned).collect();
    flaw.names.extend(more);
    flaw.names.sort();
    if !flaw.advisories.iter().any(|known| known.id == advisory.id && known.scope == advisory.scope) {
        flaw.advisories.push(Arc::clone(advisory));
        flaw.advisories.sort_by(|a, b| (&a.id, &a.scope).cmp(&(&b.id, &b.scope)));
    }
    if flaw.fixed.is_none() {
        flaw.fixed = fixed.cloned();
    }
    if !flaw.tools.iter().any(|known| known == tool) {
        flaw.tools.push(tool.to_owned());
        flaw.tools.sort();
    }
}

impl Reader<'_, '_> {
    /// Where a name first stands in the file, for values have no places; the first byte where it does not.
    fn span_of_first(&self, text: &str) -> Span {
        let start = if text.is_empty() { None } else { self.file.text.find(text) };
        start.map_or_else(|| self.file.span(0..0), |start| self.file.span(start..start + text.len()))
    }

    /// Keeps a vulnerability of a package.
    fn report(&mut self, tool: &str, package: Package, mut advisory: Advisory, fixed: Option<&str>) {
        advisory.aliases.retain(|alias| *alias != advisory.id && !alias.is_empty());
        advisory.aliases.sort();
        advisory.aliases.dedup();
        // The first version of several is what mends the line that is used, mostly; what is no version mends nothing.
        let fixed = fixed
            .and_then(|text| text.split(',').next())
            .map(str::trim)
            .filter(|text| text.starts_with(|of: char| of.is_ascii_digit() || of == 'v'));
        let fixed = fixed.map(str::to_owned);
        self.results.reported.push(Reported { tool: tool.to_owned(), package: Subject::Known(package), advisory, fixed });
    }

    /// Counts a result as one that could not be read.
    fn unread(&mut self, what: &str, message: &str) {
        let span = self.span_of_first(what);
        self.found.malformed(what, span, message);
    }
}

/// A package by the word that a tool has for its ecosystem; `None` where that word is not known.
fn package_of(ecosystem: Option<Ecosystem>, name: &str, version: &str, span: Span) -> Option<Package> {
    Some(Package::new(ecosystem?, name, version, span))
}

/// Text of a field; empty where there is none.
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Elements of a field; none where there is none.
fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Texts among the elements of a field.
fn texts<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v str> {
    list(value, pointer).iter().filter_map(Value::as_str)
}

/// The word for how bad it is, in lower case.
fn word(text: &str) -> Option<String> {
    Some(text.to_lowercase()).filter(|text| !text.is_empty())
}
