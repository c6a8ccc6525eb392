//! Input that means harm, or was damaged: it is refused or read, with a diagnostic, in bounded time and memory.

use std::time::{Duration, Instant};

use bartizan_model::Severity;

use crate::support::{check, codes, import, import_bytes};

/// No input may keep a review busy for longer; the limits are far below, but tests share their machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn small_configurations_cannot_grow_without_end() {
    let doubled = |value: &str| {
        let mut text = format!("locals {{\n  a0 = {value}\n");
        (0..60).for_each(|n| text.push_str(&format!("  a{} = [local.a{n}, local.a{n}]\n", n + 1)));
        text + "}\nresource \"aws_sqs_queue\" \"q\" {\n  tags = { x = local.a60 }\n}\n"
    };
    let joined = "locals {\n  a0 = \"xxxxxxxxxxxxxxxx\"\n".to_owned()
        + &(0..60).map(|n| format!("  a{} = \"${{local.a{n}}}${{local.a{n}}}\"\n", n + 1)).collect::<String>()
        + "}\nresource \"aws_sqs_queue\" \"q\" {\n  name = local.a60\n}\n";
    let deep = "locals {\n  a0 = 1\n".to_owned()
        + &(0..5_000).map(|n| format!("  a{} = [local.a{n}]\n", n + 1)).collect::<String>()
        + "}\n"
        + &(0..5_000).map(|n| format!("resource \"aws_sqs_queue\" \"q{n}\" {{\n  tags = {{ x = local.a{n} }}\n}}\n")).collect::<String>();
    let queue = |expression: &str| format!("resource \"aws_sqs_queue\" \"q\" {{\n  name = {expression}\n}}\n");
    let cases = [
        doubled("1"),
        joined,
        deep,
        queue("[for a in range(100000) : [for b in range(100000) : [for c in range(100000) : 1]]]"),
        queue("\"%{ for a in range(100000) }%{ for b in range(100000) }%{ endfor }%{ endfor }\""),
        queue("range(1e17, 1e17 + 100)"),
        queue("setproduct(range(1000), range(1000), range(1000), range(1000))"),
        queue("setproduct(range(300), [for a in range(300) : range(300)])"),
        queue(
            "replace(replace(replace(join(\"\", range(50000)), \"\", \"xxxxxxxxxxxxxxxx\"), \"x\", \"yyyyyyyyyyyyyyyy\"), \"y\", \"zzzzzzzzzzzzzzzzzz\")",
        ),
        queue("replace(join(\"\", range(50000)), \"/.*/\", join(\"\", [for a in range(50000) : \"$0\"]))"),
        queue("formatlist(\"%1000d%1000d%1000d%1000d\", range(100000))"),
        queue("distinct([for a in range(100000) : [a]])"),
        queue("setintersection([for a in range(100000) : [a]], [for a in range(100000) : [a]])"),
        queue("matchkeys(range(100000), range(100000), range(100000))"),
        queue("cidrhost(\"8000::/1\", -1)"),
        queue("regexall(\"(?:a|b|c|d|e|f){1,500}{1,500}\", \"a\")"),
        "resource \"aws_sqs_queue\" \"q\" {\n  count = 1e308\n}\n".to_owned(),
        (0..100).map(|n| format!("resource \"aws_sqs_queue\" \"q{n}\" {{\n  count = 10000\n}}\n")).collect(),
    ];
    for text in cases {
        let start = Instant::now();
        check(&import(&[("main.tf", &text)]));
        let shown: String = text.chars().take(200).collect();
        assert!(start.elapsed() < PATIENCE, "{:?} for {shown}", start.elapsed());
    }
}

