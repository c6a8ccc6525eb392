//! A generated plan of any size, as Terraform files and as `terraform show -json` of the same resources.
//!
//! It is made of cells: each is a small product as teams build them, with its own network, database, functions, queues, buckets and tables, and it
//! sends to the queue of the next cell, so that the cells are one system. Weaknesses are of a believable density: some cells lack what the others have.

use std::fmt::Write as _;

/// Resources of one cell.
pub(crate) const CELL: usize = 50;

/// One resource.
struct Resource {
    kind: &'static str,
    name: String,
    body: Vec<(&'static str, Expr)>,
}

/// The value of an argument.
enum Expr {
    Text(String),
    Number(u32),
    Bool(bool),
    List(Vec<Expr>),
    Map(Vec<(&'static str, Expr)>),
    /// A nested block; in JSON a list of one object.
    Block(Vec<(&'static str, Expr)>),
    /// Address and attribute of another resource.
    Reference(String, &'static str),
    /// `jsonencode` of a value; in a plan it is unknown as soon as it holds a reference.
    Json(Box<Expr>),
}

fn text(value: impl Into<String>) -> Expr {
    Expr::Text(value.into())
}

fn to(kind: &str, name: &str, attribute: &'static str) -> Expr {
    Expr::Reference(format!("{kind}.{name}"), attribute)
}

/// Terraform files of a plan with `n_resources` resources (a multiple of [`CELL`]): name and content.
pub(crate) fn terraform(n_resources: usize) -> Vec<(String, String)> {
    let n_cells = n_resources / CELL;
    let mut files = vec![("main.tf".to_owned(), "provider \"aws\" {\n  region = \"eu-west-1\"\n}\n".to_owned())];
    for cell in 0..n_cells {
        let mut content = String::new();
        for resource in resources(cell, n_cells) {
            let _ = writeln!(content, "resource \"{}\" \"{}\" {{", resource.kind, resource.name);
            hcl_body(&mut content, &resource.body, 1);
            content.push_str("}\n\n");
        }
        files.push((format!("cell_{cell:05}.tf"), content));
    }
    files
}

/// `terraform show -json` of the same plan before its first apply: what other resources decide is unknown.
pub(crate) fn plan(n_resources: usize) -> String {
    let n_cells = n_resources / CELL;
    let (mut values, mut changes, mut expressions) = (String::new(), String::new(), String::new());
    for resource in (0..n_cells).flat_map(|cell| resources(cell, n_cells)) {
        if !values.is_empty() {
            for list in [&mut values, &mut changes, &mut expressions] {
                list.push(',');
            }
        }
        let (kind, name) = (resource.kind, &resource.name);
        let head = format!("{{\"address\":\"{kind}.{name}\",\"mode\":\"managed\",\"type\":\"{kind}\",\"name\":\"{name}\"");
        let provider = "registry.terraform.io/hashicorp/aws";
        let body = Expr::Map(resource.body);
        let _ = write!(
            values,
            "{head},\"provider_name\":\"{provider}\",\"schema_version\":0,\"values\":{},\"sensitive_values\":{{}}}}",
            known(&body)
        );
        let after = format!("{{\"arn\":true,\"id\":true,{}", unknown(&body).trim_start_matches('{')).replace(",}", "}");
        let _ = write!(
            changes,
            "{head},\"change\":{{\"actions\":[\"create\"],\"before\":null,\"after\":{},\"after_unknown\":{after}}}}}",
            known(&body)
        );
        let _ = write!(expressions, "{head},\"provider_config_key\":\"aws\",\"expressions\":{},\"schema_version\":0}}", configured(&body));
    }
    format!(
        "{{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.5\",\"planned_values\":{{\"root_module\":{{\"resources\":[{values}]}}}},\
         \"resource_changes\":[{changes}],\"configuration\":{{\"provider_config\":{{\"aws\":{{\"name\":\"aws\",\"expressions\":{{\"region\":\
         {{\"constant_value\":\"eu-west-1\"}}}}}}}},\"root_module\":{{\"resources\":[{expressions}]}}}}}}\n"
    )
}

/// The resources of one cell.
fn resources(cell: usize, n_cells: usize) -> Vec<Resource> {
    let mut out = Vec::with_capacity(CELL);
    let mut add = |kind: &'static str, name: String, body: Vec<(&'static str, Expr)>| out.push(Resource { kind, name, body });
    let c = format!("c{cell:05}");
    let next = format!("c{:05}", (cell + 1) % n_cells.max(1));
    // Every seventh and every eleventh cell was built in a hurry.
    let (careful, tidy) = (cell % 7 != 3, cell % 11 != 5);

    let net = format!("10.{}.{}", cell / 250 % 250, cell % 250);
    add("aws_vpc", c.clone(), vec![("cidr_block", text(format!("{net}.0/24"))), ("enable_dns_hostnames", Expr::Bool(true))]);
    for (part, subnet) in ["public_a", "public_b", "private_a", "private_b"].into_iter().enumerate() {
        add(
            "aws_subnet",
            format!("{c}_{subnet}"),
            vec![
                ("vpc_id", to("aws_vpc", &c, "id")),
                ("cidr_block", text(format!("{net}.{}/26", part * 64))),
                ("availability_zone", text(if part % 2 == 0 { "eu-west-1a" } else { "eu-west-1b" })),
                ("map_public_ip_on_launch", Expr::Bool(part < 2)),
            ],
        );
    }
    add("aws_internet_gateway", c.clone(), vec![("vpc_id", to("aws_vpc", &c, "id"))]);
    let route = vec![("cidr_block", text("0.0.0.0/0")), ("gateway_id", to("aws_internet_gateway", &c, "id"))];
    add("aws_route_table", c.clone(), vec![("vpc_id", to("aws_vpc", &c, "id")), ("route", Expr::Block(route))]);
    for subnet in ["public_a", "public_b"] {
        add(
            "aws_route_table_association",
            format!("{c}_{subnet}"),
            vec![("subnet_id", to("aws_subnet", &format!("{c}_{subnet}"), "id")), ("route_table_id", to("aws_route_table", &c, "id"))],
        );
    }
    let egress = vec![
        ("from_port", Expr::Number(0)),
        ("to_port", Expr::Number(0)),
        ("protocol", text("-1")),
        ("cidr_blocks", Expr::List(vec![text("0.0.0.0/0")])),
    ];
    add(
        "aws_security_group",
        format!("{c}_app"),
        vec![("name", text(format!("{c}-app"))), ("vpc_id", to("aws_vpc", &c, "id")), ("egress", Expr::Block(egress))],
    );
    let mut ingress = vec![("from_port", Expr::Number(5432)), ("to_port", Expr::Number(5432)), ("protocol", text("tcp"))];
    if careful {
        ingress.push(("security_groups", Expr::List(vec![to("aws_security_group", &format!("{c}_app"), "id")])));
    } else {
        ingress.push(("cidr_blocks", Expr::List(vec![text("0.0.0.0/0")])));
    }
    add(
        "aws_security_group",
        format!("{c}_db"),
        vec![("name", text(format!("{c}-db"))), ("vpc_id", to("aws_vpc", &c, "id")), ("ingress", Expr::Block(ingress))],
    );
    let private = || ["private_a", "private_b"].map(|subnet| to("aws_subnet", &format!("{c}_{subnet}"), "id"));
    add("aws_db_subnet_group", c.clone(), vec![("name", text(format!("{c}-db"))), ("subnet_ids", Expr::List(private().into()))]);
    add(
        "aws_db_instance",
        c.clone(),
        vec![
            ("identifier", text(format!("{c}-orders"))),
            ("engine", text("postgres")),
            ("engine_version", text("16.4")),
            ("instance_class", text("db.t4g.medium")),
            ("allocated_storage", Expr::Number(100)),
            ("username", text("service")),
            ("manage_master_user_password", Expr::Bool(true)),
            ("storage_encrypted", Expr::Bool(careful)),
            ("multi_az", Expr::Bool(tidy)),
            ("backup_retention_period", Expr::Number(if tidy { 14 } else { 0 })),
            ("db_subnet_group_name", to("aws_db_subnet_group", &c, "name")),
            ("vpc_security_group_ids", Expr::List(vec![to("aws_security_group", &format!("{c}_db"), "id")])),
        ],
    );
    add("aws_kms_key", c.clone(), vec![("description", text(format!("data of {c}"))), ("enable_key_rotation", Expr::Bool(tidy))]);

    for (function, reads) in [("intake", "orders"), ("billing", "orders"), ("mailer", "customers"), ("report", "customers")] {
        functions(&mut add, &c, &next, function, reads, careful);
    }
    for (queue, function) in [("jobs", "billing"), ("mails", "mailer"), ("exports", "report")] {
        let name = format!("{c}_{queue}");
        add(
            "aws_sqs_queue",
            format!("{name}_dead"),
            vec![("name", text(format!("{c}-{queue}-dead"))), ("sqs_managed_sse_enabled", Expr::Bool(true))],
        );
        let redrive = Expr::Map(vec![
            ("deadLetterTargetArn", to("aws_sqs_queue", &format!("{name}_dead"), "arn")),
            ("maxReceiveCount", Expr::Number(5)),
        ]);
        let mut body = vec![("name", text(format!("{c}-{queue}"))), ("visibility_timeout_seconds", Expr::Number(180))];
        if tidy {
            body.push(("redrive_policy", Expr::Json(Box::new(redrive))));
            body.push(("kms_master_key_id", to("aws_kms_key", &c, "arn")));
        }
        add("aws_sqs_queue", name.clone(), body);
        add(
            "aws_lambda_event_source_mapping",
            name.clone(),
            vec![
                ("event_source_arn", to("aws_sqs_queue", &name, "arn")),
                ("function_name", to("aws_lambda_function", &format!("{c}_{function}"), "arn")),
                ("batch_size", Expr::Number(10)),
            ],
        );
    }
    for bucket in ["documents", "exports"] {
        let name = format!("{c}_{bucket}");
        add("aws_s3_bucket", name.clone(), vec![("bucket", text(format!("example-{c}-{bucket}")))]);
        let block = ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];
        let mut body = vec![("bucket", to("aws_s3_bucket", &name, "id"))];
        body.extend(block.map(|setting| (setting, Expr::Bool(careful))));
        add("aws_s3_bucket_public_access_block", name.clone(), body);
        let key = vec![("sse_algorithm", text("aws:kms")), ("kms_master_key_id", to("aws_kms_key", &c, "arn"))];
        let rule = vec![("apply_server_side_encryption_by_default", Expr::Block(key))];
        add(
            "aws_s3_bucket_server_side_encryption_configuration",
            name.clone(),
            vec![("bucket", to("aws_s3_bucket", &name, "id")), ("rule", Expr::Block(rule))],
        );
    }
    for table in ["orders", "customers"] {
        add(
            "aws_dynamodb_table",
            format!("{c}_{table}"),
            vec![
                ("name", text(format!("{c}-{table}"))),
                ("billing_mode", text("PAY_PER_REQUEST")),
                ("hash_key", text("id")),
                ("attribute", Expr::Block(vec![("name", text("id")), ("type", text("S"))])),
                ("point_in_time_recovery", Expr::Block(vec![("enabled", Expr::Bool(tidy))])),
            ],
        );
    }
    add("aws_sns_topic", c.clone(), vec![("name", text(format!("{c}-events")))]);
    add(
        "aws_sns_topic_subscription",
        c.clone(),
        vec![
            ("topic_arn", to("aws_sns_topic", &c, "arn")),
            ("protocol", text("sqs")),
            ("endpoint", to("aws_sqs_queue", &format!("{c}_mails"), "arn")),
        ],
    );
    let notice =
        vec![("queue_arn", to("aws_sqs_queue", &format!("{c}_exports"), "arn")), ("events", Expr::List(vec![text("s3:ObjectCreated:*")]))];
    add(
        "aws_s3_bucket_notification",
        c.clone(),
        vec![("bucket", to("aws_s3_bucket", &format!("{c}_documents"), "id")), ("queue", Expr::Block(notice))],
    );
    out
}

/// A function with its role, the role's policy and its log group: four resources.
fn functions(
    add: &mut impl FnMut(&'static str, String, Vec<(&'static str, Expr)>),
    c: &str,
    next: &str,
    function: &str,
    reads: &str,
    careful: bool,
) {
    let name = format!("{c}_{function}");
    let statement = |actions: &[&str], resource: Expr| {
        Expr::Map(vec![
            ("Effect", text("Allow")),
            ("Action", Expr::List(actions.iter().map(|action| text(*action)).collect())),
            ("Resource", resource),
        ])
    };
    let policy = |statements: Vec<Expr>| {
        Expr::Json(Box::new(Expr::Map(vec![("Version", text("2012-10-17")), ("Statement", Expr::List(statements))])))
    };
    let trust = Expr::Map(vec![
        ("Effect", text("Allow")),
        ("Action", text("sts:AssumeRole")),
        ("Principal", Expr::Map(vec![("Service", text("lambda.amazonaws.com"))])),
    ]);
    add("aws_iam_role", name.clone(), vec![("name", text(format!("{c}-{function}"))), ("assume_role_policy", policy(vec![trust]))]);
    let tables: &[&str] = if careful { &["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"] } else { &["dynamodb:*"] };
    let statements = vec![
        statement(tables, to("aws_dynamodb_table", &format!("{c}_{reads}"), "arn")),
        statement(&["sqs:SendMessage"], to("aws_sqs_queue", &format!("{next}_jobs"), "arn")),
        statement(&["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], to("aws_sqs_queue", &format!("{c}_jobs"), "arn")),
    ];
    add("aws_iam_role_policy", name.clone(), vec![("role", to("aws_iam_role", &name, "id")), ("policy", policy(statements))]);
    add(
        "aws_cloudwatch_log_group",
        name.clone(),
        vec![("name", text(format!("/aws/lambda/{c}-{function}"))), ("retention_in_days", Expr::Number(30))],
    );
    let variables = vec![
        ("TABLE", to("aws_dynamodb_table", &format!("{c}_{reads}"), "name")),
        ("NEXT_QUEUE_URL", to("aws_sqs_queue", &format!("{next}_jobs"), "url")),
        ("DB_HOST", to("aws_db_instance", c, "address")),
        ("LOG_LEVEL", text("info")),
    ];
    let network = vec![
        ("subnet_ids", Expr::List(["private_a", "private_b"].map(|subnet| to("aws_subnet", &format!("{c}_{subnet}"), "id")).into())),
        ("security_group_ids", Expr::List(vec![to("aws_security_group", &format!("{c}_app"), "id")])),
    ];
    add(
        "aws_lambda_function",
        name.clone(),
        vec![
            ("function_name", text(format!("{c}-{function}"))),
            ("role", to("aws_iam_role", &name, "arn")),
            ("runtime", text("python3.12")),
            ("handler", text("app.handler")),
            ("filename", text(format!("{function}.zip"))),
            ("timeout", Expr::Number(30)),
            ("environment", Expr::Block(vec![("variables", Expr::Map(variables))])),
            ("vpc_config", Expr::Block(network)),
        ],
    );
}

fn hcl_body(out: &mut String, body: &[(&'static str, Expr)], depth: usize) {
    let indent = "  ".repeat(depth);
    for (name, value) in body {
        if let Expr::Block(inner) = value {
            let _ = writeln!(out, "{indent}{name} {{");
            hcl_body(out, inner, depth + 1);
            let _ = writeln!(out, "{indent}}}");
        } else {
            let _ = write!(out, "{indent}{name} = ");
            hcl(out, value, depth);
            out.push('\n');
        }
    }
}

fn hcl(out: &mut String, value: &Expr, depth: usize) {
    match value {
        Expr::Text(text) => {
            let _ = write!(out, "{text:?}");
        }
        Expr::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Expr::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Expr::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                hcl(out, item, depth);
            }
            out.push(']');
        }
        Expr::Map(members) | Expr::Block(members) => {
            out.push_str("{\n");
            for (name, member) in members {
                let _ = write!(out, "{}{name} = ", "  ".repeat(depth + 1));
                hcl(out, member, depth + 1);
                out.push('\n');
            }
            let _ = write!(out, "{}}}", "  ".repeat(depth));
        }
        Expr::Reference(address, attribute) => {
            let _ = write!(out, "{address}.{attribute}");
        }
        Expr::Json(inner) => {
            out.push_str("jsonencode(");
            hcl(out, inner, depth);
            out.push(')');
        }
    }
}

/// JSON of what the plan knows; references are left out.
fn known(value: &Expr) -> String {
    match value {
        Expr::Text(text) => format!("{text:?}"),
        Expr::Number(number) => number.to_string(),
        Expr::Bool(value) => value.to_string(),
        Expr::List(items) => format!(
            "[{}]",
            items.iter().map(|item| if is_open(item) { "null".to_owned() } else { known(item) }).collect::<Vec<_>>().join(",")
        ),
        Expr::Map(members) => object(members.iter().filter(|(_, member)| !is_open(member)).map(|(name, member)| (*name, known(member)))),
        Expr::Block(members) => {
            format!("[{}]", object(members.iter().filter(|(_, member)| !is_open(member)).map(|(name, member)| (*name, known(member)))))
        }
        Expr::Reference(..) => "null".to_owned(),
        Expr::Json(inner) => format!("{:?}", known(inner)),
    }
}

/// JSON of `after_unknown`: true where a reference decides.
fn unknown(value: &Expr) -> String {
    match value {
        Expr::Map(members) => {
            object(members.iter().filter(|(_, member)| has_reference(member)).map(|(name, member)| (*name, unknown(member))))
        }
        Expr::Block(members) => {
            format!(
                "[{}]",
                object(members.iter().filter(|(_, member)| has_reference(member)).map(|(name, member)| (*name, unknown(member))))
            )
        }
        Expr::List(items) => format!("[{}]", items.iter().map(unknown).collect::<Vec<_>>().join(",")),
        value => has_reference(value).to_string(),
    }
}

/// JSON of the configuration: constants and references.
fn configured(value: &Expr) -> String {
    match value {
        Expr::Map(members) => object(members.iter().map(|(name, member)| match member {
            Expr::Block(inner) => (*name, format!("[{}]", object(inner.iter().map(|(name, member)| (*name, configured_argument(member)))))),
            member => (*name, configured_argument(member)),
        })),
        value => configured_argument(value),
    }
}

fn configured_argument(value: &Expr) -> String {
    if let Expr::Block(inner) = value {
        return format!("[{}]", object(inner.iter().map(|(name, member)| (*name, configured_argument(member)))));
    }
    let mut references = Vec::new();
    collect(value, &mut references);
    if references.is_empty() {
        format!("{{\"constant_value\":{}}}", known(value))
    } else {
        format!("{{\"references\":[{}]}}", references.join(","))
    }
}

fn collect(value: &Expr, out: &mut Vec<String>) {
    match value {
        Expr::Reference(address, attribute) => out.extend([format!("\"{address}.{attribute}\""), format!("\"{address}\"")]),
        Expr::List(items) => items.iter().for_each(|item| collect(item, out)),
        Expr::Map(members) | Expr::Block(members) => members.iter().for_each(|(_, member)| collect(member, out)),
        Expr::Json(inner) => collect(inner, out),
        Expr::Text(_) | Expr::Number(_) | Expr::Bool(_) => {}
    }
}

/// True for a value that the plan does not know at all.
fn is_open(value: &Expr) -> bool {
    match value {
        Expr::Reference(..) => true,
        Expr::Json(inner) => has_reference(inner),
        _ => false,
    }
}

fn has_reference(value: &Expr) -> bool {
    let mut references = Vec::new();
    collect(value, &mut references);
    !references.is_empty()
}

fn object<'n>(members: impl Iterator<Item = (&'n str, String)>) -> String {
    let members: Vec<String> = members.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}
