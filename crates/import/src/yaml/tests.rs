use bartizan_model::{Node, Sources, Value};
use proptest::prelude::*;

use super::{Yaml, read};

fn parse(text: &str) -> (Yaml, Sources) {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", text);
    (read(file, text), sources)
}

fn root(text: &str) -> Node {
    parse(text).0.documents.remove(0).root
}

#[test]
fn scalars_follow_the_core_schema_and_quoted_ones_stay_text() {
    let node = root("a: true\nb: \"true\"\nc: yes\nd: 0x1F\ne: 012345678901\nf: ~\ng: 1.5\nh: .inf\ni: !!str 7\nj: 1.10.2\nk: -3\n");
    let value = |key: &str| node.get(key).unwrap().value.clone();
    assert_eq!(value("a"), Value::Bool(true));
    assert_eq!(value("b").as_str().as_deref(), Some("true"));
    assert_eq!(value("c").as_str().as_deref(), Some("yes"));
    assert_eq!(value("d"), Value::Number(31.0));
    assert_eq!(value("e").as_str().as_deref(), Some("012345678901"));
    assert_eq!(value("f"), Value::Null);
    assert_eq!(value("g"), Value::Number(1.5));
    assert_eq!(value("h").as_str().as_deref(), Some(".inf"));
    assert_eq!(value("i").as_str().as_deref(), Some("7"));
    assert_eq!(value("j").as_str().as_deref(), Some("1.10.2"));
    assert_eq!(value("k"), Value::Number(-3.0));
}

#[test]
fn spans_cover_what_is_written() {
    let text = "# head\nspec:\n  ports:\n  - port: 80\n    name: web\n  other: >-\n    folded\n    text\nlast: [1, 2]\n";
    let (yaml, sources) = parse(text);
    let document = &yaml.documents[0];
    let at = |path: &str| sources.excerpt(document.root.first_at(path).unwrap().span);
    assert_eq!(at("spec.ports"), "- port: 80\n    name: web");
    assert_eq!(at("spec.ports.name"), "web");
    assert_eq!(at("last"), "[1, 2]");
    assert_eq!(at("spec"), "ports:\n  - port: 80\n    name: web\n  other: >-\n    folded\n    text");
    assert_eq!(sources.excerpt(document.marks.key_of(document.root.get("last").unwrap()).unwrap()), "last");
    assert_eq!(yaml.comments[0].text, " head");
    assert_eq!(sources.excerpt(yaml.comments[0].span), "# head");
}

#[test]
fn a_syntax_error_costs_only_its_own_document() {
    let (yaml, sources) = parse("a: 1\n---\nb: [1, 2\nc: 3\n---\nd: 4\n");
    assert_eq!(yaml.documents.len(), 2);
    assert!(yaml.documents[1].root.get("d").is_some());
    assert_eq!(yaml.diagnostics.len(), 1);
    assert_eq!(yaml.diagnostics[0].code, "yaml/syntax");
    let line = sources.start(yaml.diagnostics[0].span.unwrap()).line;
    assert!((3..=5).contains(&line), "line {line}");
}

#[test]
fn aliases_and_merge_keys_are_expanded_and_own_members_win() {
    let node = root("base: &base {image: a, tag: 1}\nuse:\n  <<: *base\n  tag: 2\nboth:\n  <<: [{x: 1}, {x: 2, y: 3}]\nsame: *base\n");
    assert_eq!(node.first_at("use.image").unwrap().value.as_str().as_deref(), Some("a"));
    assert_eq!(node.first_at("use.tag").unwrap().value, Value::Number(2.0));
    assert_eq!(node.first_at("both.x").unwrap().value, Value::Number(1.0));
    assert_eq!(node.first_at("both.y").unwrap().value, Value::Number(3.0));
    assert_eq!(node.first_at("same.tag").unwrap().value, Value::Number(1.0));
}

#[test]
fn an_alias_bomb_is_refused_and_the_next_document_is_read() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let previous = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
    }
    text.push_str("---\nb: 1\n");
    let (yaml, _) = parse(&text);
    assert_eq!(yaml.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(), ["yaml/alias-bomb"]);
    assert_eq!(yaml.documents.len(), 1);
    assert!(yaml.documents[0].root.get("b").is_some());
}

#[test]
fn depth_is_bounded_also_through_aliases() {
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    assert!(parse(&deep).0.documents.is_empty());
    let mut text = String::new();
    for level in 0..20 {
        let inner = if level == 0 { "x".to_owned() } else { format!("*a{}", level - 1) };
        text.push_str(&format!("k{level}: &a{level} {}{inner}{}\n", "[".repeat(60), "]".repeat(60)));
    }
    assert_eq!(parse(&text).0.diagnostics[0].code, "yaml/too-deep");
}

#[test]
fn duplicate_keys_are_told_with_both_places_and_the_last_counts() {
    let (yaml, sources) = parse("a: 1\nb: 2\na: 3\n");
    assert_eq!(yaml.documents[0].root.get("a").unwrap().value, Value::Number(3.0));
    let diagnostic = &yaml.diagnostics[0];
    assert_eq!(diagnostic.code, "yaml/duplicate-key");
    assert_eq!(sources.start(diagnostic.span.unwrap()).line, 3);
    assert_eq!(sources.start(diagnostic.related[0].span).line, 1);
}

#[test]
fn short_tags_are_kept() {
    let (yaml, _) = parse("a: !Ref Bucket\nb: !Sub [\"x\", {y: !GetAtt Z.Arn}]\nc: !Join\n- ''\n- [q]\n");
    let document = &yaml.documents[0];
    let tag = |path: &str| document.marks.tag_of(document.root.first_at(path).unwrap());
    assert_eq!(tag("a"), Some("Ref"));
    assert_eq!(tag("b"), Some("Sub"));
    assert_eq!(tag("c"), Some("Join"));
    assert_eq!(tag("b.y"), Some("GetAtt"));
}

#[test]
fn an_unknown_alias_leaves_the_rest_readable() {
    let (yaml, _) = parse("a: *nowhere\nb: 1\n");
    assert!(yaml.documents[0].root.get("a").unwrap().value.is_unknown());
    assert_eq!(yaml.documents[0].root.get("b").unwrap().value, Value::Number(1.0));
    assert_eq!(yaml.diagnostics[0].code, "yaml/unknown-alias");
}

fn spans_in_range(node: &Node, text: &str) -> bool {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    let inside = start <= end && text.get(start..end).is_some();
    inside
        && match &node.value {
            Value::List(items) => items.iter().all(|item| spans_in_range(item, text)),
            Value::Map(map) => map.values().all(|item| spans_in_range(item, text)),
            _ => true,
        }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic_and_spans_lie_inside(text in "\\PC{0,200}") {
        let (yaml, _) = parse(&text);
        prop_assert!(yaml.documents.iter().all(|document| spans_in_range(&document.root, &text)));
    }

    #[test]
    fn yaml_like_text_is_read_without_panic_and_spans_lie_inside(
        text in "((  ){0,3}(- )?(a|b|é|\"q\"|'s'|<<|&x|\\*x|!T|\\{|\\[|\\]|\\}|\\||>-)?(: )?(1|x|\\*x|&x 1|\\[a, b\\]|\\{a: 1\\}|\\||!Ref y|#c)?(\n|\r\n|\n---\n|\n\\.\\.\\.\n)){0,20}"
    ) {
        let (yaml, _) = parse(&text);
        prop_assert!(yaml.documents.iter().all(|document| spans_in_range(&document.root, &text)));
        for diagnostic in &yaml.diagnostics {
            let span = diagnostic.span.unwrap();
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some());
        }
    }
}
