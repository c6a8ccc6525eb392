//! The services catalogue as it is shipped: it parses, names only what exists, and different spellings of the same thing come out alike.

use std::path::Path;
use std::sync::LazyLock;

use bartizan_model::{Address, Architecture, Relation, Value};

use super::{Services, Source};
use crate::{Tree, import};

static SERVICES: LazyLock<Services> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/services");
    let mut files = vec![("services/ignored.yaml".to_owned(), std::fs::read_to_string(root.join("ignored.yaml")).unwrap())];
    for entry in std::fs::read_dir(root.join("aws")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        files.push((format!("services/aws/{name}"), std::fs::read_to_string(&path).unwrap()));
    }
    files.sort();
    let (services, errors) = Services::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    assert!(errors.is_empty(), "{errors:#?}");
    services
});

fn read(text: &str) -> Architecture {
    import(&Tree::from_memory([("main.tf".to_owned(), text.to_owned())]), &SERVICES)
}

fn setting(architecture: &Architecture, address: &str, name: &str) -> Value {
    let component = architecture.component(&Address::new(address)).unwrap_or_else(|| panic!("no component `{address}`"));
    component.settings.get(name).unwrap_or_else(|| panic!("`{address}` has no `{name}`")).value.clone()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("{value:?}"), std::borrow::Cow::into_owned)
}

fn links<'a>(architecture: &'a Architecture, relation: &'a Relation) -> Vec<(&'a str, &'a str)> {
    let of = architecture.links.iter().filter(move |link| link.relation == *relation);
    of.map(|link| (link.from.as_str(), link.to.as_str())).collect()
}

