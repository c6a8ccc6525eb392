//! What conditions mean: three values, gaps, nulls and types.

use bartizan_model::{FileId, Node, Span, Text, Value};
use indexmap::IndexMap;

use crate::expression::{Expression, Operand, Read, Scope, Template, ValueKind, Verdict, Vocabulary};

const SPAN: Span = Span { file: FileId(0), start: 0, end: 1 };

struct Settings(IndexMap<String, Node>);

impl Scope for Settings {
    fn read<'a>(&'a self, read: &'a Read) -> Operand<'a> {
        self.0.get(&read.name).map_or_else(|| Operand::absent(read), |node| Operand::of_node(node, read))
    }
}

fn node(value: Value) -> Node {
    Node::new(value, SPAN)
}

fn map(members: &[(&str, Value)]) -> Value {
    Value::Map(members.iter().map(|(key, value)| ((*key).to_owned(), node(value.clone()))).collect())
}

fn text(text: &str) -> Value {
    Value::Text(Text::literal(text))
}

fn scope() -> Settings {
    let arn = {
        let mut arn = Text::literal("arn:aws:s3:::");
        arn.push(&Text::reference("aws_s3_bucket.b", "id", None));
        Value::Text(arn)
    };
    let rules = Value::List(vec![
        node(map(&[
            ("port", Value::Number(22.0)),
            ("cidr", Value::List(vec![node(text("10.0.0.0/8")), node(Value::unresolved("variable `x` has no value"))])),
        ])),
        node(map(&[("port", Value::Number(443.0)), ("cidr", Value::List(vec![node(text("0.0.0.0/0"))]))])),
    ]);
    let values = [
        ("on", Value::Bool(true)),
        ("off_as_text", text("false")),
        ("days", text("7")),
        ("nothing", Value::Null),
        ("later", Value::after_apply("known after apply")),
        ("other", Value::unresolved("variable `o` has no value")),
        ("arn", arn),
        ("rules", rules),
        ("logging", Value::List(vec![node(map(&[("bucket", text("logs"))]))])),
        ("tags", Value::Null),
    ];
    Settings(values.into_iter().map(|(key, value)| (key.to_owned(), node(value))).collect())
}

fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    for (name, kind, nullable) in [
        ("on", ValueKind::Bool, false),
        ("off_as_text", ValueKind::Bool, false),
        ("maybe", ValueKind::Bool, true),
        ("days", ValueKind::Number, true),
        ("nothing", ValueKind::Number, true),
        ("later", ValueKind::Bool, false),
        ("other", ValueKind::Bool, false),
        ("arn", ValueKind::Text, true),
        ("rules", ValueKind::List, true),
        ("logging", ValueKind::Map, true),
        ("tags", ValueKind::Map, true),
        ("absent", ValueKind::List, true),
    ] {
        vocabulary.add("settings", name, kind, nullable);
    }
    vocabulary
}

fn verdict(source: &str) -> Verdict {
    Expression::compile_condition(source, &vocabulary()).unwrap().verdict(&scope()).unwrap()
}

fn refusal(source: &str) -> String {
    Expression::compile_condition(source, &vocabulary()).unwrap_err().message
}

fn gaps(source: &str) -> Vec<String> {
    match verdict(source) {
        Verdict::Unknown(gaps) => gaps.into_iter().map(|gap| gap.path).collect(),
        known => panic!("`{source}` is {known:?}"),
    }
}

#[test]
fn what_is_known_is_plainly_true_or_false() {
    for source in [
        "settings.on",
        "!settings.off_as_text",
        "settings.days == 7 && settings.days < 8",
        "settings.nothing == null",
        "settings.maybe != true",
        "settings.arn.startsWith('arn:aws')",
        "settings.logging.bucket == 'logs'",
        "settings.tags.owner == null",
        "size(settings.absent) == 0 && !settings.absent.exists(x, true)",
        "settings.rules.exists(rule, rule.port == 443 && '0.0.0.0/0' in rule.cidr)",
        "settings.rules.filter(rule, rule.port < 100).size() == 1",
        "settings.rules.map(rule, rule.port) == [22, 443]",
        "settings.rules[1].port == 443 && settings.rules[7].port == null",
        "settings.arn.matches('x') || true",
        "(settings.on ? 1 : 2) == 1",
        "'A'.lowerAscii() == 'a'",
    ] {
        assert_eq!(verdict(source), Verdict::Yes, "{source}");
        assert_eq!(verdict(&format!("!({source})")), Verdict::No, "{source}");
    }
}

