//! Bills of materials of each form: read with their lines, written, and read again.

use std::collections::BTreeSet;

use bartizan_model::{FileId, Sources, Span};
use bartizan_supply::sbom::write::{Content, cyclonedx, spdx2, spdx3};
use bartizan_supply::scan::scan;
use bartizan_supply::{Ecosystem, Found, Matches, Origin, Package, Relation, SkipReason};
use proptest::prelude::*;
use serde_json::Value;

fn read(name: &str, text: &str) -> (Found, Sources) {
    let mut sources = Sources::default();
    let found = scan(&BTreeSet::from([name.to_owned()]), &|_| Ok(text.as_bytes().to_vec()), &mut sources);
    (found, sources)
}

/// `ecosystem name@version:line` with what is special about it.
fn shown(found: &Found, sources: &Sources) -> Vec<String> {
    let one = |package: &Package| {
        let line = sources.start(package.span).line;
        let mut text = format!("{} {}@{}:{line}", package.ecosystem, package.name, package.version);
        for (is, word) in [
            (package.origin == Origin::Own, " own"),
            (package.relation == Relation::Direct && package.origin != Origin::Own, " direct"),
            (package.relation == Relation::Transitive, " transitive"),
            (package.is_development, " development"),
        ] {
            if is {
                text.push_str(word);
            }
        }
        if let Some(source) = &package.source {
            text.push_str(&format!(" from {} {}", source.name, source.version));
        }
        if let Some(layer) = &package.layer {
            text.push_str(&format!(" in {layer}"));
        }
        text
    };
    found.packages.iter().map(one).collect()
}

fn skips(found: &Found) -> Vec<(&str, &SkipReason)> {
    found.skipped.iter().map(|skipped| (skipped.what.as_str(), &skipped.reason)).collect()
}

const CYCLONEDX: &str = r##"{
 "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
 "metadata": {"component": {"bom-ref": "root", "type": "application", "name": "shop", "purl": "pkg:npm/shop@1.0.0"}},
 "components": [
  {"bom-ref": "os", "type": "operating-system", "name": "debian", "version": "12.5"},
  {"bom-ref": "lock", "type": "application", "name": "package-lock.json", "properties": [{"name": "aquasecurity:trivy:Class", "value": "lang-pkgs"}]},
  {"bom-ref": "a", "type": "library", "group": "@babel", "name": "core", "version": "7.0.0", "purl": "pkg:npm/%40babel/core@7.0.0",
   "components": [
    {"bom-ref": "b", "type": "library", "name": "Django", "version": "3.2", "purl": "pkg:pypi/django@3.2", "scope": "excluded"}]},
  {"bom-ref": "c", "type": "library", "name": "libssl3", "version": "3.0.11-1~deb12u2", "purl": "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64",
   "properties": [{"name": "aquasecurity:trivy:SrcName", "value": "openssl"}, {"name": "aquasecurity:trivy:SrcVersion", "value": "3.0.11"},
                  {"name": "aquasecurity:trivy:SrcRelease", "value": "1~deb12u2"}, {"name": "aquasecurity:trivy:LayerDiffID", "value": "sha256:aa"}]},
  {"type": "library", "name": "vendored", "version": "2"},
  {"type": "library", "name": "model", "version": "1", "purl": "pkg:huggingface/x/model@1"},
  {"type": "file", "name": "/etc/passwd"}
 ],
 "dependencies": [{"ref": "root", "dependsOn": ["lock", "c"]}, {"ref": "lock", "dependsOn": ["a"]}, {"ref": "a", "dependsOn": ["b"]}]
}"##;

#[test]
fn cyclonedx_tells_nesting_relations_and_the_distribution() {
    let (found, sources) = read("any-name.json", CYCLONEDX);
    let expected = [
        "npm shop@1.0.0:3 own",
        "npm @babel/core@7.0.0:7 direct",
        "PyPI Django@3.2:9 transitive development",
        "Debian:12 libssl3@3.0.11-1~deb12u2:10 direct from openssl 3.0.11-1~deb12u2 in sha256:aa",
    ];
    assert_eq!(shown(&found, &sources), expected);
    let unknown = SkipReason::UnknownType("pkg:huggingface/x/model@1".to_owned());
    assert_eq!(skips(&found), [("vendored@2", &SkipReason::NoPackageUrl), ("model@1", &unknown)]);

    let (found, _) = read("a.json", &CYCLONEDX.replace("\"1.5\"", "\"2.0\""));
    assert_eq!(skips(&found), [("a.json", &SkipReason::FormatVersion("2.0".to_owned()))]);
    let (found, _) = read("a.json", CYCLONEDX.split_at(900).0);
    assert_eq!((found.packages.len(), skips(&found)), (0, vec![("a.json", &SkipReason::Malformed)]));
}

