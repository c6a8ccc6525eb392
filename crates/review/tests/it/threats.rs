//! Threats, questions and what is in order, over real Terraform text.

use bartizan_review::{Review, Status, Threat};

use crate::small::{UNVERSIONED, with_rule};
use crate::support::{CATALOGUE, review};

const BUCKET: &str = "resource \"aws_s3_bucket\" \"NAME\" {\n  bucket = \"acme-NAME\"\n}\n";

fn bucket(name: &str) -> String {
    BUCKET.replace("NAME", name)
}

fn of(rule: &str, files: &[(&str, &str)]) -> Review {
    review(&with_rule(rule).unwrap(), files)
}

fn ids(review: &Review) -> Vec<&str> {
    review.threats.iter().map(|threat| threat.id.as_str()).collect()
}

fn targets(threat: &Threat) -> Vec<&str> {
    threat.targets.iter().map(bartizan_model::Address::as_str).collect()
}

#[test]
fn another_bucket_changes_no_id() {
    let one = of(UNVERSIONED, &[("main.tf", &bucket("a"))]);
    let two = of(UNVERSIONED, &[("main.tf", &(bucket("b") + "\n" + &bucket("a")))]);
    assert_eq!(one.threats.len(), 1);
    assert_eq!(two.threats.len(), 2);
    assert!(ids(&two).contains(&ids(&one)[0]));
}

#[test]
fn instances_of_one_block_are_one_threat() {
    let text = "resource \"aws_s3_bucket\" \"a\" {\n  for_each = toset([\"x\", \"y\"])\n  bucket = each.key\n}\n";
    let review = of(UNVERSIONED, &[("main.tf", text)]);
    assert_eq!(review.threats.len(), 1);
    assert_eq!(targets(&review.threats[0]), ["aws_s3_bucket.a[\"x\"]", "aws_s3_bucket.a[\"y\"]"]);
}

#[test]
fn a_module_that_is_called_twice_has_one_cause_and_the_same_id_as_called_once() {
    let module = ("modules/store/main.tf", &*bucket("a"));
    let once = of(UNVERSIONED, &[("main.tf", "module \"one\" {\n  source = \"./modules/store\"\n}\n"), module]);
    let twice = of(
        UNVERSIONED,
        &[
            ("main.tf", "module \"one\" {\n  source = \"./modules/store\"\n}\nmodule \"two\" {\n  source = \"./modules/store\"\n}\n"),
            module,
        ],
    );
    assert_eq!(targets(&twice.threats[0]), ["module.one.aws_s3_bucket.a", "module.two.aws_s3_bucket.a"]);
    assert_eq!(ids(&once), ids(&twice));
}

fn versioned_by(name: &str) -> String {
    format!(
        "{}resource \"aws_s3_bucket_versioning\" \"{name}\" {{\n  bucket = aws_s3_bucket.{name}.id\n  versioning_configuration {{\n    status = var.status\n  }}\n}}\n",
        bucket(name)
    )
}

#[test]
fn a_module_from_elsewhere_is_mended_at_each_call() {
    let module = (".terraform/modules/one/main.tf", &*bucket("a"));
    let manifest = r#"{"Modules":[{"Key":"one","Source":"acme/store/aws","Dir":".terraform/modules/one"},{"Key":"two","Source":"acme/store/aws","Dir":".terraform/modules/one"}]}"#;
    let calls = "module \"one\" {\n  source = \"acme/store/aws\"\n}\nmodule \"two\" {\n  source = \"acme/store/aws\"\n}\n";
    let review = of(UNVERSIONED, &[("main.tf", calls), module, (".terraform/modules/modules.json", manifest)]);
    assert_eq!(review.threats.len(), 2, "{:?}", review.architecture.components.keys());
}

#[test]
fn what_is_unknown_is_asked_for_and_the_answer_decides() {
    let text = format!("variable \"status\" {{\n  type = string\n}}\n{}", versioned_by("a"));
    let asked = of(UNVERSIONED, &[("main.tf", &text)]);
    assert!(asked.threats.is_empty() && asked.in_order.is_empty());
    assert_eq!(asked.questions.len(), 1);
    let question = &asked.questions[0];
    assert_eq!(question.setting.as_deref(), Some("versioning"));
    assert_eq!(question.decides, ["unversioned"]);
    assert!(question.text.contains("`acme-a`"), "{}", question.text);
}

#[test]
fn a_module_of_two_stacks_has_one_cause() {
    let module = ("modules/store/main.tf", &*bucket("a"));
    let call = "module \"one\" {\n  source = \"../../modules/store\"\n}\n";
    let review = of(UNVERSIONED, &[("envs/prod/main.tf", call), ("envs/live/main.tf", call), module]);
    assert_eq!(review.threats.len(), 1, "{:?}", ids(&review));
    assert_eq!(targets(&review.threats[0]), ["envs/live:module.one.aws_s3_bucket.a", "envs/prod:module.one.aws_s3_bucket.a"]);
}

#[test]
fn what_is_good_is_listed_with_its_line() {
    let text = versioned_by("a").replace("var.status", "\"Enabled\"");
    let review = of(UNVERSIONED, &[("main.tf", &text)]);
    assert!(review.threats.is_empty());
    assert_eq!(review.in_order[0].because, "versions are kept");
    let line = review.architecture.sources.start(review.in_order[0].evidence[0].span).line;
    assert_eq!(line, 7);
}

