use std::collections::BTreeMap;
use std::path::Path;

use bartizan_model::{Address, Architecture, Asset, AssetOrigin, Classification, Workload};

use super::code::{Extra, Place, fill, has_gap};
use super::mitigations;
use crate::{Catalogue, Category, Facts, Mitigation, Score, Severity, Status, Threat};

/// The real catalogue, path to text.
fn files() -> BTreeMap<String, String> {
    fn walk(root: &Path, dir: &Path, out: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, out);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                out.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let mut out = BTreeMap::new();
    walk(&root, &root, &mut out);
    out
}

pub(crate) fn catalogue() -> Catalogue {
    Catalogue::load(files()).0
}

pub(crate) fn import(hcl: &str) -> Architecture {
    let files = files();
    let services: Vec<(&str, &str)> =
        files.iter().filter(|(path, _)| path.starts_with("services/")).map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let (services, _) = bartizan_import::Services::load(services);
    bartizan_import::import(&bartizan_import::Tree::from_memory([("main.tf".to_owned(), hcl.to_owned())]), &services)
}

pub(crate) fn threat(id: &str, targets: &[&str], controls: &[&str], likelihood: u8, impact: u8) -> Threat {
    let score = |value: u8| Score { value, terms: Vec::new() };
    Threat {
        id: id.to_owned(),
        rule: id.to_owned(),
        title: id.to_owned(),
        message: id.to_owned(),
        category: Category::DataExfiltration,
        stride: Vec::new(),
        attack: Vec::new(),
        cwe: Vec::new(),
        targets: targets.iter().map(Address::new).collect(),
        of_system: false,
        flows: Vec::new(),
        status: Status::Open,
        severity: Severity::High,
        inherent_severity: Severity::High,
        likelihood: score(likelihood),
        impact: score(impact),
        residual_likelihood: score(likelihood),
        residual_impact: score(impact),
        evidence: Vec::new(),
        controls_present: Vec::new(),
        controls: controls.iter().map(|&id| id.to_owned()).collect(),
        paths: Vec::new(),
        decision: None,
        explanation: String::new(),
        references: Vec::new(),
    }
}

fn classify(architecture: &mut Architecture, address: &str, confidentiality: u8, integrity: u8) {
    architecture.components.get_mut(&Address::new(address)).unwrap().assets.push("records".to_owned());
    architecture.assets.push(Asset {
        name: "records".to_owned(),
        description: String::new(),
        classification: Classification { confidentiality, integrity, availability: 1 },
        origin: AssetOrigin::Declared,
        stored_in: vec![Address::new(address)],
        why: Vec::new(),
    });
}

fn propose(architecture: &Architecture, threats: &[Threat]) -> Vec<Mitigation> {
    mitigations(architecture, &Facts::default(), threats, &catalogue())
}

const BUCKETS: &str = r#"
resource "aws_s3_bucket" "logs" {
  bucket = "shop-logs"
}

resource "aws_s3_bucket" "kept" {
  bucket = "shop-kept"
}

resource "aws_s3_bucket_versioning" "kept" {
  bucket = aws_s3_bucket.kept.id
  versioning_configuration {
    status = "Enabled"
  }
}
"#;

#[test]
fn every_control_of_the_catalogue_loads() {
    let (catalogue, errors) = Catalogue::load(files());
    let of_controls: Vec<String> =
        errors.iter().filter(|error| error.path.starts_with("controls/") || error.path == "costs.yaml").map(ToString::to_string).collect();
    assert!(of_controls.is_empty(), "{of_controls:#?}");
    assert!(catalogue.controls.len() >= 100, "{}", catalogue.controls.len());
}

