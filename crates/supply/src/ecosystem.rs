//! Ecosystems: where a package's name and version mean something, as the OSV schema names them.
//!
//! A distribution has a release besides its kind (`Debian:12`); a language ecosystem has none.

mod release;

use std::fmt;
use std::str::FromStr;

use crate::version::Scheme;

/// A kind of ecosystem, without the release of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EcosystemKind(u8);

/// One row of what is known of a kind.
struct Known {
    /// Name in the OSV schema.
    name: &'static str,
    /// Type in package URLs; empty where there is none.
    purl: &'static str,
    /// How its versions are ordered; `None` where no order is defined and only listed versions can match.
    scheme: Option<Scheme>,
}

const fn known(name: &'static str, purl: &'static str, scheme: Scheme) -> Known {
    Known { name, purl, scheme: Some(scheme) }
}

/// Source of the names: the OSV schema's list of ecosystems; of the orders: the documentation of each package manager.
/// INVARIANT: the constants of [`EcosystemKind`] are indices into this table; a test compares them.
const KNOWN: &[Known] = &[
    known("crates.io", "cargo", Scheme::SemVer),
    known("npm", "npm", Scheme::SemVer),
    known("PyPI", "pypi", Scheme::Pep440),
    known("Go", "golang", Scheme::SemVer),
    known("Maven", "maven", Scheme::Maven),
    known("RubyGems", "gem", Scheme::RubyGems),
    known("Packagist", "composer", Scheme::Composer),
    known("NuGet", "nuget", Scheme::NuGet),
    known("Debian", "deb", Scheme::Debian),
    known("Ubuntu", "deb", Scheme::Debian),
    known("Alpine", "apk", Scheme::Apk),
    known("Red Hat", "rpm", Scheme::Rpm),
    known("Hex", "hex", Scheme::SemVer),
    known("Pub", "pub", Scheme::Pub),
    known("CRAN", "cran", Scheme::Cran),
    known("Hackage", "hackage", Scheme::Hackage),
    known("SwiftURL", "swift", Scheme::SemVer),
    known("GitHub Actions", "github", Scheme::SemVer),
    known("Bitnami", "bitnami", Scheme::SemVer),
    known("ConanCenter", "conan", Scheme::SemVer),
    known("Julia", "julia", Scheme::SemVer),
    known("Bioconductor", "bioconductor", Scheme::SemVer),
    known("GHC", "", Scheme::SemVer),
    known("Docker Hardened Images", "dhi", Scheme::SemVer),
    known("VSCode", "vscode-extension", Scheme::SemVer),
    known("opam", "opam", Scheme::Debian),
    known("Echo", "deb", Scheme::Debian),
    known("Alpaquita", "apk", Scheme::Apk),
    known("BellSoft Hardened Containers", "apk", Scheme::Apk),
    known("Chainguard", "apk", Scheme::Apk),
    known("MinimOS", "apk", Scheme::Apk),
    known("Wolfi", "apk", Scheme::Apk),
    known("AlmaLinux", "rpm", Scheme::Rpm),
    known("Rocky Linux", "rpm", Scheme::Rpm),
    known("SUSE", "rpm", Scheme::Rpm),
    known("openSUSE", "rpm", Scheme::Rpm),
    known("openEuler", "rpm", Scheme::Rpm),
    known("Mageia", "rpm", Scheme::Rpm),
    known("Azure Linux", "rpm", Scheme::Rpm),
    // Distributions that OSV has no records of: their packages are named and never taken for safe.
    known("Amazon Linux", "rpm", Scheme::Rpm),
    known("Fedora", "rpm", Scheme::Rpm),
    known("Oracle Linux", "rpm", Scheme::Rpm),
    known("CentOS", "rpm", Scheme::Rpm),
    // Kernel, phone and fuzzing records name commits or builds, which have no order here.
    Known { name: "Android", purl: "", scheme: None },
    Known { name: "Linux", purl: "", scheme: None },
    Known { name: "OSS-Fuzz", purl: "", scheme: None },
    Known { name: "GIT", purl: "", scheme: None },
];

