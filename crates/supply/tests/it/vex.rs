//! Statements of people: which packages they mean, which of several holds, and what they do.

use std::path::PathBuf;
use std::sync::Arc;

use bartizan_model::{FileId, Sources, Span};
use bartizan_supply::lockfile::File;
use bartizan_supply::matching::find;
use bartizan_supply::sbom::write::{Content, cyclonedx};
use bartizan_supply::vex::{Statements, openvex_document};
use bartizan_supply::{Builder, Database, Ecosystem, Found, Matches, Origin, Package};

fn statements(texts: &[&str]) -> (Statements, Found) {
    let (mut statements, mut found, mut sources) = (Statements::default(), Found::default(), Sources::default());
    for text in texts {
        let text: Arc<str> = (*text).into();
        let id = sources.add("vex.json", Arc::clone(&text));
        statements.read(&File { id, path: "vex.json", text: &text, other: &|_| None }, &mut found);
    }
    (statements, found)
}

fn package(ecosystem: &str, name: &str, version: &str) -> Package {
    Package::new(ecosystem.parse::<Ecosystem>().unwrap(), name, version, Span::new(FileId(0), 0..0))
}

/// Two flaws in every version of npm's `a` and Debian's `b`.
fn matches(name: &str, packages: &[Package]) -> Matches {
    let mut builder = Builder::default();
    for (id, alias) in [("GHSA-1", "CVE-2026-1"), ("GHSA-2", "CVE-2026-2")] {
        let affected = ["\"npm\", \"name\": \"a\"", "\"Debian:12\", \"name\": \"b\""]
            .map(|package| format!(r#"{{"package": {{"ecosystem": {package}}}, "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "9.0.0"}}]}}]}}"#))
            .join(", ");
        builder.text(
            "a.json",
            &format!(r#"{{"id": "{id}", "modified": "2026-01-01", "aliases": ["{alias}"], "summary": "S", "affected": [{affected}]}}"#),
        );
    }
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    builder.write(&path).unwrap();
    find(&mut Database::open(&path).unwrap(), packages).unwrap()
}

fn names(flaws: &[bartizan_supply::Vulnerability], packages: &[Package]) -> Vec<String> {
    let one = |flaw: &bartizan_supply::Vulnerability| {
        packages.get(flaw.package).map(|package| format!("{}@{} {}", package.name, package.version, flaw.name()))
    };
    flaws.iter().filter_map(one).collect()
}

fn openvex(statements: &str) -> String {
    format!(
        r#"{{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "a", "timestamp": "2026-01-01T00:00:00Z", "version": 1, "statements": [{statements}]}}"#
    )
}

#[test]
fn products_are_packages_of_any_version_or_of_one_and_aliases_name_the_same_flaw() {
    let packages = [package("npm", "a", "1.0.0"), package("npm", "a", "2.0.0"), package("Debian:12", "b", "1.0")];
    let cases = [
        (r#""products": [{"@id": "pkg:npm/a"}]"#, vec!["a@1.0.0", "a@2.0.0"]),
        (r#""products": [{"@id": "pkg:npm/a@1.0.0"}]"#, vec!["a@1.0.0"]),
        (r#""products": [{"@id": "urn:x", "identifiers": {"purl": "pkg:npm/a@2.0.0"}}]"#, vec!["a@2.0.0"]),
        (r#""products": ["pkg:deb/debian/b?distro=debian-12&arch=amd64"]"#, vec!["b@1.0"]),
        (r#""products": ["pkg:deb/debian/b?distro=debian-11"]"#, vec![]),
        (r#""products": ["pkg:deb/ubuntu/b"]"#, vec![]),
        (r#""products": ["pkg:npm/a?repository_url=https://example.org"]"#, vec![]),
        (r#""products": ["pkg:npm/shop@1.0.0"]"#, vec![]),
        (r#""products": [{"@id": "pkg:npm/shop@1.0.0", "subcomponents": [{"@id": "pkg:npm/a"}]}]"#, vec![]),
        (r#""products": [{"@id": "pkg:npm/a", "subcomponents": [{"@id": "no package"}]}]"#, vec![]),
    ];
    for (products, expected) in cases {
        let text = openvex(&format!(
            r#"{{"vulnerability": {{"name": "GHSA-1"}}, {products}, "status": "not_affected", "justification": "vulnerable_code_not_present"}}"#
        ));
        let (statements, found) = statements(&[&text]);
        assert!(found.skipped.is_empty());
        let mut matches = matches("vex-products.db", &packages);
        statements.apply(&packages, &mut matches);
        let expected: Vec<String> = expected.iter().map(|package| format!("{package} CVE-2026-1")).collect();
        assert_eq!(names(&matches.suppressed, &packages), expected, "{products}");
        assert_eq!(matches.vulnerabilities.len() + matches.suppressed.len(), 6);
    }
}

#[test]
fn statements_about_parts_hold_for_the_product_that_is_scanned() {
    let mut image = package("Debian:12", "b", "1.0");
    image.layer = Some("sha256:aa".to_owned());
    let packages = [package("npm", "shop", "1.0.0").from(Origin::Own), package("npm", "a", "1.0.0"), image];
    let shop = openvex(
        r#"{"vulnerability": "CVE-2026-1", "products": [{"@id": "pkg:npm/shop@1.0.0", "subcomponents": [{"@id": "pkg:npm/a"}]}, {"@id": "pkg:oci/web", "subcomponents": [{"@id": "pkg:deb/debian/b"}]}], "status": "fixed"},
           {"vulnerability": "CVE-2026-2", "products": ["pkg:npm/shop@2.0.0"], "status": "not_affected"}"#,
    );
    let mut matches = matches("vex-parts.db", &packages);
    statements(&[&shop]).0.apply(&packages, &mut matches);
    assert_eq!(names(&matches.suppressed, &packages), ["a@1.0.0 CVE-2026-1", "b@1.0 CVE-2026-1"]);
    assert_eq!(names(&matches.vulnerabilities, &packages), ["a@1.0.0 CVE-2026-2", "b@1.0 CVE-2026-2"]);
}

#[test]
fn the_newest_statement_holds_and_of_equal_times_the_last() {
    let packages = [package("npm", "a", "1.0.0")];
    let of = |name: &str, status: &str, time: &str| {
        format!(
            r#"{{"vulnerability": {{"name": "{name}"}}, "products": ["pkg:npm/a"], "status": "{status}", "timestamp": "{time}", "status_notes": "because"}}"#
        )
    };
    let early = openvex(&format!(
        "{}, {}",
        of("CVE-2026-1", "not_affected", "2026-03-01T12:00:00+02:00"),
        of("CVE-2026-2", "affected", "2026-01-01T00:00:00Z")
    ));
    let late = openvex(&format!(
        "{}, {}",
        of("GHSA-1", "affected", "2026-03-01T11:00:00Z"),
        of("GHSA-2", "under_investigation", "2026-01-01T00:00:00Z")
    ));
    for texts in [[&*early, &*late], [&*late, &*early]] {
        let mut matches = matches("vex-newest.db", &packages);
        statements(&texts).0.apply(&packages, &mut matches);
        assert!(matches.suppressed.is_empty(), "an hour later it is affected after all");
        let said: Vec<&str> = matches.vulnerabilities.iter().filter_map(|flaw| Some(flaw.judgement.as_ref()?.status.id())).collect();
        assert_eq!(said, ["affected", if texts[0] == early { "under_investigation" } else { "affected" }]);
        assert_eq!(matches.vulnerabilities[0].judgement.as_ref().map(|of| of.note.as_str()), Some("because"));
    }
}

#[test]
fn cyclonedx_says_it_in_its_analysis() {
    let packages = [package("npm", "a", "1.0.0")];
    let bom = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
     "components": [{"bom-ref": "ref-a", "type": "library", "name": "a", "purl": "pkg:npm/a@1.0.0"}],
     "vulnerabilities": [
       {"id": "X-1", "references": [{"id": "CVE-2026-1"}], "analysis": {"state": "false_positive", "justification": "code_not_reachable", "detail": "never called"}, "affects": [{"ref": "ref-a"}]},
       {"id": "CVE-2026-2", "analysis": {"state": "resolved"}, "affects": [{"ref": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Anpm%2Fa%401.0.0"}]}]}"#;
    let (read, found) = statements(&[bom]);
    assert!(found.diagnostics.is_empty() && read.len() == 2);
    let mut matches = matches("vex-cyclonedx.db", &packages);
    read.apply(&packages, &mut matches);
    assert_eq!(names(&matches.suppressed, &packages), ["a@1.0.0 CVE-2026-1", "a@1.0.0 CVE-2026-2"]);
    let judgement = matches.suppressed[0].judgement.as_ref().unwrap();
    assert_eq!((judgement.justification.as_deref(), judgement.note.as_str()), (Some("code_not_reachable"), "never called"));
}

#[test]
fn what_is_no_statement_is_told() {
    let cases = [
        ("{}", "neither an OpenVEX nor a CycloneDX document"),
        (&*openvex(r#"{"vulnerability": "C", "products": ["pkg:npm/a"], "status": "fine"}"#), "`fine` is no status of OpenVEX"),
        (&*openvex(r#"{"products": ["pkg:npm/a"], "status": "fixed"}"#), "missing field `vulnerability`"),
        (
            r#"{"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "C", "analysis": {"state": "odd"}}]}"#,
            "`odd` is no state of an analysis",
        ),
    ];
    for (text, expected) in cases {
        let (read, found) = statements(&[text]);
        assert_eq!((read.len(), found.skipped.len()), (0, 1), "{text}");
        assert!(found.diagnostics[0].message.contains(expected), "{:?}", found.diagnostics);
    }
}

#[test]
fn documents_that_are_written_are_read_again() {
    let packages = [package("npm", "a", "1.0.0"), package("Debian:12", "b", "1.0")];
    let text = openvex(
        r#"{"vulnerability": "CVE-2026-1", "products": ["pkg:npm/a"], "status": "not_affected", "justification": "inline_mitigations_already_exist", "impact_statement": "a proxy refuses it"},
           {"vulnerability": "CVE-2026-2", "products": ["pkg:npm/a"], "status": "affected", "action_statement": "wait"}"#,
    );
    let mut judged = matches("vex-written.db", &packages);
    statements(&[&text]).0.apply(&packages, &mut judged);
    let written = openvex_document(&packages, &judged, "2026-11-28T00:00:00Z");
    assert_eq!(written["statements"].as_array().map(Vec::len), Some(4));
    assert_eq!(written["statements"][0]["vulnerability"]["aliases"], serde_json::json!(["GHSA-1"]));
    let sources = Sources::default();
    let bom = cyclonedx(&Content { name: "s", packages: &packages, matches: &judged, sources: &sources, timestamp: None });
    for (document, n) in [(written.to_string(), 4), (bom.to_string(), 2)] {
        let (read, found) = statements(&[&document]);
        assert_eq!((read.len(), found.diagnostics.len()), (n, 0));
        let mut again = matches("vex-again.db", &packages);
        read.apply(&packages, &mut again);
        assert_eq!(names(&again.suppressed, &packages), ["a@1.0.0 CVE-2026-1"]);
        assert_eq!(again.suppressed[0].judgement.as_ref().map(|of| of.note.as_str()), Some("a proxy refuses it"));
        assert_eq!(again.vulnerabilities[0].judgement.as_ref().map(|of| of.status.id()), Some("affected"));
    }
}
