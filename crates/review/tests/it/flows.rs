//! Flows, boundaries and exposure from real Terraform and Kubernetes text.

use std::sync::LazyLock;

use bartizan_import::{Services, Tree};
use bartizan_model::{Address, Architecture, Exposure, FlowStatus, Node, Value};
use bartizan_review::{Catalogue, Facts, complete};

use crate::support::{CATALOGUE, SERVICES, review};

static KNOWN: LazyLock<&'static Catalogue> = LazyLock::new(|| &CATALOGUE.0);

fn completed(files: &[(&str, &str)]) -> (Architecture, Facts) {
    let services: &Services = &SERVICES;
    let tree = Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let (architecture, facts, _) =
        complete(bartizan_import::import(&tree, services), &KNOWN.services, &KNOWN.lifecycle, Some("2026-11-24"));
    (architecture, facts)
}

fn terraform(text: &str) -> (Architecture, Facts) {
    completed(&[("main.tf", text)])
}

/// Active flows as `from -> to protocol:port`, blocked ones with `blocked` behind.
fn drawn(architecture: &Architecture) -> Vec<String> {
    let port = |port: Option<u16>| port.map_or_else(String::new, |port| format!(":{port}"));
    let line = |flow: &bartizan_model::Flow| {
        let blocked = if flow.status == FlowStatus::Blocked { " blocked" } else { "" };
        format!("{} -> {} {}{}{blocked}", flow.from, flow.to, flow.protocol, port(flow.port))
    };
    architecture.flows.iter().map(line).collect()
}

fn fact<'a>(facts: &'a Facts, address: &str, name: &str) -> Option<&'a Node> {
    facts.by_component.get(&Address::new(address))?.get(name)
}

fn texts(node: Option<&Node>) -> Vec<String> {
    let items = node.and_then(|node| node.value.as_list()).unwrap_or(&[]);
    items.iter().filter_map(|item| item.value.as_str().map(std::borrow::Cow::into_owned)).collect()
}

/// A VPC with a public and an isolated subnet.
const NETWORK: &str = r#"
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
resource "aws_internet_gateway" "main" { vpc_id = aws_vpc.main.id }
resource "aws_subnet" "public" {
  vpc_id                  = aws_vpc.main.id
  cidr_block              = "10.0.1.0/24"
  map_public_ip_on_launch = true
}
resource "aws_subnet" "inner" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.2.0/24"
}
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
}
resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}
"#;

