//! Packages and advisories on the command line: what is found, what is not judged, and the exit codes of both.

use std::path::Path;

use super::{bartizan, folder, text};

pub(crate) const ADVISORY: &str = r#"{"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-1"], "summary": "A request may read any file",
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

#[test]
fn statements_close_vulnerabilities_and_documents_are_the_same_for_the_same_scan() {
    let here = folder("scan-vex");
    write(&here, "advisory.json", ADVISORY);
    write(&here, "requirements.txt", "webframe==2.0\n");
    assert_eq!(run(&here, &["db", "update", "advisory.json", "--database", "a.db"]).0, Some(0));
    let (code, document, _) =
        run(&here, &["scan", "--database", "a.db", "--format", "openvex", "--timestamp", "2026-11-28T10:00:00+02:00"]);
    assert_eq!(code, Some(1));
    assert!(document.contains("\"timestamp\": \"2026-11-28T08:00:00Z\"") && document.contains("\"under_investigation\""), "{document}");
    let edited = document
        .replace("\"status\": \"under_investigation\"", "\"status\": \"not_affected\", \"justification\": \"vulnerable_code_not_present\"")
        .replace("\"status_notes\": \"mended in 2.1\"", "\"impact_statement\": \"the parser is cut out\"");
    write(&here, "vex.json", &edited);
    let (code, shown, _) = run(&here, &["scan", "requirements.txt", "--database", "a.db", "--vex", "vex.json"]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown
            .contains("closed  CVE-2026-1  webframe 2.0, not affected (vulnerable_code_not_present): the parser is cut out\n    vex.json:"),
        "{shown}"
    );
    assert!(shown.contains("no known vulnerability in 1 package in 1 file; 1 not affected by VEX\n"), "{shown}");
    assert_eq!(run(&here, &["scan", "requirements.txt", "--database", "a.db", "--vex", "advisory.json"]).0, Some(1));
    assert_eq!(run(&here, &["scan", "requirements.txt", "--database", "a.db", "--vex", "vex.json", "none.json"]).0, Some(4));

    for (format, mark) in [("cyclonedx", "\"line\": 1"), ("spdx", "\"read from requirements.txt:1\""), ("spdx3", "VexNotAffected")] {
        let scan = || run(&here, &["scan", "requirements.txt", "--database", "a.db", "--format", format, "--vex", "vex.json"]);
        let (code, bill, _) = scan();
        assert_eq!((code, &bill), (Some(0), &scan().1));
        assert!(bill.contains(mark), "{bill}");
        write(&here, "bill.json", &bill);
        let (code, shown, _) = run(&here, &["scan", "bill.json", "--database", "a.db"]);
        assert_eq!(code, Some(1), "a bill is scanned as the files that it was made from: {shown}");
        assert!(shown.contains("CVE-2026-1  webframe 2.0, mended in 2.1"), "{shown}");
    }
    let (code, _, errors) = run(&here, &["scan", "--database", "a.db", "--format", "spdx", "--timestamp", "noon"]);
    assert_eq!((code, errors.contains("`noon` is no time")), (Some(2), true), "{errors}");
}

#[test]
fn results_of_other_tools_join_ours_and_unreadable_ones_have_their_exit_code() {
    let here = folder("scan-results");
    write(&here, "advisory.json", ADVISORY);
    write(&here, "requirements.txt", "webframe==2.0\n");
    assert_eq!(run(&here, &["db", "update", "advisory.json", "--database", "a.db"]).0, Some(0));
    write(
        &here,
        "pip.json",
        r#"{"dependencies": [{"name": "webframe", "version": "2.0", "vulns": [{"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.1"], "description": "x"}]}], "fixes": []}"#,
    );
    write(
        &here,
        "lint.sarif",
        r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "lint"}}, "results": [{"ruleId": "no-eval", "level": "warning", "message": {"text": "eval is used"},
          "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.js"}, "region": {"startLine": 7}}}]}]}]}"#,
    );
    let scan = |more: &[&str]| run(&here, &[&["scan", "requirements.txt", "--database", "a.db", "--results"], more].concat());
    let (code, shown, _) = scan(&["pip.json", "lint.sarif"]);
    assert_eq!(code, Some(1));
    assert!(shown.contains("medium  CVE-2026-1  webframe 2.0, mended in 2.1, reported by pip-audit\n"), "{shown}");
    assert!(
        shown.contains("1 vulnerability in 1 of 1 package in 1 file: 1 medium; 1 finding of other tools that name no package\n"),
        "{shown}"
    );
    let (_, json, _) = scan(&["pip.json", "lint.sarif", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json.pointer("/findings/0/line"), Some(&serde_json::json!(7)));
    assert_eq!(json.pointer("/vulnerabilities/0/names"), Some(&serde_json::json!(["CVE-2026-1", "GHSA-aaaa-bbbb-cccc", "PYSEC-2026-1"])));
    let schema: serde_json::Value = serde_json::from_str(&run(&here, &["schema", "scan"]).1).expect("a schema");
    assert!(jsonschema::is_valid(&schema, &json));
    let (code, _, errors) = scan(&["advisory.json", "--fail-on", "high"]);
    assert_eq!((code, errors.contains("advisory.json:1: results of no tool that is known here")), (Some(4), true), "{errors}");
}

