use bartizan_model::{Address, Architecture, Workload};

use super::response;
use super::template::{Setting, render};
use crate::mitigations::tests::{catalogue, import, threat};
use crate::{Catalogue, Category, Facts, Policy, Recovery, Response, Threat};

fn respond(architecture: &Architecture, threats: &[Threat]) -> Response {
    response(architecture, &Facts::default(), threats, &catalogue(), &Policy::default())
}

fn store<'a>(response: &'a Response, address: &str) -> &'a Recovery {
    response.recovery.iter().find(|recovery| recovery.component.as_str() == address).unwrap()
}

const FUNCTION: &str = r#"
resource "aws_lambda_function" "pay" {
  function_name = "pay"
  role          = "arn:aws:iam::123456789012:role/pay"
  timeout       = 10
}

resource "aws_sns_topic" "ops" {
  name = "ops"
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "pay-errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 0
  dimensions = {
    FunctionName = aws_lambda_function.pay.function_name
  }
  alarm_actions = [aws_sns_topic.ops.arn]
}
"#;

#[test]
fn an_alarm_of_the_plan_covers_what_it_watches_and_the_rest_is_missing() {
    let architecture = import(FUNCTION);
    let response = respond(&architecture, &[]);
    let alarm = |signal: &str| response.alarms.iter().find(|alarm| alarm.signal == signal).unwrap();
    assert_eq!(alarm("AWS/Lambda Errors").covered_by, Some(Address::new("aws_cloudwatch_metric_alarm.errors")));
    let duration = alarm("AWS/Lambda Duration");
    assert_eq!(duration.covered_by, None);
    let code = &duration.fix.as_ref().unwrap().code;
    assert!(code.contains("threshold           = 8000\n"), "{code}");
    assert!(code.contains("extended_statistic  = \"p99\"\n"), "{code}");
    assert!(code.contains("FunctionName = aws_lambda_function.pay.function_name\n"), "{code}");
    assert!(code.contains("alarm_actions       = [aws_sns_topic.ops.arn]\n"), "{code}");
}

#[test]
fn every_alarm_fix_is_valid_hcl() {
    let architecture = import(FUNCTION);
    let response = respond(&architecture, &[]);
    for alarm in &response.alarms {
        if let Some(fix) = &alarm.fix {
            let parsed: Result<hcl_edit::structure::Body, _> = fix.code.parse();
            assert!(parsed.is_ok(), "{}\n{}", parsed.unwrap_err(), fix.code);
        }
    }
}