fn host(ingress: &str, extra: &str) -> String {
    format!(
        r#"{NETWORK}
resource "aws_security_group" "web" {{
  vpc_id = aws_vpc.main.id
  {ingress}
  egress {{
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}
resource "aws_instance" "web" {{
  ami                    = "ami-1"
  subnet_id              = aws_subnet.public.id
  vpc_security_group_ids = [aws_security_group.web.id]
}}
{extra}"#
    )
}

const SSH_FOR_ALL: &str = r#"ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }"#;

#[test]
fn the_internet_reaches_a_host_by_address_route_and_security_group() {
    let (architecture, facts) = terraform(&host(SSH_FOR_ALL, ""));
    assert_eq!(drawn(&architecture), ["internet -> aws_instance.web ssh:22"]);
    assert_eq!(fact(&facts, "aws_instance.web", "internet_reachable").and_then(|node| node.value.as_bool()), Some(true));
    let web = &architecture.components[&Address::new("aws_instance.web")];
    assert_eq!(web.boundary.as_deref(), Some("subnets:aws_vpc.main:public"));
    assert_eq!(web.exposure.as_ref().map(|(exposure, _)| *exposure), Some(Exposure::Internet));
    let reasons: Vec<&str> = architecture.flows[0].why.iter().map(|reason| reason.text.as_str()).collect();
    assert!(reasons.iter().any(|text| text.contains("aws_security_group.web") && text.contains("tcp 22")), "{reasons:?}");
    assert!(reasons.iter().any(|text| text.contains("internet gateway")), "{reasons:?}");
}

#[test]
fn without_a_public_address_nothing_comes_in_whatever_the_group_says() {
    let text = host(SSH_FOR_ALL, "").replace("map_public_ip_on_launch = true", "map_public_ip_on_launch = false");
    let (architecture, _) = terraform(&text);
    assert!(drawn(&architecture).is_empty());
}

#[test]
fn without_a_route_nothing_comes_in_whatever_the_address() {
    let text = host(SSH_FOR_ALL, "").replace("gateway_id = aws_internet_gateway.main.id", "nat_gateway_id = aws_nat_gateway.main.id")
        + "resource \"aws_nat_gateway\" \"main\" { subnet_id = aws_subnet.inner.id }";
    let (architecture, facts) = terraform(&text);
    assert!(drawn(&architecture).is_empty());
    let why =
        fact(&facts, "aws_instance.web", "not_reachable_because").and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned));
    assert!(why.is_some_and(|why| why.contains("no route")));
}

#[test]
fn a_network_acl_that_denies_the_port_keeps_the_internet_out() {
    let acl = |rules: &str| {
        format!(
            r#"resource "aws_network_acl" "main" {{
  vpc_id     = aws_vpc.main.id
  subnet_ids = [aws_subnet.public.id]
  {rules}
  egress {{
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }}
}}"#
        )
    };
    let rule = |number: u8, action: &str, port: u16| {
        format!(
            "ingress {{\n rule_no = {number}\n action = \"{action}\"\n protocol = \"tcp\"\n from_port = {port}\n to_port = {port}\n cidr_block = \"0.0.0.0/0\"\n}}\n"
        )
    };
    let denied = acl(&(rule(10, "deny", 22) + &rule(20, "allow", 22)));
    assert!(drawn(&terraform(&host(SSH_FOR_ALL, &denied)).0).is_empty());
    let allowed = acl(&(rule(20, "deny", 22) + &rule(10, "allow", 22)));
    assert_eq!(drawn(&terraform(&host(SSH_FOR_ALL, &allowed)).0), ["internet -> aws_instance.web ssh:22"]);
}

#[test]
fn the_three_spellings_of_a_rule_open_the_same_port() {
    let single = r#"
resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = aws_security_group.web.id
  from_port         = 22
  to_port           = 22
  ip_protocol       = "tcp"
  cidr_ipv4         = "0.0.0.0/0"
}"#;
    let classic = r#"
resource "aws_security_group_rule" "ssh" {
  type              = "ingress"
  security_group_id = aws_security_group.web.id
  from_port         = 22
  to_port           = 22
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
}"#;
    for extra in [single, classic] {
        assert_eq!(drawn(&terraform(&host("", extra)).0), ["internet -> aws_instance.web ssh:22"]);
    }
}

#[test]
fn an_unknown_range_is_asked_about_and_draws_nothing() {
    let ingress = SSH_FOR_ALL.replace("[\"0.0.0.0/0\"]", "[var.office]");
    let (architecture, facts) = terraform(&(host(&ingress, "") + "variable \"office\" { type = string }"));
    assert!(drawn(&architecture).is_empty());
    assert!(fact(&facts, "aws_instance.web", "internet_reachable").is_some_and(|node| node.value.is_unknown()));
}

#[test]
fn a_narrow_public_range_is_a_party_of_its_own_and_not_the_internet() {
    let ingress = SSH_FOR_ALL.replace("0.0.0.0/0", "203.0.113.0/24");
    let (architecture, facts) = terraform(&host(&ingress, ""));
    assert_eq!(drawn(&architecture), ["network:203.0.113.0/24 -> aws_instance.web ssh:22"]);
    assert_ne!(fact(&facts, "aws_instance.web", "internet_reachable").and_then(|node| node.value.as_bool()), Some(true));
}

