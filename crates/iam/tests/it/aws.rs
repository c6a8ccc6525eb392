//! The facts about AWS: they do not shrink, every part of the files can be read, and what everybody knows is in them.

use std::collections::BTreeSet;

use bartizan_iam::aws::{self, AccessLevel, ValueType};
use bartizan_iam::{Caller, Context, Outcome, Policies, Request, ResourceName, Truth, decide};

/// What was there when this was written; a new version of a package must not lose any.
const AT_LEAST: &[(&str, usize)] = &[
    ("services", 456),
    ("actions", 22_091),
    ("actions-with-dependent-actions", 1_654),
    ("resource-types", 2_334),
    ("condition-keys", 2_578),
    ("global-condition-keys", 59),
    ("resource-controlled-services", 62),
    ("managed-policies", 1_582),
];

fn stated(name: &str) -> usize {
    let line = aws::sources().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("sources.txt has no {name}")).parse().unwrap()
}

#[test]
fn the_facts_do_not_shrink() {
    for (name, at_least) in AT_LEAST {
        assert!(stated(name) >= *at_least, "{name}: {} of {at_least}", stated(name));
    }
    assert!(aws::sources().contains("date 20"), "{}", aws::sources());
    assert!(
        aws::sources().lines().filter(|line| line.starts_with("package ")).all(|line| line.contains("MIT") || line.contains("Apache-2.0"))
    );
}

#[test]
fn every_service_can_be_read_and_agrees_with_the_counts() {
    let services: Vec<_> = aws::service_prefixes().map(|prefix| aws::service(prefix).unwrap()).collect();
    let count = |number: fn(&aws::Service) -> usize| services.iter().map(|service| number(service)).sum::<usize>();
    assert_eq!(services.len(), stated("services"));
    assert_eq!(count(|service| service.actions.len()), stated("actions"));
    assert_eq!(count(|service| service.resource_types.len()), stated("resource-types"));
    assert_eq!(count(|service| service.condition_keys.len()), stated("condition-keys"));
    assert_eq!(count(|service| usize::from(service.resource_controlled)), stated("resource-controlled-services"));
    let depends = |service: &aws::Service| service.actions.iter().filter(|action| !action.dependent_actions.is_empty()).count();
    assert_eq!(count(depends), stated("actions-with-dependent-actions"));
    assert_eq!(aws::action_table().len(), stated("actions"));
    let levels = AccessLevel::ALL.map(|level| aws::action_table().names(aws::at_level(level)).count());
    assert_eq!(levels.iter().sum::<usize>(), stated("actions"));
    for service in services {
        assert!(service.actions.is_sorted_by_key(|action| action.name.to_ascii_lowercase()), "{}", service.prefix);
        for action in &service.actions {
            let known = |name: &str| service.resource_type(name).is_some();
            assert!(action.resources.iter().all(|resource| known(&resource.resource_type)), "{}:{}", service.prefix, action.name);
            let depends = &action.dependent_actions;
            assert!(depends.iter().all(|name| aws::action(name).is_some()), "{}:{}: {depends:?}", service.prefix, action.name);
            assert_eq!(service.action(&action.name), Some(action));
        }
    }
}

#[test]
fn every_managed_policy_is_a_policy_without_mistakes() {
    let mut names = BTreeSet::new();
    for policy in aws::managed_policies() {
        let document = policy.document().unwrap();
        assert!(!document.statements.is_empty(), "{}", policy.name);
        let fatal = ["not-a-document", "not-a-statement", "no-action", "effect", "unknown-operator", "unknown-element", "principal"];
        let wrong: Vec<_> = document.problems.iter().filter(|problem| fatal.contains(&problem.code)).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", policy.name);
        if names.len() % 50 == 0 {
            assert_eq!(aws::managed_policy_named(&policy.arn()).as_ref(), Some(&policy), "each look-up unpacks a block");
        }
        names.insert(policy.name);
    }
    assert_eq!(names.len(), stated("managed-policies"));
}

#[test]
fn what_everybody_knows_of_actions_is_there() {
    let get = aws::action("s3:getobject").unwrap();
    assert_eq!((get.name.as_str(), get.level), ("GetObject", AccessLevel::Read));
    assert!(get.resources.iter().any(|resource| resource.resource_type == "object"));
    let pass = aws::action("iam:PassRole").unwrap();
    assert_eq!(pass.resources.iter().map(|resource| resource.resource_type.as_str()).collect::<Vec<_>>(), ["role"]);
    assert!(pass.resources[0].required && pass.condition_keys.iter().any(|key| key == "iam:PassedToService"), "{pass:?}");
    assert!(aws::action("sts:GetCallerIdentity").unwrap().resources.is_empty());
    assert!(aws::action("lambda:CreateFunction").unwrap().dependent_actions.contains(&"iam:PassRole".to_owned()));
    let level = |name: &str| aws::action(name).unwrap().level;
    assert_eq!(level("s3:ListBucket"), AccessLevel::List);
    assert_eq!(level("ec2:RunInstances"), AccessLevel::Write);
    assert_eq!(level("iam:AttachRolePolicy"), AccessLevel::PermissionsManagement);
    assert_eq!(level("ec2:CreateTags"), AccessLevel::Tagging);
    assert!(aws::action_table().contains(aws::at_level(AccessLevel::PermissionsManagement), "s3:PutBucketPolicy"));
    assert_eq!((aws::action("s3:NoSuchAction"), aws::action("nothing"), aws::service("")), (None, None, None));
}