impl EcosystemKind {
    /// Rust crates.
    pub const CRATES: Self = Self(0);
    /// Node packages.
    pub const NPM: Self = Self(1);
    /// Python packages.
    pub const PYPI: Self = Self(2);
    /// Go modules.
    pub const GO: Self = Self(3);
    /// Java artifacts, named `group:artifact`.
    pub const MAVEN: Self = Self(4);
    /// Ruby gems.
    pub const RUBYGEMS: Self = Self(5);
    /// PHP packages, named `vendor/package`.
    pub const PACKAGIST: Self = Self(6);
    /// .NET packages.
    pub const NUGET: Self = Self(7);
    /// Debian source packages.
    pub const DEBIAN: Self = Self(8);
    /// Ubuntu source packages.
    pub const UBUNTU: Self = Self(9);
    /// Alpine source packages.
    pub const ALPINE: Self = Self(10);
    /// Red Hat packages.
    pub const RED_HAT: Self = Self(11);

    fn known(self) -> Option<&'static Known> {
        KNOWN.get(usize::from(self.0))
    }

    /// Name in the OSV schema, such as `crates.io`.
    pub fn name(self) -> &'static str {
        self.known().map_or("", |known| known.name)
    }

    /// Type in package URLs, such as `cargo`; `None` where package URLs have no type for it.
    pub fn purl_type(self) -> Option<&'static str> {
        self.known().map(|known| known.purl).filter(|name| !name.is_empty())
    }

    /// How its versions are ordered; `None` where only versions that an advisory lists can match.
    pub fn scheme(self) -> Option<Scheme> {
        self.known().and_then(|known| known.scheme)
    }

    /// Whether packages are built from source packages of other names, which is what a distribution does.
    pub fn has_source_packages(self) -> bool {
        matches!(self.purl_type(), Some("deb" | "apk" | "rpm"))
    }

    /// Whether a package belongs to a release of a distribution, without which no advisory can be judged.
    pub fn has_releases(self) -> bool {
        self.has_source_packages() && !matches!(self.name(), "Echo" | "Chainguard" | "MinimOS" | "Wolfi" | "BellSoft Hardened Containers")
    }

    /// The kind of a package URL's type; for `deb`, `apk` and `rpm` its namespace names the distribution.
    pub fn from_purl(purl_type: &str, namespace: Option<&str>) -> Option<Self> {
        let distribution = match (purl_type, namespace) {
            ("deb", Some("ubuntu")) => "Ubuntu",
            ("deb", Some("debian")) => "Debian",
            ("apk", Some("alpine")) => "Alpine",
            ("apk", Some("wolfi")) => "Wolfi",
            ("apk", Some("chainguard")) => "Chainguard",
            ("rpm", Some("redhat" | "rhel")) => "Red Hat",
            ("rpm", Some("almalinux")) => "AlmaLinux",
            ("rpm", Some("rocky" | "rockylinux")) => "Rocky Linux",
            ("rpm", Some("opensuse")) => "openSUSE",
            ("rpm", Some("suse" | "sles")) => "SUSE",
            ("rpm", Some("openeuler")) => "openEuler",
            ("rpm", Some("mageia")) => "Mageia",
            ("rpm", Some("azurelinux")) => "Azure Linux",
            ("rpm", Some("amzn")) => "Amazon Linux",
            ("rpm", Some("fedora")) => "Fedora",
            ("rpm", Some("ol" | "oracle" | "oraclelinux")) => "Oracle Linux",
            ("rpm", Some("centos")) => "CentOS",
            ("deb" | "apk" | "rpm", _) => return None,
            _ => return find(|known| !known.purl.is_empty() && known.purl == purl_type),
        };
        find(|known| known.name == distribution)
    }

    /// A package's name as this ecosystem compares names.
    ///
    /// PyPI: PEP 503; NuGet and Packagist take upper and lower case for the same; the others compare bytes.
    pub fn canonical_name(self, name: &str) -> String {
        match self {
            Self::PYPI => {
                let mut canonical = String::with_capacity(name.len());
                for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
                    if !canonical.is_empty() {
                        canonical.push('-');
                    }
                    canonical.push_str(&part.to_ascii_lowercase());
                }
                canonical
            }
            Self::NUGET | Self::PACKAGIST => name.to_lowercase(),
            _ => name.to_owned(),
        }
    }
}

fn find(matches: impl Fn(&Known) -> bool) -> Option<EcosystemKind> {
    let index = KNOWN.iter().position(matches)?;
    u8::try_from(index).ok().map(EcosystemKind)
}

