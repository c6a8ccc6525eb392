//! Any files are read as Terraform: spans lie inside their texts, links end at components, and two runs give the same.
#![no_main]

use bartizan_fuzz::{SERVICES, check, tree};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: bartizan_fuzz::load(), |text: &str| {
    let architecture = bartizan_import::import(&tree(text, "main.tf"), &SERVICES);
    check(&architecture);
    let again = bartizan_import::import(&tree(text, "main.tf"), &SERVICES);
    assert_eq!(format!("{architecture:?}"), format!("{again:?}"));
});
