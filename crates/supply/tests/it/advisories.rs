//! Advisories of each form in, vulnerabilities out, through the database's file.

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use bartizan_model::{FileId, Span};
use bartizan_supply::load::import_path;
use bartizan_supply::matching::find;
use bartizan_supply::{Builder, Database, Ecosystem, Matches, Origin, Package, SkipReason};

/// A path of its own for a test's file.
fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn builder(texts: &[(&str, &str)]) -> Builder {
    let mut builder = Builder::default();
    builder.source("test", "2026-11-28");
    for (path, text) in texts {
        builder.text(path, text);
    }
    builder
}

fn package(ecosystem: &str, name: &str, version: &str) -> Package {
    Package::new(ecosystem.parse::<Ecosystem>().unwrap(), name, version, Span::new(FileId(0), 0..0))
}

fn matches(name: &str, builder: &mut Builder, packages: &[Package]) -> Matches {
    let path = place(name);
    builder.write(&path).unwrap();
    find(&mut Database::open(&path).unwrap(), packages).unwrap()
}

/// `package: name (fixed)` of each vulnerability.
fn shown(matches: &Matches, packages: &[Package]) -> Vec<String> {
    let one = |of: &bartizan_supply::Vulnerability| {
        let fixed = of.fixed.as_deref().map(|fixed| format!(" ({fixed})")).unwrap_or_default();
        let informational = of.informational.as_deref().map(|kind| format!(" {kind}")).unwrap_or_default();
        packages
            .get(of.package)
            .map(|package| format!("{}@{}: {}{fixed}{informational}", package.name, package.version, of.name()))
            .unwrap()
    };
    matches.vulnerabilities.iter().map(one).collect()
}

const PROTOTYPE: &str = r##"{"schema_version": "1.6.0", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2024-02-01T00:00:00Z", "published": "2024-01-01T00:00:00Z",
 "aliases": ["CVE-2024-1000"], "summary": "Prototype pollution",
 "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
 "affected": [{"package": {"ecosystem": "npm", "name": "lodish", "purl": "pkg:npm/lodish"},
   "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.21"}, {"introduced": "5.0.0"}, {"last_affected": "5.1.0"}]}],
   "versions": ["4.17.20", "6.0.0-odd"]}],
 "references": [{"type": "WEB", "url": "https://example.org/w"}, {"type": "ADVISORY", "url": "https://example.org/a"}],
 "database_specific": {"severity": "CRITICAL", "cwe_ids": ["CWE-1321"]}}"##;

#[test]
fn ranges_hold_between_their_events_and_lists_hold_beside_them() {
    let packages: Vec<Package> = ["0.1.0", "4.17.20", "4.17.21", "5.0.0-rc.1", "5.0.0", "5.1.0", "5.1.1", "6.0.0-odd"]
        .iter()
        .map(|version| package("npm", "lodish", version))
        .collect();
    let found = matches("ranges.db", &mut builder(&[("a.json", PROTOTYPE)]), &packages);
    let expected = [
        "lodish@0.1.0: CVE-2024-1000 (4.17.21)",
        "lodish@4.17.20: CVE-2024-1000 (4.17.21)",
        "lodish@5.0.0: CVE-2024-1000",
        "lodish@5.1.0: CVE-2024-1000",
        "lodish@6.0.0-odd: CVE-2024-1000",
    ];
    assert_eq!(shown(&found, &packages), expected);
    let advisory = &found.vulnerabilities[0].advisories[0];
    assert_eq!((advisory.score(), advisory.severity.as_deref()), (Some(9.8), Some("critical")));
    assert_eq!(advisory.references.first().map(String::as_str), Some("https://example.org/a"), "the advisory's own page comes first");
    assert!(found.skipped.is_empty());
}

