//! Properties of the attack graph over small plans of random statements.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bartizan_model::Address;
use bartizan_review::{Catalogue, Goal, Review, Standing};
use proptest::prelude::*;

use super::{CALLER, OWN_ACCOUNT, joined, service, statement, trust};
use crate::support::{files, review};

/// The services and primitives without the rules: only the graph is looked at.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let kept = ["services/", "frameworks/", "attack/", "risk.yaml"];
    let (catalogue, errors) = Catalogue::load(files().into_iter().filter(|(path, _)| kept.iter().any(|start| path.starts_with(start))));
    assert!(errors.is_empty(), "{errors:?}");
    catalogue
});

const ACTIONS: &[&str] = &[
    "iam:PassRole",
    "iam:PassRole lambda:CreateFunction lambda:InvokeFunction",
    "lambda:UpdateFunctionCode",
    "lambda:GetFunctionConfiguration",
    "iam:CreateAccessKey",
    "iam:PutUserPolicy",
    "iam:PutRolePolicy",
    "iam:AttachUserPolicy iam:CreateLoginProfile",
    "iam:UpdateAssumeRolePolicy",
    "iam:TagUser iam:TagRole",
    "iam:CreateVirtualMFADevice iam:EnableMFADevice",
    "sts:AssumeRole",
    "s3:GetObject",
    "s3:*",
    "kms:Decrypt",
    "iam:*",
    "*",
];

/// `USER`, `ROLE` and `TARGET` stand for names.
const RESOURCES: &[&str] =
    &["*", "aws_iam_user.USER.arn", "aws_iam_role.ROLE.arn", "arn:aws:iam::*:role/ROLE", "arn:aws:iam::*:user/*", "arn:aws:s3:::*"];

const CONDITIONS: &[&str] = &[
    "",
    "",
    "",
    "Bool = { \"aws:MultiFactorAuthPresent\" = \"true\" }",
    "StringEquals = { \"aws:ResourceTag/team\" = \"blue\" }",
    "StringEquals = { \"aws:SourceVpc\" = \"vpc-1\" }",
    "StringEquals = { \"iam:PassedToService\" = \"lambda.amazonaws.com\" }",
];

const USERS: usize = 3;
const ROLES: usize = 3;

#[derive(Clone, Debug)]
struct Written {
    holder: usize,
    actions: usize,
    resource: usize,
    named: usize,
    condition: usize,
}

#[derive(Clone, Debug)]
struct Plan {
    allowed: Vec<Written>,
    denied: Vec<Written>,
    trusts: Vec<usize>,
}

fn written() -> impl Strategy<Value = Written> {
    (0..USERS + ROLES, 0..ACTIONS.len(), 0..RESOURCES.len(), 0..ROLES, 0..CONDITIONS.len())
        .prop_map(|(holder, actions, resource, named, condition)| Written { holder, actions, resource, named, condition })
}

fn plans() -> impl Strategy<Value = Plan> {
    (prop::collection::vec(written(), 1..6), prop::collection::vec(written(), 0..2), prop::collection::vec(0..4usize, ROLES))
        .prop_map(|(allowed, denied, trusts)| Plan { allowed, denied, trusts })
}

