//! Packages and advisories on the command line: what is found, what is not judged, and the exit codes of both.

use std::path::Path;

use super::{bartizan, folder, text};

const ADVISORY: &str = r#"{"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-1"], "summary": "A request may read any file",
 "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"}],
 "affected": [{"package": {"ecosystem": "PyPI", "name": "webframe"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}]}]}"#;

fn write(folder: &Path, name: &str, content: &str) {
    std::fs::write(folder.join(name), content).expect("the file can be written");
}

/// Exit code, standard output and standard error.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = bartizan(folder, arguments);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_scan_tells_vulnerabilities_with_their_lines_and_the_gate_decides() {
    let here = folder("scan");
    write(&here, "advisory.json", ADVISORY);
    write(&here, "requirements.txt", "# ours\nWebFrame==2.0\nother==1.0\n");
    let (code, _, errors) = run(&here, &["scan", "--database", "a.db"]);
    assert_eq!((code, errors.contains("bartizan db update")), (Some(2), true), "{errors}");
    let (code, shown, _) = run(&here, &["db", "update", "advisory.json", "--database", "a.db"]);
    assert_eq!(code, Some(0));
    assert!(shown.contains("a.db: 1 advisories, the newest of 2026-01-01"), "{shown}");

    let (code, shown, _) = run(&here, &["scan", "--database", "a.db"]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("medium  CVE-2026-1  WebFrame 2.0, mended in 2.1\n    requirements.txt:2  A request may read any file\n"),
        "{shown}"
    );
    assert!(shown.contains("1 vulnerability in 1 of 2 packages in 1 file: 1 medium"), "{shown}");
    assert_eq!(run(&here, &["scan", "--database", "a.db", "--fail-on", "high"]).0, Some(0));

    let (code, json, _) = run(&here, &["scan", "--database", "a.db", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(code, Some(1));
    assert_eq!(json.pointer("/schema").and_then(serde_json::Value::as_str), Some("bartizan/scan/1"));
    assert_eq!(json.pointer("/packages/0/purl").and_then(serde_json::Value::as_str), Some("pkg:pypi/webframe@2.0"));
    let schema: serde_json::Value = serde_json::from_str(&run(&here, &["schema", "scan"]).1).expect("a schema");
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).expect("a valid schema").iter_errors(&json).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(json.pointer("/vulnerabilities/0/fixed").and_then(serde_json::Value::as_str), Some("2.1"));
}

#[test]
fn what_cannot_be_judged_has_an_exit_code_of_its_own() {
    let here = folder("scan-incomplete");
    write(&here, "advisory.json", ADVISORY);
    assert_eq!(run(&here, &["db", "update", "advisory.json", "--database", "a.db"]).0, Some(0));
    let (code, shown, _) = run(&here, &["scan", "--database", "a.db"]);
    assert_eq!((code, shown.contains("nothing was scanned")), (Some(4), true), "{shown}");

    write(&here, "requirements.txt", "webframe==2.1\n");
    assert_eq!(run(&here, &["scan", "--database", "a.db"]).0, Some(0));
    write(&here, "requirements.txt", "webframe==2.1\nloose>=1\n");
    let (code, shown, _) = run(&here, &["scan", "--database", "a.db"]);
    assert_eq!(code, Some(4));
    assert!(shown.contains("requirements.txt:2  loose: `>=1` settles no version"), "{shown}");

    write(&here, "requirements.txt", "webframe==2.1\n");
    write(
        &here,
        "Cargo.lock",
        "[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n",
    );
    let (code, shown, _) = run(&here, &["scan", "--database", "a.db"]);
    assert_eq!((code, shown.contains("    1 package: the database holds no advisory of crates.io\n")), (Some(4), true), "{shown}");
    write(&here, "Cargo.lock", "[[package]]\nname = \"x\n");
    let (code, _, errors) = run(&here, &["scan", "--database", "a.db"]);
    assert_eq!((code, errors.contains("Cargo.lock:2: not what the format asks for")), (Some(4), true), "{errors}");

    write(&here, "broken.json", "{\"id\": ");
    let (code, _, errors) = run(&here, &["db", "update", "broken.json", "--database", "a.db"]);
    assert_eq!((code, errors.contains("broken.json: EOF")), (Some(4), true), "{errors}");
}