#[test]
fn every_control_that_a_rule_names_exists() {
    let catalogue = catalogue();
    let missing: Vec<(&String, &String)> = catalogue
        .rules
        .values()
        .flat_map(|rule| rule.controls.iter().map(move |control| (&rule.id, control)))
        .filter(|(_, control)| !catalogue.controls.contains_key(*control))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_control_that_is_there_already_is_not_proposed() {
    let architecture = import(BUCKETS);
    let found = propose(&architecture, &[threat("ransom", &["aws_s3_bucket.logs", "aws_s3_bucket.kept"], &["s3-versioning"], 3, 4)]);
    let targets: Vec<&str> = found.iter().map(|mitigation| mitigation.target.as_str()).collect();
    assert_eq!(targets, ["aws_s3_bucket.logs"]);
    assert!(found[0].effect.starts_with("impact 4 → 2: "), "{}", found[0].effect);
    assert!(found[0].standards.contains(&"AWS FSBP S3.14 (2026-08)".to_owned()));
}

#[test]
fn one_control_for_two_threats_is_one_mitigation() {
    let architecture = import(BUCKETS);
    let threats = [
        threat("ransom", &["aws_s3_bucket.logs"], &["s3-versioning"], 3, 4),
        threat("lifecycle", &["aws_s3_bucket.logs"], &["s3-versioning"], 2, 3),
    ];
    let found = propose(&architecture, &threats);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].threats, ["ransom", "lifecycle"]);
    assert!((found[0].risk_reduction - (6.0 + 4.0)).abs() < 1e-9, "{}", found[0].risk_reduction);
}

#[test]
fn versions_of_what_can_be_made_again_are_not_worth_it() {
    let mut architecture = import(BUCKETS);
    classify(&mut architecture, "aws_s3_bucket.logs", 1, 2);
    let found = propose(&architecture, &[threat("ransom", &["aws_s3_bucket.logs"], &["s3-versioning"], 3, 4)]);
    assert_eq!(
        found[0].advice,
        "not worth it: the data's integrity is 2 of 5, and this pays from 3 on; what can be made again needs no versions"
    );
}

#[test]
fn a_key_of_ones_own_is_for_confidential_data() {
    let threats = [threat("copied", &["aws_s3_bucket.logs"], &["kms-cmk"], 3, 4)];
    let mut architecture = import(BUCKETS);
    assert!(propose(&architecture, &threats)[0].advice.starts_with("consider: "));
    classify(&mut architecture, "aws_s3_bucket.logs", 4, 2);
    let found = propose(&architecture, &threats);
    assert_eq!(found[0].advice, "worth it: it takes 3.0 points of risk for about 1.00 USD a month");
    assert!(found[0].cost.contains("2026-03"), "{}", found[0].cost);
}

#[test]
fn what_brings_the_risk_to_what_is_tolerated_makes_the_rest_a_second_line() {
    let mut architecture = import(BUCKETS);
    classify(&mut architecture, "aws_s3_bucket.logs", 5, 5);
    let controls = ["cloudtrail-data-events", "block-public-access", "s3-block-ssec"];
    let found = propose(&architecture, &[threat("open", &["aws_s3_bucket.logs"], &controls, 4, 4)]);
    let advice = |control: &str| found.iter().find(|mitigation| mitigation.control == control).unwrap().advice.clone();
    assert!(advice("block-public-access").starts_with("worth it: "));
    assert!(advice("s3-block-ssec").starts_with("worth it: "), "it mends the cause for nothing");
    let controls = ["block-public-access", "kms-cmk"];
    let found = propose(&architecture, &[threat("open", &["aws_s3_bucket.logs"], &controls, 4, 4)]);
    let advice = |control: &str| found.iter().find(|mitigation| mitigation.control == control).unwrap().advice.clone();
    assert_eq!(advice("kms-cmk"), "consider: `block-public-access` brings the risk to what is tolerated; this is a second line");
}

#[test]
fn a_threat_that_is_tolerated_as_it_stands_gives_no_reason() {
    let mut architecture = import(BUCKETS);
    classify(&mut architecture, "aws_s3_bucket.logs", 5, 5);
    let tolerated = Threat { severity: Severity::Low, ..threat("a-small-one", &["aws_s3_bucket.logs"], &["kms-cmk"], 1, 3) };
    let open = threat("open", &["aws_s3_bucket.logs"], &["block-public-access", "kms-cmk"], 4, 4);
    let found = propose(&architecture, &[open, tolerated]);
    let key = found.iter().find(|mitigation| mitigation.control == "kms-cmk").unwrap();
    assert_eq!(key.threats.len(), 2);
    assert_eq!(key.advice, "consider: `block-public-access` brings the risk to what is tolerated; this is a second line");
}