/// An ecosystem, with the release where it is a distribution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ecosystem {
    /// Its kind.
    pub kind: EcosystemKind,
    /// Release of a distribution, such as `12` or `v3.20`; `None` for language ecosystems and for what speaks of all releases.
    pub release: Option<String>,
}

/// No ecosystem of that name is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ecosystem that is known here")]
pub struct UnknownEcosystem(pub String);

impl From<EcosystemKind> for Ecosystem {
    fn from(kind: EcosystemKind) -> Self {
        Self { kind, release: None }
    }
}

impl FromStr for Ecosystem {
    type Err = UnknownEcosystem;

    /// Reads an OSV ecosystem such as `npm`, `Debian:12` or `Ubuntu:22.04:LTS`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, release) = text.split_once(':').map_or((text, None), |(name, release)| (name, Some(release)));
        let kind = find(|known| known.name == name).ok_or_else(|| UnknownEcosystem(text.to_owned()))?;
        // `Ubuntu:22.04:LTS` and `Ubuntu:22.04` are one release; Pro and FIPS archives are others and keep their names.
        let release = release.map(|release| release.strip_suffix(":LTS").unwrap_or(release)).filter(|release| !release.is_empty());
        // A Maven suffix names a repository, which is no part of an artifact's identity.
        let release = if kind == EcosystemKind::MAVEN { None } else { release };
        Ok(Self { kind, release: release.map(str::to_owned) })
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        match &self.release {
            Some(release) => write!(f, ":{release}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ecosystem, EcosystemKind, KNOWN};

    #[test]
    fn constants_are_the_rows_they_name() {
        let named = [
            (EcosystemKind::CRATES, "crates.io"),
            (EcosystemKind::NPM, "npm"),
            (EcosystemKind::PYPI, "PyPI"),
            (EcosystemKind::GO, "Go"),
            (EcosystemKind::MAVEN, "Maven"),
            (EcosystemKind::RUBYGEMS, "RubyGems"),
            (EcosystemKind::PACKAGIST, "Packagist"),
            (EcosystemKind::NUGET, "NuGet"),
            (EcosystemKind::DEBIAN, "Debian"),
            (EcosystemKind::UBUNTU, "Ubuntu"),
            (EcosystemKind::ALPINE, "Alpine"),
            (EcosystemKind::RED_HAT, "Red Hat"),
        ];
        for (kind, name) in named {
            assert_eq!(kind.name(), name);
        }
        for known in KNOWN {
            let read: Ecosystem = known.name.parse().unwrap();
            assert_eq!(read.to_string(), known.name);
        }
    }

    #[test]
    fn releases_are_read_and_long_term_support_is_no_release_of_its_own() {
        let read = |text: &str| text.parse::<Ecosystem>().map(|ecosystem| ecosystem.to_string());
        assert_eq!(read("Debian:12").as_deref(), Ok("Debian:12"));
        assert_eq!(read("Ubuntu:22.04:LTS").as_deref(), Ok("Ubuntu:22.04"));
        assert_eq!(read("Ubuntu:Pro:22.04:LTS").as_deref(), Ok("Ubuntu:Pro:22.04"));
        assert_eq!(read("Maven:https://repo.example.org/").as_deref(), Ok("Maven"));
        assert_eq!(read("COBOL").map_err(|error| error.to_string()), Err("`COBOL` is no ecosystem that is known here".to_owned()));
    }

    #[test]
    fn names_are_compared_as_each_ecosystem_compares_them() {
        assert_eq!(EcosystemKind::PYPI.canonical_name("Zope.Interface__x"), "zope-interface-x");
        assert_eq!(EcosystemKind::NUGET.canonical_name("Newtonsoft.Json"), "newtonsoft.json");
        assert_eq!(EcosystemKind::NPM.canonical_name("JSONStream"), "JSONStream");
    }

    #[test]
    fn a_package_url_of_a_distribution_names_it_in_its_namespace() {
        assert_eq!(EcosystemKind::from_purl("deb", Some("ubuntu")), Some(EcosystemKind::UBUNTU));
        assert_eq!(EcosystemKind::from_purl("deb", Some("raspbian")), None);
        assert_eq!(EcosystemKind::from_purl("golang", Some("github.com/a")), Some(EcosystemKind::GO));
        assert_eq!(EcosystemKind::from_purl("", None), None);
    }
}