#[test]
fn cyclic_modules_are_left_out_with_a_diagnostic() {
    let start = Instant::now();
    let itself = import(&[("main.tf", "module \"a\" { source = \"./m\" }\n"), ("m/main.tf", "module \"b\" { source = \"../m\" }\n")]);
    assert_eq!(codes(&itself), ["terraform/module-cycle"]);
    let call = |target: &str| {
        format!(
            "module \"x\" {{ source = \"../{target}\" }}\nmodule \"y\" {{ source = \"../{target}\" }}\nresource \"aws_sqs_queue\" \"q\" {{}}\n"
        )
    };
    let (one, two) = (call("two"), call("one"));
    let each_other = import(&[("main.tf", "module \"a\" { source = \"./one\" }\n"), ("one/main.tf", &one), ("two/main.tf", &two)]);
    assert!(codes(&each_other).iter().all(|code| *code == "terraform/module-cycle"));
    assert_eq!(each_other.components.len(), 3, "one queue of `one`, two of `two`");
    // No cycle, but two to the power of the depth.
    let chain: Vec<(String, String)> = (0..24)
        .map(|n| (format!("m{n}/main.tf"), call(&format!("m{}", n + 1))))
        .chain([("main.tf".to_owned(), "module \"a\" { source = \"./m0\" }\n".to_owned())])
        .collect();
    let files: Vec<(&str, &str)> = chain.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let many = import(&files);
    assert!(codes(&many).contains(&"terraform/module-cycle"));
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

#[test]
fn cyclic_values_are_told() {
    let architecture = import(&[(
        "main.tf",
        "locals {\n  a = local.b\n  b = local.a\n}\nresource \"aws_sqs_queue\" \"q\" {\n  count = length(aws_sqs_queue.q)\n  name  = local.a\n}\nresource \"aws_sqs_queue\" \"r\" {\n  name = aws_sqs_queue.r.name\n}\n",
    )]);
    check(&architecture);
    assert!(
        architecture.diagnostics.iter().any(|diagnostic| diagnostic.message.contains("refers to itself")),
        "{:?}",
        architecture.diagnostics
    );
    assert_eq!(architecture.unresolved_references, 1);
}

#[test]
fn paths_cannot_leave_the_reviewed_files() {
    for expression in [
        "file(\"/etc/passwd\")",
        "file(\"../../../../etc/passwd\")",
        "file(\"${path.module}/../../etc/passwd\")",
        "templatefile(\"../x.tpl\", {})",
        "filebase64(\"../x\")",
        "jsondecode(file(\"./../x.json\"))",
    ] {
        let text = format!("resource \"aws_sqs_queue\" \"q\" {{\n  name = {expression}\n}}\n");
        let architecture = import(&[("main.tf", &text)]);
        let queue = architecture.components.values().next().unwrap();
        assert!(queue.settings.values().all(|node| !format!("{node:?}").contains("root:")), "{expression}");
        let told = architecture.diagnostics.iter().any(|diagnostic| diagnostic.message.contains("files under review"));
        assert!(told || expression.starts_with("filebase64"), "{expression}: {:?}", architecture.diagnostics);
    }
    let module = import(&[("main.tf", "module \"m\" { source = \"../outside\" }\n")]);
    assert_eq!(codes(&module), ["terraform/module-not-available"]);
}

#[test]
fn deep_nesting_is_refused_in_every_language() {
    let n = 100_000;
    let cases = [
        ("main.tf", format!("locals {{\n  a = {}1{}\n}}\n", "[".repeat(n), "]".repeat(n))),
        ("main.tf", format!("locals {{\n  a = {}1{}\n}}\n", "(".repeat(n), ")".repeat(n))),
        ("main.tf", format!("locals {{\n  a = {}true\n}}\n", "!".repeat(n))),
        ("main.tf", format!("locals {{\n  a = {}1\n}}\n", "-".repeat(n))),
        ("main.tf", format!("locals {{\n  a = 1{}\n}}\n", " + 1".repeat(n))),
        ("main.tf", format!("locals {{\n  a = {}1\n}}\n", "true ? 1 : ".repeat(n))),
        ("main.tf", format!("locals {{\n  a = \"{}\"\n}}\n", "${\"".repeat(n))),
        ("main.tf", format!("{}{}", "a {\n".repeat(n), "}\n".repeat(n))),
        ("main.tf.json", format!("{}{}", "{\"locals\":".repeat(n), "}".repeat(n))),
        ("main.tf.json", format!("{{\"locals\":{{\"a\":\"{}\"}}}}", "${".repeat(n))),
        ("plan.json", format!("{{\"format_version\":\"1.2\",\"planned_values\":{}", "[".repeat(n))),
        ("k8s.yaml", format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {}{}\n", "[".repeat(n), "]".repeat(n))),
        ("k8s.yaml", format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  {}a\n", "- ".repeat(n))),
        ("bartizan.yaml", format!("system: {}", "{a: ".repeat(n))),
    ];
    for (path, text) in cases {
        let start = Instant::now();
        let architecture = import(&[(path, &text)]);
        check(&architecture);
        let shown: String = text.chars().take(60).collect();
        let errors = architecture.diagnostics.iter().filter(|diagnostic| diagnostic.severity == bartizan_model::Severity::Error);
        assert!(errors.count() > 0, "{path} {shown}");
        assert!(start.elapsed() < PATIENCE, "{:?} for {path} {shown}", start.elapsed());
    }
}

#[test]
fn aliases_cannot_multiply() {
    let mut text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    (0..20).for_each(|n| text.push_str(&format!("  a{0}: &a{0} [{1}]\n", n + 1, format!("*a{n}, ").repeat(10))));
    let start = Instant::now();
    assert!(codes(&import(&[("k8s.yaml", &text)])).contains(&"yaml/alias-bomb"));
    // The same text in Terraform.
    let decoded = format!("resource \"aws_sqs_queue\" \"q\" {{\n  name = yamldecode(<<-EOT\n{text}EOT\n  )\n}}\n");
    let architecture = import(&[("main.tf", &decoded)]);
    assert!(
        architecture.diagnostics.iter().any(|diagnostic| diagnostic.message.contains("aliases copy")),
        "{:?}",
        architecture.diagnostics
    );
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn charts_come_to_an_end() {
    let release = "resource \"helm_release\" \"r\" {\n  name  = \"r\"\n  chart = \"./chart\"\n}\n";
    let templates = [
        "{{ repeat 1000 (repeat 1000 (repeat 1000 \"x\")) }}",
        "{{ $x := \"xxxxxxxx\" }}{{ range until 100 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := list 1 }}{{ range until 100 }}{{ $x = list $x $x }}{{ end }}{{ toYaml $x }}",
        "{{ $x := list 1 }}{{ range until 10000 }}{{ $x = list $x }}{{ end }}{{ $x }}",
        "{{ define \"a\" }}{{ include \"a\" . }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}",
        "{{ range until 10000 }}{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}{{ end }}",
        "{{ $x := repeat 1000 \"x\" }}{{ range until 10 }}{{ $x = replace \"x\" $x $x }}{{ end }}",
        "{{ range until 10000 }}{{ regexMatch \"\\\\pL{500}\" \"x\" }}{{ end }}",
        "{{ tpl \"{{ tpl . . }}\" \"{{ tpl . . }}\" }}",
    ];
    for template in templates {
        let start = Instant::now();
        let chart = ("chart/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
        let architecture = import(&[("main.tf", release), chart, ("chart/templates/a.yaml", template)]);
        check(&architecture);
        assert!(start.elapsed() < PATIENCE, "{:?} for {template}", start.elapsed());
    }
}

#[test]
fn plans_whose_outputs_fork_are_read() {
    // Each output names the next module's eight times.
    let mut module = r#"{"outputs":{"o":{"expression":{"references":["each.value"]}}}}"#.to_owned();
    for _ in 0..14 {
        let names = r#""module.m.o","#.repeat(8);
        module = format!(
            r#"{{"outputs":{{"o":{{"expression":{{"references":[{}]}}}}}},"module_calls":{{"m":{{"module":{module}}}}}}}"#,
            names.trim_end_matches(',')
        );
    }
    let plan = format!(
        r#"{{"format_version":"1.2","terraform_version":"1.9.0","planned_values":{{"root_module":{{"resources":[{{"address":"aws_sqs_queue.q","mode":"managed","type":"aws_sqs_queue","name":"q","values":{{}}}}]}}}},"resource_changes":[{{"address":"aws_sqs_queue.q","change":{{"after_unknown":{{"name":true}}}}}}],"configuration":{{"root_module":{{"resources":[{{"address":"aws_sqs_queue.q","expressions":{{"name":{{"references":["module.m.o"]}}}}}}],"module_calls":{{"m":{{"module":{module}}}}}}}}}}}"#
    );
    let start = Instant::now();
    let architecture = import(&[("plan.json", &plan)]);
    check(&architecture);
    assert_eq!(architecture.components.len(), 1);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

#[test]
fn byte_order_marks_and_carriage_returns_are_read() {
    let queue = "resource \"aws_sqs_queue\" \"q\" {\r\n  name = \"jobs\"\r\n  tags = {\r\n    a = \"b\"\r\n  }\r\n}\r\n";
    let json = "{\"resource\": {\"aws_sqs_queue\": {\"q\": {\"name\": \"jobs\"}}}}\r\n";
    let pod = "apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: c\r\ndata:\r\n  a: b\r\n";
    for (path, text) in [("main.tf", queue), ("main.tf.json", json), ("c.yaml", pod)] {
        for text in [text.to_owned(), format!("\u{feff}{text}"), text.replace("\r\n", "\n")] {
            let architecture = import(&[(path, &text)]);
            check(&architecture);
            assert_eq!(codes(&architecture), [""; 0], "{path} {text:?}");
            assert_eq!(architecture.components.len(), 1, "{path} {text:?}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_told() {
    let latin: &[u8] = b"resource \"aws_sqs_queue\" \"q\" {\n  name = \"caf\xe9\"\n}\n";
    let utf16: &[u8] = &[0xff, 0xfe, b'a', 0, b'=', 0, b'1', 0];
    for bytes in [latin, utf16, &[0; 64]] {
        let architecture = import_bytes(&[("main.tf", bytes), ("other.tf", b"resource \"aws_sqs_queue\" \"r\" {}\n")]);
        check(&architecture);
        assert_eq!(architecture.diagnostics.len(), 1, "{:?}", architecture.diagnostics);
        assert_eq!(architecture.components.len(), 1, "the other file is read");
    }
}

#[test]
fn references_cannot_be_forged() {
    let forged = "resource \"aws_iam_role\" \"r\" {\n  name = \"\u{f8f0}aws_sqs_queue.q\u{f8f1}arn\u{f8f2}\"\n}\nresource \"aws_sqs_queue\" \"q\" {}\n";
    let architecture = import(&[("main.tf", forged)]);
    check(&architecture);
    assert_eq!(architecture.links, []);
}

#[test]
fn large_files_take_time_in_proportion() {
    // A megabyte of each: broken blocks, doubled keys, one line, unclosed quotes.
    let cases = [
        "resource \"a\" \"b\" {{{\n".repeat(50_000),
        format!("locals {{\n  a = {{\n{}  }}\n}}\n", "    k = 1\n".repeat(100_000)),
        format!("locals {{ a = \"{}\" }}\n", "x".repeat(1 << 20)),
        "a = \"\n".repeat(150_000),
        "a = <<EOF\n".repeat(100_000),
        "\"${".repeat(300_000),
    ];
    for text in cases {
        let start = Instant::now();
        check(&import(&[("main.tf", &text)]));
        let shown: String = text.chars().take(40).collect();
        assert!(start.elapsed() < PATIENCE, "{:?} for {shown}", start.elapsed());
    }
}

#[test]
fn each_place_that_could_not_be_read_is_told() {
    let broken = "apiVersion: v1\nkind: Pod\nmetadata:\n  - b\n c: d\n";
    let architecture = import(&[("pods/one.yaml", broken), ("pods/two.yaml", broken), ("pods/three.yaml", broken)]);
    let errors = architecture.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let files: Vec<&str> = errors.filter_map(|diagnostic| Some(architecture.sources.path(diagnostic.span?))).collect();
    assert_eq!(files, ["pods/one.yaml", "pods/three.yaml", "pods/two.yaml"]);
}
