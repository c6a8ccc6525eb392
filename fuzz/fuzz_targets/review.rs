//! Any files are reviewed, every report is written, and two runs give the same bytes.
#![no_main]

use std::sync::Mutex;

use bartizan_fuzz::{CATALOGUE, SERVICES, check, tree};
use bartizan_report::{dfd, folder};
use bartizan_review::Policy;
use libfuzzer_sys::fuzz_target;

fn written(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let policy = Policy { today: Some("2026-11-24".to_owned()), ..Policy::default() };
    let architecture = bartizan_import::import(&tree(text, "main.tf"), &SERVICES);
    let review = bartizan_review::review(architecture, &CATALOGUE, &policy);
    check(&review.architecture);
    let files = Mutex::new(Vec::new());
    let kept = folder::folder(&review, None, |name, content| files.lock().map(|mut files| files.push((name, content))).map_err(|_| ()));
    assert_eq!(kept, Ok(()), "every file is kept");
    let mut out = files.into_inner().unwrap_or_default();
    // Two files are made at a time.
    out.sort();
    let options = dfd::Options::of_review(&review);
    out.push(("mermaid", dfd::mermaid(&review.architecture, &options).into_bytes()));
    out.push(("dot", dfd::dot(&review.architecture, &options).into_bytes()));
    out.push(("drawio", dfd::drawio(&review.architecture, &options).into_bytes()));
    out
}

fuzz_target!(init: bartizan_fuzz::load(), |text: &str| {
    let once = written(text);
    assert_eq!(once, written(text));
    for (name, content) in once {
        assert!(std::str::from_utf8(&content).is_ok_and(|text| !text.is_empty()), "{name} is empty");
    }
});
