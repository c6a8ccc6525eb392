//! Any two texts are read as policies, and what is decided by them keeps the laws of the language.
#![no_main]

use bartizan_iam::{
    Caller, Context, Document, Outcome, Policies, Request, ResourceName, Truth, assumers, decide, disjoint, foreign_accounts,
    grants_beyond, implies, public_statements,
};
use libfuzzer_sys::fuzz_target;

const ACCOUNT: &str = "111111111111";
const USER: &str = "arn:aws:iam::111111111111:user/u";
const DENY_ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
const REQUESTS: [(&str, &str); 4] = [
    ("s3:GetObject", "arn:aws:s3:::b/x"),
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:q"),
    ("iam:PassRole", "arn:aws:iam::111111111111:role/r"),
    ("sts:AssumeRole", "arn:aws:iam::111111111111:role/r"),
];

fn read(text: &str) -> Option<Document> {
    let document = Document::from_json(text).ok()?;
    let origins =
        document.statements.iter().map(|statement| statement.origin).chain(document.problems.iter().map(|problem| problem.origin));
    for origin in origins {
        assert!(text.get(origin.start as usize..origin.end as usize).is_some(), "{origin:?} lies outside of the text");
    }
    Some(document)
}

fuzz_target!(|text: &str| {
    let (one, two) = text.split_once("\n---\n").unwrap_or((text, ""));
    let Some(one) = read(one) else { return };
    let two = read(two);
    let deny_all = Document::from_json(DENY_ALL).expect("a policy");
    for caller in [Caller::from_arn(&USER.into()).expect("a user"), Caller::service("sns.amazonaws.com"), Caller::anonymous()] {
        for (action, resource) in REQUESTS {
            let ask = |context: Context, policies: &Policies<'_>| {
                let mut request = Request::new(caller.clone(), action, ResourceName::new(resource), context);
                request.resource_account = Some(ACCOUNT.into());
                decide(&request, policies).outcome
            };
            let policies = Policies { identity: vec![&one], resource: two.as_ref(), ..Policies::default() };
            let open = ask(Context::open(), &policies);
            let closed = ask(Context::complete(), &policies);
            match open {
                Outcome::Allow => assert_eq!(closed, Outcome::Allow, "what holds in every context holds in one"),
                Outcome::ExplicitDeny | Outcome::ImplicitDeny => assert_ne!(closed, Outcome::Allow, "what holds in no context"),
                Outcome::Conditional => {}
            }
            if caller.is_in_account() {
                let denied = Policies { identity: vec![&one, &deny_all], resource: two.as_ref(), ..Policies::default() };
                assert_eq!(ask(Context::open(), &denied), Outcome::ExplicitDeny, "an explicit deny wins");
            }
        }
    }
    let other = two.as_ref().unwrap_or(&deny_all);
    public_statements(&one);
    assumers(&one);
    foreign_accounts(&one, &[ACCOUNT.into()]);
    grants_beyond(&one, other);
    disjoint(&one, other);
    assert_ne!(implies(&one, &one), Truth::No, "a policy grants what it grants");
});
