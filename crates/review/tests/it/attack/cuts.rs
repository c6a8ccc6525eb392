//! Evidence lies in the files, what is said to end a path ends it when the text is changed so, and what weighs most comes first.

use bartizan_review::{Goal, Review};

use super::{admin_role, allow, joined, plan, service, trust, user};
use crate::support::{CATALOGUE, review};

/// Every step of every path of a review, from every entry and every principal.
fn steps_have_evidence(review: &Review) -> usize {
    let everything = Goal::Components(review.architecture.components.keys().cloned().collect());
    let mut paths = review.attack.paths(None, &everything);
    paths.extend(review.attack.paths(None, &Goal::Admin));
    paths.extend(review.attack.access().iter().filter_map(|access| access.path.clone()));
    paths.extend(review.attack_paths.iter().cloned());
    for path in &paths {
        assert!(!path.steps.is_empty());
        for step in &path.steps {
            // A workload has its own configuration by itself.
            assert!(!step.evidence.is_empty() || step.technique == "own-configuration", "{} of {}: {step:#?}", step.technique, path.id);
            for item in &step.evidence {
                let text = review.architecture.sources.excerpt(item.span);
                assert!(!text.trim().is_empty() && !item.text.is_empty(), "{step:#?}");
            }
        }
    }
    paths.len()
}

#[test]
fn every_step_of_every_path_shows_where_it_comes_from() {
    let example = crate::support::folder("orders-platform");
    let files: Vec<(&str, &str)> = example.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert!(steps_have_evidence(&review(&CATALOGUE.0, &files)) > 20);
    let escalating = [
        user("builder", &[allow("lambda:* iam:PassRole", "*")]),
        user("raiser", &[allow("iam:PutUserPolicy", "*")]),
        admin_role(&service("lambda")),
        super::role("open", &trust("AWS = \"*\""), &[allow("iam:PutRolePolicy", "*")]),
    ];
    assert!(steps_have_evidence(&plan(&joined(&escalating))) > 3);
}

const OUTSIDE: &str = "aws:account/210987654321";

fn outside() -> String {
    trust("AWS = \"arn:aws:iam::210987654321:root\"")
}

/// Restricted data that an outside account reads by a role of one statement.
const DATA: &str = "data:\n  - name: ledger\n    confidentiality: restricted\n    integrity: low\n    availability: low\n    stored_in: [aws_s3_bucket.ledger]\n";

fn with_data(text: &str) -> Review {
    review(&CATALOGUE.0, &[("main.tf", text), ("bartizan.yaml", DATA)])
}

/// The best likelihood of a review's paths from one place to another.
fn best(review: &Review, from: &str, to: &str) -> f64 {
    review.attack_paths.iter().filter(|path| path.from == from && path.to == to).map(|path| path.likelihood).fold(0.0, f64::max)
}

#[test]
fn a_cut_that_is_told_leaves_what_it_says_when_the_text_is_changed() {
    let bucket = "resource \"aws_s3_bucket\" \"ledger\" {\n  bucket = \"ledger\"\n}\n".to_owned();
    let reader = super::role("reader", &outside(), &[allow("s3:GetObject", "aws_s3_bucket.ledger.arn/*")])
        .replace("aws_s3_bucket.ledger.arn/*", "\"${aws_s3_bucket.ledger.arn}/*\"");
    for (text, to) in [(admin_role(&outside()), "admin"), (joined(&[reader, bucket]), "aws_s3_bucket.ledger")] {
        let before = with_data(&text);
        let path = before.attack_paths.iter().find(|path| path.from == OUTSIDE && path.to == to).unwrap();
        assert!(!path.cuts.is_empty(), "{path:#?}");
        for cut in &path.cuts {
            // What stands there, an action or a principal, is taken away.
            let span = cut.evidence[0].span;
            let changed = format!("{}[]{}", &text[..span.start as usize], &text[span.end as usize..]);
            let left = best(&with_data(&changed), OUTSIDE, to);
            assert!(left < path.likelihood, "{}: {left} of {}\n{changed}", cut.text, path.likelihood);
            assert!((left - cut.likelihood).abs() < 1e-9, "{}: told {}, is {left}\n{changed}", cut.text, cut.likelihood);
        }
    }
}

#[test]
fn what_leaves_another_way_open_is_no_cut() {
    let two = |second: &str| plan(&joined(&[admin_role(&outside()), super::role("second", &outside(), &[allow(second, "*")])]));
    let cuts = |review: &Review| {
        let path = review.attack_paths.iter().find(|path| path.from == OUTSIDE && path.to == "admin").unwrap();
        path.cuts.len()
    };
    assert_eq!(cuts(&two("*")), 0);
    assert!(cuts(&two("s3:ListBucket")) > 0);
}

/// Two buckets that everyone reads, with the confidentiality of what each holds.
fn open_buckets(classes: [&str; 2]) -> Review {
    let mut text = String::new();
    let mut data = "data:\n".to_owned();
    for (name, class) in ["first", "second"].iter().zip(classes) {
        text.push_str(&format!(
            "resource \"aws_s3_bucket\" \"{name}\" {{\n  bucket = \"{name}\"\n}}\n\
             resource \"aws_s3_bucket_policy\" \"{name}\" {{\n  bucket = aws_s3_bucket.{name}.id\n  policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", Principal = \"*\", Action = \"s3:GetObject\", Resource = \"${{aws_s3_bucket.{name}.arn}}/*\" }}] }})\n}}\n\
             resource \"aws_s3_bucket_public_access_block\" \"{name}\" {{\n  bucket = aws_s3_bucket.{name}.id\n  block_public_policy = false\n  restrict_public_buckets = false\n}}\n"
        ));
        data.push_str(&format!(
            "  - name: {name}\n    confidentiality: {class}\n    integrity: low\n    availability: low\n    stored_in: [aws_s3_bucket.{name}]\n"
        ));
    }
    review(&CATALOGUE.0, &[("main.tf", &text), ("bartizan.yaml", &data)])
}

#[test]
fn of_paths_that_are_as_likely_the_worthier_goal_is_told_first() {
    for (classes, first) in
        [(["restricted", "confidential"], "aws_s3_bucket.first"), (["confidential", "restricted"], "aws_s3_bucket.second")]
    {
        let review = open_buckets(classes);
        let to: Vec<(&str, &str)> = review.attack_paths.iter().map(|path| (path.from.as_str(), path.to.as_str())).collect();
        // What needs no account is told once, from the internet.
        assert_eq!(to.len(), 2, "{to:?}");
        assert_eq!(to[0], ("internet", first), "{to:?}");
        assert_eq!(review.attack_paths[0].likelihood, review.attack_paths[1].likelihood);
    }
}

#[test]
fn a_parameter_in_the_clear_is_no_secret_unless_its_name_says_so() {
    let holds = |name: &str, kind: &str| {
        let text =
            format!("resource \"aws_ssm_parameter\" \"it\" {{\n  name = \"/shop/{name}\"\n  type = \"{kind}\"\n  value = \"a\"\n}}\n");
        let review = super::plan(&text);
        review.architecture.assets.iter().any(|asset| asset.stored_in.iter().any(|store| store.as_str() == "aws_ssm_parameter.it"))
    };
    assert!(!holds("theme", "String"));
    assert!(holds("theme", "SecureString"));
    assert!(holds("db-password", "String"));
}
