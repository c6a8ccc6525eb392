//! The test suite of package-url/purl-spec, on request.

use std::fs;
use std::path::Path;

use bartizan_supply::purl::PackageUrl;
use serde_json::Value;

/// Cases that no program can pass: the suite also asks for the canonical form of the very same text, keys in lower case.
const CONTRADICTORY: &[&str] =
    &["pkg:gem/jruby-launcher@1.1.2?Platform=java", "pkg:Rpm/fedora/curl@7.50.3-1.fc25?Arch=i386&Distro=fedora-25"];

/// Parses, builds and round-trips every case of the suite whose folder `BARTIZAN_PURL_SUITE` names (`tests` of purl-spec).
#[test]
#[ignore = "needs purl-spec's test suite: set BARTIZAN_PURL_SUITE"]
fn the_suite_passes_whole() {
    let folder = std::env::var("BARTIZAN_PURL_SUITE").expect("BARTIZAN_PURL_SUITE names no folder");
    let mut files = Vec::new();
    for below in ["spec", "types"] {
        for entry in fs::read_dir(Path::new(&folder).join(below)).unwrap() {
            files.push(entry.unwrap().path());
        }
    }
    files.sort();
    let (mut n, mut wrong) = (0, Vec::new());
    for file in files {
        let suite: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for case in suite.get("tests").and_then(Value::as_array).unwrap() {
            n += 1;
            let must_fail = case.get("expected_failure").and_then(Value::as_bool).unwrap_or(false);
            if must_fail && CONTRADICTORY.iter().any(|text| case.get("input").and_then(Value::as_str) == Some(text)) {
                continue;
            }
            if let Err(error) = check(case) {
                wrong.push(format!("{}: {error}: {case}", file.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    println!("{n} cases, {} differ", wrong.len());
    assert!(n > 400 && wrong.is_empty(), "{} of {n} differ: {wrong:#?}", wrong.len());
}

fn check(case: &Value) -> Result<(), String> {
    let input = case.get("input").ok_or("no case")?;
    let expected = case.get("expected_output").unwrap_or(&Value::Null);
    let must_fail = case.get("expected_failure").and_then(Value::as_bool).unwrap_or(false);
    let url = match input {
        Value::String(text) => text.parse::<PackageUrl>().map_err(|error| error.to_string()),
        components => build(components),
    };
    let url = match (url, must_fail) {
        (Err(_), true) => return Ok(()),
        (Ok(url), true) => return Err(format!("read as {url}")),
        (Err(error), false) => return Err(error),
        (Ok(url), false) => url,
    };
    let found = match expected {
        Value::String(_) => Value::String(url.to_string()),
        _ => components(&url),
    };
    if found == *expected { Ok(()) } else { Err(format!("is {found}")) }
}

fn build(of: &Value) -> Result<PackageUrl, String> {
    let text = |key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let qualifiers = of.get("qualifiers").and_then(Value::as_object).into_iter().flatten();
    let url = PackageUrl {
        kind: text("type").unwrap_or_default(),
        namespace: text("namespace"),
        name: text("name").unwrap_or_default(),
        version: text("version"),
        qualifiers: qualifiers.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect(),
        subpath: text("subpath"),
    };
    url.canonical().map_err(|error| error.to_string())
}

fn components(url: &PackageUrl) -> Value {
    let qualifiers: serde_json::Map<String, Value> =
        url.qualifiers.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    serde_json::json!({
        "type": url.kind, "namespace": url.namespace, "name": url.name, "version": url.version,
        "qualifiers": if qualifiers.is_empty() { Value::Null } else { Value::Object(qualifiers) }, "subpath": url.subpath,
    })
}
