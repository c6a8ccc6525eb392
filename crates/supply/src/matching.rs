//! Packages and a database → vulnerabilities.
//!
//! Names of one flaw (an id and its aliases) make one vulnerability of a package, however many publishers speak of it.
//! A package that cannot be judged is skipped with its reason; the system's own packages are nobody else's to judge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::advisory::{Advisory, Affected, package_key};
use crate::database::{Database, DatabaseError};
use crate::ecosystem::{Ecosystem, EcosystemKind};
use crate::import::{Epss, Kev};
use crate::package::{Origin, Package, SkipReason, Skipped};
use crate::results::Finding;
use crate::version::Version;
use crate::vex::Judgement;

/// One flaw of one package.
#[derive(Clone, Debug, PartialEq)]
pub struct Vulnerability {
    /// Index of the package in what was asked.
    pub package: usize,
    /// All names of the flaw, ascending.
    pub names: Vec<String>,
    /// What publishers say of it, by id, ascending.
    pub advisories: Vec<Arc<Advisory>>,
    /// The lowest version above the package's own that a publisher names as mended; `None` where none does.
    pub fixed: Option<String>,
    /// Set where the flaw is known to be used.
    pub kev: Option<Kev>,
    /// How probable its use is; the highest of its CVEs.
    pub epss: Option<Epss>,
    /// Set where it is no flaw that an attacker uses (`unmaintained`, `unsound`, `notice`).
    pub informational: Option<String>,
    /// What people say of it in this system.
    pub judgement: Option<Judgement>,
    /// Other tools that report it, ascending; empty where only the database of advisories does.
    pub tools: Vec<String>,
}

impl Vulnerability {
    /// One sentence of the first publisher that has one.
    pub fn summary(&self) -> &str {
        self.advisories.iter().map(|advisory| advisory.summary.as_str()).find(|summary| !summary.is_empty()).unwrap_or_default()
    }

    /// The highest base score that a publisher gives, 0..=10; `None` where none gives a vector.
    pub fn score(&self) -> Option<f64> {
        self.advisories.iter().filter_map(|advisory| advisory.score()).max_by(f64::total_cmp)
    }

    /// How bad it is by its score, or by the publishers' worst word where there is none.
    pub fn rating(&self) -> Rating {
        let words = || self.advisories.iter().filter_map(|advisory| advisory.severity.as_deref()).map(Rating::of_word).max();
        self.score().map(Rating::of_score).or_else(words).unwrap_or(Rating::Unknown)
    }

    /// The name that people know best: the first CVE, else the first GHSA, else the first of all.
    pub fn name(&self) -> &str {
        let first = |prefix: &str| self.names.iter().find(|name| name.starts_with(prefix));
        first("CVE-").or_else(|| first("GHSA-")).or(self.names.first()).map_or("", String::as_str)
    }
}

/// How bad a flaw is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rating {
    /// Nobody says. A gate counts it, for it may be anything.
    Unknown,
    /// Base score below 4.
    Low,
    /// From 4.
    Medium,
    /// From 7.
    High,
    /// From 9.
    Critical,
}

impl Rating {
    /// Source: CVSS 3.1, qualitative severity rating scale; the same in 4.0.
    pub(crate) fn of_score(score: f64) -> Self {
        match score {
            score if score >= 9.0 => Self::Critical,
            score if score >= 7.0 => Self::High,
            score if score >= 4.0 => Self::Medium,
            _ => Self::Low,
        }
    }

    pub(crate) fn of_word(word: &str) -> Self {
        match word {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" | "negligible" | "unimportant" => Self::Low,
            _ => Self::Unknown,
        }
    }

    /// The word for it, in lower case.
    pub fn id(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What matching found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// Vulnerabilities, by package, then names.
    pub vulnerabilities: Vec<Vulnerability>,
    /// Vulnerabilities that are not open: people said that the system is not affected, or has mended them. Each has its judgement.
    pub suppressed: Vec<Vulnerability>,
    /// Results of other tools that are no vulnerability of a package.
    pub findings: Vec<Finding>,
    /// Packages that could not be judged.
    pub skipped: Vec<Skipped>,
}

/// An advisory that speaks of a package's version.
#[derive(Clone)]
struct Hit {
    advisory: Arc<Advisory>,
    fixed: Option<String>,
    informational: Option<String>,
}

/// Canonical names and versions of what advisories may call a package.
type Subjects<'a> = Vec<(String, &'a str)>;

