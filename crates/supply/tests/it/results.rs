//! Results of other tools in their own forms: which vulnerability of which package each is, and what one flaw is called by several.

use std::sync::Arc;

use bartizan_model::{FileId, Sources, Span};
use bartizan_supply::lockfile::File;
use bartizan_supply::results::Results;
use bartizan_supply::{Ecosystem, Found, Matches, Package};

fn package(ecosystem: &str, name: &str, version: &str) -> Package {
    Package::new(ecosystem.parse::<Ecosystem>().unwrap(), name, version, Span::new(FileId(0), 0..0))
}

/// What the results of texts become with the packages that a scan found.
fn merged(texts: &[&str], packages: Vec<Package>) -> (Found, Matches, Sources) {
    let (mut results, mut sources, mut matches) = (Results::default(), Sources::default(), Matches::default());
    let mut found = Found { packages, ..Found::default() };
    for text in texts {
        let text: Arc<str> = (*text).into();
        let id = sources.add("results.json", Arc::clone(&text));
        results.read(&File { id, path: "results.json", text: &text, other: &|_| None }, &mut found);
    }
    results.merge(&mut found, &mut matches);
    (found, matches, sources)
}

/// `ecosystem name@version: names (fixed) rating tools` of each vulnerability.
fn shown((found, matches, _): &(Found, Matches, Sources)) -> Vec<String> {
    let one = |flaw: &bartizan_supply::Vulnerability| {
        let package = found.packages.get(flaw.package).unwrap();
        let fixed = flaw.fixed.as_deref().map(|fixed| format!(" ({fixed})")).unwrap_or_default();
        let (names, tools) = (flaw.names.join(" "), flaw.tools.join(", "));
        format!("{} {}@{}: {names}{fixed} {} by {tools}", package.ecosystem, package.name, package.version, flaw.rating().id())
    };
    matches.vulnerabilities.iter().map(one).collect()
}

const TRIVY: &str = r#"{"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "container_image", "Metadata": {"OS": {"Family": "debian", "Name": "12.5"}}, "Results": [
 {"Target": "x (debian 12.5)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [
  {"VulnerabilityID": "CVE-2024-1", "PkgName": "libssl3", "PkgIdentifier": {"PURL": "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12.5"},
   "InstalledVersion": "3.0.11-1~deb12u2", "FixedVersion": "3.0.12", "Severity": "HIGH", "Title": "T", "VendorIDs": ["DSA-1-1"]}]},
 {"Target": "package-lock.json", "Class": "lang-pkgs", "Type": "npm", "Vulnerabilities": [
  {"VulnerabilityID": "CVE-2024-2", "PkgName": "lodish", "InstalledVersion": "1.0.0", "FixedVersion": "1.0.1, 2.0.0", "Severity": "LOW",
   "CVSS": {"nvd": {"V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "V3Score": 9.8}}, "CweIDs": ["CWE-79"]}]},
 {"Target": "conan.lock", "Class": "lang-pkgs", "Type": "dub", "Vulnerabilities": [{"VulnerabilityID": "CVE-2024-3", "PkgName": "x", "InstalledVersion": "1"}]}]}"#;

#[test]
fn scanners_of_images_and_lock_files() {
    let trivy = merged(&[TRIVY], Vec::new());
    assert_eq!(
        shown(&trivy),
        ["Debian:12 libssl3@3.0.11-1~deb12u2: CVE-2024-1 (3.0.12) high by Trivy", "npm lodish@1.0.0: CVE-2024-2 (1.0.1) critical by Trivy"]
    );
    assert_eq!(trivy.0.skipped.iter().map(|skipped| skipped.what.as_str()).collect::<Vec<_>>(), ["CVE-2024-3"]);
    assert_eq!(trivy.2.start(trivy.0.packages[1].span).line, 6);

    let grype = r#"{"matches": [{"vulnerability": {"id": "GHSA-aaaa-bbbb-cccc", "dataSource": "https://example.org", "severity": "Critical", "fix": {"versions": ["1.0.1"], "state": "fixed"}},
      "relatedVulnerabilities": [{"id": "CVE-2024-2", "cvss": [{"version": "3.1", "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}],
      "artifact": {"name": "lodish", "version": "1.0.0", "type": "npm", "purl": "pkg:npm/lodish@1.0.0"}}], "descriptor": {"name": "grype"}}"#;
    let snyk = r#"[{"packageManager": "npm", "vulnerabilities": [{"id": "SNYK-JS-LODISH-1", "packageName": "lodish", "version": "1.0.0", "title": "T", "severity": "high",
      "identifiers": {"CVE": ["CVE-2024-2"], "CWE": ["CWE-1"], "GHSA": []}, "fixedIn": ["1.0.1"], "CVSSv3": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}]},
      {"packageManager": "npm", "vulnerabilities": []}]"#;
    let own = vec![package("npm", "lodish", "1.0.0"), package("npm", "lodish", "2.0.0")];
    let all = merged(&[TRIVY, grype, snyk], own);
    assert_eq!(
        shown(&all).first().map(String::as_str),
        Some("npm lodish@1.0.0: CVE-2024-2 GHSA-aaaa-bbbb-cccc SNYK-JS-LODISH-1 (1.0.1) critical by Grype, Snyk, Trivy")
    );
    assert_eq!(all.1.vulnerabilities.len(), 2, "one flaw of one package counts once");
    assert_eq!(all.0.packages.len(), 3);
}