#[test]
fn cyclonedx_in_xml_says_the_same() {
    let xml = r#"<?xml version="1.0"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1">
 <metadata><component type="application" bom-ref="root"><name>shop</name></component></metadata>
 <components>
  <component type="library" bom-ref="a"><group>org.yaml</group><name>snakeyaml</name><version>1.26</version><purl>pkg:maven/org.yaml/snakeyaml@1.26</purl>
   <components><component type="library" bom-ref="b"><name>b</name><version>1</version><scope>excluded</scope><purl>pkg:gem/b@1</purl></component></components>
  </component>
  <component type="library"><name>nameless</name></component>
 </components>
 <dependencies><dependency ref="root"><dependency ref="a"/></dependency><dependency ref="a"><dependency ref="b"/></dependency></dependencies>
</bom>"#;
    let (found, sources) = read("bom.xml", xml);
    assert_eq!(shown(&found, &sources), ["Maven org.yaml:snakeyaml@1.26:5 direct", "RubyGems b@1:6 transitive development"]);
    assert_eq!(skips(&found), [("nameless", &SkipReason::NoPackageUrl)]);
}

const SPDX_TAGS: &str = "SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
DocumentName: shop
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-shop

# Packages
PackageName: shop
SPDXID: SPDXRef-shop
PackageComment: <text>Several
lines: of text</text>

PackageName: requests
SPDXID: SPDXRef-requests
PackageVersion: 2.31.0
ExternalRef: PACKAGE-MANAGER purl pkg:pypi/requests@2.31.0
Relationship: SPDXRef-shop DEPENDS_ON SPDXRef-requests

PackageName: pytest
SPDXID: SPDXRef-pytest
PackageVersion: 8.0
ExternalRef: PACKAGE-MANAGER purl pkg:pypi/pytest@8.0
Relationship: SPDXRef-pytest DEV_DEPENDENCY_OF SPDXRef-shop
FileName: ./a.py
SPDXID: SPDXRef-file
";

#[test]
fn spdx_2_in_both_syntaxes() {
    let (found, sources) = read("shop.spdx", SPDX_TAGS);
    assert_eq!(shown(&found, &sources), ["PyPI requests@2.31.0:12 direct", "PyPI pytest@8.0:18 direct development"]);
    assert_eq!(skips(&found), []);

    let json = r#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "documentDescribes": ["SPDXRef-a", "SPDXRef-b", "SPDXRef-c"],
 "packages": [
  {"SPDXID": "SPDXRef-a", "name": "golang.org/x/net", "versionInfo": "v0.7.0",
   "externalRefs": [{"referenceCategory": "PACKAGE_MANAGER", "referenceType": "purl", "referenceLocator": "pkg:golang/golang.org/x/net@v0.7.0"}]},
  {"SPDXID": "SPDXRef-b", "name": "bash", "versionInfo": "5.1.8-6.el9",
   "externalRefs": [{"referenceType": "http://spdx.org/rdf/references/purl",
     "referenceLocator": "pkg:rpm/redhat/bash@5.1.8-6.el9?arch=x86_64&upstream=bash-5.1.8-6.el9.src.rpm&distro=rhel-9.3"}]},
  {"SPDXID": "SPDXRef-c", "name": "home-made", "versionInfo": "1"}
 ]}"#;
    let (found, sources) = read("a.json", json);
    assert_eq!(shown(&found, &sources), ["Go golang.org/x/net@v0.7.0:3", "Red Hat:9 bash@5.1.8-6.el9:5"]);
    assert_eq!(skips(&found), [("home-made@1", &SkipReason::NoPackageUrl)], "a list describes all of its packages and is about none");
    let (found, _) = read("a.spdx", &SPDX_TAGS.replace("SPDX-2.3", "SPDX-4.0"));
    assert_eq!(skips(&found), [("a.spdx", &SkipReason::FormatVersion("SPDX-4.0".to_owned()))]);
}

