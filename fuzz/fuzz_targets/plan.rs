//! Any text is read as the output of `terraform show -json`.
#![no_main]

use bartizan_fuzz::{SERVICES, check, tree};
use libfuzzer_sys::fuzz_target;

/// What a file has to start with to be taken for a plan.
const HEAD: &str = r#"{"format_version":"1.2","terraform_version":"1.9.0","#;

fuzz_target!(init: bartizan_fuzz::load(), |text: &str| {
    for plan in [text.to_owned(), format!("{HEAD}{text}")] {
        let architecture = bartizan_import::import(&tree(&plan, "plan.json"), &SERVICES);
        check(&architecture);
        let again = bartizan_import::import(&tree(&plan, "plan.json"), &SERVICES);
        assert_eq!(format!("{architecture:?}"), format!("{again:?}"));
    }
});