/// A database in the public subnet whose group admits what `ingress` says.
fn database(ingress: &str, user_data: &str) -> String {
    host(
        SSH_FOR_ALL,
        &format!(
            r#"
resource "aws_security_group" "db" {{
  vpc_id = aws_vpc.main.id
  {ingress}
}}
resource "aws_db_subnet_group" "db" {{ subnet_ids = [aws_subnet.public.id] }}
resource "aws_db_instance" "db" {{
  engine                 = "postgres"
  engine_version         = "16.1"
  publicly_accessible    = true
  db_subnet_group_name   = aws_db_subnet_group.db.name
  vpc_security_group_ids = [aws_security_group.db.id]
}}"#
        ),
    )
    .replace("ami                    = \"ami-1\"", &format!("ami = \"ami-1\"\n{user_data}"))
}

const FROM_VPC: &str = "ingress {\n from_port = 5432\n to_port = 5432\n protocol = \"tcp\"\n cidr_blocks = [aws_vpc.main.cidr_block]\n}";
const FROM_WEB: &str =
    "ingress {\n from_port = 5432\n to_port = 5432\n protocol = \"tcp\"\n security_groups = [aws_security_group.web.id]\n}";
const MENTION: &str = "user_data = \"export DB=${aws_db_instance.db.endpoint}\"";

#[test]
fn a_publicly_accessible_database_behind_a_closed_group_is_not_on_the_internet_and_says_why() {
    let (architecture, facts) = terraform(&database(FROM_VPC, ""));
    assert_eq!(drawn(&architecture), ["internet -> aws_instance.web ssh:22"]);
    let why =
        fact(&facts, "aws_db_instance.db", "not_reachable_because").and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned));
    assert!(why.is_some_and(|why| why.contains("aws_security_group.db")));
    let exposure = architecture.components[&Address::new("aws_db_instance.db")].exposure.as_ref().map(|(exposure, _)| *exposure);
    assert_eq!(exposure, Some(Exposure::Vpc));
}

#[test]
fn a_mention_the_network_lets_through_is_a_flow_and_the_network_alone_is_none() {
    let (architecture, _) = terraform(&database(FROM_VPC, MENTION));
    assert!(drawn(&architecture).contains(&"aws_instance.web -> aws_db_instance.db postgresql:5432".to_owned()));
    let (architecture, _) = terraform(&database(FROM_VPC, ""));
    assert!(!drawn(&architecture).iter().any(|flow| flow.starts_with("aws_instance.web")));
}

#[test]
fn a_rule_that_names_the_clients_group_is_a_hint_by_itself() {
    let (architecture, _) = terraform(&database(FROM_WEB, ""));
    assert!(drawn(&architecture).contains(&"aws_instance.web -> aws_db_instance.db postgresql:5432".to_owned()));
}

#[test]
fn a_mention_that_a_security_group_blocks_says_which() {
    let (architecture, _) = terraform(&database("", MENTION));
    let flow = architecture.flows.iter().find(|flow| flow.to.as_str() == "aws_db_instance.db");
    let last = flow.and_then(|flow| flow.why.last());
    assert_eq!(flow.map(|flow| flow.status), Some(FlowStatus::Blocked));
    assert!(last.is_some_and(|reason| reason.text.contains("aws_security_group.db") && reason.span.is_some()), "{last:?}");
}

