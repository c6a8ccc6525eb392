//! Versions and their order, which every ecosystem defines for itself.
//!
//! Where a well-kept crate knows an order it is asked first; what it cannot hold (numbers past its integers, texts it refuses) falls back to the
//! same order written here, so that no version that exists is without a place.
//! A text that its ecosystem's rules give no place at all is an error, never the smallest or largest version.

mod apk;
mod composer;
mod gem;
mod lists;
mod maven;
mod number;
mod pep440;
mod rpm;
mod semantic;

use std::cmp::Ordering;

/// Rules by which versions are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Semantic versions; build metadata does not count (semver.org, 2.0.0). Also for npm, Go and Hex.
    SemVer,
    /// Semantic versions of Dart, where build metadata counts last.
    Pub,
    /// Python (PEP 440), and older texts below all of those.
    Pep440,
    /// `deb-version(7)`.
    Debian,
    /// `Gem::Version`.
    RubyGems,
    /// Maven's version order specification.
    Maven,
    /// `rpmvercmp` over epoch, version and release.
    Rpm,
    /// `apk-package(5)`.
    Apk,
    /// PHP's `version_compare` without a leading `v`.
    Composer,
    /// Up to four numbers, then a pre-release without regard to case.
    NuGet,
    /// Numbers between dots and hyphens; the longer of two equal beginnings is the later.
    Cran,
    /// Numbers between dots; the longer of two equal beginnings is the later.
    Hackage,
}

/// A version whose text has no place in its ecosystem's order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no version that can be compared: {reason}")]
pub struct VersionError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A version that was read and can be compared with others of its scheme.
#[derive(Clone, Debug)]
pub struct Version(Parsed);

#[derive(Clone, Debug)]
enum Parsed {
    SemVer(semantic::Semantic),
    Pub(semantic::Semantic),
    Pep440(pep440::Python),
    Debian(Box<debversion::Version>),
    RubyGems(gem::Gem),
    Maven(maven::Maven),
    Rpm(rpm::Rpm),
    Apk(apk::Apk),
    Composer(composer::Composer),
    NuGet(semantic::Loose),
    Numbers(Scheme, lists::Numbers),
}

impl Version {
    /// Reads a version by the rules of a scheme.
    ///
    /// # Errors
    /// The text has no place in the order: empty, or characters that the scheme gives no meaning.
    pub fn parse(scheme: Scheme, text: &str) -> Result<Self, VersionError> {
        let text = text.trim();
        let error = |reason| VersionError { text: text.to_owned(), reason };
        if text.is_empty() {
            return Err(error("it is empty"));
        }
        let parsed = match scheme {
            Scheme::SemVer => Parsed::SemVer(semantic::Semantic::parse(text)),
            Scheme::Pub => Parsed::Pub(semantic::Semantic::parse(text)),
            Scheme::Pep440 => Parsed::Pep440(pep440::Python::parse(text)),
            Scheme::Debian => Parsed::Debian(Box::new(text.parse().map_err(|_| error("Debian's policy allows no such text"))?)),
            Scheme::RubyGems => Parsed::RubyGems(gem::Gem::parse(text)),
            Scheme::Maven => Parsed::Maven(maven::Maven::parse(text)),
            Scheme::Rpm => Parsed::Rpm(rpm::Rpm::parse(text)),
            Scheme::Apk => Parsed::Apk(apk::Apk::parse(text)),
            Scheme::Composer => Parsed::Composer(composer::Composer::parse(text)),
            Scheme::NuGet => Parsed::NuGet(semantic::Loose::parse(&text.to_lowercase(), 4)),
            Scheme::Cran => {
                Parsed::Numbers(scheme, lists::Numbers::parse(text, &['.', '-']).ok_or_else(|| error("it holds more than numbers"))?)
            }
            Scheme::Hackage => {
                Parsed::Numbers(scheme, lists::Numbers::parse(text, &['.']).ok_or_else(|| error("it holds more than numbers"))?)
            }
        };
        Ok(Self(parsed))
    }

    /// The rules this version was read by.
    pub fn scheme(&self) -> Scheme {
        match &self.0 {
            Parsed::SemVer(_) => Scheme::SemVer,
            Parsed::Pub(_) => Scheme::Pub,
            Parsed::Pep440(_) => Scheme::Pep440,
            Parsed::Debian(_) => Scheme::Debian,
            Parsed::RubyGems(_) => Scheme::RubyGems,
            Parsed::Maven(_) => Scheme::Maven,
            Parsed::Rpm(_) => Scheme::Rpm,
            Parsed::Apk(_) => Scheme::Apk,
            Parsed::Composer(_) => Scheme::Composer,
            Parsed::NuGet(_) => Scheme::NuGet,
            Parsed::Numbers(scheme, _) => *scheme,
        }
    }
}

impl Ord for Version {
    /// The order of the scheme; versions of different schemes are ordered by scheme, which means nothing but is total.
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Parsed::SemVer(a), Parsed::SemVer(b)) => a.precedence(b),
            (Parsed::Pub(a), Parsed::Pub(b)) => a.precedence(b).then_with(|| a.build().cmp(b.build())),
            (Parsed::Pep440(a), Parsed::Pep440(b)) => a.cmp(b),
            (Parsed::Debian(a), Parsed::Debian(b)) => a.cmp(b),
            (Parsed::RubyGems(a), Parsed::RubyGems(b)) => a.cmp(b),
            (Parsed::Maven(a), Parsed::Maven(b)) => a.cmp(b),
            (Parsed::Rpm(a), Parsed::Rpm(b)) => a.cmp(b),
            (Parsed::Apk(a), Parsed::Apk(b)) => a.cmp(b),
            (Parsed::Composer(a), Parsed::Composer(b)) => a.cmp(b),
            (Parsed::NuGet(a), Parsed::NuGet(b)) => a.precedence(b),
            (Parsed::Numbers(x, a), Parsed::Numbers(y, b)) if x == y => a.cmp(b),
            _ => self.scheme().cmp(&other.scheme()),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    /// Whether both have the same place in the order, which differently written versions can have (`1.0` and `1.0.0` of Maven).
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}
