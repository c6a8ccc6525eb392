//! Package URLs: read, built and written by their crate, and by the rules of three types that changed after it (brew, cpan, git).
//!
//! Source: package-url/purl-spec, whose test suite this module passes but for two cases that contradict others of it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bartizan_model::Span;

use crate::ecosystem::{Ecosystem, EcosystemKind};
use crate::package::Package;

/// A package URL in its canonical form.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageUrl {
    /// Type, in lower case.
    pub kind: String,
    /// Namespace, its parts separated by `/`.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Qualifiers by key.
    pub qualifiers: BTreeMap<String, String>,
    /// Path inside the package.
    pub subpath: Option<String>,
}

/// A text or parts that make no package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no package URL: {0}")]
pub struct PackageUrlError(String);

/// Types whose rules are newer than the crate's; it reads and writes them as [`STAND_IN`], which has no rules.
const NEWER: &[&str] = &["brew", "cpan", "git"];
const STAND_IN: &str = "generic";

impl PackageUrl {
    /// Checks the parts and brings them into the canonical form of the type.
    ///
    /// # Errors
    /// A part is missing, forbidden by the type, or has a character that may not be.
    pub fn canonical(self) -> Result<Self, PackageUrlError> {
        let kind = self.kind.to_lowercase();
        let url = self.to_crate(if NEWER.contains(&kind.as_str()) { STAND_IN } else { &kind })?;
        Self::from_crate(&url, &kind)
    }

    fn to_crate(&self, kind: &str) -> Result<packageurl::PackageUrl<'_>, PackageUrlError> {
        let error = |error: packageurl::Error| PackageUrlError(error.to_string());
        let (namespace, name) =
            if self.kind == "git" { git_path(self.namespace.as_deref(), &self.name) } else { (self.namespace.clone(), self.name.clone()) };
        let mut url = packageurl::PackageUrl::new(kind.to_owned(), name).map_err(error)?;
        if let Some(namespace) = namespace {
            url.with_namespace(namespace).map_err(error)?;
        }
        if let Some(version) = &self.version {
            url.with_version(version).map_err(error)?;
        }
        if let Some(subpath) = &self.subpath {
            url.with_subpath(subpath).map_err(error)?;
        }
        for (key, value) in &self.qualifiers {
            url.add_qualifier(key, value).map_err(error)?;
        }
        url.validate().map_err(error)?;
        Ok(url)
    }

    fn from_crate(url: &packageurl::PackageUrl<'_>, kind: &str) -> Result<Self, PackageUrlError> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let mut url = Self {
            kind: kind.to_owned(),
            namespace: owned(url.namespace()),
            name: url.name().to_owned(),
            version: owned(url.version()),
            qualifiers: url.qualifiers().iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            subpath: owned(url.subpath()),
        };
        match kind {
            "brew" | "git" => {
                url.name = url.name.to_lowercase();
                url.namespace = url.namespace.map(|namespace| namespace.to_lowercase());
            }
            "cpan" if url.name.contains("::") => {
                return Err(PackageUrlError("a module's name where a distribution's should be".to_owned()));
            }
            _ => {}
        }
        // The host is the namespace, the path on it the name.
        if kind == "git"
            && let Some((host, path)) = url.namespace.as_deref().and_then(|namespace| namespace.split_once('/'))
        {
            (url.namespace, url.name) = (Some(host.to_owned()), format!("{path}/{}", url.name));
        }
        Ok(url)
    }
}

/// Host and path as the crate wants them: all but the last part as the namespace.
fn git_path(namespace: Option<&str>, name: &str) -> (Option<String>, String) {
    let whole = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"));
    whole.rsplit_once('/').map_or((None, whole.clone()), |(namespace, name)| (Some(namespace.to_owned()), name.to_owned()))
}

impl FromStr for PackageUrl {
    type Err = PackageUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |error: packageurl::Error| PackageUrlError(error.to_string());
        let rest = text.strip_prefix("pkg:").unwrap_or_default().trim_start_matches('/');
        let (kind, rest) = rest.split_once('/').unwrap_or_default();
        let kind = kind.to_lowercase();
        if NEWER.contains(&kind.as_str()) {
            return Self::from_crate(&packageurl::PackageUrl::from_str(&format!("pkg:{STAND_IN}/{rest}")).map_err(error)?, &kind);
        }
        let url = packageurl::PackageUrl::from_str(text).map_err(error)?;
        let kind = url.ty().to_owned();
        Self::from_crate(&url, &kind)
    }
}

impl fmt::Display for PackageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if NEWER.contains(&self.kind.as_str()) { STAND_IN } else { &self.kind };
        let text = self.to_crate(kind).map_err(|_| fmt::Error)?.to_string();
        let rest = text.split_once(':').and_then(|(_, rest)| rest.strip_prefix(kind)).unwrap_or_default();
        write!(f, "pkg:{}{rest}", self.kind)
    }
}

