//! Trivy, Grype and Snyk.

use serde_json::Value;

use super::{Reader, list, package_of, text, texts, word};
use crate::advisory::Advisory;
use crate::ecosystem::{Ecosystem, EcosystemKind};
use crate::purl;

/// Trivy's JSON, schema 2. Source: trivy.dev, "Reporting".
pub(super) fn trivy(value: &Value, reader: &mut Reader<'_, '_>) -> bool {
    if value.get("SchemaVersion").is_none() || value.get("ArtifactType").is_none() && value.get("Results").is_none() {
        return false;
    }
    let os = (text(value, "/Metadata/OS/Family"), text(value, "/Metadata/OS/Name"));
    for result in list(value, "/Results") {
        for flaw in list(result, "/Vulnerabilities") {
            let id = text(flaw, "/VulnerabilityID");
            let (name, version) = (text(flaw, "/PkgName"), text(flaw, "/InstalledVersion"));
            let span = reader.span_of_first(id);
            let by_url = text(flaw, "/PkgIdentifier/PURL").parse().ok().and_then(|url| purl::package(&url, span));
            let package = by_url.or_else(|| package_of(trivy_ecosystem(text(result, "/Type"), os), name, version, span));
            let Some(package) = package else {
                reader.unread(id, &format!("`{name}` is of no ecosystem that is known here: `{}`", text(result, "/Type")));
                continue;
            };
            let vectors = flaw.get("CVSS").and_then(Value::as_object).into_iter().flat_map(|by_source| by_source.values());
            let vectors = vectors.flat_map(|of| ["V3Vector", "V40Vector"].into_iter().filter_map(|key| of.get(key)?.as_str()));
            let mut cvss: Vec<String> = vectors.map(str::to_owned).collect();
            cvss.sort();
            cvss.dedup();
            let advisory = Advisory {
                id: id.to_owned(),
                aliases: texts(flaw, "/VendorIDs").filter(|id| id.starts_with("GHSA-")).map(str::to_owned).collect(),
                summary: text(flaw, "/Title").to_owned(),
                severity: word(text(flaw, "/Severity")),
                cvss,
                cwe: texts(flaw, "/CweIDs").map(str::to_owned).collect(),
                references: Some(text(flaw, "/PrimaryURL").to_owned()).filter(|url| !url.is_empty()).into_iter().collect(),
                published: text(flaw, "/PublishedDate").to_owned(),
                modified: text(flaw, "/LastModifiedDate").to_owned(),
                ..Advisory::default()
            };
            reader.report("Trivy", package, advisory, Some(text(flaw, "/FixedVersion")));
        }
    }
    true
}

/// Trivy's types of results, where a result has no package URL.
fn trivy_ecosystem(kind: &str, os: (&str, &str)) -> Option<Ecosystem> {
    let language = match kind {
        "cargo" | "rustbinary" => EcosystemKind::CRATES,
        "npm" | "yarn" | "pnpm" | "bun" | "node-pkg" => EcosystemKind::NPM,
        "pip" | "pipenv" | "poetry" | "uv" | "python-pkg" => EcosystemKind::PYPI,
        "gomod" | "gobinary" => EcosystemKind::GO,
        "pom" | "jar" | "gradle" | "sbt" => EcosystemKind::MAVEN,
        "bundler" | "gemspec" => EcosystemKind::RUBYGEMS,
        "composer" | "composer-vendor" => EcosystemKind::PACKAGIST,
        "nuget" | "dotnet-core" | "packages-props" => EcosystemKind::NUGET,
        _ => {
            let (family, release) = if kind == os.0 { os } else { (kind, "") };
            return distribution(family, release);
        }
    };
    Some(language.into())
}

/// A distribution by its name in lower case.
pub(super) fn distribution(family: &str, release: &str) -> Option<Ecosystem> {
    let kind = ["deb", "apk", "rpm"].iter().find_map(|kind| EcosystemKind::from_purl(kind, Some(family)))?;
    Some(Ecosystem::of_distribution(kind, release))
}