#[test]
fn spdx_3_is_a_graph() {
    let json = r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
 {"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1"},
 {"type": "SpdxDocument", "spdxId": "urn:d", "rootElement": ["urn:s"]},
 {"type": "software_Sbom", "spdxId": "urn:s", "rootElement": ["urn:shop"]},
 {"type": "software_Package", "spdxId": "urn:shop", "name": "shop"},
 {"type": "software_Package", "spdxId": "urn:a", "name": "left-pad", "software_packageVersion": "1.3.0", "software_packageUrl": "pkg:npm/left-pad@1.3.0"},
 {"type": "software_Package", "spdxId": "urn:b", "name": "mocha", "software_packageVersion": "10.0.0",
  "externalIdentifier": [{"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl", "identifier": "pkg:npm/mocha@10.0.0"}]},
 {"type": "software_Package", "spdxId": "urn:c", "name": "odd"},
 {"type": "Relationship", "spdxId": "urn:r", "from": "urn:shop", "relationshipType": "dependsOn", "to": ["urn:a"]},
 {"type": "LifecycleScopedRelationship", "spdxId": "urn:l", "from": "urn:a", "relationshipType": "dependsOn", "scope": "test", "to": ["urn:b"]}
]}"#;
    let (found, sources) = read("a.jsonld", json);
    assert_eq!(shown(&found, &sources), ["npm left-pad@1.3.0:6 direct", "npm mocha@10.0.0:7 transitive development"]);
    assert_eq!(skips(&found), [("odd", &SkipReason::NoPackageUrl)]);
}

#[test]
fn bills_are_found_by_content_in_a_tree_and_other_files_are_left_alone() {
    let files = [
        ("deep/whatever.json", CYCLONEDX),
        ("data.json", "{\"a\": 1}"),
        ("broken.json", "{"),
        ("x.spdx", SPDX_TAGS),
        ("notes.txt", SPDX_TAGS),
    ];
    let mut sources = Sources::default();
    let text = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.as_bytes().to_vec());
    let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let found = scan(&paths, &|path| text(path).ok_or(SkipReason::TooLarge), &mut sources);
    let files: BTreeSet<&str> = found.packages.iter().map(|package| sources.path(package.span)).collect();
    assert_eq!(files, BTreeSet::from(["deep/whatever.json", "x.spdx"]));
    assert_eq!(sources.iter().count(), 2);
}

fn content<'a>(packages: &'a [Package], matches: &'a Matches, sources: &'a Sources) -> Content<'a> {
    Content { name: "system", packages, matches, sources, timestamp: Some("2026-11-28T00:00:00Z") }
}

/// Packages without their places, in an order of their own.
fn without_places(packages: &[Package]) -> BTreeSet<String> {
    packages.iter().map(|package| format!("{:?}", Package { span: Span::new(FileId(0), 0..0), ..package.clone() })).collect()
}

