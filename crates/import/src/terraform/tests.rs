//! Terraform's semantics, each case as text: expressions and what they give as JSON, then modules, instances and documents.

use bartizan_model::{Diagnostic, Sources};

use crate::json;
use crate::resource::Resource;
use crate::tree::Tree;

fn read(files: &[(&str, &str)]) -> (Vec<Resource>, Vec<Diagnostic>) {
    let tree = Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let plan = super::read(&tree, &mut sources, &mut diagnostics);
    (plan.resources, diagnostics)
}

fn shown(resource: &Resource, path: &str) -> String {
    resource.body.first_at(path).and_then(json::write).map_or_else(|| "nothing".to_owned(), |text| text.to_string())
}

/// The JSON of an expression, references shown as `${…}`.
fn value(expression: &str) -> String {
    let text = format!(
        "variable \"none\" {{}}\nvariable \"list\" {{ default = [\"b\", \"a\"] }}\nresource \"q\" \"q\" {{ name = \"jobs\" }}\nresource \"t\" \"t\" {{\n  x = {expression}\n}}\n"
    );
    let (resources, diagnostics) =
        read(&[("main.tf", &text), ("t.tpl", "hi ${name}%{ for x in xs ~} ,${x}%{ endfor ~}"), ("d/a.txt", "A"), ("d/b.md", "B")]);
    let resource = resources.iter().find(|resource| resource.source_type == "t");
    let value = resource.map(|resource| shown(resource, "x")).unwrap_or_default();
    match diagnostics.first() {
        Some(diagnostic) if value.contains("${?}") => format!("error: {}", diagnostic.message),
        _ => value,
    }
}

