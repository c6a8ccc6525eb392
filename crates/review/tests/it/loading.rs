//! The loader finds mistakes and says where they are.

use crate::small::{PAGE, UNVERSIONED, load, with_rule};

fn mistake(from: &str, to: &str) -> String {
    assert!(UNVERSIONED.contains(from), "`{from}` is not in the rule");
    let errors = with_rule(&UNVERSIONED.replace(from, to)).unwrap_err();
    errors.join("\n")
}

#[test]
fn a_sound_rule_loads() {
    let catalogue = with_rule(UNVERSIONED).unwrap();
    assert_eq!(catalogue.rule("unversioned").unwrap().page.first_paragraph(), "Why it matters.");
}

#[test]
fn mistakes_are_told_with_their_place_and_what_may_be_meant() {
    for (from, to, expected) in [
        (
            "settings.versioning !=",
            "settings.versoning !=",
            "threats/data-tampering/unversioned.yaml:10:7: `settings` has no `versoning`; did you mean `versioning`?",
        ),
        ("types: [s3.bucket]", "types: [s3.bukket]", "there is no component type `s3.bukket`; did you mean `s3.bucket`?"),
        ("stride: [tampering]", "stride: [tempering]", "there is no STRIDE word `tempering`; did you mean `tampering`?"),
        ("[T1485]", "[T14]", "an ATT&CK technique is written"),
        ("[T1485]", "[T9999]", "not in `frameworks/attack.yaml`"),
        ("[CWE-693]", "[693]", "a CWE is written `CWE-732`"),
        ("locked]", "loked]", "there is no control `loked`; did you mean `locked`?"),
        ("base: 3", "base: 6", "a base score is 1 to 5"),
        ("presumes: [exposure]", "presumes: [internot]", "did you mean `internet`?"),
        ("`{name}` keeps", "`{nme}` keeps", "did you mean `name`?"),
        ("evidence: [settings.versioning]", "evidence: [facts.verions]", "`facts` has no `verions`"),
        ("when: \"settings", "whn: \"settings", "whn"),
        ("https://docs", "http://docs", "a reference is an `https://` address"),
        ("\"versions are kept\"", "\"{name} is kept\"", "has no names in braces"),
    ] {
        let told = mistake(from, to);
        assert!(told.contains(expected), "`{to}` gives: {told}");
    }
}

#[test]
fn a_rule_without_a_page_and_a_page_without_a_rule_are_told() {
    let path = "threats/data-tampering/unversioned";
    let lonely = UNVERSIONED.replace("controls: [kept-elsewhere, locked]", "controls: []");
    let errors = load(vec![(format!("{path}.yaml"), lonely)]).unwrap_err();
    assert!(errors[0].contains("the rule has no page"), "{errors:?}");
    let errors = load(vec![(format!("{path}.md"), PAGE.to_owned())]).unwrap_err();
    assert!(errors[0].contains("no rule of the same name"), "{errors:?}");
}

#[test]
fn the_name_of_a_rule_is_never_given_twice() {
    let one = UNVERSIONED.replace("controls: [kept-elsewhere, locked]", "controls: []");
    let other = one.replace("id: unversioned", "id: other").replace("on: component", "aliases: [unversioned]\non: component");
    let files = [("unversioned", one), ("other", other)].into_iter().flat_map(|(id, text)| {
        let path = format!("threats/data-tampering/{id}");
        [(format!("{path}.yaml"), text), (format!("{path}.md"), PAGE.to_owned())]
    });
    let errors = load(files.collect()).unwrap_err();
    assert!(errors[0].contains("already the name of the rule"), "{errors:?}");
}

#[test]
fn a_setting_that_only_some_of_the_types_have_cannot_be_read() {
    let told = mistake("types: [s3.bucket]", "types: [s3.bucket, sqs.queue]");
    assert!(told.contains("`settings` has no `versioning`"), "{told}");
}