#[test]
fn what_everybody_knows_of_resources_and_keys_is_there() {
    let bucket = aws::resource_types("s3").iter().find(|one| one.name == "bucket").unwrap();
    assert_eq!(bucket.arn, "arn:${Partition}:s3:::${BucketName}");
    let key = |name: &str| aws::condition_key(name).map(|key| (key.value_type, key.multivalued));
    assert_eq!(key("aws:sourceip"), Some((ValueType::IpAddress, false)));
    assert_eq!(key("aws:TagKeys"), Some((ValueType::Text, true)));
    assert_eq!(key("aws:PrincipalTag/team"), Some((ValueType::Text, false)));
    assert_eq!(key("aws:MultiFactorAuthPresent"), Some((ValueType::Bool, false)));
    assert_eq!(key("iam:PassedToService"), Some((ValueType::Text, false)));
    assert_eq!(key("s3:no-such-key"), None);
    assert!(aws::is_resource_controlled("s3") && aws::is_resource_controlled("KMS") && !aws::is_resource_controlled("iam"));
}

#[test]
fn an_attached_managed_policy_decides() {
    let admin = aws::managed_policy("arn:aws:iam::aws:policy/AdministratorAccess").unwrap();
    let [statement] = admin.statements.as_slice() else { panic!("one statement") };
    assert!(statement.actions.patterns()[0].is_everything());
    assert_eq!(statement.resources.patterns()[0].text.to_string(), "*");
    let read_only = aws::managed_policy("arn:aws-us-gov:iam::aws:policy/ReadOnlyAccess").unwrap();
    let may = |action: &str| {
        let caller = Caller::role("arn:aws:iam::111111111111:role/r", "111111111111");
        let request = Request::new(caller, action, ResourceName::new("arn:aws:s3:::b/k"), Context::complete()).owned_by("111111111111");
        decide(&request, &Policies { identity: vec![&read_only], ..Policies::default() }).outcome
    };
    assert_eq!((may("s3:GetObject"), may("s3:PutObject")), (Outcome::Allow, Outcome::ImplicitDeny));
    assert!(aws::managed_policy("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").is_some());
    assert!(aws::managed_policy("AWSLambdaBasicExecutionRole").is_some());
    for none in
        ["arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole", "arn:aws:iam::111111111111:policy/AdministratorAccess", "Nothing", ""]
    {
        assert!(aws::managed_policy(none).is_none(), "{none}");
    }
}

#[test]
fn an_action_without_resources_is_granted_by_the_star_only() {
    let may = |resource: &str| {
        let text = format!(r#"{{"Statement": {{"Effect": "Allow", "Action": "ec2:*", "Resource": "{resource}"}}}}"#);
        let policy = bartizan_iam::Document::from_json(&text).unwrap();
        let name = ResourceName::new("arn:aws:ec2:eu-west-1:111111111111:instance/i-1");
        let caller = || Caller::role("arn:aws:iam::111111111111:role/r", "111111111111");
        let ask = |action: &str| {
            let request = Request::new(caller(), action, name.clone(), Context::complete()).as_aws_takes_it();
            decide(&request, &Policies { identity: vec![&policy], ..Policies::default() }).outcome
        };
        (ask("ec2:DescribeInstances"), ask("ec2:StopInstances"))
    };
    assert_eq!(may("arn:aws:ec2:*:*:instance/*"), (Outcome::ImplicitDeny, Outcome::Allow));
    assert_eq!(may("*"), (Outcome::Allow, Outcome::Allow));
}

#[test]
fn every_action_that_passes_a_role_exists_and_the_documented_ones_have_a_service() {
    // New services whose principal no page names yet.
    let without = ["health-agent:CreateDomain", "ts:StartExecution"];
    for prefix in aws::service_prefixes() {
        let service = aws::service(prefix).unwrap();
        for action in service.actions.iter().filter(|action| action.dependent_actions.iter().any(|name| name == "iam:PassRole")) {
            let name = format!("{prefix}:{}", action.name);
            assert!(!aws::passable_services(&name).is_empty() || without.contains(&name.as_str()), "{name}");
        }
    }
    for principal in ["ec2.amazonaws.com", "lambda.amazonaws.com", "cloudformation.amazonaws.com", "states.amazonaws.com"] {
        let actions = aws::passing_actions(principal);
        assert!(!actions.is_empty(), "{principal}");
        assert!(actions.iter().all(|name| aws::action(name).is_some_and(|action| name.ends_with(&action.name))), "{actions:?}");
    }
}

#[test]
fn a_statement_over_all_actions_is_compiled_with_the_table() {
    let policy = bartizan_iam::Document::from_json(r#"{"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}"#).unwrap();
    let (certain, possible) = aws::action_table().sets(&policy.statements[0].actions);
    assert_eq!(certain, possible);
    assert!(aws::action_table().contains(&certain, "sts:AssumeRole") && !aws::action_table().contains(&certain, "iam:CreateUser"));
    assert_eq!(policy.statements[0].actions.matches("iam:CreateUser"), Truth::No);
}
