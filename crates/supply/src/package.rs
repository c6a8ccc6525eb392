//! Packages, where each was read, and what was met and could not be judged.

use std::collections::BTreeMap;

use bartizan_model::{Diagnostic, Severity, Span};

use crate::dockerfile::Dockerfile;
use crate::ecosystem::Ecosystem;
use crate::image::Image;

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Its ecosystem's registry, or a mirror of it; advisories speak of these.
    Registry,
    /// A repository, an address or another registry, as written; name and version may or may not be those of the published package.
    Elsewhere(String),
    /// The system's own code: the root package, a member of the workspace, a folder beside it. No advisory speaks of it.
    Own,
}

/// How the system came by a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The system asks for it itself.
    Direct,
    /// Another package asks for it.
    Transitive,
    /// The file does not tell.
    Unknown,
}

/// The source package that a distribution built a package from; its advisories most often speak of that one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePackage {
    /// Name: `Source:` of dpkg, `origin` of apk, the name in `SOURCERPM` of rpm.
    pub name: String,
    /// Version in the distribution's order, epoch included.
    pub version: String,
}

/// One package in one version, as one file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Where its name and version mean something.
    pub ecosystem: Ecosystem,
    /// Name as OSV writes it: `group:artifact` of Maven, `@scope/name` of npm.
    pub name: String,
    /// Version as written; empty where the system's own package has none.
    pub version: String,
    /// Where it was read.
    pub span: Span,
    /// Where it comes from.
    pub origin: Origin,
    /// How the system came by it.
    pub relation: Relation,
    /// Whether it only serves development, as far as the file tells.
    pub is_development: bool,
    /// Digest of the image layer that brought it; `None` outside of images.
    pub layer: Option<String>,
    /// What a distribution built it from; `None` where the package is its own source or none is told.
    pub source: Option<SourcePackage>,
}

impl Package {
    /// A package of a registry, of which nothing else is known yet.
    pub fn new(ecosystem: impl Into<Ecosystem>, name: impl Into<String>, version: impl Into<String>, span: Span) -> Self {
        Self {
            ecosystem: ecosystem.into(),
            name: name.into(),
            version: version.into(),
            span,
            origin: Origin::Registry,
            relation: Relation::Unknown,
            is_development: false,
            layer: None,
            source: None,
        }
    }

    /// Sets where it comes from.
    #[must_use]
    pub fn from(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Sets how the system came by it.
    #[must_use]
    pub fn related(mut self, relation: Relation) -> Self {
        self.relation = relation;
        self
    }

    /// Sets the source package that it was built from.
    #[must_use]
    pub fn built_from(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.source = Some(SourcePackage { name: name.into(), version: version.into() });
        self
    }

    /// Name and version of what advisories of its ecosystem speak of.
    ///
    /// Debian, Ubuntu and Alpine publish by source package.
    /// Publishers of rpm packages differ among themselves and over time (Red Hat and AlmaLinux name what is installed, Rocky and SUSE its source),
    /// so both are asked.
    pub fn subjects(&self) -> impl Iterator<Item = (&str, &str)> {
        let source = self.source.as_ref().filter(|_| self.ecosystem.kind.has_source_packages());
        let source = source.map(|source| (source.name.as_str(), source.version.as_str()));
        let own = (self.name.as_str(), self.version.as_str());
        let is_asked = source.is_none() || self.ecosystem.kind.purl_type() == Some("rpm") && source != Some(own);
        source.into_iter().chain(is_asked.then_some(own))
    }

    /// Says whether it only serves development.
    #[must_use]
    pub fn for_development(mut self, is_development: bool) -> Self {
        self.is_development = is_development;
        self
    }
}

/// Why something was not judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// The file, or a part of it, is not what its format asks for.
    Malformed,
    /// The file has a version of its format that is not known here.
    FormatVersion(String),
    /// A dependency whose version the file does not settle; the constraint as written, or empty.
    NoExactVersion(String),
    /// A version that comes from elsewhere: a property, a parent, an inherited list.
    Unresolved(String),
    /// Dependencies are declared and no lock file beside says which versions they are.
    NoLockFile,
    /// The version's text has no place in its ecosystem's order.
    NoVersionOrder(String),
    /// A package of a distribution whose release is not known.
    NoRelease,
    /// No advisory of that ecosystem is in the database.
    NoAdvisories,
    /// A component of a bill of materials without a package URL.
    NoPackageUrl,
    /// A package URL whose type belongs to no ecosystem here, or a text that is none.
    UnknownType(String),
    /// The file is larger than what is read.
    TooLarge,
    /// The file cannot be read or is no text.
    Unreadable(String),
    /// A container image as a whole cannot be read.
    Image(String),
}