#[test]
fn expressions() {
    let cases = [
        ("1 + 2 * 3", "7"),
        ("-(7 % 4)", "-3"),
        ("10 / 4", "2.5"),
        ("true && !false", "true"),
        ("1 == \"1\"", "true"),
        ("[1, 2] == [1, 2]", "true"),
        ("\"a${1 + 1}b\"", "\"a2b\""),
        ("\"$${aws:username}\"", "\"${aws:username}\""),
        ("\"%{ if true }yes%{ else }no%{ endif }\"", "\"yes\""),
        ("[for i, v in [\"x\", \"y\"] : \"${i}${v}\"]", "[\"0x\",\"1y\"]"),
        ("{ for k, v in { b = 1, a = 2 } : upper(k) => v if v > 1 }", "{\"A\":2}"),
        ("{ for v in [\"a\", \"b\", \"a\"] : v => 1... }", "{\"a\":[1,1],\"b\":[1]}"),
        ("[{ a = 1 }, { a = 2 }][*].a", "[1,2]"),
        ("[{ a = [1, 2] }].*.a[0]", "[1,2]"),
        ("null[*]", "[]"),
        ("var.list[1]", "\"a\""),
        ("{ a = { b = 5 } }.a[\"b\"]", "5"),
        ("try({}.missing, \"fallback\")", "\"fallback\""),
        ("can([][0])", "false"),
        ("var.none", "\"${?}\""),
        ("var.none == 1 ? \"same\" : \"same\"", "\"same\""),
        ("q.q.arn", "\"${q.q.arn}\""),
        ("q.q.name", "\"jobs\""),
        ("\"${q.q.arn}/*\"", "\"${q.q.arn}/*\""),
        ("q.q.arn == \"\"", "false"),
        ("<<-EOT\n    a\n      b\n  EOT\n", "\"a\\n  b\\n\""),
        ("{}.nope", "error: there is no attribute `nope` here"),
        ("local.nope", "error: no local value `nope` is declared"),
        ("nosuch(1)", "error: there is no function `nosuch`"),
    ];
    for (expression, expected) in cases {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn functions() {
    let cases = [
        ("abs(-2)", "2"),
        ("ceil(1.2)", "2"),
        ("floor(-1.2)", "-2"),
        ("max(1, 3, 2)", "3"),
        ("min([4, 2]...)", "2"),
        ("pow(2, 10)", "1024"),
        ("signum(-9)", "-1"),
        ("parseint(\"ff\", 16)", "255"),
        ("chomp(\"a\\n\")", "\"a\""),
        ("format(\"%03d-%s-%5.1f|%-4s|%q\", 7, \"x\", 3.14159, \"ab\", \"q\")", "\"007-x-  3.1|ab  |\\\"q\\\"\""),
        ("format(\"%s/x\", q.q.arn)", "\"${q.q.arn}/x\""),
        ("formatlist(\"%s-%s\", \"a\", [\"b\", \"c\"])", "[\"a-b\",\"a-c\"]"),
        ("indent(2, \"a\\nb\")", "\"a\\n  b\""),
        ("join(\",\", [\"a\", q.q.id])", "\"a,${q.q.id}\""),
        ("lower(\"AbC\")", "\"abc\""),
        ("lower(q.q.id)", "\"${q.q.id}\""),
        ("title(\"hello world\")", "\"Hello World\""),
        ("regex(\"(\\\\d+)-(\\\\w)\", \"12-a\")", "[\"12\",\"a\"]"),
        ("regex(\"(?P<n>\\\\d+)\", \"12\")", "{\"n\":\"12\"}"),
        ("regexall(\"[a-z]\", \"a1b\")", "[\"a\",\"b\"]"),
        ("replace(\"a.b.c\", \".\", \"-\")", "\"a-b-c\""),
        ("replace(\"abc\", \"/[ab]/\", \"x\")", "\"xxc\""),
        ("split(\":\", \"a:b\")", "[\"a\",\"b\"]"),
        ("split(\":\", q.q.endpoint)[0]", "\"${q.q.endpoint[0]}\""),
        ("split(\"/\", \"x/${q.q.id}/y\")[1]", "\"${q.q.id}\""),
        ("startswith(\"abc\", \"ab\")", "true"),
        ("strcontains(\"abc\", \"bd\")", "false"),
        ("substr(\"hello\", -3, 2)", "\"ll\""),
        ("trim(\"xxaxx\", \"x\")", "\"a\""),
        ("trimprefix(\"abc\", \"a\")", "\"bc\""),
        ("alltrue([true, \"true\"])", "true"),
        ("anytrue([])", "false"),
        ("chunklist([1, 2, 3], 2)", "[[1,2],[3]]"),
        ("coalesce(null, \"\", \"x\")", "\"x\""),
        ("coalescelist([], [1])", "[1]"),
        ("compact([\"\", \"a\", null])", "[\"a\"]"),
        ("concat([1], [2, 3])", "[1,2,3]"),
        ("contains([\"a\"], \"a\")", "true"),
        ("distinct([1, 2, 1])", "[1,2]"),
        ("element([\"a\", \"b\"], 3)", "\"b\""),
        ("flatten([[1, [2]], 3])", "[1,2,3]"),
        ("index([\"a\", \"b\"], \"b\")", "1"),
        ("keys({ b = 1, a = 2 })", "[\"a\",\"b\"]"),
        ("values({ b = 1, a = 2 })", "[2,1]"),
        ("length(\"héllo\")", "5"),
        ("lookup({ a = 1 }, \"b\", 2)", "2"),
        ("matchkeys([\"i\", \"j\"], [\"a\", \"b\"], [\"b\"])", "[\"j\"]"),
        ("merge({ a = 1 }, null, { a = 2, b = 3 })", "{\"a\":2,\"b\":3}"),
        ("one([5])", "5"),
        ("range(1, 7, 2)", "[1,3,5]"),
        ("reverse([1, 2])", "[2,1]"),
        ("setintersection([\"a\", \"b\"], [\"b\"])", "[\"b\"]"),
        ("setproduct([\"a\"], [1, 2])", "[[\"a\",1],[\"a\",2]]"),
        ("setsubtract([\"a\", \"b\"], [\"b\"])", "[\"a\"]"),
        ("setunion([\"a\"], [\"b\", \"a\"])", "[\"a\",\"b\"]"),
        ("slice([1, 2, 3], 1, 3)", "[2,3]"),
        ("sort([\"b\", \"a\"])", "[\"a\",\"b\"]"),
        ("sum([1, 2.5])", "3.5"),
        ("tobool(\"true\")", "true"),
        ("tonumber(\"12\")", "12"),
        ("toset([\"b\", \"a\", \"b\"])", "[\"a\",\"b\"]"),
        ("tostring(5)", "\"5\""),
        ("transpose({ a = [\"1\", \"2\"], b = [\"2\"] })", "{\"1\":[\"a\"],\"2\":[\"a\",\"b\"]}"),
        ("zipmap([\"a\"], [1])", "{\"a\":1}"),
        ("base64encode(\"hi\")", "\"aGk=\""),
        ("base64decode(\"aGk=\")", "\"hi\""),
        ("csvdecode(\"a,b\\n1,2\")", "[{\"a\":\"1\",\"b\":\"2\"}]"),
        ("jsondecode(\"{\\\"a\\\": [1, null]}\").a", "[1,null]"),
        ("jsonencode({ b = q.q.arn, a = [true] })", "\"{\\\"a\\\":[true],\\\"b\\\":\\\"${q.q.arn}\\\"}\""),
        ("jsondecode(jsonencode({ b = q.q.arn })).b", "\"${q.q.arn}\""),
        ("yamldecode(\"a: [1, x]\\nb: ${q.q.arn}/*\")", "{\"a\":[1,\"x\"],\"b\":\"${q.q.arn}/*\"}"),
        ("urlencode(\"a b&\")", "\"a+b%26\""),
        ("md5(\"a\")", "\"0cc175b9c0f1b6a831c399e269772661\""),
        ("substr(sha256(\"a\"), 0, 8)", "\"ca978112\""),
        ("uuidv5(\"dns\", \"example.com\")", "\"cfbff0d1-9375-5685-968c-48ce8b15ae17\""),
        ("cidrhost(\"10.0.0.0/24\", 5)", "\"10.0.0.5\""),
        ("cidrhost(\"10.0.0.0/24\", -1)", "\"10.0.0.255\""),
        ("cidrnetmask(\"10.0.0.0/20\")", "\"255.255.240.0\""),
        ("cidrsubnet(\"10.0.0.0/16\", 8, 2)", "\"10.0.2.0/24\""),
        ("cidrsubnets(\"10.0.0.0/16\", 8, 4, 8)", "[\"10.0.0.0/24\",\"10.0.16.0/20\",\"10.0.32.0/24\"]"),
        ("cidrsubnet(\"fd00::/48\", 16, 3)", "\"fd00:0:0:3::/64\""),
        ("file(\"d/a.txt\")", "\"A\""),
        ("fileexists(\"${path.module}/d/b.md\")", "true"),
        ("fileset(path.module, \"**/*.{txt,md}\")", "[\"d/a.txt\",\"d/b.md\"]"),
        ("templatefile(\"t.tpl\", { name = q.q.id, xs = [1, 2] })", "\"hi ${q.q.id},1,2\""),
        ("basename(\"a/b.c\")", "\"b.c\""),
        ("dirname(\"a/b.c\")", "\"a\""),
        ("file(\"../../etc/passwd\")", "error: `file`: `../../etc/passwd` lies outside of the files under review"),
    ];
    for (expression, expected) in cases {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn modules_hand_values_in_and_out() {
    let (resources, diagnostics) = read(&[
        (
            "main.tf",
            "module \"q\" {\n  source = \"./m\"\n  for_each = toset([\"a\", \"b\"])\n  name = each.key\n  rules = [{ port = \"80\" }]\n}\nresource \"user\" \"u\" {\n  all = [for m in module.q : m.arn]\n  one = module.q[\"b\"].arn\n  port = module.q[\"a\"].rules[0].open\n}\n",
        ),
        (
            "m/main.tf",
            "variable \"name\" { type = string }\nvariable \"rules\" {\n  type = list(object({ port = number, open = optional(bool, true) }))\n}\nresource \"queue\" \"this\" {\n  count = var.name == \"\" ? 0 : 1\n  name = \"q-${var.name}\"\n  port = var.rules[0].port\n}\noutput \"arn\" { value = queue.this[0].arn }\noutput \"rules\" { value = var.rules }\n",
        ),
    ]);
    assert_eq!(diagnostics, []);
    let addresses: Vec<&str> = resources.iter().map(|r| r.address.as_str()).collect();
    assert_eq!(addresses, ["user.u", "module.q[\"a\"].queue.this[0]", "module.q[\"b\"].queue.this[0]"]);
    assert_eq!(
        resources[0].body.get("one").and_then(|n| n.value.as_text()).map(ToString::to_string).as_deref(),
        Some(r#"${module.q["b"].queue.this[0].arn}"#)
    );
    assert_eq!(shown(&resources[0], "port"), "true");
    assert_eq!(shown(&resources[1], "name"), "\"q-a\"");
    assert_eq!(shown(&resources[1], "port"), "80");
}

#[test]
fn dynamic_blocks_and_unknown_counts() {
    let (resources, diagnostics) = read(&[(
        "main.tf",
        "variable \"on\" {}\nresource \"g\" \"g\" {\n  count = var.on ? 1 : 0\n  dynamic \"rule\" {\n    for_each = { a = 1, b = 2 }\n    content {\n      name = rule.key\n      port = rule.value\n    }\n  }\n  dynamic \"late\" {\n    for_each = var.on\n    content {}\n  }\n}\nresource \"h\" \"h\" {\n  g = g.g[0].id\n}\n",
    )]);
    assert_eq!(diagnostics, []);
    assert_eq!(resources[0].address, "g.g[*]");
    assert_eq!(shown(&resources[0], "rule"), r#"[{"name":"a","port":1},{"name":"b","port":2}]"#);
    assert!(resources[0].body.first_at("late.x").is_some_and(|node| node.value.is_unknown()));
    assert_eq!(shown(&resources[1], "g"), "\"${g.g[*].id}\"");
}

#[test]
fn cycles_are_told_and_do_not_hang() {
    let (resources, diagnostics) = read(&[
        ("main.tf", "locals {\n  a = local.b\n  b = local.a\n}\nresource \"t\" \"t\" { x = local.a }\nmodule \"m\" { source = \"./m\" }\n"),
        ("m/main.tf", "module \"again\" { source = \"../m\" }\n"),
    ]);
    assert_eq!(resources.len(), 1);
    assert!(diagnostics.iter().any(|d| d.message.contains("refers to itself")), "{diagnostics:?}");
    assert!(diagnostics.iter().any(|d| d.code == "terraform/module-cycle"), "{diagnostics:?}");
}

#[test]
fn policy_documents_merge_and_keep_their_lines() {
    let text = "data \"aws_iam_policy_document\" \"base\" {\n  statement {\n    sid = \"Read\"\n    actions = [\"s3:GetObject\"]\n    resources = [\"*\"]\n  }\n}\ndata \"aws_iam_policy_document\" \"all\" {\n  source_policy_documents = [data.aws_iam_policy_document.base.json]\n  statement {\n    effect = \"Deny\"\n    actions = [\"s3:PutObject\"]\n    resources = [\"arn:aws:s3:::x/&{aws:username}\"]\n    principals {\n      type = \"AWS\"\n      identifiers = [\"*\"]\n    }\n    condition {\n      test = \"Bool\"\n      variable = \"aws:SecureTransport\"\n      values = [\"false\"]\n    }\n  }\n}\nresource \"t\" \"t\" { policy = data.aws_iam_policy_document.all.json }\n";
    let tree = Tree::from_memory([("main.tf".to_owned(), text.to_owned())]);
    let mut sources = Sources::default();
    let plan = super::read(&tree, &mut sources, &mut Vec::new());
    let resource = plan.resources.iter().find(|r| r.source_type == "t").unwrap();
    let policy = resource.body.get("policy").unwrap();
    let json = policy.value.as_text().unwrap();
    assert_eq!(
        json.to_string(),
        r#"{"Statement":[{"Action":["s3:GetObject"],"Effect":"Allow","Resource":["*"],"Sid":"Read"},{"Action":["s3:PutObject"],"Condition":{"Bool":{"aws:SecureTransport":["false"]}},"Effect":"Deny","Principal":{"AWS":["*"]},"Resource":["arn:aws:s3:::x/${aws:username}"]}],"Version":"2012-10-17"}"#
    );
    let documents = crate::lower::Documents { sources: &sources, built: &plan.documents };
    let tree = documents.tree(json, policy.span).unwrap();
    let lines: Vec<u32> = tree.at("Statement[]").iter().map(|node| sources.start(node.span).line).collect();
    assert_eq!(lines, [2, 10]);
}

#[test]
fn equal_documents_keep_their_own_lines() {
    let document = |name: &str| {
        format!(
            "data \"aws_iam_policy_document\" \"{name}\" {{\n  statement {{\n    actions = [\"a:b\"]\n    resources = [\"*\"]\n  }}\n}}\n"
        )
    };
    let uses = "locals {\n  kept = data.aws_iam_policy_document.b.json\n}\nresource \"t\" \"a\" { policy = data.aws_iam_policy_document.a.json }\nresource \"t\" \"b\" { policy = data.aws_iam_policy_document.b.json }\nresource \"t\" \"c\" { policy = local.kept }\n";
    let text = document("a") + &document("b") + uses;
    let tree = Tree::from_memory([("main.tf".to_owned(), text)]);
    let mut sources = Sources::default();
    let plan = super::read(&tree, &mut sources, &mut Vec::new());
    let documents = crate::lower::Documents { sources: &sources, built: &plan.documents };
    let line = |address: &str| {
        let policy = plan.resources.iter().find(|r| r.address == address).unwrap().body.get("policy").unwrap();
        let tree = documents.tree(policy.value.as_text().unwrap(), policy.span).unwrap();
        sources.start(tree.first_at("Statement[]").unwrap().span).line
    };
    assert_eq!([line("t.a"), line("t.b"), line("t.c")], [2, 8, 8]);
}

#[test]
fn an_account_that_no_id_names_is_that_of_its_stack() {
    let role =
        |id: &str, role: &str| format!("assume_role {{ role_arn = \"arn:aws:iam::${{data.aws_ssm_parameter.{id}.value}}:role/{role}\" }}");
    let text = format!(
        "data \"aws_ssm_parameter\" \"own\" {{ name = \"own\" }}\ndata \"aws_ssm_parameter\" \"net\" {{ name = \"net\" }}\nprovider \"aws\" {{\n  {}\n}}\nprovider \"aws\" {{\n  alias = \"west\"\n  {}\n}}\nprovider \"aws\" {{\n  alias = \"dns\"\n  {}\n}}\nresource \"aws_sqs_queue\" \"a\" {{}}\nresource \"aws_sqs_queue\" \"b\" {{ provider = aws.west }}\nresource \"aws_sqs_queue\" \"c\" {{ provider = aws.dns }}\n",
        role("own", "deploy"),
        role("own", "deploy"),
        role("net", "dns"),
    );
    let (resources, _) = read(&[("one/main.tf", &text), ("two/main.tf", &text)]);
    let account = |address: &str| resources.iter().find(|r| r.address == address).unwrap().account.clone();
    assert_eq!((account("one:aws_sqs_queue.a"), account("one:aws_sqs_queue.b")), (None, None));
    let dns = account("one:aws_sqs_queue.c").unwrap();
    assert!(dns.ends_with(":role/dns from one"), "{dns}");
    assert_ne!(Some(dns), account("two:aws_sqs_queue.c"));
}

#[test]
fn tfvars_remote_state_and_providers() {
    let (resources, _) = read(&[
        (
            "net/main.tf",
            "terraform {\n  backend \"s3\" {\n    bucket = \"state\"\n    key = \"net\"\n  }\n}\nvariable \"cidr\" {}\nresource \"aws_vpc\" \"v\" { cidr_block = var.cidr }\noutput \"vpc\" { value = aws_vpc.v.id }\n",
        ),
        ("net/prod.auto.tfvars", "cidr = \"10.0.0.0/16\"\n"),
        (
            "app/main.tf",
            "data \"terraform_remote_state\" \"net\" {\n  backend = \"s3\"\n  config = { bucket = \"state\", key = \"net\" }\n}\nprovider \"aws\" {\n  alias = \"other\"\n  region = \"eu-west-1\"\n  assume_role { role_arn = \"arn:aws:iam::123456789012:role/x\" }\n}\nresource \"aws_subnet\" \"s\" {\n  provider = aws.other\n  vpc_id = data.terraform_remote_state.net.outputs.vpc\n}\n",
        ),
    ]);
    let subnet = resources.iter().find(|r| r.source_type == "aws_subnet").unwrap();
    assert_eq!(subnet.address, "app:aws_subnet.s");
    assert_eq!(shown(subnet, "vpc_id"), "\"${net:aws_vpc.v.id}\"");
    assert_eq!((subnet.account.as_deref(), subnet.region.as_deref()), (Some("123456789012"), Some("eu-west-1")));
    let vpc = resources.iter().find(|r| r.source_type == "aws_vpc").unwrap();
    assert_eq!(shown(vpc, "cidr_block"), "\"10.0.0.0/16\"");
}