type Names = [&'static str; USERS];

/// In this order, and in another one.
const NAMES: Names = ["ann", "ben", "cat"];
const OTHER_NAMES: Names = ["zoe", "max", "kim"];

impl Plan {
    fn text(&self, names: &Names) -> String {
        let lines = |holder: usize, list: &[Written], effect: &str| {
            let of_holder = list.iter().filter(move |written| written.holder == holder);
            of_holder.map(|written| written.text(effect, names)).collect::<Vec<_>>()
        };
        let statements = |holder: usize| [lines(holder, &self.allowed, "Allow"), lines(holder, &self.denied, "Deny")].concat();
        let mut parts = vec![CALLER.to_owned()];
        for (at, name) in names.iter().enumerate() {
            parts.push(super::user(name, &statements(at)));
            let trusted = match self.trusts[at] {
                0 => service("lambda"),
                1 => trust(OWN_ACCOUNT),
                2 => trust(&format!("AWS = aws_iam_user.{name}.arn")),
                _ => super::trust_when(OWN_ACCOUNT, CONDITIONS[3]),
            };
            parts.push(super::role(name, &trusted, &statements(USERS + at)));
        }
        parts.push(super::admin_role(&service("lambda")));
        parts.push(format!(
            "resource \"aws_s3_bucket\" \"ledger\" {{\n  bucket = \"ledger\"\n}}\nresource \"aws_lambda_function\" \"app\" {{\n  function_name = \"app\"\n  role = aws_iam_role.{}.arn\n}}\n",
            names[0]
        ));
        joined(&parts)
    }
}

impl Written {
    fn text(&self, effect: &str, names: &Names) -> String {
        let resource = RESOURCES[self.resource].replace("USER", names[self.named]).replace("ROLE", names[self.named]);
        statement(effect, ACTIONS[self.actions], &resource, CONDITIONS[self.condition])
    }
}

/// What the graph says: who becomes an administrator, and how likely each ends up at each.
#[derive(Debug)]
struct Told {
    standings: BTreeMap<String, Standing>,
    likelihoods: BTreeMap<(String, String), f64>,
}

fn reviewed(plan: &Plan, names: &Names) -> Review {
    review(&CATALOGUE, &[("main.tf", &plan.text(names))])
}

fn told(review: &Review, names: &Names) -> Told {
    // Names as those of the first plan.
    let plain = |text: &str| names.iter().zip(NAMES).fold(text.to_owned(), |text, (name, plain)| text.replace(name, plain));
    let everything: Vec<Address> = review.architecture.components.keys().cloned().collect();
    let mut likelihoods = BTreeMap::new();
    let mut standings = BTreeMap::new();
    for access in review.attack.access() {
        let from = access.address.as_str();
        let mut paths = review.attack.paths(Some(from), &Goal::Components(everything.clone()));
        paths.extend(review.attack.paths(Some(from), &Goal::Admin));
        for path in paths {
            let known = likelihoods.entry((plain(&path.from), plain(&path.to))).or_insert(0.0_f64);
            *known = known.max(path.likelihood);
        }
        standings.insert(plain(from), access.escalates);
    }
    Told { standings, likelihoods }
}

/// What of `less` is not in `more`: a principal or a path that is gone.
fn missing(less: &Told, more: &Told) -> Vec<String> {
    let lower = less.standings.iter().filter(|(who, standing)| more.standings.get(*who).is_none_or(|other| other < standing));
    let lower = lower.map(|(who, standing)| format!("{who} was {standing:?}"));
    let gone = less.likelihoods.keys().filter(|ends| !more.likelihoods.contains_key(*ends));
    lower.chain(gone.map(|(from, to)| format!("{from} → {to}"))).collect()
}

fn shown(review: &Review) -> String {
    let paths = review.attack.paths(None, &Goal::Admin);
    format!("{:#?}{:#?}{:#?}{:#?}", review.attack.access(), paths, review.attack.edges(), review.attack_paths)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_more_allow_takes_nothing_away(plan in plans(), added in written()) {
        let before = told(&reviewed(&plan, &NAMES), &NAMES);
        let mut more = plan.clone();
        more.allowed.push(added);
        let after = told(&reviewed(&more, &NAMES), &NAMES);
        prop_assert_eq!(missing(&before, &after), Vec::<String>::new(), "{}", more.text(&NAMES));
    }

    #[test]
    fn one_more_deny_gives_nothing(plan in plans(), added in written()) {
        let before = told(&reviewed(&plan, &NAMES), &NAMES);
        let mut fewer = plan.clone();
        fewer.denied.push(added);
        let after = told(&reviewed(&fewer, &NAMES), &NAMES);
        prop_assert_eq!(missing(&after, &before), Vec::<String>::new(), "{}", fewer.text(&NAMES));
    }

    #[test]
    fn other_names_change_only_names(plan in plans()) {
        let one = told(&reviewed(&plan, &NAMES), &NAMES);
        let other = told(&reviewed(&plan, &OTHER_NAMES), &OTHER_NAMES);
        prop_assert_eq!(&one.standings, &other.standings, "{}", plan.text(&NAMES));
        prop_assert_eq!(one.likelihoods.keys().collect::<Vec<_>>(), other.likelihoods.keys().collect::<Vec<_>>(), "{}", plan.text(&NAMES));
        for (ends, likelihood) in &one.likelihoods {
            prop_assert!((likelihood - other.likelihoods[ends]).abs() < 1e-9, "{ends:?}: {likelihood} and {}", other.likelihoods[ends]);
        }
    }

    #[test]
    fn the_same_plan_gives_the_same_bytes(plan in plans()) {
        prop_assert_eq!(shown(&reviewed(&plan, &NAMES)), shown(&reviewed(&plan, &NAMES)));
    }
}

#[test]
fn who_may_take_a_role_may_not_tag_its_session_by_that() {
    // Everything is granted on what has a tag; the role trusts the user, and nothing has the tag.
    let tagged = Plan {
        allowed: vec![Written { holder: 0, actions: 16, resource: 0, named: 0, condition: 4 }],
        denied: Vec::new(),
        trusts: vec![2, 0, 1],
    };
    for names in [&NAMES, &OTHER_NAMES] {
        assert_eq!(told(&reviewed(&tagged, names), names).standings["aws_iam_user.ann"], Standing::No);
    }
}

#[test]
fn generated_plans_reach_what_they_are_about() {
    // Properties of plans in which nobody reaches anything would show nothing.
    let raises = Plan {
        allowed: vec![Written { holder: 0, actions: 5, resource: 0, named: 0, condition: 0 }],
        denied: Vec::new(),
        trusts: vec![0, 1, 2],
    };
    let found = told(&reviewed(&raises, &NAMES), &NAMES);
    assert_eq!(found.standings["aws_iam_user.ann"], Standing::Yes);
    assert_eq!(found.standings["aws_iam_user.ben"], Standing::No);
    assert!(found.likelihoods.contains_key(&("aws_iam_user.ann".to_owned(), "admin".to_owned())));
}
