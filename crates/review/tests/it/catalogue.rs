//! The catalogue as a whole is sound.

use crate::support::CATALOGUE;

#[test]
fn the_catalogue_loads_without_a_mistake() {
    let errors: Vec<String> = CATALOGUE.1.iter().map(|error| format!("catalogue/{error}")).collect();
    assert!(errors.is_empty(), "{} mistakes:\n{}", errors.len(), errors.join("\n"));
}

#[test]
fn severity_is_worst_at_the_top_and_least_at_the_bottom() {
    let risk = &CATALOGUE.0.risk;
    assert_eq!(risk.severity(5, 5).id(), "critical");
    assert_eq!(risk.severity(1, 1).id(), "info");
    assert_eq!(risk.severity(1, 5).id(), "low", "what is ruinous is never below low");
}
