//! Scores add up from their terms, and no control makes anything worse.

use bartizan_review::{Review, Score, Threat};
use proptest::prelude::*;

use crate::small::{PAGE, UNVERSIONED, control, load, with_rule};
use crate::support::review;

fn bucket(body: &str) -> String {
    format!("resource \"aws_s3_bucket\" \"a\" {{\n  bucket = \"acme\"\n{body}}}\n")
}

fn scored(text: &str) -> Threat {
    let review: Review = review(&with_rule(UNVERSIONED).unwrap(), &[("main.tf", text)]);
    review.threats.into_iter().next().unwrap()
}

fn sum(score: &Score) -> u8 {
    let sum: f64 = score.terms.iter().map(|term| term.points).sum();
    (sum + 0.5).floor().clamp(1.0, 5.0) as u8
}

#[test]
fn every_score_is_the_sum_of_its_terms() {
    let threat = scored(&bucket("  object_lock_enabled = true\n  tags = { Environment = \"dev\" }\n"));
    for score in [&threat.likelihood, &threat.impact, &threat.residual_likelihood, &threat.residual_impact] {
        assert_eq!(score.value, sum(score), "{score:?}");
        assert!(score.terms.iter().all(|term| !term.text.is_empty()));
    }
}

#[test]
fn a_development_tag_lowers_the_impact_and_is_shown() {
    let threat = scored(&bucket("  tags = { Environment = \"dev\" }\n"));
    assert_eq!((threat.impact.value, scored(&bucket("")).impact.value), (3, 4));
    let term = threat.impact.terms.iter().find(|term| term.text.starts_with("development")).unwrap();
    assert_eq!(term.evidence[0].text, "the tag `Environment` is `dev`");
}

#[test]
fn a_control_that_the_plan_shows_lowers_the_residual_risk_only() {
    let (without, with) = (scored(&bucket("")), scored(&bucket("  object_lock_enabled = true\n")));
    assert_eq!(with.controls_present, ["locked"]);
    assert_eq!(with.controls, ["kept-elsewhere"]);
    assert_eq!(with.impact, without.impact);
    assert_eq!((without.residual_impact.value, with.residual_impact.value), (4, 2));
    assert!(with.severity < without.severity);
}

/// A catalogue whose rule names `n` controls, those at `present` shown.
fn residual(points: &[f64], n_present: usize) -> (u8, u8) {
    let ids: Vec<String> = (0..points.len()).map(|index| format!("c{index}")).collect();
    let mut files: Vec<(String, String)> = Vec::new();
    for (index, (id, points)) in ids.iter().zip(points).enumerate() {
        let shown = if index < n_present { "settings.versioning != 'Enabled'" } else { "settings.versioning == 'Enabled'" };
        let (path, text) = control(id, shown);
        files.push((path, text.replace("likelihood: 0, impact: 2", &format!("likelihood: {points}, impact: {}", 4.0 - points))));
    }
    let rule = UNVERSIONED.replace("kept-elsewhere, locked", &ids.join(", "));
    files.push(("threats/data-tampering/unversioned.yaml".to_owned(), rule));
    files.push(("threats/data-tampering/unversioned.md".to_owned(), PAGE.to_owned()));
    let review = review(&load(files).unwrap(), &[("main.tf", &bucket(""))]);
    let threat = &review.threats[0];
    (threat.residual_likelihood.value, threat.residual_impact.value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn one_more_control_never_raises_a_score(points in prop::collection::vec(0.0..4.0f64, 1..5)) {
        let rounded: Vec<f64> = points.iter().map(|points| (points * 2.0).round() / 2.0).collect();
        let mut last = (5, 5);
        for n_present in 0..=rounded.len() {
            let scores = residual(&rounded, n_present);
            prop_assert!(scores.0 <= last.0 && scores.1 <= last.1, "{scores:?} after {last:?}");
            last = scores;
        }
    }
}