#[test]
fn listed_versions_match_as_the_registry_writes_them() {
    let record = |ecosystem: &str, version: &str| {
        format!(
            r#"{{"id": "MAL-{ecosystem}", "modified": "2024-01-01", "affected": [{{"package": {{"ecosystem": "{ecosystem}", "name": "bad"}}, "versions": ["{version}"]}}]}}"#
        )
    };
    let (python, dotnet, java) = (record("PyPI", "1.0.0-1"), record("NuGet", "1.0"), record("Maven", "1.0"));
    let packages = [
        package("PyPI", "bad", "1.0.post1"),
        package("PyPI", "bad", "1.0"),
        package("NuGet", "Bad", "1.0.0"),
        package("Maven", "bad", "1.0"),
        package("Maven", "bad", "1.0.0"),
    ];
    let mut all = builder(&[("a.json", &python), ("b.json", &dotnet), ("c.json", &java)]);
    let expected = ["bad@1.0.post1: MAL-PyPI", "Bad@1.0.0: MAL-NuGet", "bad@1.0: MAL-Maven"];
    assert_eq!(shown(&matches("listed.db", &mut all, &packages), &packages), expected);
}

#[test]
fn names_of_one_flaw_count_once_and_withdrawn_ones_never() {
    let other = r#"{"id": "NSWG-1", "modified": "2024-01-01", "aliases": ["CVE-2024-1000"], "affected": [{"package": {"ecosystem": "npm", "name": "lodish"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.19"}]}]}]}"#;
    let second = r#"{"id": "GHSA-x", "modified": "2024-01-01", "affected": [{"package": {"ecosystem": "npm", "name": "lodish"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}"#;
    let packages = [package("npm", "lodish", "1.0.0")];
    let mut both = builder(&[("a.json", PROTOTYPE), ("b.json", other), ("c.json", second)]);
    let found = matches("aliases.db", &mut both, &packages);
    assert_eq!(shown(&found, &packages), ["lodish@1.0.0: CVE-2024-1000 (4.17.19)", "lodish@1.0.0: GHSA-x"]);
    assert_eq!(found.vulnerabilities[0].names, ["CVE-2024-1000", "GHSA-aaaa-bbbb-cccc", "NSWG-1"]);
    assert_eq!(found.vulnerabilities[0].advisories.len(), 2);

    // A later copy that is withdrawn takes the earlier one away, from a database too.
    let mut update = Builder::from_database(&mut Database::open(&place("aliases.db")).unwrap()).unwrap();
    assert_eq!(update.n_advisories(), 3);
    update.text("c.json", &second.replace("\"affected\"", "\"withdrawn\": \"2024-03-01\", \"affected\""));
    assert_eq!(update.report.n_withdrawn, 1);
    assert_eq!(shown(&matches("withdrawn.db", &mut update, &packages), &packages), ["lodish@1.0.0: CVE-2024-1000 (4.17.19)"]);
}

#[test]
fn an_update_keeps_the_newer_copy() {
    let mut builder = builder(&[("a.json", PROTOTYPE)]);
    builder.text("older.json", &PROTOTYPE.replace("2024-02-01", "2023-02-01").replace("4.17.21", "9.9.9"));
    builder.text("same.json", PROTOTYPE);
    assert_eq!((builder.report.n_imported, builder.report.n_unchanged), (1, 2));
    builder.text("newer.json", &PROTOTYPE.replace("2024-02-01", "2025-02-01").replace("4.17.21", "4.17.22"));
    let packages = [package("npm", "lodish", "4.17.21")];
    assert_eq!(shown(&matches("update.db", &mut builder, &packages), &packages), ["lodish@4.17.21: CVE-2024-1000 (4.17.22)"]);
}

#[test]
fn known_use_and_its_probability_are_joined_by_cve() {
    let kev = r#"{"title": "Known Exploited Vulnerabilities", "catalogVersion": "1", "dateReleased": "2026-11-01T00:00:00Z", "count": 1,
        "vulnerabilities": [{"cveID": "CVE-2024-1000", "vendorProject": "x", "dateAdded": "2024-05-01", "dueDate": "2024-05-20", "knownRansomwareCampaignUse": "Known"}]}"#;
    let epss = "#model_version:v2025.03.14,score_date:2026-11-20T00:00:00Z\ncve,epss,percentile\nCVE-2024-1000,0.93,0.99\nCVE-1999-0001,0.01,0.5\n";
    let packages = [package("npm", "lodish", "1.0.0")];
    let mut all = builder(&[("a.json", PROTOTYPE), ("kev.json", kev), ("epss_scores.csv", epss)]);
    let found = matches("kev.db", &mut all, &packages);
    let flaw = &found.vulnerabilities[0];
    assert_eq!(
        flaw.kev.as_ref().map(|kev| (kev.date_added.as_str(), kev.known_ransomware_campaign_use.as_str())),
        Some(("2024-05-01", "Known"))
    );
    assert_eq!(flaw.epss.map(|epss| epss.probability), Some(0.93));
    let database = Database::open(&place("kev.db")).unwrap();
    let description = database.description();
    assert_eq!((description.n_advisories, description.n_kev, description.n_epss), (1, 1, 2));
    assert_eq!(description.newest, "2024-02-01T00:00:00Z");
    assert_eq!(description.epss_day, "2026-11-20T00:00:00Z");
    let mut wrong = builder(&[("epss_scores.csv", "cve,epss,percentile\nCVE-2024-1,1.5,0.1\n")]);
    assert_eq!(wrong.report.malformed, ["epss_scores.csv: line 2: a probability lies outside of 0 to 1"]);
    wrong.text("notes.csv", "a,b\n");
    assert_eq!(wrong.report.n_ignored, 1);
}

