//! The example whose weaknesses were repaired: nothing leads to administrator rights, and nothing to data without a flaw in its own workload.

use std::collections::BTreeSet;

use bartizan_review::{Goal, Severity, Standing, Status};

use crate::support::{CATALOGUE, folder, review};

#[test]
fn no_path_needs_no_flaw_and_every_flaw_leads_to_what_its_workload_handles() {
    let files = folder("orders-platform-hardened");
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let review = review(&CATALOGUE.0, &files);
    let escalating = review.attack.access().iter().filter(|access| access.escalates != Standing::No);
    assert_eq!(escalating.map(|access| access.address.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(review.attack.paths(None, &Goal::Admin).is_empty());
    assert!(review.attack.paths(Some("internet"), &Goal::Admin).is_empty());
    let mut ends = BTreeSet::new();
    for path in &review.attack_paths {
        assert!(path.steps[0].assumption, "{path:#?}");
        ends.insert((path.steps[0].to.as_str(), path.to.as_str()));
    }
    let meant = BTreeSet::from([
        ("aws_lambda_function.exporter", "aws_s3_bucket.exports"),
        ("aws_lambda_function.notifier", "aws_secretsmanager_secret.mail"),
        ("aws_lambda_function.partner_orders", "aws_dynamodb_table.orders"),
        ("aws_lambda_function.partner_orders", "aws_sqs_queue.payments"),
        ("aws_lambda_function.projector", "aws_kinesis_stream.order_changes"),
        ("shop/Deployment/customers-api", "aws_db_instance.customers"),
    ]);
    assert_eq!(ends, meant);
    let grave = review.threats.iter().filter(|threat| threat.status == Status::Open && threat.severity >= Severity::High);
    assert_eq!(grave.map(|threat| threat.message.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
}