#[test]
fn a_balancer_is_reached_on_its_listeners_and_reaches_its_targets_where_their_group_admits_it() {
    let text = host(
        &SSH_FOR_ALL.replace("22", "80"),
        r#"
resource "aws_lb" "front" {
  subnets         = [aws_subnet.public.id]
  security_groups = [aws_security_group.web.id]
}
resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.front.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }
}
resource "aws_lb_target_group" "app" {
  port     = 8080
  protocol = "HTTP"
  vpc_id   = aws_vpc.main.id
}
resource "aws_lb_target_group_attachment" "app" {
  target_group_arn = aws_lb_target_group.app.arn
  target_id        = aws_instance.web.id
}"#,
    );
    let flows = drawn(&terraform(&text).0);
    assert!(flows.contains(&"internet -> aws_lb.front http:80".to_owned()), "{flows:?}");
    assert!(flows.contains(&"aws_lb.front -> aws_instance.web http:8080 blocked".to_owned()), "{flows:?}");
    let internal = text.replace("resource \"aws_lb\" \"front\" {", "resource \"aws_lb\" \"front\" {\n  internal = true");
    assert!(!drawn(&terraform(&internal).0).iter().any(|flow| flow.starts_with("internet -> aws_lb")));
}

/// A function whose role holds one statement.
fn function(statement: &str, extra: &str) -> String {
    format!(
        r#"
resource "aws_iam_role" "fn" {{
  name               = "fn"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "lambda.amazonaws.com" }} }}] }})
}}
resource "aws_iam_role_policy" "fn" {{
  role   = aws_iam_role.fn.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ {statement} }}] }})
}}
resource "aws_lambda_function" "fn" {{
  function_name = "fn"
  role          = aws_iam_role.fn.arn
  handler       = "x.y"
  runtime       = "python3.12"
}}
resource "aws_sqs_queue" "jobs" {{ name = "jobs" }}
resource "aws_s3_bucket" "data" {{ bucket = "acme-data" }}
{extra}"#
    )
}

#[test]
fn a_grant_for_one_queue_is_a_flow_to_it_and_a_grant_for_all_is_one_to_the_api() {
    let one = function(r#"Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.jobs.arn"#, "");
    assert_eq!(drawn(&terraform(&one).0), ["aws_lambda_function.fn -> aws_sqs_queue.jobs https:443"]);
    let by_arn = function(r#"Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-data/*""#, "");
    assert_eq!(drawn(&terraform(&by_arn).0), ["aws_lambda_function.fn -> aws_s3_bucket.data https:443"]);
    let all = function(r#"Effect = "Allow", Action = "s3:*", Resource = "*""#, "");
    assert_eq!(drawn(&terraform(&all).0), ["aws_lambda_function.fn -> aws:s3 https:443"]);
}

#[test]
fn describing_logging_and_consuming_what_triggers_it_are_no_flows_of_their_own() {
    let quiet = function(r#"Effect = "Allow", Action = ["logs:*", "ec2:DescribeInstances", "xray:PutTraceSegments"], Resource = "*""#, "");
    assert!(drawn(&terraform(&quiet).0).is_empty());
    let consumer = function(
        r#"Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], Resource = aws_sqs_queue.jobs.arn"#,
        "resource \"aws_lambda_event_source_mapping\" \"m\" {\n event_source_arn = aws_sqs_queue.jobs.arn\n function_name = aws_lambda_function.fn.arn\n}",
    );
    assert_eq!(drawn(&terraform(&consumer).0), ["aws_sqs_queue.jobs -> aws_lambda_function.fn https:443"]);
}

#[test]
fn a_reference_between_resources_is_no_flow() {
    let text =
        "resource \"aws_s3_bucket\" \"a\" { bucket = \"a\" }\nresource \"aws_sqs_queue\" \"q\" { name = \"${aws_s3_bucket.a.bucket}-q\" }";
    assert!(drawn(&terraform(text).0).is_empty());
}

#[test]
fn wildcard_grants_are_facts_of_the_role_and_of_what_runs_as_it() {
    let (_, facts) = terraform(&function(r#"Effect = "Allow", Action = ["s3:*", "kms:Decrypt"], Resource = "*""#, ""));
    for address in ["aws_iam_role.fn", "aws_lambda_function.fn"] {
        assert_eq!(texts(fact(&facts, address, "wildcard_grants")), ["s3"], "{address}");
        assert!(texts(fact(&facts, address, "actions_on_any")).contains(&"kms:Decrypt".to_owned()), "{address}");
    }
    assert!(fact(&facts, "aws_iam_role.fn", "admin_grant").is_none());
    let (_, facts) = terraform(&function(r#"Effect = "Allow", Action = "*", Resource = "*""#, ""));
    assert_eq!(fact(&facts, "aws_lambda_function.fn", "admin_grant").map(|node| &node.value), Some(&Value::Bool(true)));
}

fn queue(condition: &str) -> String {
    format!(
        r#"
resource "aws_sqs_queue" "q" {{ name = "q" }}
resource "aws_sqs_queue_policy" "q" {{
  queue_url = aws_sqs_queue.q.id
  policy    = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Principal = "*", Action = "sqs:SendMessage", Resource = "*" {condition} }}] }})
}}"#
    )
}

#[test]
fn a_policy_for_everyone_is_a_flow_from_anyone_unless_a_condition_ties_it_down() {
    assert_eq!(drawn(&terraform(&queue("")).0), ["aws:anyone -> aws_sqs_queue.q https:443"]);
    let tied = queue(", Condition = { ArnEquals = { \"aws:SourceArn\" = \"arn:aws:sns:eu-west-1:111122223333:t\" } }");
    assert!(drawn(&terraform(&tied).0).is_empty());
}

/// A bucket with a public policy and what `block` says of it.
fn public_bucket(block: &str) -> String {
    format!(
        r#"
resource "aws_s3_bucket" "b" {{ bucket = "b" }}
resource "aws_s3_bucket_policy" "b" {{
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "${{aws_s3_bucket.b.arn}}/*" }}] }})
}}
{block}"#
    )
}