#[test]
fn unknown_stays_unknown_until_the_other_side_decides() {
    assert_eq!(verdict("settings.later && false"), Verdict::No);
    assert_eq!(verdict("false && settings.later"), Verdict::No);
    assert_eq!(verdict("settings.later || settings.on"), Verdict::Yes);
    assert_eq!(gaps("settings.later"), ["settings.later"]);
    assert_eq!(gaps("settings.later != true"), ["settings.later"]);
    assert_eq!(gaps("!settings.later || settings.off_as_text"), ["settings.later"]);
    assert_eq!(gaps("settings.later && settings.other"), ["settings.later", "settings.other"]);
}

#[test]
fn what_did_not_decide_is_not_asked_for() {
    assert_eq!(gaps("(settings.later && settings.off_as_text) || settings.other"), ["settings.other"]);
}

#[test]
fn an_unknown_element_matters_only_where_no_known_one_decides() {
    assert_eq!(verdict("settings.rules.exists(rule, '10.0.0.0/8' in rule.cidr)"), Verdict::Yes);
    assert_eq!(gaps("settings.rules.exists(rule, rule.port == 22 && '0.0.0.0/0' in rule.cidr)"), ["settings.rules"]);
    assert_eq!(verdict("settings.rules.all(rule, rule.port == 22 || '1.1.1.1/32' in rule.cidr)"), Verdict::No);
}

#[test]
fn a_text_that_is_known_in_part_is_compared_as_far_as_it_goes() {
    assert_eq!(verdict("settings.arn == 'arn:aws:sqs:q'"), Verdict::No);
    assert_eq!(gaps("settings.arn == 'arn:aws:s3:::logs'"), ["settings.arn"]);
    assert_eq!(gaps("settings.arn.endsWith('/*')"), ["settings.arn"]);
    assert_eq!(verdict("settings.arn != null"), Verdict::Yes);
}

#[test]
fn a_wrong_type_is_an_error_unless_the_other_side_decides() {
    let evaluate = |source: &str| Expression::compile_condition(source, &vocabulary()).unwrap().verdict(&scope());
    assert!(evaluate("settings.nothing < 3").unwrap_err().0.contains("`settings.nothing` is not set"));
    assert_eq!(evaluate("settings.nothing != null && settings.nothing < 3"), Ok(Verdict::No));
    assert!(evaluate("settings.rules.exists(rule, rule.port.x == 1)").is_err());
}

#[test]
fn the_loader_refuses_what_cannot_be_meant() {
    for (source, expected) in [
        ("settings.onn", "did you mean `on`?"),
        ("setings.on", "did you mean `settings`?"),
        ("has(settings.on)", "`has()` is not allowed"),
        ("settings.maybe", "null where it is not set"),
        ("!settings.days", "a truth value is needed here"),
        ("settings.days == '7'", "compares it with a text"),
        ("settings.rules == null", "is never null"),
        ("settings.on == null", "it has a default"),
        ("settings.days + 1 > 3", "no arithmetic"),
        ("settings.arn.matches('(')", "no regular expression"),
        ("settings.rules.exist(r, true)", "did you mean `exists`?"),
        ("'x' in settings.arn", "`in` needs a list"),
        ("settings.rules.startsWith('x')", "use `in` or `exists`"),
        ("settings.on &&", "no CEL expression"),
        ("settings.rules", "a truth value is needed"),
    ] {
        let message = refusal(source);
        assert!(message.contains(expected), "`{source}` gives: {message}");
    }
    let deep = format!("{}settings.on{}", "!(".repeat(90), ")".repeat(90));
    assert!(Expression::compile_condition(&deep, &vocabulary()).is_err(), "depth is bounded");
    let long = vec!["settings.on"; 500].join(" && ");
    assert!(Expression::compile_condition(&long, &vocabulary()).is_err(), "size is bounded");
}

#[test]
fn sentences_take_values_in_braces() {
    let fill = |source: &str| Template::compile(source, &vocabulary()).unwrap().fill(&scope());
    assert_eq!(fill("{{port}} {settings.rules.map(r, r.port)} in {settings.arn}"), "{port} 22, 443 in arn:aws:s3:::${aws_s3_bucket.b.id}");
    let error = Template::compile("open {settings.on", &vocabulary()).unwrap_err();
    assert_eq!(error.offset, 5);
}
