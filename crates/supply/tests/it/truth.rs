//! Comparison with what another matcher finds in small vulnerable projects, on request.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bartizan_model::Sources;
use bartizan_supply::load::{import_path, scan_path};
use bartizan_supply::matching::find;
use bartizan_supply::purl::package_url;
use bartizan_supply::{Builder, Database, Origin, SkipReason};
use serde_json::Value;

/// The packages of every project of the folder that `BARTIZAN_SUPPLY_TRUTH` names equal those of its `expected.json`.
///
/// Known differences: npm's root package and PHP's packages for development, which the others leave out.
#[test]
#[ignore = "needs projects with what another scanner found in them: set BARTIZAN_SUPPLY_TRUTH"]
fn packages_equal_those_of_the_truth() {
    let folder = std::env::var("BARTIZAN_SUPPLY_TRUTH").expect("BARTIZAN_SUPPLY_TRUTH names no folder");
    let expected: Value = serde_json::from_str(&fs::read_to_string(Path::new(&folder).join("expected.json")).unwrap()).unwrap();
    for (project, of) in expected.as_object().unwrap() {
        let mut sources = Sources::default();
        let found = scan_path(&Path::new(&folder).join(project), &mut sources).unwrap();
        let wanted: BTreeSet<String> =
            of.get("packages").and_then(Value::as_array).unwrap().iter().map(|url| url.as_str().unwrap().to_owned()).collect();
        let named = |package: &&bartizan_supply::Package| wanted.contains(&package_url(package).unwrap().to_string());
        let ours: BTreeSet<String> = found.packages.iter().map(|package| package_url(package).unwrap().to_string()).collect();
        let missing: Vec<&String> = wanted.difference(&ours).collect();
        let more: Vec<&str> = found
            .packages
            .iter()
            .filter(|package| !named(package) && package.origin == Origin::Registry && !package.is_development)
            .map(|package| package.name.as_str())
            .collect();
        println!(
            "{project}: {} packages, {} expected, {} development",
            ours.len(),
            wanted.len(),
            found.packages.iter().filter(|package| package.is_development).count()
        );
        assert!(missing.is_empty() && more.is_empty(), "{project}: missing {missing:?}, more {more:?}");
        assert!(found.skipped.iter().all(|skipped| skipped.reason != SkipReason::Malformed), "{:?}", found.skipped);
    }
}

/// Triples that the other scanner does not give, though the advisory's text does.
const MORE: &[(&str, &str)] = &[("go", "GO-2026-5932")];

/// Given the advisories in the folders that `BARTIZAN_ADVISORIES` names (separated by `:`), every project has exactly the triples of `expected.json`, and those of [`MORE`]: that
/// advisory says `introduced: 0` and nothing else, so every version is affected.
#[test]
#[ignore = "needs projects with what another scanner found in them, and its advisories: set BARTIZAN_SUPPLY_TRUTH and BARTIZAN_ADVISORIES"]
fn vulnerabilities_equal_those_of_the_truth() {
    let folder = std::env::var("BARTIZAN_SUPPLY_TRUTH").expect("BARTIZAN_SUPPLY_TRUTH names no folder");
    let advisories = std::env::var("BARTIZAN_ADVISORIES").expect("BARTIZAN_ADVISORIES names no folders");
    let mut builder = Builder::default();
    for path in advisories.split(':') {
        import_path(Path::new(path), &mut builder).unwrap();
    }
    println!("{:#?}", builder.report);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("truth.advisories");
    builder.write(&file).unwrap();
    let mut database = Database::open(&file).unwrap();
    let expected: Value = serde_json::from_str(&fs::read_to_string(Path::new(&folder).join("expected.json")).unwrap()).unwrap();
    let mut differences = Vec::new();
    for (project, of) in expected.as_object().unwrap() {
        let found = scan_path(&Path::new(&folder).join(project), &mut Sources::default()).unwrap();
        let matches = find(&mut database, &found.packages).unwrap();
        let mut ours = BTreeSet::new();
        for vulnerability in &matches.vulnerabilities {
            let package = &found.packages[vulnerability.package];
            if !package.is_development || project != "php" {
                ours.extend(
                    vulnerability
                        .advisories
                        .iter()
                        .map(|advisory| (advisory.id.clone(), package.name.to_lowercase(), package.version.clone())),
                );
            }
        }
        let texts = |triple: &Value| triple.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let wanted: BTreeSet<(String, String, String)> = of
            .get("vulnerabilities")
            .and_then(Value::as_array)
            .unwrap()
            .iter()
            .map(texts)
            .map(|triple| (triple[0].clone(), triple[1].to_lowercase(), triple[2].clone()))
            .collect();
        println!("{project}: {} triples, {} vulnerabilities, {} expected", ours.len(), matches.vulnerabilities.len(), wanted.len());
        differences.extend(wanted.difference(&ours).map(|triple| format!("{project}: missing {triple:?}")));
        let explained = |triple: &&(String, String, String)| MORE.contains(&(project.as_str(), triple.0.as_str()));
        differences
            .extend(ours.difference(&wanted).filter(|triple| !explained(triple)).map(|triple| format!("{project}: more {triple:?}")));
    }
    assert!(differences.is_empty(), "{differences:#?}");
}