#[test]
fn what_prevents_the_worst_threat_comes_before_what_watches_many() {
    let architecture = import(BUCKETS);
    let worst =
        Threat { severity: Severity::Critical, ..threat("open", &["aws_s3_bucket.logs"], &["budget-alarm", "block-public-access"], 5, 5) };
    let mut threats: Vec<Threat> = ["a", "b", "c", "d", "e", "f", "g"]
        .iter()
        .map(|id| threat(id, &["aws_s3_bucket.logs"], &["budget-alarm", "s3-versioning"], 4, 4))
        .collect();
    threats.push(worst);
    let found = propose(&architecture, &threats);
    let order: Vec<&str> = found.iter().map(|mitigation| mitigation.control.as_str()).collect();
    assert_eq!(order, ["block-public-access", "budget-alarm", "s3-versioning"]);
    assert!(found[0].risk_reduction < found[1].risk_reduction, "{} {}", found[0].risk_reduction, found[1].risk_reduction);
}

#[test]
fn what_changes_nothing_is_not_proposed() {
    let architecture = import(BUCKETS);
    let lowest = threat("lowest", &["aws_s3_bucket.logs"], &["s3-versioning"], 4, 1);
    assert!(propose(&architecture, std::slice::from_ref(&lowest)).is_empty());
    let found = propose(&architecture, &[lowest, threat("ransom", &["aws_s3_bucket.logs"], &["s3-versioning"], 3, 4)]);
    assert_eq!(found[0].threats, ["ransom"]);
    assert_eq!(found[0].points, [6.0]);
    assert!((found[0].points_from("ransom") - 6.0).abs() < 1e-9 && found[0].points_from("lowest").abs() < 1e-9);
}

#[test]
fn what_mends_the_cause_comes_before_what_limits_the_harm_elsewhere() {
    let architecture = import(
        r#"
resource "aws_iam_role" "web" {
  name               = "web"
  assume_role_policy = "{}"
}

resource "aws_iam_instance_profile" "web" {
  name = "web"
  role = aws_iam_role.web.name
}

resource "aws_instance" "web" {
  iam_instance_profile = aws_iam_instance_profile.web.name
}
"#,
    );
    let mut facts = Facts::default();
    let broad = bartizan_model::Node::text("*", architecture.components[0].span.unwrap());
    let list = bartizan_model::Node::new(bartizan_model::Value::List(vec![broad.clone()]), broad.span);
    facts.by_component.entry(Address::new("aws_iam_role.web")).or_default().insert("wildcard_grants".to_owned(), list);
    let threats = [threat("imds", &["aws_instance.web"], &["least-privilege-role", "imdsv2-required"], 4, 3)];
    let found = mitigations(&architecture, &facts, &threats, &catalogue());
    let of = |control: &str| found.iter().find(|mitigation| mitigation.control == control).unwrap();
    assert!(of("imdsv2-required").advice.starts_with("worth it: "), "{}", of("imdsv2-required").advice);
    assert_eq!(of("least-privilege-role").target, Address::new("aws_iam_role.web"));
    assert!(of("least-privilege-role").advice.starts_with("consider: `imdsv2-required` brings"), "{}", of("least-privilege-role").advice);
}

#[test]
fn a_budget_goes_to_what_gives_most_for_its_money() {
    let mut architecture = import(
        r#"
resource "aws_dynamodb_table" "orders" {
  name     = "orders"
  hash_key = "id"
}
"#,
    );
    classify(&mut architecture, "aws_dynamodb_table.orders", 4, 4);
    let span = architecture.components[0].span.unwrap();
    architecture.declarations.workload.push(Workload {
        component: ("*orders".to_owned(), span),
        requests_per_second: None,
        records: None,
        gigabytes: Some(1000.0),
        growth: None,
        rto_minutes: None,
        rpo_minutes: None,
    });
    let threats = [threat("destroyed", &["aws_dynamodb_table.orders"], &["ddb-pitr"], 3, 5)];
    let found = propose(&architecture, &threats);
    assert_eq!(found[0].cost_usd_per_month, Some(200.0));
    assert!(found[0].advice.starts_with("worth it: "), "{}", found[0].advice);
    architecture.declarations.appetite.budget_usd_per_month = Some(150.0);
    assert!(propose(&architecture, &threats)[0].advice.starts_with("consider: 200.00 USD a month is more than the 150.00 USD left"));
}

