//! Any text is read as a manifest, links end at addresses that are told, and every span lies inside the text.
#![no_main]

use bartizan_model::FileId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (components, links, diagnostics) = bartizan_import::kubernetes::read(&[(FileId(0), "k8s/all.yaml", text)]);
    for component in &components {
        for node in component.settings.values() {
            assert!(text.get(node.span.start as usize..node.span.end as usize).is_some());
        }
    }
    let spans = links.iter().filter_map(|link| link.span).chain(diagnostics.iter().filter_map(|diagnostic| diagnostic.span));
    for span in spans {
        assert!(text.get(span.start as usize..span.end as usize).is_some());
    }
    let (again, ..) = bartizan_import::kubernetes::read(&[(FileId(0), "k8s/all.yaml", text)]);
    assert_eq!(format!("{components:?}"), format!("{again:?}"));
});
