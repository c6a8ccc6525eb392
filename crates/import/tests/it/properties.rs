//! What holds for any text: it is read, its spans lie inside it, and reading it again gives the same.

use bartizan_model::Architecture;
use proptest::prelude::*;

use crate::support::{check, import};

fn read(files: &[(&str, &str)]) -> Architecture {
    let architecture = import(files);
    check(&architecture);
    assert_eq!(format!("{architecture:?}"), format!("{:?}", import(files)), "two runs differ");
    architecture
}

/// Expressions that mostly mean something, of values that mostly exist.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "1",
        "-1.5",
        "\"é\"",
        "\"a-${var.v}\"",
        "[]",
        "{}",
        "var.v",
        "var.list",
        "local.a",
        "local.b",
        "each.key",
        "count.index",
        "path.module",
        "aws_sqs_queue.q",
        "aws_sqs_queue.q.arn",
        "aws_sqs_queue.q[0].id",
        "data.aws_region.r.name",
        "module.m.out",
        "module.m[0].out",
        "var.nope",
        "terraform.workspace",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let name = prop::sample::select(vec![
            "merge",
            "concat",
            "flatten",
            "keys",
            "values",
            "length",
            "toset",
            "jsonencode",
            "jsondecode",
            "yamldecode",
            "try",
            "can",
            "join",
            "split",
            "format",
            "lookup",
            "element",
            "slice",
            "range",
            "zipmap",
            "setproduct",
            "replace",
            "regex",
            "regexall",
            "substr",
            "coalesce",
            "cidrsubnet",
            "cidrhost",
            "templatestring",
            "file",
            "base64decode",
            "distinct",
            "formatlist",
            "one",
            "sort",
            "index",
        ]);
        prop_oneof![
            (name, prop::collection::vec(inner.clone(), 0..4)).prop_map(|(name, args)| format!("{name}({})", args.join(", "))),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{ a = {a}, (\"b\") = {b} }}")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[for k, v in {a} : {b} if v != k]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{ for k, v in {a} : \"${{k}}\" => {b}... }}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            inner.clone().prop_map(|a| format!("({a})[*].x")),
            inner.clone().prop_map(|a| format!("({a}).x.0")),
            inner.clone().prop_map(|a| format!("\"%{{ for x in {a} ~}} ${{x}} %{{ endfor }}\"")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) + ({b}) > 1 && !({a} == {b})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in "\\PC{0,120}", path in prop::sample::select(vec!["main.tf", "a.auto.tfvars", "main.tf.json", "plan.json", "k8s.yaml", "bartizan.yaml"])) {
        read(&[(path, &text)]);
        read(&[(path, &format!("{{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.0\",{text}"))]);
    }

    #[test]
    fn text_like_terraform_is_read(
        text in "((resource|data|module|locals|variable)( \"(aws_s3_bucket|é|m)\")*( \\{)?|  [a-zé]+ (=|\\{)|\\}|\"|\\$\\{|%\\{ if|<<-?EOT|EOT|\\[|\\]|\\(|#|/\\*|\\*/|=|\\.|1|var\\.a|\r?\n){0,40}"
    ) {
        read(&[("main.tf", &text)]);
    }

    #[test]
    fn expressions_are_evaluated(a in expression(), b in expression(), repeat in expression()) {
        let main = format!(
            "variable \"v\" {{}}\nvariable \"list\" {{ default = [\"a\", \"b\"] }}\nlocals {{\n  a = {a}\n  b = {b}\n}}\n\
             data \"aws_region\" \"r\" {{}}\n\
             resource \"aws_sqs_queue\" \"q\" {{\n  count = {repeat}\n  name = {a}\n  policy = <<-EOT\n    é ${{{b}}}\n  EOT\n  tags = {b}\n}}\n\
             resource \"aws_s3_bucket\" \"b\" {{\n  for_each = {repeat}\n  bucket = each.value\n  dynamic \"rule\" {{\n    for_each = {a}\n    content {{\n      x = rule.value\n    }}\n  }}\n}}\n\
             module \"m\" {{\n  source = \"./m\"\n  in = {b}\n}}\n"
        );
        let architecture = read(&[("main.tf", &main), ("m/main.tf", "variable \"in\" { type = map(list(string)) }\noutput \"out\" { value = var.in }\n")]);
        prop_assert!(!architecture.diagnostics.iter().any(|diagnostic| diagnostic.code == "terraform/syntax"), "{main}\n{:?}", architecture.diagnostics);
    }
}