#[test]
fn what_a_dockerfile_says_belongs_to_the_workload_that_runs_its_image() {
    let here = folder("dockerfile");
    let container = |name: &str| format!("        - name: {name}\n          image: registry.example.com/shop/{name}:1.2\n");
    let manifest = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: orders\nspec:\n  selector:\n    matchLabels: {{app: orders}}\n  template:\n    metadata:\n      labels: {{app: orders}}\n    spec:\n      containers:\n{}",
        container("orders")
    );
    for folder in ["k8s", "src/orders", "src/stock"] {
        std::fs::create_dir_all(here.join(folder)).expect("a folder");
    }
    write(&here, "k8s/orders.yaml", &manifest);
    write(&here, "src/orders/Dockerfile", "FROM python:3.13\nENV DB_PASSWORD=kestrel-44\nUSER root\n");
    write(&here, "src/stock/Dockerfile", "FROM node\nENV DB_PASSWORD=kestrel-44\n");
    let review = |arguments: &[&str]| -> Vec<String> {
        let (_, json, _) = run(&here, &[&["review", "."], arguments, &["--format", "json"]].concat());
        let review: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let shown = |threat: &serde_json::Value| {
            let of = |pointer: &str| threat.pointer(pointer).map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
            let parts = [of("/rule"), of("/evidence/0/file"), of("/evidence/0/line")];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        let threats = review["threats"].as_array().expect("threats");
        let mut shown: Vec<String> = threats.iter().map(shown).filter(|shown| shown.contains("Dockerfile")).collect();
        shown.sort();
        shown
    };
    let expected = ["container-root src/orders/Dockerfile 3", "image-secret src/orders/Dockerfile 2"];
    assert_eq!(review(&[]), expected);
    // The scan of packages reads Dockerfiles too, each once.
    write(&here, "advisory.json", ADVISORY);
    assert_eq!(run(&here, &["db", "update", "advisory.json", "--database", "a.db"]).0, Some(0));
    assert_eq!(review(&["--database", "a.db"]), expected);
}

#[test]
fn a_package_that_a_change_brings_to_a_workload_is_a_new_threat() {
    let here = folder("diff-packages");
    write(&here, "advisory.json", ADVISORY);
    assert_eq!(run(&here, &["db", "update", "advisory.json", "--database", "a.db"]).0, Some(0));
    let plan = "resource \"aws_lambda_function\" \"mail\" {\n  function_name = \"mail\"\n  role = \"arn:aws:iam::111122223333:role/mail\"\n  filename = \"mail/build.zip\"\n  handler = \"a.b\"\n  runtime = \"python3.13\"\n}\n";
    for (state, version) in [("before", "2.1"), ("after", "2.0")] {
        std::fs::create_dir_all(here.join(state).join("mail")).expect("a folder");
        write(&here, &format!("{state}/main.tf"), plan);
        write(&here, &format!("{state}/mail/requirements.txt"), &format!("webframe=={version}\n"));
    }
    let (code, shown, errors) = run(&here, &["diff", "./before", "./after", "--database", "a.db", "--fail-on", "low"]);
    assert_eq!((code, shown.contains("webframe 2.0 with CVE-2026-1")), (Some(1), true), "{shown}{errors}");
    let (code, shown, errors) = run(&here, &["diff", "./before", "./before", "--database", "a.db", "--fail-on", "low"]);
    assert_eq!((code, shown.contains("webframe")), (Some(0), false), "{shown}{errors}");
}

#[test]
fn the_examples_of_the_catalogue_hold_for_whoever_runs_them() {
    let here = folder("examples");
    for part in ["dependency", "image-", "container-root", "k8s-untrusted"] {
        let (code, shown, errors) = run(&here, &["rules", "test", part]);
        assert_eq!(code, Some(0), "{shown}{errors}");
    }
}

#[test]
fn what_strangers_write_does_not_steer_the_terminal() {
    let here = folder("scan-control");
    write(&here, "advisory.json", &ADVISORY.replace("A request", "A \\u001b[2Jrequest"));
    write(&here, "requirements.txt", "WebFrame==2.0\n");
    assert_eq!(run(&here, &["db", "update", "advisory.json", "--database", "a.db"]).0, Some(0));
    let (code, shown, _) = run(&here, &["scan", "--database", "a.db"]);
    assert_eq!((code, shown.contains("A ?[2Jrequest may read any file")), (Some(1), true), "{shown}");
    // JSON keeps what was written.
    assert!(run(&here, &["scan", "--database", "a.db", "--format", "json"]).1.contains("A \\u001b[2Jrequest"));
    let missing = "error: cannot read `nothing`: No such file or directory (os error 2)\n";
    assert_eq!(run(&here, &["scan", "--database", "a.db", "nothing"]), (Some(2), String::new(), missing.to_owned()));
}