#[test]
fn repositories_with_their_own_form_are_read() {
    let rustsec = "```toml\n[advisory]\nid = \"RUSTSEC-2024-0001\"\npackage = \"flume\"\ndate = \"2024-01-01\"\naliases = [\"CVE-2024-2\"]\n[versions]\npatched = [\">= 1.2.3\", \"^0.9.5\"]\nunaffected = [\"< 0.5.0\"]\n```\n# Title\n";
    let unmaintained = "```toml\n[advisory]\nid = \"RUSTSEC-2024-0002\"\npackage = \"old\"\ndate = \"2024-01-01\"\ninformational = \"unmaintained\"\n[versions]\npatched = []\n```\n# Old\n";
    let withdrawn = "```toml\n[advisory]\nid = \"RUSTSEC-2024-0003\"\npackage = \"flume\"\ndate = \"2024-01-01\"\nwithdrawn = \"2024-02-01\"\n[versions]\npatched = []\n```\n# Gone\n";
    let ruby = "---\ngem: rock\ncve: 2024-3\nghsa: aaaa-bbbb-cccc\nurl: https://example.org\ntitle: A title\ndate: 2024-01-01\npatched_versions:\n  - \"~> 2.3.5\"\n  - \">= 2.4.1\"\nunaffected_versions:\n  - \"< 1.0\"\n";
    let php = "title: A title\nlink: https://example.org\ncve: ~\nbranches:\n    1.x:\n        time: 2014-12-29 13:23:35\n        versions: ['>=1.8.0', '<1.12.0']\nreference: composer://mono/log\n";
    let quoted = "title: 'A title'\nbranches:\n    all:\n        versions: ['<1.12.1']\nreference: 'composer://mono/log'\n";
    let node = r#"{"id": 7, "title": "T", "module_name": "m", "cves": ["CVE-2016-1"], "vulnerable_versions": "<1.6.5 || < 2.1.7 > 2.0.0", "patched_versions": ">=2.1.7"}"#;
    let python = "id: PYSEC-2024-1\nmodified: '2024-01-01T00:00:00Z'\naffected:\n- package:\n    name: Some_Thing\n    ecosystem: PyPI\n  ranges:\n  - type: ECOSYSTEM\n    events:\n    - introduced: '0'\n    - fixed: 1.10\n  versions:\n  - 1.9\n";
    let mut all = builder(&[
        ("crates/flume/RUSTSEC-2024-0001.md", rustsec),
        ("crates/old/RUSTSEC-2024-0002.md", unmaintained),
        ("crates/flume/RUSTSEC-2024-0003.md", withdrawn),
        ("gems/rock/CVE-2024-3.yml", ruby),
        ("mono/log/2014-12-29-1.yaml", php),
        ("mono/log/CVE-2024-4.yaml", quoted),
        ("npm/7.json", node),
        ("vulns/some/PYSEC-2024-1.yaml", python),
        ("README.md", "# Read me\n"),
        ("package.json", "{\"id\": 1}"),
        ("ci.yml", "on: push\n"),
    ]);
    assert_eq!(all.report.malformed, [""; 0]);
    assert_eq!((all.report.n_imported, all.report.n_withdrawn, all.report.n_ignored), (7, 1, 3));
    let packages = [
        package("crates.io", "flume", "0.4.0"),
        package("crates.io", "flume", "0.9.4"),
        package("crates.io", "flume", "0.9.5"),
        package("crates.io", "flume", "1.0.0"),
        package("crates.io", "flume", "1.2.3"),
        package("crates.io", "old", "1.0.0"),
        package("RubyGems", "rock", "2.3.4"),
        package("RubyGems", "rock", "2.3.6"),
        package("RubyGems", "rock", "2.4.0"),
        package("Packagist", "mono/log", "v1.11.0"),
        package("Packagist", "Mono/Log", "1.12"),
        package("npm", "m", "2.0.1"),
        package("npm", "m", "1.9.0"),
        package("PyPI", "some.thing", "1.9"),
        package("PyPI", "some.thing", "1.10"),
    ];
    let found = matches("repositories.db", &mut all, &packages);
    let expected = [
        "flume@0.9.4: CVE-2024-2 (0.9.5)",
        "flume@1.0.0: CVE-2024-2 (1.2.3)",
        "old@1.0.0: RUSTSEC-2024-0002 unmaintained",
        "rock@2.3.4: CVE-2024-3 (2.3.5)",
        "rock@2.4.0: CVE-2024-3 (2.4.1)",
        "mono/log@v1.11.0: 2014-12-29-1 (1.12.0)",
        "mono/log@v1.11.0: CVE-2024-4 (1.12.1)",
        "Mono/Log@1.12: CVE-2024-4 (1.12.1)",
        "m@2.0.1: CVE-2016-1 (2.1.7)",
        "some.thing@1.9: PYSEC-2024-1 (1.10)",
    ];
    assert_eq!(shown(&found, &packages), expected);
}