/// Grype's JSON. Source: anchore/grype, `grype/presenter/models`.
pub(super) fn grype(value: &Value, reader: &mut Reader<'_, '_>) -> bool {
    if text(value, "/descriptor/name") != "grype" && value.pointer("/matches/0/vulnerability").is_none() {
        return false;
    }
    for of in list(value, "/matches") {
        let id = text(of, "/vulnerability/id");
        let span = reader.span_of_first(id);
        let url = text(of, "/artifact/purl");
        let Some(package) = url.parse().ok().and_then(|url| purl::package(&url, span)) else {
            let name = text(of, "/artifact/name");
            reader.unread(id, &format!("`{name}` is of no ecosystem that is known here: `{url}`"));
            continue;
        };
        let related = list(of, "/relatedVulnerabilities").iter();
        let all = || std::iter::once(of.get("vulnerability").unwrap_or(&Value::Null)).chain(list(of, "/relatedVulnerabilities"));
        let mut cvss: Vec<String> = all().flat_map(|flaw| list(flaw, "/cvss")).map(|cvss| text(cvss, "/vector").to_owned()).collect();
        cvss.sort();
        cvss.dedup();
        let summary = all().map(|flaw| text(flaw, "/description")).find(|text| !text.is_empty()).unwrap_or_default();
        let advisory = Advisory {
            id: id.to_owned(),
            aliases: related.map(|flaw| text(flaw, "/id").to_owned()).collect(),
            summary: summary.lines().next().unwrap_or_default().to_owned(),
            severity: word(text(of, "/vulnerability/severity")),
            cvss,
            references: Some(text(of, "/vulnerability/dataSource").to_owned()).filter(|url| !url.is_empty()).into_iter().collect(),
            ..Advisory::default()
        };
        reader.report("Grype", package, advisory, texts(of, "/vulnerability/fix/versions").next());
    }
    true
}

/// Snyk's JSON, of one project or a list of them. Source: docs.snyk.io, "snyk test --json".
pub(super) fn snyk(value: &Value, reader: &mut Reader<'_, '_>) -> bool {
    let is_snyk = |value: &Value| value.get("vulnerabilities").is_some_and(Value::is_array) && value.get("packageManager").is_some();
    let projects: Vec<&Value> = match value {
        Value::Array(projects) if !projects.is_empty() && projects.iter().all(is_snyk) => projects.iter().collect(),
        value if is_snyk(value) => vec![value],
        _ => return false,
    };
    for project in projects {
        for flaw in list(project, "/vulnerabilities") {
            let id = text(flaw, "/id");
            let manager = [text(flaw, "/packageManager"), text(project, "/packageManager")]
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default();
            let name = [text(flaw, "/packageName"), text(flaw, "/moduleName"), text(flaw, "/name")]
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default();
            // Debian packages are named `source/binary`.
            let name = if matches!(manager, "deb" | "rpm" | "apk") { name.rsplit('/').next().unwrap_or(name) } else { name };
            let Some(package) = package_of(snyk_ecosystem(manager), name, text(flaw, "/version"), reader.span_of_first(id)) else {
                reader.unread(id, &format!("`{name}` is of no ecosystem that is known here: `{manager}`"));
                continue;
            };
            let aliases =
                ["/identifiers/CVE", "/identifiers/GHSA"].into_iter().flat_map(|kind| texts(flaw, kind)).map(str::to_owned).collect();
            let advisory = Advisory {
                id: id.to_owned(),
                aliases,
                summary: text(flaw, "/title").to_owned(),
                severity: word(text(flaw, "/severity")),
                cvss: Some(text(flaw, "/CVSSv3").to_owned()).filter(|vector| !vector.is_empty()).into_iter().collect(),
                cwe: texts(flaw, "/identifiers/CWE").map(str::to_owned).collect(),
                published: text(flaw, "/publicationTime").to_owned(),
                modified: text(flaw, "/modificationTime").to_owned(),
                ..Advisory::default()
            };
            reader.report("Snyk", package, advisory, texts(flaw, "/fixedIn").next());
        }
    }
    true
}

fn snyk_ecosystem(manager: &str) -> Option<Ecosystem> {
    Some(Ecosystem::from(match manager {
        "cargo" => EcosystemKind::CRATES,
        "npm" | "yarn" | "pnpm" => EcosystemKind::NPM,
        "pip" | "poetry" | "pipenv" => EcosystemKind::PYPI,
        "golang" | "gomodules" | "govendor" | "golangdep" => EcosystemKind::GO,
        "maven" | "gradle" | "sbt" => EcosystemKind::MAVEN,
        "rubygems" => EcosystemKind::RUBYGEMS,
        "composer" => EcosystemKind::PACKAGIST,
        "nuget" | "paket" => EcosystemKind::NUGET,
        "deb" => EcosystemKind::DEBIAN,
        "apk" => EcosystemKind::ALPINE,
        "rpm" => EcosystemKind::RED_HAT,
        _ => return None,
    }))
}
