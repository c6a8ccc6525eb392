//! Any text is read as YAML and as `bartizan.yaml`, and every span lies inside it.
#![no_main]

use bartizan_model::{FileId, Node, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let yaml = bartizan_import::yaml::read(FileId(0), text);
    for document in &yaml.documents {
        check(&document.root, text);
    }
    let (_, diagnostics) = bartizan_import::native::read(FileId(0), text);
    for diagnostic in yaml.diagnostics.iter().chain(&diagnostics) {
        if let Some(span) = diagnostic.span {
            assert!(text.get(span.start as usize..span.end as usize).is_some());
        }
    }
});

fn check(node: &Node, text: &str) {
    assert!(text.get(node.span.start as usize..node.span.end as usize).is_some());
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| check(item, text)),
        Value::Map(map) => map.values().for_each(|item| check(item, text)),
        _ => {}
    }
}
