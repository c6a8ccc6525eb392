//! Amazon ECR's findings of an image and Amazon Inspector's findings.
//!
//! Source: AWS, `DescribeImageScanFindings` of ECR and `ListFindings` of Inspector 2.

use serde_json::Value;

use super::scanners::distribution;
use super::{Reader, Reported, Subject, list, package_of, text, texts, word};
use crate::advisory::Advisory;
use crate::ecosystem::{Ecosystem, EcosystemKind};

/// `aws ecr describe-image-scan-findings`: basic findings, or Inspector's under `enhancedFindings`.
pub(super) fn ecr(value: &Value, reader: &mut Reader<'_, '_>) -> bool {
    let Some(findings) = value.get("imageScanFindings") else { return false };
    for finding in list(findings, "/enhancedFindings") {
        inspected(finding, reader);
    }
    for finding in list(findings, "/findings") {
        let id = text(finding, "/name");
        let attribute =
            |key: &str| list(finding, "/attributes").iter().find(|of| text(of, "/key") == key).map_or("", |of| text(of, "/value"));
        let span = reader.span_of_first(id);
        let mut cvss: Vec<String> = Vec::new();
        // Version 3 has its prefix; version 2 is written without one.
        for key in ["CVSS3_VECTOR", "CVSS4_VECTOR"] {
            cvss.extend(Some(attribute(key).to_owned()).filter(|vector| !vector.is_empty()));
        }
        let advisory = Advisory {
            id: id.to_owned(),
            summary: text(finding, "/description").lines().next().unwrap_or_default().to_owned(),
            severity: word(text(finding, "/severity")),
            cvss,
            references: Some(text(finding, "/uri").to_owned()).filter(|url| !url.is_empty()).into_iter().collect(),
            ..Advisory::default()
        };
        let (name, version) = (attribute("package_name"), attribute("package_version"));
        if name.is_empty() {
            reader.unread(id, "it names no package");
            continue;
        }
        let package = Subject::OfDistribution { name: name.to_owned(), version: version.to_owned(), span };
        reader.results.reported.push(Reported { tool: "Amazon ECR".to_owned(), package, advisory, fixed: None });
    }
    true
}

/// `aws inspector2 list-findings`.
pub(super) fn inspector(value: &Value, reader: &mut Reader<'_, '_>) -> bool {
    let findings = list(value, "/findings");
    let is_inspector = |of: &Value| of.get("findingArn").is_some() && of.get("type").is_some();
    if findings.is_empty() || !findings.iter().all(is_inspector) {
        return false;
    }
    for finding in findings {
        inspected(finding, reader);
    }
    true
}

fn inspected(finding: &Value, reader: &mut Reader<'_, '_>) {
    // Closed ones are history; findings about networks and code are no packages.
    if text(finding, "/status") == "CLOSED" {
        return;
    }
    let id = text(finding, "/packageVulnerabilityDetails/vulnerabilityId");
    if id.is_empty() {
        let rule = text(finding, "/type");
        let span = reader.span_of_first(text(finding, "/findingArn"));
        reader.results.findings.push(super::Finding {
            tool: "Amazon Inspector".to_owned(),
            rule: rule.to_owned(),
            rating: crate::matching::Rating::of_word(&text(finding, "/severity").to_lowercase()),
            message: text(finding, "/title").to_owned(),
            file: text(finding, "/codeVulnerabilityDetails/filePath/filePath").to_owned(),
            line: finding
                .pointer("/codeVulnerabilityDetails/filePath/startLine")
                .and_then(Value::as_u64)
                .and_then(|line| u32::try_from(line).ok()),
            span,
            is_flaw: false,
        });
        return;
    }
    let platform = list(finding, "/resources")
        .iter()
        .flat_map(|resource| {
            ["/details/awsEcrContainerImage/platform", "/details/awsEc2Instance/platform"].map(|pointer| text(resource, pointer))
        })
        .find(|platform| !platform.is_empty())
        .unwrap_or_default();
    for package in list(finding, "/packageVulnerabilityDetails/vulnerablePackages") {
        let name = text(package, "/name");
        let mut version = text(package, "/version").to_owned();
        if let Some(release) = Some(text(package, "/release")).filter(|release| !release.is_empty()) {
            version = format!("{version}-{release}");
        }
        if let Some(epoch) = package.get("epoch").and_then(Value::as_u64).filter(|epoch| *epoch > 0) {
            version = format!("{epoch}:{version}");
        }
        let advisory = Advisory {
            id: id.to_owned(),
            aliases: texts(finding, "/packageVulnerabilityDetails/relatedVulnerabilities")
                .filter(|name| name.starts_with("GHSA-"))
                .map(str::to_owned)
                .collect(),
            summary: text(finding, "/title").to_owned(),
            severity: word(text(finding, "/severity")),
            cvss: list(finding, "/packageVulnerabilityDetails/cvss")
                .iter()
                .map(|of| vector(text(of, "/scoringVector"), text(of, "/version")))
                .collect(),
            references: Some(text(finding, "/packageVulnerabilityDetails/sourceUrl").to_owned())
                .filter(|url| !url.is_empty())
                .into_iter()
                .collect(),
            ..Advisory::default()
        };
        let span = reader.span_of_first(id);
        let fixed = text(package, "/fixedInVersion");
        let manager = text(package, "/packageManager");
        match package_of(ecosystem(manager, platform), name, &version, span) {
            Some(package) => reader.report("Amazon Inspector", package, advisory, Some(fixed)),
            None if matches!(manager, "OS" | "") => {
                let package = Subject::OfDistribution { name: name.to_owned(), version, span };
                let fixed = Some(fixed.to_owned()).filter(|fixed| !matches!(fixed.as_str(), "" | "NotAvailable"));
                reader.results.reported.push(Reported { tool: "Amazon Inspector".to_owned(), package, advisory, fixed });
            }
            None => reader.unread(id, &format!("`{name}` is of no ecosystem that is known here: `{manager}`")),
        }
    }
}

/// Vectors come without their version.
fn vector(text: &str, version: &str) -> String {
    if text.starts_with("CVSS:") || version.starts_with('2') || version.is_empty() {
        text.to_owned()
    } else {
        format!("CVSS:{version}/{text}")
    }
}

/// Source: Inspector's `PackageManager`; the platform is `DEBIAN_12`, `UBUNTU_22_04`, `ALPINE_LINUX_3_18`.
fn ecosystem(manager: &str, platform: &str) -> Option<Ecosystem> {
    Some(Ecosystem::from(match manager {
        "CARGO" => EcosystemKind::CRATES,
        "NPM" | "NODEPKG" | "YARN" | "PNPM" => EcosystemKind::NPM,
        "PIP" | "PIPENV" | "POETRY" | "PYTHON" | "PYTHONPKG" => EcosystemKind::PYPI,
        "GOMOD" | "GOBINARY" => EcosystemKind::GO,
        "JAR" | "POM" => EcosystemKind::MAVEN,
        "BUNDLER" | "GEMSPEC" => EcosystemKind::RUBYGEMS,
        "COMPOSER" => EcosystemKind::PACKAGIST,
        "NUGET" | "DOTNET_CORE" => EcosystemKind::NUGET,
        "OS" => {
            let platform = platform.to_lowercase();
            let at = platform.find(|of: char| of.is_ascii_digit())?;
            let (family, release) = platform.split_at_checked(at)?;
            let family = family.trim_end_matches('_').trim_end_matches("_linux");
            return distribution(family, &release.replace('_', "."));
        }
        _ => return None,
    }))
}