#[test]
fn mappings_name_only_types_and_settings_that_exist() {
    let mut mistakes = Vec::new();
    for (resource, mapping) in SERVICES.terraform.iter().chain(&SERVICES.modules) {
        let types = [mapping.is.as_ref(), mapping.of.as_ref()];
        let ends = mapping.links.iter().map(|link| link.of.as_ref()).chain(mapping.flows.iter().map(|flow| flow.of.as_ref()));
        for name in types.into_iter().chain(ends).flatten() {
            if !SERVICES.types.contains_key(name) {
                mistakes.push(format!("{resource}: there is no type `{name}`"));
            }
        }
        if mapping.joins.is_some() && mapping.of.is_none() {
            mistakes.push(format!("{resource}: says not which type it joins"));
        }
        let Some(entry) = mapping.is.as_ref().or(mapping.of.as_ref()).and_then(|name| SERVICES.types.get(name)) else { continue };
        for (name, source) in &mapping.settings {
            if !entry.settings.contains_key(name) {
                mistakes.push(format!("{resource}: its type has no setting `{name}`"));
            }
            let empty = matches!(source, Source::Spec(spec) if spec.at.is_none() && spec.value.is_none());
            if empty {
                mistakes.push(format!("{resource}: `{name}` is read nowhere"));
            }
        }
        if mapping.flows.iter().any(|flow| flow.from.is_none() && flow.to.is_none()) {
            mistakes.push(format!("{resource}: a flow to itself"));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn no_type_is_both_known_and_ignored() {
    let both: Vec<&String> = SERVICES.terraform.keys().filter(|name| SERVICES.is_ignored(name)).collect();
    assert!(both.is_empty(), "{both:?}");
}

#[test]
fn three_spellings_of_a_security_group_rule_are_one() {
    let architecture = read(
        r#"
resource "aws_security_group" "inline" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_security_group" "rule" {}
resource "aws_security_group_rule" "r" {
  security_group_id = aws_security_group.rule.id
  type              = "ingress"
  from_port         = 22
  to_port           = 22
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
}
resource "aws_security_group" "apart" {}
resource "aws_vpc_security_group_ingress_rule" "r" {
  security_group_id = aws_security_group.apart.id
  from_port         = 22
  to_port           = 22
  ip_protocol       = "tcp"
  cidr_ipv4         = "0.0.0.0/0"
}
"#,
    );
    for group in ["inline", "rule", "apart"] {
        let address = format!("aws_security_group.{group}");
        let Value::List(rules) = setting(&architecture, &address, "ingress") else { panic!("{group} has no list of rules") };
        assert_eq!(rules.len(), 1, "{group}");
        let rule = rules.first().unwrap();
        assert_eq!(rule.get("from_port").and_then(|node| node.value.as_number()), Some(22.0), "{group}");
        assert_eq!(rule.get("protocol").map(|node| text(&node.value)).as_deref(), Some("tcp"), "{group}");
        let ranges = rule.get("cidr_blocks").unwrap().value.as_list().unwrap();
        assert_eq!(ranges.iter().map(|node| text(&node.value)).collect::<Vec<_>>(), ["0.0.0.0/0"], "{group}");
        assert_eq!(setting(&architecture, &address, "egress"), Value::List(Vec::new()), "{group}");
    }
}

#[test]
fn routes_and_acl_rules_are_read_from_blocks_and_from_resources() {
    let architecture = read(
        r#"
resource "aws_internet_gateway" "g" {}
resource "aws_route_table" "inline" {
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.g.id
  }
}
resource "aws_route_table" "apart" {}
resource "aws_route" "r" {
  route_table_id         = aws_route_table.apart.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.g.id
}
resource "aws_network_acl" "acl" {}
resource "aws_network_acl_rule" "out" {
  network_acl_id = aws_network_acl.acl.id
  rule_number    = 100
  egress         = true
  protocol       = "-1"
  rule_action    = "allow"
  cidr_block     = "0.0.0.0/0"
}
resource "aws_network_acl_rule" "in" {
  network_acl_id = aws_network_acl.acl.id
  rule_number    = 200
  protocol       = "tcp"
  rule_action    = "deny"
  cidr_block     = "0.0.0.0/0"
}
"#,
    );
    for table in ["aws_route_table.inline", "aws_route_table.apart"] {
        let Value::List(routes) = setting(&architecture, table, "routes") else { panic!("{table} has no routes") };
        assert_eq!(
            routes.iter().filter_map(|route| route.get("destination")).map(|node| text(&node.value)).collect::<Vec<_>>(),
            ["0.0.0.0/0"]
        );
        assert!(links(&architecture, &Relation::Other("routes_to".to_owned())).contains(&(table, "aws_internet_gateway.g")));
    }
    for (direction, number) in [("egress", 100.0), ("ingress", 200.0)] {
        let Value::List(rules) = setting(&architecture, "aws_network_acl.acl", direction) else { panic!("no {direction}") };
        let numbers: Vec<_> = rules.iter().filter_map(|rule| rule.get("rule_number")?.value.as_number()).collect();
        assert_eq!(numbers, [number], "{direction}");
    }
}

#[test]
fn what_a_bucket_companion_leaves_out_differs_from_having_none() {
    let architecture = read(
        r#"
resource "aws_s3_bucket" "plain" { bucket = "plain" }
resource "aws_s3_bucket" "guarded" { bucket = "guarded" }
resource "aws_s3_bucket_public_access_block" "p" {
  bucket            = aws_s3_bucket.guarded.id
  block_public_acls = true
}
resource "aws_s3_bucket_versioning" "v" {
  bucket = "guarded"
  versioning_configuration { status = "Enabled" }
}
"#,
    );
    assert_eq!(setting(&architecture, "aws_s3_bucket.plain", "block_public_policy"), Value::Null);
    assert_eq!(setting(&architecture, "aws_s3_bucket.guarded", "block_public_policy"), Value::Bool(false));
    assert_eq!(setting(&architecture, "aws_s3_bucket.guarded", "block_public_acls"), Value::Bool(true));
    assert_eq!(text(&setting(&architecture, "aws_s3_bucket.guarded", "versioning")), "Enabled");
    assert_eq!(text(&setting(&architecture, "aws_s3_bucket.plain", "versioning")), "Disabled");
}

#[test]
fn flows_of_integrations_find_both_ends_whatever_their_types() {
    let architecture = read(
        r#"
resource "aws_sqs_queue" "jobs" { name = "jobs" }
resource "aws_lambda_function" "work" {
  function_name = "work"
  role          = aws_iam_role.work.arn
}
resource "aws_lambda_alias" "live" {
  name          = "live"
  function_name = aws_lambda_function.work.function_name
}
resource "aws_iam_role" "work" { name = "work" }
resource "aws_lambda_event_source_mapping" "m" {
  event_source_arn = aws_sqs_queue.jobs.arn
  function_name    = aws_lambda_alias.live.arn
}
resource "aws_sns_topic" "news" { name = "news" }
resource "aws_sns_topic_subscription" "s" {
  topic_arn = aws_sns_topic.news.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.jobs.arn
}
resource "aws_s3_bucket" "in" { bucket = "in" }
resource "aws_s3_bucket_notification" "n" {
  bucket = aws_s3_bucket.in.id
  lambda_function {
    lambda_function_arn = aws_lambda_function.work.arn
    events              = ["s3:ObjectCreated:*"]
  }
}
resource "aws_cloudwatch_event_rule" "nightly" { schedule_expression = "rate(1 day)" }
resource "aws_cloudwatch_event_target" "t" {
  rule = aws_cloudwatch_event_rule.nightly.name
  arn  = aws_lambda_function.work.arn
}
"#,
    );
    let flows: Vec<(&str, &str)> = architecture
        .links
        .iter()
        .filter(|link| matches!(link.relation, Relation::Flow(_)))
        .map(|link| (link.from.as_str(), link.to.as_str()))
        .collect();
    let expected = [
        ("aws_cloudwatch_event_rule.nightly", "aws_lambda_function.work"),
        ("aws_s3_bucket.in", "aws_lambda_function.work"),
        ("aws_sns_topic.news", "aws_sqs_queue.jobs"),
        ("aws_sqs_queue.jobs", "aws_lambda_function.work"),
    ];
    assert_eq!(flows, expected);
    assert_eq!(links(&architecture, &Relation::RunsAs), [("aws_lambda_function.work", "aws_iam_role.work")]);
}

#[test]
fn an_instance_profile_stands_for_its_role() {
    let architecture = read(
        r#"
resource "aws_iam_role" "app" { name = "app" }
resource "aws_iam_instance_profile" "app" {
  name = "app-profile"
  role = aws_iam_role.app.name
}
resource "aws_instance" "app" { iam_instance_profile = aws_iam_instance_profile.app.name }
"#,
    );
    assert_eq!(links(&architecture, &Relation::RunsAs), [("aws_instance.app", "aws_iam_role.app")]);
    assert_eq!(
        text(setting(&architecture, "aws_iam_role.app", "instance_profiles").as_list().unwrap().first().map(|node| &node.value).unwrap()),
        "app-profile"
    );
}

#[test]
fn a_module_that_is_not_fetched_stands_for_what_it_makes() {
    let architecture = read(
        r#"
module "catalog" {
  source            = "terraform-aws-modules/rds-aurora/aws"
  name              = "catalog"
  engine            = "aurora-mysql"
  storage_encrypted = true
}
module "hook" {
  source        = "terraform-aws-modules/lambda/aws"
  function_name = "hook"
  environment_variables = { HOST = module.catalog.cluster_endpoint }
}
"#,
    );
    assert_eq!(text(&setting(&architecture, "module.catalog", "engine")), "aurora-mysql");
    assert_eq!(setting(&architecture, "module.catalog", "deletion_protection"), Value::Bool(false), "the module's own default");
    assert!(setting(&architecture, "module.catalog", "backup_retention_period").is_unknown(), "the module decides");
    assert!(setting(&architecture, "module.catalog", "parameters").is_unknown(), "no input says it");
    assert_eq!(setting(&architecture, "module.hook", "url_authorization_type"), Value::Null, "no URL is asked for");
    assert_eq!(links(&architecture, &Relation::Mentions), [("module.hook", "module.catalog")]);
}
