//! Properties that hold for every policy.

use bartizan_iam::{Caller, Context, Decision, Document, Outcome, Policies, Request, ResourceName, Truth, decide, grants_beyond, implies};
use proptest::prelude::{Strategy, prop, prop_oneof, proptest};

const USER: &str = "arn:aws:iam::111111111111:user/u";

fn pick(items: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(items)
}

/// One statement of an identity policy over a small world in which much overlaps.
fn statement() -> impl Strategy<Value = String> {
    let effect = pick(&["Allow", "Deny"]);
    let action =
        pick(&[r#""Action":"*""#, r#""Action":["s3:Get*","sqs:*"]"#, r#""NotAction":"s3:PutObject""#, r#""Action":"s3:PutObject""#]);
    let resource = pick(&[r#""Resource":"*""#, r#""Resource":"arn:aws:s3:::b/*""#, r#""NotResource":"arn:aws:s3:::b/x""#]);
    let condition = prop_oneof![
        3 => pick(&["{}"]),
        2 => pick(&[
            r#"{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#,
            r#"{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"]}}"#,
            r#"{"StringLike":{"aws:RequestedRegion":"eu-*"},"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
            r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#,
            r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#,
            r#"{"Null":{"aws:SourceIp":"true"}}"#,
            r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}"#,
            r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}"#,
            r#"{"ForAnyValue:StringNotLike":{"aws:TagKeys":["a*"]}}"#,
        ]),
    ];
    (effect, action, resource, condition)
        .prop_map(|(effect, action, resource, condition)| format!(r#"{{"Effect":"{effect}",{action},{resource},"Condition":{condition}}}"#))
}

fn document(statements: &[String]) -> Document {
    Document::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))).unwrap()
}

fn ask<'a>(document: &'a Document, action: &str, context: Context) -> Decision<'a> {
    decide_on(document, action, "arn:aws:s3:::b/x", context)
}

fn decide_on<'a>(document: &'a Document, action: &str, resource: &str, context: Context) -> Decision<'a> {
    let mut request = Request::new(Caller::from_arn(&USER.into()).unwrap(), action, ResourceName::new(resource), context);
    request.resource_account = Some("111111111111".into());
    decide(&request, &Policies { identity: vec![document], ..Policies::default() })
}