#[test]
fn a_public_bucket_is_open_closed_or_a_question_by_its_public_access_block() {
    let block = |value: bool| {
        format!(
            "resource \"aws_s3_bucket_public_access_block\" \"b\" {{\n bucket = aws_s3_bucket.b.id\n block_public_policy = {value}\n restrict_public_buckets = {value}\n}}"
        )
    };
    let (architecture, facts) = terraform(&public_bucket(&block(false)));
    assert_eq!(drawn(&architecture), ["aws:anyone -> aws_s3_bucket.b https:443"]);
    assert!(texts(fact(&facts, "aws_s3_bucket.b", "public_actions")).contains(&"s3:GetObject".to_owned()));
    let (architecture, facts) = terraform(&public_bucket(&block(true)));
    assert!(drawn(&architecture).is_empty());
    assert!(fact(&facts, "aws_s3_bucket.b", "public_actions").is_none());
    let (architecture, facts) = terraform(&public_bucket(""));
    assert!(drawn(&architecture).is_empty());
    assert!(fact(&facts, "aws_s3_bucket.b", "public_actions").is_some_and(|node| node.value.is_unknown()));
}

#[test]
fn a_secret_is_told_by_name_and_kind_and_never_by_value() {
    let text =
        "resource \"aws_instance\" \"a\" {\n  ami = \"ami-1\"\n  user_data = <<EOF\n#! /bin/bash\nexport DB_PASSWORD=Aa1234321Bb\nEOF\n}\n";
    let (architecture, facts) = terraform(text);
    let found = fact(&facts, "aws_instance.a", "plaintext_secrets");
    let Some([secret]) = found.and_then(|node| node.value.as_list()) else { panic!("one secret expected: {found:?}") };
    assert_eq!(secret.get("name").and_then(|node| node.value.as_str()).as_deref(), Some("DB_PASSWORD"));
    assert_eq!(architecture.sources.start(secret.span).line, 5);
    assert!(!format!("{facts:?}").contains("Aa1234321Bb"));
}