/// Package URL of a package; `None` where package URLs have no type for its ecosystem or its name is none.
///
/// Qualifiers as scanners of images write them: `distro` is the release, `upstream` the source package, `epoch` that of an rpm version.
pub fn package_url(package: &Package) -> Option<PackageUrl> {
    let kind = package.ecosystem.kind;
    let (namespace, name) = split(kind, &package.name);
    let (epoch, version) = epoch_apart(kind, &package.version);
    let upstream = package.source.as_ref().map(|source| match source.version == package.version {
        true => source.name.clone(),
        false => format!("{}@{}", source.name, source.version),
    });
    let qualifiers = [("distro", package.ecosystem.distro()), ("epoch", epoch.map(str::to_owned)), ("upstream", upstream)];
    let url = PackageUrl {
        kind: kind.purl_type()?.to_owned(),
        namespace: namespace.or_else(|| distribution(kind)),
        name,
        version: Some(version.to_owned()).filter(|version| !version.is_empty()),
        qualifiers: qualifiers.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect(),
        subpath: None,
    };
    url.canonical().ok()
}

/// The package that a package URL names; `None` where its type belongs to no ecosystem here.
pub fn package(url: &PackageUrl, span: Span) -> Option<Package> {
    let (ecosystem, name) = ecosystem_and_name(url)?;
    let mut version = url.version.clone().unwrap_or_default();
    if let Some(epoch) =
        url.qualifiers.get("epoch").filter(|epoch| ecosystem.kind.has_source_packages() && *epoch != "0" && !version.contains(':'))
    {
        version = format!("{epoch}:{version}");
    }
    let mut package = Package::new(ecosystem, name, version, span);
    if let Some(upstream) = url.qualifiers.get("upstream").filter(|_| package.ecosystem.kind.has_source_packages()) {
        // Of an rpm it is the file's name: `bash-5.1.8-6.el9.src.rpm`.
        let (name, version) = match upstream.strip_suffix(".src.rpm").and_then(rpm_file) {
            Some((name, version)) => (name, with_epoch_of(&package.version, version)),
            None => {
                upstream.split_once('@').map_or((upstream.as_str(), package.version.clone()), |(name, version)| (name, version.to_owned()))
            }
        };
        if (name, version.as_str()) != (package.name.as_str(), package.version.as_str()) {
            package = package.built_from(name, version);
        }
    }
    Some(package)
}

/// Name and version of a source rpm's file without its ending; name, version and release are separated by `-`, the last two have none.
fn rpm_file(stem: &str) -> Option<(&str, &str)> {
    let release = stem.rfind('-')?;
    let version = stem.get(..release)?.rfind('-')?;
    Some((stem.get(..version)?, stem.get(version + 1..)?))
}

/// A file's name leaves the epoch out, which package and source share.
fn with_epoch_of(package_version: &str, version: &str) -> String {
    package_version.split_once(':').map_or_else(|| version.to_owned(), |(epoch, _)| format!("{epoch}:{version}"))
}

fn is_rpm(kind: EcosystemKind) -> bool {
    kind.purl_type() == Some("rpm")
}

/// Package URLs of rpm packages keep the epoch apart.
fn epoch_apart(kind: EcosystemKind, version: &str) -> (Option<&str>, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) if is_rpm(kind) => (Some(epoch), rest),
        _ => (None, version),
    }
}

/// Ecosystem and name, as OSV writes them, of a package URL; `None` where its type belongs to no ecosystem here.
pub fn ecosystem_and_name(url: &PackageUrl) -> Option<(Ecosystem, String)> {
    let kind = EcosystemKind::from_purl(&url.kind, url.namespace.as_deref())?;
    let separator = if kind == EcosystemKind::MAVEN { ":" } else { "/" };
    let name = match &url.namespace {
        Some(namespace) if distribution(kind).is_none() => format!("{namespace}{separator}{}", url.name),
        _ => url.name.clone(),
    };
    Some((url.qualifiers.get("distro").map_or_else(|| kind.into(), |distro| Ecosystem::of_distribution(kind, distro)), name))
}

fn split(kind: EcosystemKind, name: &str) -> (Option<String>, String) {
    let parts = match kind {
        EcosystemKind::MAVEN => name.split_once(':'),
        _ if kind.purl_type().is_some_and(|of| matches!(of, "npm" | "golang" | "composer" | "swift" | "github")) => name.rsplit_once('/'),
        _ => None,
    };
    parts.map_or((None, name.to_owned()), |(namespace, name)| (Some(namespace.to_owned()), name.to_owned()))
}

