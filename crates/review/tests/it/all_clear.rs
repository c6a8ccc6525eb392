//! Nothing is said to be in order that another rule reports, and no control counts that the plan does not show.

use bartizan_review::{Expectation, Review};

use crate::support::{CATALOGUE, review};

/// The threatened example of a rule's page with some of its text replaced, reviewed with all rules.
fn example(rule: &str, changes: &[(&str, &str)]) -> Review {
    let rule = &CATALOGUE.0.rules[rule];
    let example = rule.page.examples.iter().find(|example| example.expectation == Expectation::Threatened).unwrap();
    let mut code = example.code.clone();
    for (from, to) in changes {
        assert!(code.contains(from), "{from} is not in the example of {}", rule.id);
        code = code.replace(from, to);
    }
    review(&CATALOGUE.0, &[("main.tf", &code)])
}

fn in_order(review: &Review, rule: &str, address: &str) -> bool {
    review.in_order.iter().any(|good| good.rule == rule && good.checked.iter().any(|checked| checked.as_str() == address))
}

fn raised(review: &Review, rule: &str) -> bool {
    review.threats.iter().any(|threat| threat.rule == rule)
}

#[test]
fn one_environment_is_no_account_of_its_own() {
    let review = example("lambda-concurrency-drain", &[]);
    let threat = review.threats.iter().find(|threat| threat.rule == "lambda-concurrency-drain").unwrap();
    assert_eq!(threat.controls_present, Vec::<String>::new());
    assert_eq!(threat.residual_impact.value, threat.impact.value);
}

#[test]
fn who_holds_whole_services_is_in_order_nowhere() {
    let actions = r#"["ec2:*", "ssm:*", "secretsmanager:*", "kinesis:*", "logs:*"]"#;
    let review = example("compute-credential-theft", &[(r#"["secretsmanager:GetSecretValue"]"#, actions)]);
    assert!(raised(&review, "wildcard-grant"));
    for (rule, address) in [
        ("compute-credential-theft", "aws_instance.web"),
        ("iam-hijack-existing-compute", "aws_iam_role.web"),
        ("secret-overbroad-read", "aws_iam_role.web"),
        ("stream-eavesdrop", "aws_iam_role.web"),
        ("wildcard-grant", "aws_iam_role.web"),
    ] {
        assert!(!in_order(&review, rule, address), "{rule} says that {address} is in order");
    }
}

#[test]
fn who_holds_everything_holds_whole_services_too() {
    let review = example("compute-credential-theft", &[(r#"["secretsmanager:GetSecretValue"]"#, r#""*""#)]);
    assert!(raised(&review, "iam-admin-workload"));
    for rule in ["compute-credential-theft", "wildcard-grant", "iam-passrole-escalation", "iam-hijack-existing-compute"] {
        assert!(!in_order(&review, rule, "aws_iam_role.web") && !in_order(&review, rule, "aws_instance.web"), "{rule}");
    }
}

#[test]
fn a_right_beside_a_whole_service_is_raised_still() {
    let review =
        example("compute-credential-theft", &[("[\"secretsmanager:GetSecretValue\"]", "[\"ec2:*\", \"secretsmanager:GetSecretValue\"]")]);
    assert!(raised(&review, "wildcard-grant") && raised(&review, "compute-credential-theft") && raised(&review, "secret-overbroad-read"));
}

#[test]
fn a_table_whose_readers_read_every_table_is_not_in_order() {
    let any = "Resource = aws_dynamodb_table.orders.arn";
    let review = example("ddb-bulk-read", &[(any, "Resource = \"*\"")]);
    assert!(raised(&review, "wildcard-grant"));
    assert!(!in_order(&review, "ddb-bulk-read", "aws_dynamodb_table.orders"));
    let review = example("ddb-tenant-bypass", &[(any, "Resource = \"*\"")]);
    assert!(!in_order(&review, "ddb-tenant-bypass", "aws_dynamodb_table.orders"));
    let review = example("ddb-bulk-read", &[("dynamodb:*", "dynamodb:GetItem")]);
    assert!(in_order(&review, "ddb-bulk-read", "aws_dynamodb_table.orders"));
}
