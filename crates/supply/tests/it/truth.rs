//! Comparison with what another matcher finds in small vulnerable projects, on request.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bartizan_model::Sources;
use bartizan_supply::load::scan_path;
use bartizan_supply::purl::package_url;
use bartizan_supply::{Origin, SkipReason};
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