impl std::fmt::Display for SkipReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed => f.write_str("it is not what its format asks for"),
            Self::FormatVersion(version) => write!(f, "version `{version}` of the format is not known"),
            Self::NoExactVersion(constraint) if constraint.is_empty() => f.write_str("no version is given"),
            Self::NoExactVersion(constraint) => write!(f, "`{constraint}` settles no version"),
            Self::Unresolved(text) => write!(f, "`{text}` is settled elsewhere"),
            Self::NoLockFile => f.write_str("no lock file beside it says which versions are used"),
            Self::NoVersionOrder(version) => write!(f, "version `{version}` cannot be compared"),
            Self::NoRelease => f.write_str("the release of its distribution is not known"),
            Self::NoAdvisories => f.write_str("the database holds no advisory of its ecosystem"),
            Self::NoPackageUrl => f.write_str("no package URL says which package it is"),
            Self::UnknownType(url) => write!(f, "`{url}` names no package of an ecosystem that is known here"),
            Self::TooLarge => f.write_str("it is too large"),
            Self::Unreadable(error) => write!(f, "it cannot be read: {error}"),
            Self::Image(error) => f.write_str(error),
        }
    }
}

/// Something that was met and not judged. A scan with one of these is not clean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// A package (`name` or `name@version`) or a file.
    pub what: String,
    /// Where; `None` for a file that could not be opened.
    pub span: Option<Span>,
    /// Why.
    pub reason: SkipReason,
}

/// What reading files brought.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Packages in the order of their files and lines; one name and version once a file.
    pub packages: Vec<Package>,
    /// What was not judged.
    pub skipped: Vec<Skipped>,
    /// Problems of the input, each with its place.
    pub diagnostics: Vec<Diagnostic>,
    /// Container images that were read.
    pub images: Vec<Image>,
    /// Dockerfiles, by path.
    pub dockerfiles: Vec<Dockerfile>,
}

impl Found {
    /// Counts something as not judged.
    pub(crate) fn skip(&mut self, what: impl Into<String>, span: Span, reason: SkipReason) {
        self.skipped.push(Skipped { what: what.into(), span: Some(span), reason });
    }

    /// Counts a file, or a part of it, as malformed and says what is wrong.
    pub(crate) fn malformed(&mut self, what: impl Into<String>, span: Span, message: impl Into<String>) {
        self.skip(what, span, SkipReason::Malformed);
        self.diagnostics.push(Diagnostic::new("supply/syntax", Severity::Error, message, span));
    }

    /// Makes one of the packages that a file names several times, at the first place: direct if one of them is, for development if all are.
    pub(crate) fn merge_repeated(&mut self) {
        let mut seen: BTreeMap<(Ecosystem, String, String, Origin), usize> = BTreeMap::new();
        let mut kept: Vec<Package> = Vec::new();
        for package in std::mem::take(&mut self.packages) {
            let key = (package.ecosystem.clone(), package.name.clone(), package.version.clone(), package.origin.clone());
            let place = *seen.entry(key).or_insert(kept.len());
            match kept.get_mut(place) {
                Some(first) => {
                    first.is_development &= package.is_development;
                    first.relation = first.relation.min(package.relation);
                    first.span = first.span.min(package.span);
                }
                None => kept.push(package),
            }
        }
        kept.sort_by(|a, b| (a.span, &a.name, &a.version).cmp(&(b.span, &b.name, &b.version)));
        self.packages = kept;
    }

    /// Adds what another file or folder brought.
    pub fn append(&mut self, mut other: Self) {
        self.packages.append(&mut other.packages);
        self.skipped.append(&mut other.skipped);
        self.diagnostics.append(&mut other.diagnostics);
        self.images.append(&mut other.images);
        self.dockerfiles.append(&mut other.dockerfiles);
    }
}
