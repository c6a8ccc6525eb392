//! Statements of people who looked (VEX): whether a flaw of a package affects a product. OpenVEX and CycloneDX, read and written.
//!
//! `not_affected` and `fixed` take a vulnerability out of what is open, with their reason; the others are told beside it.
//! Of several statements about one flaw of one package the newest holds, of equal times the last.

mod cyclonedx;
mod openvex;

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Severity, Span};

pub use openvex::document as openvex_document;

use crate::instant::instant;
use crate::lockfile::File;
use crate::matching::{Matches, Vulnerability};
use crate::package::{Found, Origin, Package};
use crate::purl::{self, PackageUrl};
use crate::version::Version;

/// What is said of a flaw in a product. Source: OpenVEX 0.2.0, "Status Labels".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The product does not suffer from it.
    NotAffected,
    /// The product has mended it.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
    /// The product suffers from it.
    Affected,
}

impl Status {
    /// The word of OpenVEX for it.
    pub fn id(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
            Self::Affected => "affected",
        }
    }

    fn of(id: &str) -> Option<Self> {
        [Self::NotAffected, Self::Fixed, Self::UnderInvestigation, Self::Affected].into_iter().find(|status| status.id() == id)
    }

    /// Whether the flaw is no longer open.
    pub fn closes(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

/// What a statement says, without what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What is said.
    pub status: Status,
    /// Why it is not affected, in the words of OpenVEX (`vulnerable_code_not_present`) or CycloneDX (`code_not_present`), as written.
    pub justification: Option<String>,
    /// What people wrote of it; empty where they wrote nothing.
    pub note: String,
    /// When, as written; empty where nobody told.
    pub timestamp: String,
    /// Where.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// All names of the flaw that it gives.
    names: BTreeSet<String>,
    products: Vec<Product>,
    judgement: Judgement,
}

/// A product, and the packages in it that the statement is about; itself where there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Product {
    url: PackageUrl,
    subcomponents: Vec<PackageUrl>,
}

/// Statements of several documents, in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub struct Statements {
    all: Vec<Statement>,
}

impl Statements {
    /// Reads a document; what it is, is told by its content. What cannot be read is counted as skipped.
    pub fn read(&mut self, file: &File<'_>, found: &mut Found) {
        if file.text.contains("\"bomFormat\"") {
            cyclonedx::read(file, &mut self.all, found);
        } else if file.text.contains("openvex.dev/ns") {
            openvex::read(file, &mut self.all, found);
        } else {
            found.malformed(file.path, file.span(0..0), "neither an OpenVEX nor a CycloneDX document");
        }
    }

    /// Number of statements.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes vulnerabilities that are closed out of what is open and tells the others what is said of them.
    pub fn apply(&self, packages: &[Package], matches: &mut Matches) {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, statement) in self.all.iter().enumerate() {
            for name in &statement.names {
                by_name.entry(name).or_default().push(index);
            }
        }
        let own: Vec<&Package> = packages.iter().filter(|package| package.origin == Origin::Own).collect();
        for mut flaw in std::mem::take(&mut matches.vulnerabilities) {
            let about: BTreeSet<usize> = flaw.names.iter().filter_map(|name| by_name.get(name.as_str())).flatten().copied().collect();
            let holds = |index: &usize| {
                let statement = self.all.get(*index)?;
                let package = packages.get(flaw.package)?;
                statement.products.iter().any(|product| product.is(package, &own)).then_some((*index, &statement.judgement))
            };
            let newest = about.iter().filter_map(holds).max_by_key(|(index, judgement)| (instant(&judgement.timestamp), *index));
            flaw.judgement = newest.map(|(_, judgement)| judgement.clone());
            let is_closed = flaw.judgement.as_ref().is_some_and(|judgement| judgement.status.closes());
            if is_closed { matches.suppressed.push(flaw) } else { matches.vulnerabilities.push(flaw) }
        }
        matches.suppressed.sort_by(|a, b| (a.package, &a.names).cmp(&(b.package, &b.names)));
    }
}

impl Product {
    /// Whether the product is a package, or holds it as a subcomponent.
    ///
    /// A statement about parts holds for one product only: the system's own package, or the image whose layer brought the package.
    fn is(&self, package: &Package, own: &[&Package]) -> bool {
        if self.subcomponents.is_empty() {
            return is_same(&self.url, package) || package.origin != Origin::Own && own.iter().any(|own| is_same(&self.url, own));
        }
        let is_image = matches!(self.url.kind.as_str(), "oci" | "docker") && package.layer.is_some();
        let is_product = is_image || is_same(&self.url, package) || own.iter().any(|own| is_same(&self.url, own));
        is_product && self.subcomponents.iter().any(|url| is_same(url, package))
    }
}

/// Whether a package URL means a package: the same name, the same version where it has one, and its qualifiers where packages have them.
fn is_same(url: &PackageUrl, package: &Package) -> bool {
    let Some(meant) = purl::package(url, package.span) else { return false };
    let kind = package.ecosystem.kind;
    if meant.ecosystem.kind != kind || kind.canonical_name(&meant.name) != kind.canonical_name(&package.name) {
        return false;
    }
    if meant.ecosystem.release.is_some() && meant.ecosystem.release != package.ecosystem.release {
        return false;
    }
    // The processor is nothing that packages here tell; any other qualifier makes it another package.
    if url.qualifiers.keys().any(|key| !matches!(key.as_str(), "distro" | "epoch" | "arch" | "upstream" | "type")) {
        return false;
    }
    meant.version.is_empty() || is_same_version(&meant.version, package)
}

fn is_same_version(version: &str, package: &Package) -> bool {
    let parsed = |text: &str| package.ecosystem.kind.scheme().and_then(|scheme| Version::parse(scheme, text).ok());
    version == package.version || parsed(version).is_some_and(|version| parsed(&package.version).is_some_and(|own| own == version))
}

/// A package URL of a statement; a text that is none cannot mean a package and is told.
fn product_url(text: &str, file: &File<'_>, span: Span, found: &mut Found) -> Option<PackageUrl> {
    match text.parse() {
        Ok(url) => Some(url),
        Err(_) => {
            let message = format!("`{text}` in `{}` is no package URL, so no package is known by it", file.path);
            found.diagnostics.push(bartizan_model::Diagnostic::new("supply/vex-product", Severity::Warning, message, span));
            None
        }
    }
}

/// Vulnerabilities with what they are called, open ones and closed ones, once for each flaw.
fn by_flaw(matches: &Matches) -> BTreeMap<&[String], Vec<&Vulnerability>> {
    let mut flaws: BTreeMap<&[String], Vec<&Vulnerability>> = BTreeMap::new();
    for flaw in matches.vulnerabilities.iter().chain(&matches.suppressed) {
        flaws.entry(&flaw.names).or_default().push(flaw);
    }
    flaws
}