#[test]
fn audits_of_package_managers() {
    let cargo = r#"{"database": {}, "lockfile": {"dependency-count": 1}, "vulnerabilities": {"found": true, "count": 1, "list": [
      {"advisory": {"id": "RUSTSEC-2024-1", "title": "T", "date": "2024-01-01", "aliases": ["CVE-2024-5"], "url": "https://example.org"},
       "versions": {"patched": [">=1.2.3"], "unaffected": []}, "package": {"name": "flume", "version": "1.0.0"}}]}, "warnings": {}}"#;
    let pip = r#"[{"name": "Django", "version": "3.2", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-2024-6"], "fix_versions": ["3.2.1"]}]}, {"name": "local", "skip_reason": "not on PyPI"}]"#;
    let npm_1 = r#"{"actions": [], "advisories": {"1085": {"id": 1085, "module_name": "a", "title": "T", "severity": "moderate", "url": "https://github.com/advisories/GHSA-aaaa-bbbb-cccc",
      "github_advisory_id": "GHSA-aaaa-bbbb-cccc", "cves": ["CVE-2024-7"], "patched_versions": ">=2.0.0", "findings": [{"version": "1.0.0", "paths": ["a"]}]}}}"#;
    let npm_2 = r#"{"auditReportVersion": 2, "vulnerabilities": {
      "b": {"name": "b", "via": [{"source": 1, "name": "b", "title": "T", "url": "https://github.com/advisories/GHSA-bbbb-bbbb-bbbb", "severity": "high", "range": "<1.5.0"}],
            "fixAvailable": {"name": "b", "version": "1.5.0"}},
      "c": {"name": "c", "via": ["b"]},
      "d": {"name": "d", "via": [{"source": 2, "name": "d", "title": "T", "url": "https://github.com/advisories/GHSA-dddd-dddd-dddd", "severity": "low", "range": "<1"}]}}}"#;
    let own =
        vec![package("PyPI", "django", "3.2.0"), package("npm", "b", "1.0.0"), package("npm", "b", "1.5.0"), package("npm", "c", "1.0.0")];
    let all = merged(&[cargo, pip, npm_1, npm_2], own);
    let expected = [
        "PyPI django@3.2.0: CVE-2024-6 PYSEC-1 (3.2.1) unknown by pip-audit",
        "npm b@1.0.0: GHSA-bbbb-bbbb-bbbb (1.5.0) high by npm audit",
        "crates.io flume@1.0.0: CVE-2024-5 RUSTSEC-2024-1 (1.2.3) unknown by cargo-audit",
        "npm a@1.0.0: CVE-2024-7 GHSA-aaaa-bbbb-cccc (2.0.0) medium by npm audit",
    ];
    assert_eq!(shown(&all), expected);
    let skipped: Vec<String> = all.0.skipped.iter().map(|skipped| format!("{}: {}", skipped.what, skipped.reason)).collect();
    assert_eq!(skipped[0], "local: it cannot be read: pip-audit left it out: not on PyPI");
    assert!(skipped[1].contains("GHSA-dddd-dddd-dddd"), "{skipped:?}");
}