#[test]
fn a_dead_letter_queue_is_watched_for_any_message_and_another_for_age() {
    let architecture = import(
        r#"
resource "aws_sqs_queue" "orders" {
  name = "orders"
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.failed.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "failed" {
  name = "failed"
}
"#,
    );
    let response = respond(&architecture, &[]);
    let signals = |address: &str| -> Vec<&str> {
        response.alarms.iter().filter(|alarm| alarm.component.as_str() == address).map(|alarm| alarm.signal.as_str()).collect()
    };
    assert_eq!(signals("aws_sqs_queue.orders"), ["AWS/SQS ApproximateAgeOfOldestMessage"]);
    assert_eq!(signals("aws_sqs_queue.failed"), ["AWS/SQS ApproximateNumberOfMessagesVisible"]);
    assert!(store(&response, "aws_sqs_queue.failed").gaps.is_empty());
}

#[test]
fn the_trail_is_filtered_for_what_the_system_has() {
    let architecture = import(
        r#"
resource "aws_cloudtrail" "all" {
  name                       = "all"
  s3_bucket_name             = "logs"
  cloud_watch_logs_group_arn = "${aws_cloudwatch_log_group.trail.arn}:*"
}

resource "aws_cloudwatch_log_group" "trail" {
  name = "trail"
}

resource "aws_cloudwatch_log_metric_filter" "stop" {
  name           = "stop"
  log_group_name = aws_cloudwatch_log_group.trail.name
  pattern        = "{ ($.eventName = StopLogging) || ($.eventName = DeleteTrail) }"
  metric_transformation {
    name      = "stop"
    namespace = "trail"
    value     = "1"
  }
}
"#,
    );
    let response = respond(&architecture, &[]);
    let signals: Vec<&str> = response.alarms.iter().map(|alarm| alarm.signal.as_str()).collect();
    assert!(signals.contains(&"CloudTrail root-usage (CIS AWS 5.3 (7.0, 6.0))"), "{signals:?}");
    assert!(!signals.iter().any(|signal| signal.contains("s3-policy-changes")), "there is no bucket: {signals:?}");
    let stopped = response.alarms.iter().find(|alarm| alarm.signal.contains("cloudtrail-changes")).unwrap();
    assert_eq!(stopped.covered_by, Some(Address::new("aws_cloudwatch_log_group.trail")));
    let root = response.alarms.iter().find(|alarm| alarm.signal.contains("root-usage")).unwrap();
    assert!(root.fix.as_ref().unwrap().code.contains("log_group_name = aws_cloudwatch_log_group.trail.name"));
}

const DATABASE: &str = r#"
resource "aws_db_instance" "orders" {
  identifier              = "orders"
  engine                  = "mysql"
  multi_az                = true
  backup_retention_period = 7
}

resource "aws_db_instance" "scratch" {
  identifier          = "scratch"
  engine              = "mysql"
  skip_final_snapshot = true
}
"#;

#[test]
fn recovery_says_what_is_configured_and_where() {
    let architecture = import(DATABASE);
    let response = respond(&architecture, &[]);
    let orders = store(&response, "aws_db_instance.orders");
    assert_eq!(orders.rpo, "about 5 minutes (point-in-time recovery); when a zone fails: none (synchronous copy) (multi-AZ)");
    let lines: Vec<(u32, &str)> =
        orders.configured.iter().map(|evidence| (architecture.sources.start(evidence.span).line, evidence.text.as_str())).collect();
    assert!(lines.contains(&(6, "point-in-time recovery: automated backups, retention in days: 7")), "{lines:?}");
    let scratch = store(&response, "aws_db_instance.scratch");
    assert_eq!((scratch.rpo.as_str(), scratch.rto.as_str()), ("everything", "no way back"));
    assert!(scratch.gaps.iter().any(|gap| gap.contains("no automated backups")), "{:?}", scratch.gaps);
}

#[test]
fn declared_targets_are_compared_for_lost_data_and_for_a_lost_zone() {
    let mut architecture = import(DATABASE);
    let span = architecture.components[0].span.unwrap();
    architecture.declarations.workload.push(Workload {
        component: ("aws_db_instance.orders".to_owned(), span),
        requests_per_second: None,
        records: None,
        gigabytes: None,
        growth: None,
        rto_minutes: Some(60.0),
        rpo_minutes: Some(15.0),
    });
    let response = respond(&architecture, &[]);
    assert_eq!(
        store(&response, "aws_db_instance.orders").target.as_deref(),
        Some(
            "RPO of 15 minutes is met when data is lost (point-in-time recovery); met when a zone fails (multi-AZ). \
             RTO of 60 minutes is missed when data is lost: point-in-time recovery gives about 240 minutes; met when a zone fails (multi-AZ)"
        )
    );
    assert_eq!(store(&response, "aws_db_instance.scratch").target, None);
}

#[test]
fn a_runbook_names_what_the_threats_concern() {
    let architecture = import(
        "resource \"aws_s3_bucket\" \"cards\" {\n  bucket = \"shop-cards\"\n}\n\nresource \"aws_s3_bucket\" \"site\" {\n  bucket = \"shop-site\"\n}\n",
    );
    let response = respond(&architecture, &[threat("open", &["aws_s3_bucket.cards"], &[], 4, 4)]);
    let categories: Vec<&str> = response.runbooks.iter().map(|runbook| runbook.category.as_str()).collect();
    assert_eq!(categories, [Category::DataExfiltration.id()]);
    let body = &response.runbooks[0].body;
    assert!(body.contains("aws s3api put-public-access-block --bucket shop-cards "), "{body}");
    assert!(!body.contains("shop-site"), "only what the threats concern");
    assert!(!body.contains("{%") && !body.contains("{name}") && !body.contains("{threats}"), "{body}");
    assert!(!body.contains("aws dynamodb"), "there is no table");
    for phase in ["### Prepare", "### Detect", "### Respond: contain", "### Recover", "### Improve"] {
        assert!(body.contains(phase), "{phase}");
    }
}

#[test]
fn every_runbook_and_training_page_of_the_catalogue_is_sound() {
    let catalogue: Catalogue = catalogue();
    for category in Category::ALL {
        let template = &catalogue.documents[&format!("runbooks/{}.md", category.id())];
        let architecture = Architecture::default();
        let setting = Setting { architecture: &architecture, concerned: Vec::new(), values: Vec::new() };
        assert!(render(template, &setting).is_ok(), "{}: {:?}", category.id(), render(template, &setting));
    }
    for types in catalogue.documents.values().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix("{% each")) {
        let types = types.trim_start_matches("-any").trim_end_matches("%}");
        for name in types.split(',').map(str::trim).filter(|name| !name.starts_with("kubernetes.")) {
            assert!(catalogue.types.contains_key(name), "there is no type `{name}`");
        }
    }
    let audiences: Vec<&String> = catalogue.documents.keys().filter(|path| path.starts_with("training/")).collect();
    assert_eq!(audiences, ["training/developers.md", "training/operators.md"]);
}