fn packages() -> impl Strategy<Value = Vec<Package>> {
    let ecosystem = prop::sample::select(vec![
        "npm",
        "PyPI",
        "Go",
        "Maven",
        "Packagist",
        "NuGet",
        "crates.io",
        "RubyGems",
        "Debian:12",
        "Ubuntu:22.04",
        "Alpine:v3.20",
        "Red Hat:9",
        "Wolfi",
        "SUSE:15 SP5",
        "openSUSE:Leap 15.6",
        "GHC",
        "Debian",
        "GitHub Actions",
    ]);
    let name = prop_oneof![
        "[a-zA-Z][a-zA-Z0-9._+-]{0,8}",
        "@[a-z]{1,5}/[a-z.-]{1,6}",
        "[a-z.]{1,6}:[a-z-]{1,6}",
        "[a-z]{1,4}\\.[a-z]{2}/[A-Za-z/]{1,8}",
        "[ -~ä]{1,8}"
    ];
    let version =
        prop_oneof!["[0-9]{1,2}\\.[0-9]{1,2}(-[a-z0-9~+.]{1,5})?", "[1-9]:[0-9.]{1,4}-[0-9]", Just(String::new()), "v[0-9]\\.[0-9]"];
    let origin = prop_oneof![Just(Origin::Registry), Just(Origin::Own), "[a-z+:/.@?#ä=]{1,20}".prop_map(Origin::Elsewhere)];
    let relation = prop::sample::select(vec![Relation::Direct, Relation::Transitive, Relation::Unknown]);
    let source = prop::option::of(("[a-z][a-z0-9+.-]{0,6}", "[0-9.]{1,5}(-[0-9]{1,2})?"));
    let one = (ecosystem, name, version, origin, relation, any::<bool>(), source, prop::option::of("sha256:[0-9a-f]{4}"));
    let one = one.prop_map(|(ecosystem, name, version, origin, relation, is_development, source, layer)| {
        let mut package = Package::new(ecosystem.parse::<Ecosystem>().unwrap(), name, version, Span::new(FileId(0), 0..0));
        if let Some((name, version)) = source {
            package = package.built_from(name, version);
        }
        package.layer = layer;
        package.from(origin).related(relation).for_development(is_development)
    });
    prop::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(packages in packages()) {
        let mut sources = Sources::default();
        sources.add("some/package-lock.json", "a\nb\n");
        let matches = Matches::default();
        let content = content(&packages, &matches, &sources);
        // One component for each package, with the nearest relation of its places; readers see it so as well.
        let merged = |packages: Vec<Package>| {
            let mut known: Vec<Package> = Vec::new();
            for package in packages {
                let same = |other: &&mut Package| {
                    Package { relation: package.relation, is_development: package.is_development, span: package.span, ..(*other).clone() } == package
                };
                match known.iter_mut().find(same) {
                    Some(other) => {
                        other.relation = other.relation.min(package.relation);
                        other.is_development &= package.is_development;
                    }
                    None => known.push(package),
                }
            }
            without_places(&known)
        };
        let expected = merged(packages.clone());
        for (form, value) in [("cyclonedx", cyclonedx(&content)), ("spdx 2", spdx2(&content)), ("spdx 3", spdx3(&content))] {
            let text = serde_json::to_string_pretty(&value).unwrap();
            let (found, _) = read("a.json", &text);
            prop_assert_eq!(&found.skipped, &vec![], "{}", form);
            prop_assert_eq!(merged(found.packages), expected.clone(), "{} {}", form, text);
        }
    }

    #[test]
    fn readers_of_bills_never_panic(which in 0..3usize, at in any::<prop::sample::Index>(), with in "[\\PC\n\"{}\\[\\]:<>/]{0,4}") {
        let (name, text) = [("a.json", CYCLONEDX), ("a.spdx", SPDX_TAGS), ("b.json", CYCLONEDX)][which];
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..(at + 3).min(chars.len()), with.chars());
        let text: String = chars.into_iter().collect();
        let (found, sources) = read(name, &text);
        for package in &found.packages {
            prop_assert!(package.span.end as usize <= sources.get(package.span.file).unwrap().text.len());
        }
    }
}

#[test]
fn a_bill_has_lines_relations_and_an_id_of_its_content() {
    let mut sources = Sources::default();
    let lock = sources.add("web/package-lock.json", "a\nb\nc\n");
    let other = sources.add("api/package-lock.json", "a\n");
    let packages = [
        Package::new("npm".parse::<Ecosystem>().unwrap(), "@s/a", "1.0.0", Span::new(lock, 2..3)).related(Relation::Direct),
        Package::new("npm".parse::<Ecosystem>().unwrap(), "@s/a", "1.0.0", Span::new(other, 0..1))
            .related(Relation::Transitive)
            .for_development(true),
    ];
    let matches = Matches::default();
    let bom = cyclonedx(&content(&packages, &matches, &sources));
    let at = |pointer: &str| bom.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(
        at("/components/0/evidence/occurrences"),
        serde_json::json!([{"location": "api/package-lock.json", "line": 1}, {"location": "web/package-lock.json", "line": 2}])
    );
    assert_eq!(
        (at("/components/0/group"), at("/components/0/name"), at("/components/0/scope")),
        (Value::from("@s"), Value::from("a"), Value::Null)
    );
    assert_eq!(at("/dependencies/0"), serde_json::json!({"ref": "root", "dependsOn": ["pkg:npm/%40s/a@1.0.0"]}));
    assert_eq!(at("/components/1"), Value::Null);
    assert_eq!(bom, cyclonedx(&content(&packages, &matches, &sources)));
    assert_ne!(at("/serialNumber"), cyclonedx(&content(&packages[..0], &matches, &sources))["serialNumber"]);
}