/// The namespace of a distribution's packages.
fn distribution(kind: EcosystemKind) -> Option<String> {
    matches!(kind.purl_type(), Some("deb" | "apk" | "rpm")).then(|| match kind.name() {
        "Red Hat" => "redhat".to_owned(),
        "Rocky Linux" => "rocky".to_owned(),
        "Azure Linux" => "azurelinux".to_owned(),
        "Amazon Linux" => "amzn".to_owned(),
        "Oracle Linux" => "oracle".to_owned(),
        name => name.to_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use bartizan_model::{FileId, Span};

    use super::{PackageUrl, ecosystem_and_name, package, package_url};
    use crate::{Ecosystem, Package};

    #[test]
    fn each_ecosystem_has_its_own_form_and_reads_back() {
        let cases = [
            ("npm", "@babel/code-frame", "7.12.11", "pkg:npm/%40babel/code-frame@7.12.11"),
            (
                "Go",
                "golang.org/x/crypto",
                "v0.0.0-20200115085410-6d4e4cb37c7d",
                "pkg:golang/golang.org/x/crypto@v0.0.0-20200115085410-6d4e4cb37c7d",
            ),
            (
                "Go",
                "github.com/docker/distribution",
                "v2.7.1+incompatible",
                "pkg:golang/github.com/docker/distribution@v2.7.1%2Bincompatible",
            ),
            ("Maven", "org.yaml:snakeyaml", "1.26", "pkg:maven/org.yaml/snakeyaml@1.26"),
            ("Packagist", "twig/twig", "v2.4.0", "pkg:composer/twig/twig@v2.4.0"),
            ("PyPI", "django", "3.2.0", "pkg:pypi/django@3.2.0"),
            ("NuGet", "Newtonsoft.Json", "13.0.1", "pkg:nuget/Newtonsoft.Json@13.0.1"),
            ("crates.io", "serde", "1.0.0", "pkg:cargo/serde@1.0.0"),
            ("RubyGems", "rails", "7.0.1", "pkg:gem/rails@7.0.1"),
            ("Debian:12", "openssl", "3.0.2-0+deb12u1", "pkg:deb/debian/openssl@3.0.2-0%2Bdeb12u1?distro=debian-12"),
        ];
        for (ecosystem, name, version, expected) in cases {
            let package = Package::new(ecosystem.parse::<Ecosystem>().unwrap(), name, version, Span::new(FileId(0), 0..0));
            let url = package_url(&package).unwrap();
            assert_eq!(url.to_string(), expected);
            assert_eq!(ecosystem_and_name(&url), Some((package.ecosystem, name.to_owned())));
        }
    }

    #[test]
    fn packages_of_distributions_read_back_with_release_epoch_and_source() {
        let span = Span::new(FileId(0), 0..0);
        let of = |ecosystem: &str, name: &str, version: &str| Package::new(ecosystem.parse::<Ecosystem>().unwrap(), name, version, span);
        let cases = [
            (
                of("Debian:12", "libssl3", "3.0.11-1~deb12u2").built_from("openssl", "3.0.11-1~deb12u2"),
                "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?distro=debian-12&upstream=openssl",
            ),
            (
                of("Debian:12", "libgcc-s1", "12.2.0-14").built_from("gcc-12", "12.2.0-13"),
                "pkg:deb/debian/libgcc-s1@12.2.0-14?distro=debian-12&upstream=gcc-12%4012.2.0-13",
            ),
            (
                of("Alpine:v3.20", "libcrypto3", "3.3.1-r0").built_from("openssl", "3.3.1-r0"),
                "pkg:apk/alpine/libcrypto3@3.3.1-r0?distro=alpine-3.20&upstream=openssl",
            ),
            (
                of("Red Hat:9", "openssl-libs", "1:3.0.7-27.el9").built_from("openssl", "1:3.0.7-27.el9"),
                "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?distro=redhat-9&epoch=1&upstream=openssl",
            ),
        ];
        for (expected, text) in cases {
            assert_eq!(package_url(&expected).unwrap().to_string(), text);
            assert_eq!(package(&text.parse().unwrap(), span), Some(expected));
        }
        let url = "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?arch=x86_64&epoch=1&upstream=openssl-3.0.7-27.el9.src.rpm&distro=rhel-9.4";
        assert_eq!(
            package(&url.parse().unwrap(), span),
            Some(of("Red Hat:9", "openssl-libs", "1:3.0.7-27.el9").built_from("openssl", "1:3.0.7-27.el9"))
        );
    }

    #[test]
    fn types_that_are_newer_than_the_crate_have_their_rules() {
        let read = |text: &str| text.parse::<PackageUrl>().map(|url| (url.namespace.clone(), url.name.clone(), url.to_string()));
        let of = |namespace: Option<&str>, name: &str, text: &str| Ok((namespace.map(str::to_owned), name.to_owned(), text.to_owned()));
        assert_eq!(read("pkg:git/Example.org/a/B@1"), of(Some("example.org"), "a/b", "pkg:git/example.org/a/b@1"));
        assert_eq!(read("pkg:brew/Some/Tap/App"), of(Some("some/tap"), "app", "pkg:brew/some/tap/app"));
        assert_eq!(read("pkg:cpan/Moose@2.2"), of(None, "Moose", "pkg:cpan/Moose@2.2"));
        assert!(read("pkg:cpan/Moose::Role").is_err());
    }
}