/// Contexts that the statements above tell apart.
fn closed_context() -> impl Strategy<Value = Context> {
    let single = |key: &'static str, values: &'static [&'static str]| prop::option::of(pick(values)).prop_map(move |value| (key, value));
    (
        single("aws:RequestedRegion", &["eu-west-1", "eu-north-1", "us-east-1", "x"]),
        single("aws:MultiFactorAuthPresent", &["true", "false"]),
        single("aws:SourceIp", &["203.0.113.9", "10.0.0.1"]),
        single("aws:MultiFactorAuthAge", &["10", "300", "900"]),
        prop::option::of(prop::collection::vec(pick(&["a", "b", "c"]), 0..3)),
    )
        .prop_map(|(region, mfa, address, age, tags)| {
            let mut context = Context::complete();
            for (key, value) in [region, mfa, address, age] {
                if let Some(value) = value {
                    context = context.with(key, value);
                }
            }
            if let Some(tags) = tags {
                let tags = tags.into_iter().map(bartizan_iam::PolicyText::literal).collect();
                context.set("aws:TagKeys", bartizan_iam::ContextValue::Multiple(tags));
            }
            context
        })
}

proptest! {
    #[test]
    fn an_explicit_deny_never_yields_yes(mut statements in prop::collection::vec(statement(), 0..5), at in 0usize..6) {
        let deny = r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#.to_owned();
        statements.insert(at.min(statements.len()), deny);
        let document = document(&statements);
        let decision = ask(&document, "s3:GetObject", Context::open());
        assert_eq!(decision.outcome, Outcome::ExplicitDeny);
        assert!(decision.denied_by.iter().any(|reason| reason.applies == Truth::Yes));
    }

    /// Wherever the deny stands: whatever all the other policies say.
    #[test]
    fn a_deny_of_any_layer_never_yields_yes(
        statements in prop::collection::vec(statement(), 0..4), layer in 0usize..7, role in prop::bool::ANY, owner in pick(&["111111111111", "222222222222"]),
    ) {
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#.to_owned();
        let identity = document(&statements);
        let (full, public) = (document(std::slice::from_ref(&all)), document(&[all.replace("\"Action\"", "\"Principal\":\"*\",\"Action\"")]));
        let deny = document(&[all.replace("Allow", "Deny")]);
        let public_deny = document(&[all.replace("Allow", "Deny").replace("\"Action\"", "\"Principal\":\"*\",\"Action\"")]);
        let mut policies = Policies { identity: vec![&identity, &full], resource: Some(&public), ..Policies::default() };
        match layer {
            0 => policies.identity.push(&deny),
            1 => policies.boundary = Some(&deny),
            2 => policies.session = Some(&deny),
            3 => policies.resource = Some(&public_deny),
            4 => policies.service_control = vec![vec![&full], vec![&full, &deny]],
            5 => policies.resource_control = vec![vec![&public_deny]],
            _ => policies.endpoint = Some(&public_deny),
        }
        let caller = if role { "arn:aws:sts::111111111111:assumed-role/r/s" } else { USER };
        let mut request =
            Request::new(Caller::from_arn(&caller.into()).unwrap(), "s3:GetObject", ResourceName::new("arn:aws:s3:::b/x"), Context::open());
        request.resource_account = Some(owner.into());
        assert_eq!(decide(&request, &policies).outcome, Outcome::ExplicitDeny);
    }

    /// Time only closes what ends: a later day allows nothing that an earlier one did not.
    #[test]
    fn a_grant_with_an_end_is_not_allowed_after_it(year in 2000u16..2050, today in 2000u16..2050, more in prop::collection::vec(statement(), 0..3)) {
        let ends = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"DateLessThan":{{"aws:CurrentTime":"{year}-01-01T00:00:00Z"}}}}}}"#);
        let denies = more.iter().map(|statement| statement.replace("\"Allow\"", "\"Deny\""));
        let policy = document(&std::iter::once(ends).chain(denies).collect::<Vec<_>>());
        let answer = ask(&policy, "s3:GetObject", Context::open().since(&format!("{today}-06-01"))).allowed();
        assert!(answer != Truth::Yes && (answer == Truth::No || today < year), "{answer:?}");
    }

    #[test]
    fn adding_a_deny_never_allows_more(statements in prop::collection::vec(statement(), 0..4), more in statement()) {
        let before = document(&statements);
        let denied = more.replace("\"Allow\"", "\"Deny\"");
        let after = document(&statements.iter().cloned().chain([denied]).collect::<Vec<_>>());
        assert!(ask(&after, "s3:GetObject", Context::open()).allowed() <= ask(&before, "s3:GetObject", Context::open()).allowed());
    }

    /// What is said with an open context holds in every closed one.
    #[test]
    fn an_open_answer_holds_in_every_context(statements in prop::collection::vec(statement(), 0..5), context in closed_context()) {
        let document = document(&statements);
        let open = ask(&document, "s3:GetObject", Context::open());
        let closed = ask(&document, "s3:GetObject", context);
        assert_ne!(closed.outcome, Outcome::Conditional, "a complete context leaves nothing open");
        match open.outcome {
            Outcome::Allow => assert_eq!(closed.outcome, Outcome::Allow),
            Outcome::ExplicitDeny | Outcome::ImplicitDeny => assert_ne!(closed.outcome, Outcome::Allow),
            Outcome::Conditional => {}
        }
    }

    /// The witness of a conditional answer is a context in which the request is allowed.
    #[test]
    fn the_witness_is_allowed(statements in prop::collection::vec(statement(), 0..5)) {
        let document = document(&statements);
        let open = ask(&document, "s3:GetObject", Context::open());
        if open.outcome == Outcome::Conditional && open.decided {
            let mut context = Context::open();
            for need in &open.needs {
                let (condition, witness) = (need.condition.unwrap(), need.witness.clone().unwrap());
                context.set(&condition.key.to_string(), witness);
            }
            assert_eq!(ask(&document, "s3:GetObject", context).outcome, Outcome::Allow);
        }
    }

    /// Whoever implies another is allowed nothing that the other is not; and what is shown to be new, is.
    #[test]
    fn implication_holds_in_every_context(
        one in prop::collection::vec(statement(), 0..4), two in prop::collection::vec(statement(), 0..4), context in closed_context(),
    ) {
        let (one, two) = (document(&one), document(&two));
        let allows = |document: &Document, action: &str| ask(document, action, context.clone()).outcome == Outcome::Allow;
        if implies(&one, &two) == Truth::Yes {
            for action in ["s3:GetObject", "s3:PutObject", "sqs:SendMessage"] {
                assert!(!allows(&one, action) || allows(&two, action), "{action}");
            }
        }
        for extra in grants_beyond(&one, &two).iter().filter(|extra| extra.verdict == Truth::Yes) {
            let mut witness = Context::open();
            for need in &extra.needs {
                witness.set(&need.condition.unwrap().key.to_string(), need.witness.clone().unwrap());
            }
            let action = extra.action.clone().unwrap();
            let resource = extra.resource.clone().unwrap_or_else(|| "arn:aws:s3:::b/y".to_owned());
            let outcome = |document: &Document| decide_on(document, &action, &resource, witness.clone()).outcome;
            assert_eq!(outcome(&one), Outcome::Allow, "{action} on {resource}");
            assert_ne!(outcome(&two), Outcome::Allow, "{action} on {resource}");
        }
    }

    #[test]
    fn reading_never_panics_and_origins_stay_in_range(text in "[\\[\\]{}\":, EffectAlowRsourcndP*]{0,80}") {
        if let Ok(document) = Document::from_json(&text) {
            for origin in document.statements.iter().map(|statement| statement.origin).chain(document.problems.iter().map(|problem| problem.origin)) {
                assert!(text.get(origin.start as usize..origin.end as usize).is_some());
            }
        }
    }
}