#[test]
fn findings_of_amazon() {
    let basic = r#"{"imageScanFindings": {"findings": [
      {"name": "CVE-2024-1", "severity": "HIGH", "uri": "https://example.org", "attributes": [{"key": "package_name", "value": "openssl"}, {"key": "package_version", "value": "3.0.11-1"}]},
      {"name": "CVE-2024-9", "severity": "LOW", "attributes": [{"key": "package_name", "value": "gone"}, {"key": "package_version", "value": "1"}]}]}, "registryId": "1"}"#;
    let inspector = r#"{"findings": [
      {"findingArn": "arn:1", "type": "PACKAGE_VULNERABILITY", "severity": "HIGH", "status": "ACTIVE", "title": "T",
       "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-2024-2", "relatedVulnerabilities": [], "sourceUrl": "https://example.org", "cvss": [{"scoringVector": "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "version": "3.1"}],
         "vulnerablePackages": [{"name": "org.yaml:snakeyaml", "version": "1.26", "packageManager": "JAR", "fixedInVersion": "2.0"},
                                {"name": "bash", "version": "5.1", "release": "6.el9", "epoch": 1, "packageManager": "OS", "fixedInVersion": "NotAvailable"}]},
       "resources": [{"details": {"awsEcrContainerImage": {"platform": "ROCKY_LINUX_9_3"}}}]},
      {"findingArn": "arn:2", "type": "NETWORK_REACHABILITY", "severity": "MEDIUM", "status": "ACTIVE", "title": "Port 22 is reachable"},
      {"findingArn": "arn:3", "type": "PACKAGE_VULNERABILITY", "status": "CLOSED", "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-1"}}]}"#;
    let own = vec![package("Debian:12", "libssl3", "3.0.11-1").built_from("openssl", "3.0.11-1")];
    let all = merged(&[basic, inspector], own);
    let expected = [
        "Debian:12 libssl3@3.0.11-1: CVE-2024-1 high by Amazon ECR",
        "Maven org.yaml:snakeyaml@1.26: CVE-2024-2 (2.0) critical by Amazon Inspector",
        "Rocky Linux:9 bash@1:5.1-6.el9: CVE-2024-2 critical by Amazon Inspector",
    ];
    assert_eq!(shown(&all), expected);
    let findings: Vec<(&str, &str, bool)> =
        all.1.findings.iter().map(|finding| (finding.rule.as_str(), finding.message.as_str(), finding.is_flaw)).collect();
    assert_eq!(findings, [("NETWORK_REACHABILITY", "Port 22 is reachable", false), ("CVE-2024-9", "gone 1: ", true)]);
}

#[test]
fn sarif_of_any_tool() {
    let sarif = r#"{"version": "2.1.0", "runs": [
      {"tool": {"driver": {"name": "Grype", "rules": [{"id": "CVE-2024-1-lodish", "shortDescription": {"text": "T"}, "helpUri": "https://example.org",
          "properties": {"purls": ["pkg:npm/lodish@1.0.0"], "security-severity": "9.1"}}]}},
       "results": [{"ruleId": "CVE-2024-1-lodish", "ruleIndex": 0, "message": {"text": "A critical vulnerability"}}]},
      {"tool": {"driver": {"name": "Trivy", "rules": [{"id": "CVE-2024-2", "defaultConfiguration": {"level": "error"}}]}},
       "results": [{"ruleId": "CVE-2024-2", "ruleIndex": 0, "message": {"text": "Package: flume\nInstalled Version: 1.0.0\nVulnerability CVE-2024-2\nSeverity: HIGH\nFixed Version: 1.2.3\nLink: x"},
         "locations": [{"physicalLocation": {"artifactLocation": {"uri": "sub/Cargo.lock"}, "region": {"startLine": 3}}}]}]},
      {"tool": {"driver": {"name": "lint", "rules": [{"id": "R1", "messageStrings": {"m": {"text": "`{0}` is odd"}}}]}},
       "results": [{"ruleId": "R1", "message": {"id": "m", "arguments": ["x"]}, "level": "note",
                    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/a.js"}, "region": {"startLine": 7}}}]},
                   {"ruleId": "R1", "message": {"text": "quiet"}, "suppressions": [{"kind": "inSource"}]}]}]}"#;
    let all = merged(&[sarif], Vec::new());
    let expected = ["npm lodish@1.0.0: CVE-2024-1 critical by Grype", "crates.io flume@1.0.0: CVE-2024-2 (1.2.3) high by Trivy"];
    assert_eq!(shown(&all), expected);
    let findings: Vec<String> =
        all.1.findings.iter().map(|of| format!("{} {} {}:{:?} {}", of.tool, of.rule, of.file, of.line, of.message)).collect();
    assert_eq!(findings, ["lint R1 src/a.js:Some(7) `x` is odd"]);
}

#[test]
fn what_is_no_result_is_told() {
    for text in ["{", "{}", "[]", "[1]", "{\"vulnerabilities\": 1}"] {
        let (found, matches, _) = merged(&[text], Vec::new());
        assert_eq!((found.skipped.len(), matches.vulnerabilities.len()), (1, 0), "{text}");
    }
}