#[test]
fn a_password_that_two_components_use_is_found_where_it_is_written() {
    let text = r#"
variable "db_password" {
  default = "Aa1234321Bb"
}
resource "aws_db_instance" "db" {
  engine   = "mysql"
  password = var.db_password
}
resource "aws_instance" "web" {
  ami       = "ami-1"
  user_data = <<-EOF
    export DB_PASSWORD=${var.db_password}
  EOF
}
"#;
    let (architecture, facts) = terraform(text);
    for address in ["aws_db_instance.db", "aws_instance.web"] {
        let found = fact(&facts, address, "plaintext_secrets");
        let Some([secret]) = found.and_then(|node| node.value.as_list()) else { panic!("one secret expected: {found:?}") };
        assert_eq!(architecture.sources.start(secret.span).line, 3, "{address}");
    }
    assert!(!format!("{facts:?}").contains("Aa1234321Bb"));
}

#[test]
fn adding_a_bucket_changes_no_id_and_two_runs_are_the_same() {
    let text = host(SSH_FOR_ALL, "");
    let ids = |architecture: &Architecture| architecture.flows.iter().map(|flow| flow.id.clone()).collect::<Vec<_>>();
    let before = terraform(&text).0;
    let after = terraform(&(text.clone() + "resource \"aws_s3_bucket\" \"new\" { bucket = \"new\" }")).0;
    assert_eq!(ids(&before), ids(&after));
    assert_eq!(format!("{:?}", terraform(&text)), format!("{:?}", terraform(&text)));
}

#[test]
fn trust_for_a_ci_provider_is_broad_unless_it_names_a_branch() {
    let role = |subject: &str| {
        format!(
            r#"
resource "aws_iam_role" "ci" {{
  name               = "ci"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{
    Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity",
    Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }},
    Condition = {{ StringLike = {{ "token.actions.githubusercontent.com:sub" = "{subject}" }}, StringEquals = {{ "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }} }}
  }}] }})
}}"#
        )
    };
    for (subject, broad) in [("repo:acme/*", true), ("repo:acme/shop:*", true), ("repo:acme/shop:ref:refs/heads/main", false)] {
        let (_, facts) = terraform(&role(subject));
        assert_eq!(fact(&facts, "aws_iam_role.ci", "oidc_subject_broad").is_some(), broad, "{subject}");
        assert!(fact(&facts, "aws_iam_role.ci", "oidc_audience_missing").is_none());
    }
}

#[test]
fn an_ingress_on_the_internet_leads_to_its_pods_inside_their_namespace() {
    let manifest = r#"
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: shop
  annotations:
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS": 443}]'
spec:
  ingressClassName: alb
  rules:
    - http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1", ports: [{containerPort: 8080}]}]
"#;
    let (architecture, _) = completed(&[("shop.yaml", manifest)]);
    let flows = drawn(&architecture);
    assert!(flows.contains(&"internet -> shop/Ingress/shop https:443".to_owned()), "{flows:?}");
    assert!(flows.iter().any(|flow| flow.starts_with("shop/Ingress/shop -> shop/Deployment/web http")), "{flows:?}");
    let boundary = architecture.components[&Address::new("shop/Deployment/web")].boundary.clone();
    assert!(boundary.is_some_and(|boundary| boundary.starts_with("namespace:") && boundary.ends_with("/shop")));
}

#[test]
fn a_domain_in_subnets_that_are_not_known_is_open_to_nobody_outside() {
    let domain = |options: &str| {
        format!(
            "variable \"subnets\" {{}}\nresource \"aws_opensearch_domain\" \"search\" {{\n  domain_name = \"search\"\n{options}  access_policies = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Principal = \"*\", Action = \"es:*\", Resource = \"*\" }}] }})\n}}\n"
        )
    };
    let open = |options: &str| {
        let review = review(&CATALOGUE.0, &[("main.tf", &domain(options))]);
        review.architecture.flows.iter().any(|flow| flow.to.as_str() == "aws_opensearch_domain.search" && flow.status == FlowStatus::Active)
    };
    assert!(open(""));
    assert!(!open("  vpc_options {\n    subnet_ids = [var.subnets[0]]\n  }\n"));
}