#[test]
fn a_fix_names_the_users_own_resources_under_for_each_too() {
    let architecture = import(
        r#"
resource "aws_s3_bucket" "data" {
  for_each = toset(["eu", "us"])
  bucket   = "shop-${each.key}"
}
"#,
    );
    let targets = ["aws_s3_bucket.data[\"eu\"]", "aws_s3_bucket.data[\"us\"]"];
    let found = propose(&architecture, &[threat("open", &targets, &["block-public-access"], 4, 4)]);
    assert_eq!(found.len(), 1);
    let fix = found[0].fix.as_ref().unwrap();
    assert_eq!(
        fix.code,
        "resource \"aws_s3_bucket_public_access_block\" \"data\" {\n  for_each = aws_s3_bucket.data\n  bucket                  = each.value.id\n  \
         block_public_acls       = true\n  block_public_policy     = true\n  ignore_public_acls      = true\n  restrict_public_buckets = true\n}\n"
    );
    assert!(fix.complete);
}

#[test]
fn a_fix_inside_the_resource_says_where_and_keeps_the_rest() {
    let architecture = import("resource \"aws_dynamodb_table\" \"orders\" {\n  name     = \"orders\"\n  hash_key = \"id\"\n}\n");
    let found = propose(&architecture, &[threat("destroyed", &["aws_dynamodb_table.orders"], &["ddb-pitr"], 3, 5)]);
    let fix = found[0].fix.as_ref().unwrap();
    assert_eq!(
        fix.code,
        "resource \"aws_dynamodb_table\" \"orders\" {\n  # keep what is there, and set:\n  point_in_time_recovery {\n    enabled = true\n  }\n}\n"
    );
    assert_eq!(architecture.sources.start(fix.place.unwrap()).line, 1);
}

#[test]
fn every_template_is_valid_hcl_in_all_three_forms_of_repetition() {
    let architecture = import("resource \"aws_s3_bucket\" \"logs\" {}\n");
    let mut component = architecture.components[0].clone();
    let mut checked = 0;
    for control in catalogue().controls.values() {
        let Some(fixes) = &control.fix else { continue };
        for (language, source_type, parts) in fixes.pieces() {
            if language != "hcl" {
                continue;
            }
            let source_type = if source_type == "*" { "aws_s3_bucket".to_owned() } else { source_type };
            for key in ["", "[0]", "[\"a\"]"] {
                component.address = Address::new(format!("{source_type}.logs{key}"));
                component.source_type.clone_from(&source_type);
                let Some(fix) = super::code::fix(&architecture, &component, "hcl", &parts, &[], &Extra::default()) else { continue };
                let parsed: Result<hcl_edit::structure::Body, _> = fix.code.parse();
                assert!(parsed.is_ok(), "{} {source_type}{key}: {}\n{}", control.id, parsed.unwrap_err(), fix.code);
                let own = format!("{source_type}.logs");
                assert!(
                    !(parts.within.is_some() && fix.code.contains(&format!("= {own}\n")) && refers_to_repeated(&fix.code)),
                    "{} {source_type}{key} makes a cycle:\n{}",
                    control.id,
                    fix.code
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 200, "{checked}");
}

/// True when the component's own block refers to a companion that is repeated over the component.
fn refers_to_repeated(code: &str) -> bool {
    let own = code.split("\n}\n").next().unwrap_or("");
    own.contains("[each.key]") || own.contains("[count.index]")
}

#[test]
fn placeholders_that_nobody_knows_are_gaps() {
    let architecture = import(BUCKETS);
    let component = architecture.component(&Address::new("aws_s3_bucket.logs")).unwrap();
    let place = Place::of(component).unwrap();
    let filled = fill(&architecture, component, Some(&place), "${{address}.arn}/* {name} {ref:encrypted_with} {other}", &Extra::default());
    assert_eq!(filled, "${aws_s3_bucket.logs.arn}/* shop-logs <address of encrypted_with> {other}");
    assert!(has_gap(&filled));
}

#[test]
fn a_label_is_no_name_unless_the_block_says_so() {
    let architecture = import(
        r#"
variable "prefix" {}

resource "aws_s3_bucket" "cards" {
  bucket = "${var.prefix}-cards"
}

resource "aws_dynamodb_table" "orders" {
  name = "orders"
}
"#,
    );
    let name = |address: &str| super::code::known_name(&architecture, architecture.component(&Address::new(address)).unwrap());
    assert_eq!(name("aws_s3_bucket.cards"), None);
    assert_eq!(name("aws_dynamodb_table.orders").as_deref(), Some("orders"));
}