/// Finds the vulnerabilities of packages.
///
/// # Errors
/// The database cannot be read.
pub fn find(database: &mut Database, packages: &[Package]) -> Result<Matches, DatabaseError> {
    let mut matches = Matches::default();
    // Each version is asked once, however many files name it, and blocks of the file are unpacked in their order.
    let mut asked: BTreeMap<(&Ecosystem, Subjects<'_>), Vec<usize>> = BTreeMap::new();
    for (index, package) in packages.iter().enumerate() {
        if package.origin == Origin::Own {
            continue;
        }
        if let Some(reason) = unjudged(database, package) {
            matches.skipped.push(skipped(package, reason));
            continue;
        }
        let kind = package.ecosystem.kind;
        let subjects = package.subjects().map(|(name, version)| (kind.canonical_name(name), version)).collect();
        asked.entry((&package.ecosystem, subjects)).or_default().push(index);
    }
    let mut wanted: Vec<((u32, u32), usize, &str, &str)> = Vec::new();
    let asked: Vec<_> = asked.into_iter().collect();
    for (index, ((ecosystem, subjects), _)) in asked.iter().enumerate() {
        for (name, version) in subjects {
            wanted.extend(database.places(&package_key(ecosystem.kind, name)).map(|place| (place, index, name.as_str(), *version)));
        }
    }
    wanted.sort_unstable();

    let mut hits: BTreeMap<usize, Vec<Hit>> = BTreeMap::new();
    let mut uncompared: BTreeSet<usize> = BTreeSet::new();
    let mut read: Option<((u32, u32), Arc<Advisory>)> = None;
    for (place, index, name, version) in wanted {
        if read.as_ref().is_none_or(|(known, _)| *known != place) {
            read = Some((place, Arc::new(database.advisory(place)?)));
        }
        let (Some((_, advisory)), Some(((ecosystem, _), _))) = (&read, asked.get(index)) else { continue };
        match judge(advisory, ecosystem, name, version) {
            Answer::Affected { fixed, informational } => {
                hits.entry(index).or_default().push(Hit { advisory: Arc::clone(advisory), fixed, informational });
            }
            Answer::Unaffected => {}
            Answer::Uncompared => {
                uncompared.insert(index);
            }
        }
    }
    for index in uncompared {
        for package in asked.get(index).into_iter().flat_map(|(_, indices)| indices).filter_map(|index| packages.get(*index)) {
            matches.skipped.push(skipped(package, SkipReason::NoVersionOrder(package.version.clone())));
        }
    }
    for (index, hits) in hits {
        let Some(((ecosystem, ..), indices)) = asked.get(index) else { continue };
        let flaws: Vec<Vulnerability> =
            grouped(hits).into_iter().map(|(names, group)| vulnerability(database, ecosystem, names, group)).collect();
        for package in indices {
            matches.vulnerabilities.extend(flaws.iter().map(|flaw| Vulnerability { package: *package, ..flaw.clone() }));
        }
    }
    matches.vulnerabilities.sort_by(|a, b| (a.package, &a.names).cmp(&(b.package, &b.names)));
    Ok(matches)
}

fn skipped(package: &Package, reason: SkipReason) -> Skipped {
    Skipped { what: format!("{}@{}", package.name, package.version), span: Some(package.span), reason }
}

/// Why a package cannot be judged at all.
fn unjudged(database: &Database, package: &Package) -> Option<SkipReason> {
    let kind = package.ecosystem.kind;
    if kind.has_releases() && package.ecosystem.release.is_none() {
        return Some(SkipReason::NoRelease);
    }
    if package.version.is_empty() {
        return Some(SkipReason::NoExactVersion(String::new()));
    }
    (!database.description().by_ecosystem.contains_key(kind.name())).then_some(SkipReason::NoAdvisories)
}

enum Answer {
    Affected {
        fixed: Option<String>,
        informational: Option<String>,
    },
    Unaffected,
    /// The version, or every range that could hold it, has no place in the order.
    Uncompared,
}

fn judge(advisory: &Advisory, ecosystem: &Ecosystem, name: &str, version: &str) -> Answer {
    let parsed = ecosystem.kind.scheme().and_then(|scheme| Version::parse(scheme, version).ok());
    let mut uncompared = false;
    let mut affected = None;
    for entry in advisory.affected.iter().filter(|entry| speaks_of(entry, ecosystem, name)) {
        let listed = entry
            .versions
            .iter()
            .any(|listed| without_v(listed) == without_v(version) || is_rewritten(ecosystem.kind, listed, parsed.as_ref()));
        let mut fixed = None;
        let mut held = listed;
        for range in &entry.ranges {
            match parsed.as_ref().map(|parsed| range.contains(parsed)) {
                Some(Ok(true)) => {
                    held = true;
                    fixed = range.to.as_ref().filter(|to| !to.inclusive).map(|to| to.version.clone());
                    break;
                }
                Some(Ok(false)) => {}
                Some(Err(_)) | None => uncompared = true,
            }
        }
        if held {
            affected = Some((fixed, entry.informational.clone()));
            break;
        }
    }
    match affected {
        Some((fixed, informational)) => Answer::Affected { fixed, informational },
        None if uncompared => Answer::Uncompared,
        None => Answer::Unaffected,
    }
}

fn speaks_of(entry: &Affected, ecosystem: &Ecosystem, name: &str) -> bool {
    entry.name == name && entry.ecosystem.covers(ecosystem)
}

/// Whether a listed version is another way to write the same one, in the registries that rewrite what they are given.
fn is_rewritten(kind: EcosystemKind, listed: &str, version: Option<&Version>) -> bool {
    matches!(kind, EcosystemKind::PYPI | EcosystemKind::NUGET)
        && version.is_some_and(|version| Version::parse(version.scheme(), listed).is_ok_and(|listed| listed == *version))
}

/// Go and PHP write a `v` that advisories leave out.
fn without_v(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}

/// Names of each flaw that an advisory speaks of.
///
/// A distribution's record of one CVE (`DEBIAN-CVE-2024-1`) and its bulletin about several (`DSA-1-1`) name the CVEs as `upstream`, not as aliases.
/// A bulletin without a CVE of its own speaks of as many flaws as it names, and others speak of the same ones.
fn flaws(advisory: &Advisory) -> Vec<BTreeSet<String>> {
    let own: BTreeSet<String> = advisory.names().map(str::to_owned).collect();
    let passed_on: Vec<&String> = advisory.upstream.iter().filter(|name| name.starts_with("CVE-")).collect();
    if passed_on.is_empty() || own.iter().any(|name| name.starts_with("CVE-")) {
        return vec![own];
    }
    if let [cve] = passed_on.as_slice() {
        return vec![own.into_iter().chain([(*cve).clone()]).collect()];
    }
    passed_on.into_iter().map(|cve| BTreeSet::from([cve.clone()])).collect()
}

/// Hits that share a name of a flaw, directly or through others.
fn grouped(hits: Vec<Hit>) -> Vec<(BTreeSet<String>, Vec<Hit>)> {
    let mut groups: Vec<(BTreeSet<String>, Vec<Hit>)> = Vec::new();
    let each = hits.into_iter().flat_map(|hit| flaws(&hit.advisory).into_iter().map(move |names| (names, hit.clone())));
    for (mut names, hit) in each {
        let mut members = vec![hit];
        let mut apart = Vec::new();
        for (known, mut others) in groups {
            if known.is_disjoint(&names) {
                apart.push((known, others));
            } else {
                names.extend(known);
                members.append(&mut others);
            }
        }
        apart.push((names, members));
        groups = apart;
    }
    groups
}

fn vulnerability(database: &Database, ecosystem: &Ecosystem, mut names: BTreeSet<String>, mut group: Vec<Hit>) -> Vulnerability {
    group.sort_by(|a, b| a.advisory.id.cmp(&b.advisory.id));
    let kev = names.iter().find_map(|name| database.kev().get(name)).cloned();
    let epss = names.iter().filter_map(|name| database.epss_of(name)).max_by(|a, b| a.probability.total_cmp(&b.probability));
    let versions = group.iter().filter_map(|hit| hit.fixed.clone());
    let fixed = match ecosystem.kind.scheme() {
        Some(scheme) => {
            versions.filter_map(|text| Some((Version::parse(scheme, &text).ok()?, text))).min_by(|a, b| a.0.cmp(&b.0)).map(|(_, text)| text)
        }
        None => None,
    };
    names.extend(group.iter().flat_map(|hit| hit.advisory.names()).map(str::to_owned));
    // One publisher that sees a flaw outweighs one that only warns.
    let informational =
        if group.iter().all(|hit| hit.informational.is_some()) { group.iter().find_map(|hit| hit.informational.clone()) } else { None };
    // A package and its source are two subjects of one advisory.
    let mut advisories: Vec<Arc<Advisory>> = group.into_iter().map(|hit| hit.advisory).collect();
    advisories.dedup_by(|a, b| a.id == b.id && a.scope == b.scope);
    Vulnerability {
        package: 0,
        names: names.into_iter().collect(),
        advisories,
        fixed,
        kev,
        epss,
        informational,
        judgement: None,
        tools: Vec::new(),
    }
}