#[test]
fn a_rule_on_the_system_is_judged_once() {
    let rule = UNVERSIONED
        .replace("on: component", "on: system")
        .replace("types: [s3.bucket]\n", "")
        .replace("settings.versioning != 'Enabled'", "system.types['s3.bucket'] != null && system.types['kms.key'] == null")
        .replace("evidence: [settings.versioning]\n", "")
        .replace("`{name}` keeps no versions", "{system.types['s3.bucket']} buckets and no key");
    let review = of(&rule, &[("main.tf", &(bucket("a") + &bucket("b")))]);
    assert_eq!(review.threats.len(), 1);
    assert_eq!(review.threats[0].message, "2 buckets and no key");
    assert!(review.threats[0].targets.is_empty());
}

#[test]
fn a_disabled_rule_says_nothing() {
    let catalogue = with_rule(UNVERSIONED).unwrap();
    let architecture = of(UNVERSIONED, &[("main.tf", &bucket("a"))]).architecture;
    let policy = bartizan_review::Policy { disabled_rules: vec!["unversioned".to_owned()], ..Default::default() };
    let review = bartizan_review::review(architecture, &catalogue, &policy);
    assert!(review.threats.is_empty() && review.in_order.is_empty());
}

mod decided {
    use bartizan_model::{Answer, Decision, DecisionKind, FileId, Node, Span};

    use super::*;

    fn decide(threat: &str, until: Option<&str>) -> Review {
        let catalogue = with_rule(UNVERSIONED).unwrap();
        let mut architecture = of(UNVERSIONED, &[("main.tf", &(bucket("a") + &bucket("b")))]).architecture;
        architecture.declarations.decisions.push(Decision {
            threat: threat.to_owned(),
            kind: DecisionKind::Accept,
            by: "Ann".to_owned(),
            why: "it is a cache".to_owned(),
            until: until.map(str::to_owned),
            span: Span { file: FileId(0), start: 0, end: 1 },
        });
        let policy = bartizan_review::Policy { today: Some("2026-11-24".to_owned()), ..Default::default() };
        bartizan_review::review(architecture, &catalogue, &policy)
    }

    fn status_of(review: &Review, target: &str) -> (Status, Option<String>) {
        let threat = review.threats.iter().find(|threat| targets(threat).contains(&target)).unwrap();
        (threat.status, threat.decision.clone())
    }

    #[test]
    fn an_acceptance_holds_until_its_last_day() {
        let review = decide("unversioned@aws_s3_bucket.a", Some("2026-11-24"));
        assert_eq!(status_of(&review, "aws_s3_bucket.a").0, Status::Accepted);
        assert_eq!(status_of(&review, "aws_s3_bucket.b"), (Status::Open, None));
    }

    #[test]
    fn an_expired_acceptance_opens_the_threat_again() {
        let (status, note) = status_of(&decide("unversioned", Some("2026-11-23")), "aws_s3_bucket.a");
        assert_eq!(status, Status::Open);
        assert!(note.unwrap().starts_with("open again: it was accepted by Ann until 2026-11-23"));
    }

    #[test]
    fn a_threat_can_be_decided_by_its_id() {
        let id = decide("none", None).threats[0].id.clone();
        let review = decide(&id, None);
        let accepted: Vec<&Threat> = review.threats.iter().filter(|threat| threat.status == Status::Accepted).collect();
        assert_eq!(accepted.len(), 1);
        assert_eq!(accepted[0].id, id);
    }

    #[test]
    fn an_answer_becomes_the_setting_before_any_rule_looks() {
        let catalogue = with_rule(UNVERSIONED).unwrap();
        let text = format!("variable \"status\" {{\n  type = string\n}}\n{}", versioned_by("a"));
        let asked = of(UNVERSIONED, &[("main.tf", &text)]);
        for (value, n_threats) in [("Enabled", 0), ("Suspended", 1)] {
            let span = Span { file: FileId(0), start: 0, end: 1 };
            let mut architecture = asked.architecture.clone();
            architecture.declarations.answers.push(Answer {
                question: asked.questions[0].id.clone(),
                value: Node::text(value, span),
                by: Some("Ann".to_owned()),
                span,
            });
            let review = bartizan_review::review(architecture, &catalogue, &bartizan_review::Policy::default());
            assert_eq!(review.threats.len(), n_threats, "{value}");
            assert!(review.questions.is_empty());
        }
    }
}

#[test]
fn backups_that_are_off_are_said_to_be_off() {
    let message = |days: u8| {
        let text =
            format!("resource \"aws_db_instance\" \"orders\" {{\n  identifier = \"orders\"\n  backup_retention_period = {days}\n}}\n");
        let review = review(&CATALOGUE.0, &[("main.tf", &text)]);
        review.threats.into_iter().find(|threat| threat.rule.ends_with("-backup") && threat.rule.starts_with("rds-")).unwrap().message
    };
    assert_eq!(message(0), "automatic backups of `orders` are off, and no backup plan covers it");
    assert_eq!(message(1), "automatic backups of `orders` are kept for 1 day");
    assert_eq!(message(5), "automatic backups of `orders` are kept for less than a week");
}

#[test]
fn an_open_search_domain_has_a_remedy() {
    let example = &CATALOGUE.0.rules["search-policy-open"].page.examples[0];
    let review = review(&CATALOGUE.0, &[("main.tf", &example.code)]);
    let threat = review.threats.iter().find(|threat| threat.rule == "search-policy-open").unwrap();
    let remedy = review.mitigations.iter().find(|mitigation| mitigation.threats.contains(&threat.id)).unwrap();
    assert_eq!((remedy.control.as_str(), remedy.target.as_str()), ("search-sign-in", "aws_opensearch_domain.logs"));
    assert!(remedy.fix.as_ref().unwrap().code.contains("advanced_security_options"));
}