#[test]
fn what_cannot_be_judged_is_skipped_and_what_is_ones_own_is_not_asked() {
    let debian = r#"{"id": "DSA-1", "modified": "2024-01-01", "affected": [{"package": {"ecosystem": "Debian:12", "name": "openssl"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.11-1~deb12u1"}]}]}]}"#;
    let unknown =
        r#"{"id": "X-1", "modified": "2024-01-01", "affected": [{"package": {"ecosystem": "COBOL:85", "name": "x"}, "versions": ["1"]}]}"#;
    let unordered = r#"{"id": "DSA-2", "modified": "2024-01-01", "affected": [{"package": {"ecosystem": "Debian:12", "name": "odd"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "not a version"}]}]}]}"#;
    let commits = r#"{"id": "PSF-1", "modified": "2024-01-01", "affected": [{"ranges": [{"type": "GIT", "repo": "https://example.org/r", "events": [{"introduced": "0"}]}]}]}"#;
    let mut all = builder(&[("a.json", debian), ("b.json", PROTOTYPE), ("c.json", unknown), ("d.json", unordered), ("e.json", commits)]);
    assert_eq!(all.report.n_without_package, 1);
    assert_eq!(all.report.unknown_ecosystems.get("COBOL"), Some(&1));
    assert_eq!(all.report.unread.len(), 1, "{:?}", all.report.unread);
    let packages = [
        package("Debian:12", "openssl", "3.0.9-1"),
        package("Debian:11", "openssl", "1.1.1-1"),
        package("Debian", "openssl", "3.0.9-1"),
        package("Debian:12", "openssl", "3.0 9"),
        package("npm", "lodish", ""),
        package("Hex", "phoenix", "1.0.0"),
        package("npm", "lodish", "1.0.0").from(Origin::Own),
    ];
    let found = matches("skipped.db", &mut all, &packages);
    assert_eq!(shown(&found, &packages), ["openssl@3.0.9-1: DSA-1 (3.0.11-1~deb12u1)"]);
    let reasons: Vec<&SkipReason> = found.skipped.iter().map(|skipped| &skipped.reason).collect();
    let expected = [
        &SkipReason::NoRelease,
        &SkipReason::NoExactVersion(String::new()),
        &SkipReason::NoAdvisories,
        &SkipReason::NoVersionOrder("3.0 9".to_owned()),
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn distributions_are_asked_by_source_package_and_bulletins_speak_of_each_of_their_flaws() {
    let debian = |id: &str, upstream: &str, fixed: &str| {
        format!(
            r#"{{"id": "{id}", "modified": "2024-01-01", "upstream": [{upstream}], "affected": [{{"package": {{"ecosystem": "Debian:12", "name": "gcc-12"}},
            "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
        )
    };
    let rpm = |id: &str, ecosystem: &str, name: &str| {
        format!(
            r#"{{"id": "{id}", "modified": "2024-01-01", "affected": [{{"package": {{"ecosystem": "{ecosystem}", "name": "{name}"}},
            "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "1:3.0.7-28.el9"}}]}}]}}]}}"#
        )
    };
    let texts = [
        debian("DEBIAN-CVE-2024-1", "\"CVE-2024-1\"", "12.2.0-14"),
        debian("DSA-5-1", "\"CVE-2024-1\", \"CVE-2024-2\"", "12.2.0-14"),
        rpm("RHSA-1", "Red Hat:enterprise_linux:9::baseos", "openssl-libs"),
        rpm("RLSA-1", "Rocky Linux:9", "openssl"),
    ];
    let mut all = Builder::default();
    for text in &texts {
        all.text("a.json", text);
    }
    let packages = [
        package("Debian:12", "libgcc-s1", "12.2.0-99").built_from("gcc-12", "12.2.0-13"),
        package("Debian:12", "libgcc-s2", "12.2.0-13"),
        package("Red Hat:9", "openssl-libs", "1:3.0.7-27.el9").built_from("openssl", "1:3.0.7-27.el9"),
        package("Rocky Linux:9", "openssl-libs", "1:3.0.7-27.el9").built_from("openssl", "1:3.0.7-27.el9"),
    ];
    let found = matches("sources.db", &mut all, &packages);
    let expected = [
        "libgcc-s1@12.2.0-99: CVE-2024-1 (12.2.0-14)",
        "libgcc-s1@12.2.0-99: CVE-2024-2 (12.2.0-14)",
        "openssl-libs@1:3.0.7-27.el9: RHSA-1 (1:3.0.7-28.el9)",
        "openssl-libs@1:3.0.7-27.el9: RLSA-1 (1:3.0.7-28.el9)",
    ];
    assert_eq!(shown(&found, &packages), expected);
    assert_eq!(found.vulnerabilities[0].names, ["CVE-2024-1", "DEBIAN-CVE-2024-1", "DSA-5-1"]);
}

#[test]
fn archives_and_folders_are_read_and_bombs_are_not() {
    let folder = place("exports");
    fs::create_dir_all(&folder).unwrap();
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let archive = |files: &[(&str, &[u8])]| {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    fs::write(
        folder.join("all.zip"),
        archive(&[("GHSA-aaaa-bbbb-cccc.json", PROTOTYPE.as_bytes()), ("broken.json", b"{\"id\": "), ("x.bin", b"\xff")]),
    )
    .unwrap();
    let zeros = vec![b' '; 60 << 20];
    fs::write(folder.join("bomb.zip"), archive(&[("a.json", &zeros), ("b.json", &zeros), ("c.json", PROTOTYPE.as_bytes())])).unwrap();
    fs::write(folder.join("none.zip"), b"no archive").unwrap();
    let mut builder = Builder::default();
    import_path(&folder, &mut builder).unwrap();
    assert_eq!(builder.n_advisories(), 1);
    let told = builder.report.malformed.join("\n");
    for expected in ["all.zip!/broken.json: EOF", "bomb.zip!/b.json: the archive grows out of proportion", "none.zip: "] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
}

#[test]
fn a_damaged_database_is_told_and_never_taken_for_an_empty_one() {
    let path = place("damaged.db");
    builder(&[("a.json", PROTOTYPE)]).write(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let packages = [package("npm", "lodish", "1.0.0")];
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        if let Some(byte) = damaged.get_mut(at) {
            *byte ^= 0x55;
        }
        fs::write(&path, &damaged).unwrap();
        let answer = Database::open(&path).and_then(|mut database| find(&mut database, &packages));
        // The magic in front is for people; everything else must be told or must not matter.
        assert!(answer.is_err() || answer.is_ok_and(|matches| matches.vulnerabilities.len() == 1), "byte {at}");
        fs::write(&path, whole.get(..at).unwrap()).unwrap();
        assert!(Database::open(&path).is_err(), "cut at {at}");
    }
}
