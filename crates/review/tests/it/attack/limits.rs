//! What limits a principal from outside of its policies, what takes such limits away, and what reaches beyond the account.

use bartizan_review::Standing;

use super::{allow, deny, document, joined, likelihood, plan, standing, user};

/// A user within a boundary that grants the raise and what is asked for besides.
fn bounded(besides: &str, statements: &[String]) -> Vec<String> {
    let boundary = document(&[allow(&format!("s3:* iam:PutUserPolicy {besides}"), "*")]);
    vec![
        format!("resource \"aws_iam_policy\" \"limit\" {{\n  name = \"limit\"\n  policy = {boundary}\n}}\n"),
        user("ann", statements).replacen("{\n", "{\n  permissions_boundary = aws_iam_policy.limit.arn\n", 1),
    ]
}

#[test]
fn who_takes_its_boundary_away_holds_what_its_policies_grant() {
    let everything = [allow("*", "*")];
    assert_eq!(standing(&bounded("iam:DeleteUserPermissionsBoundary", &everything), "aws_iam_user.ann"), Standing::Yes);
    assert_eq!(standing(&bounded("iam:GetUser", &everything), "aws_iam_user.ann"), Standing::No);
    // The policy that is the boundary is as good as the boundary.
    assert_eq!(standing(&bounded("iam:CreatePolicyVersion", &everything), "aws_iam_user.ann"), Standing::Yes);
}

#[test]
fn a_raise_and_a_boundary_that_goes_make_an_administrator_together() {
    let raise = |more: &str| [allow(&format!("iam:PutUserPolicy {more}"), "*")];
    assert_eq!(
        standing(&bounded("iam:DeleteUserPermissionsBoundary", &raise("iam:DeleteUserPermissionsBoundary")), "aws_iam_user.ann"),
        Standing::Yes
    );
    assert_eq!(standing(&bounded("iam:GetUser", &raise("iam:GetUser")), "aws_iam_user.ann"), Standing::No);
}

#[test]
fn who_takes_its_own_denial_away_is_denied_no_more() {
    let grants = allow("iam:PutUserPolicy iam:DeleteUserPolicy iam:DetachUserPolicy", "*");
    let denied = |frees: &str| vec![user("ann", &[grants.clone(), deny("iam:PutUserPolicy", "*"), deny(frees, "*")])];
    // The denial stands in an inline policy: deleting that frees, detaching does not.
    assert_eq!(standing(&denied("iam:DetachUserPolicy"), "aws_iam_user.ann"), Standing::Yes);
    assert_eq!(standing(&denied("iam:DeleteUserPolicy"), "aws_iam_user.ann"), Standing::No);
}

/// A user of an account that an organisation's policy limits.
fn controlled(kind: &str, target: &str, denied: &str, actions: &str) -> Vec<String> {
    vec![
        "provider \"aws\" {\n  region = \"eu-west-1\"\n  allowed_account_ids = [\"111122223333\"]\n}\n".to_owned(),
        "provider \"aws\" {\n  alias = \"managing\"\n  region = \"eu-west-1\"\n  assume_role { role_arn = \"arn:aws:iam::444455556666:role/org\" }\n}\n".to_owned(),
        format!(
            "resource \"aws_organizations_policy\" \"limit\" {{\n  provider = aws.managing\n  name = \"limit\"\n  type = \"{kind}\"\n  content = {}\n}}\nresource \"aws_organizations_policy_attachment\" \"limit\" {{\n  provider = aws.managing\n  policy_id = aws_organizations_policy.limit.id\n  target_id = {target}\n}}\n",
            document(&[deny(denied, "*")])
        ),
        "resource \"aws_s3_bucket\" \"ledger\" {\n  bucket = \"ledger\"\n}\n".to_owned(),
        user("ann", &[allow(actions, "*")]),
    ]
}

#[test]
fn a_service_control_policy_denies_what_every_policy_of_the_account_grants() {
    let raise = |target: &str, denied: &str| {
        standing(&controlled("SERVICE_CONTROL_POLICY", target, denied, "iam:PutUserPolicy"), "aws_iam_user.ann")
    };
    assert_eq!(raise("\"111122223333\"", "iam:PutUserPolicy"), Standing::No);
    assert_eq!(raise("\"r-ab12\"", "iam:Put*"), Standing::No);
    assert_eq!(raise("\"111122223333\"", "s3:DeleteBucket"), Standing::Yes);
    assert_eq!(raise("\"999988887777\"", "iam:PutUserPolicy"), Standing::Yes);
}

#[test]
fn a_resource_control_policy_denies_what_is_done_to_its_accounts_resources() {
    let read = |kind: &str, denied: &str| {
        let review = plan(&joined(&controlled(kind, "\"111122223333\"", denied, "s3:GetObject")));
        likelihood(&review, "aws_iam_user.ann", "aws_s3_bucket.ledger")
    };
    assert_eq!(read("RESOURCE_CONTROL_POLICY", "s3:GetObject"), 0.0);
    assert!(read("RESOURCE_CONTROL_POLICY", "s3:PutObject") > 0.0);
    assert!(read("TAG_POLICY", "s3:GetObject") > 0.0);
}

/// An administrator of one account and a bucket of another, whose policy names somebody.
fn abroad(principal: &str) -> String {
    let policy = format!(
        "jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"${{aws_s3_bucket.ledger.arn}}/*\", Principal = {{ AWS = \"{principal}\" }} }}] }})"
    );
    joined(&[
        "provider \"aws\" {\n  region = \"eu-west-1\"\n  allowed_account_ids = [\"111122223333\"]\n}\n".to_owned(),
        "provider \"aws\" {\n  alias = \"data\"\n  region = \"eu-west-1\"\n  assume_role { role_arn = \"arn:aws:iam::444455556666:role/data\" }\n}\n".to_owned(),
        user("ann", &[allow("*", "*")]),
        format!("resource \"aws_s3_bucket\" \"ledger\" {{\n  provider = aws.data\n  bucket = \"ledger\"\n}}\nresource \"aws_s3_bucket_policy\" \"ledger\" {{\n  provider = aws.data\n  bucket = aws_s3_bucket.ledger.id\n  policy = {policy}\n}}\n"),
    ])
}

#[test]
fn an_administrator_reads_abroad_what_the_resources_policy_lets_it() {
    let read = |principal: &str| likelihood(&plan(&abroad(principal)), "aws_iam_user.ann", "aws_s3_bucket.ledger");
    assert!(read("arn:aws:iam::111122223333:root") > 0.0);
    assert!(read("arn:aws:iam::111122223333:user/ann") > 0.0);
    assert_eq!(read("arn:aws:iam::777788889999:root"), 0.0);
}

#[test]
fn a_role_for_a_service_that_nobody_says_more_of_is_an_assumption() {
    let text = |trusted: &str| {
        joined(&[
            user("ann", &[allow("iam:PassRole dax:CreateCluster", "*")]),
            format!(
                "resource \"aws_iam_role\" \"cache\" {{\n  name = \"cache\"\n  assume_role_policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = {{ Service = \"{trusted}\" }} }}] }})\n}}\n"
            ),
        ])
    };
    let found = super::paths(&plan(&text("dax.amazonaws.com")), "aws_iam_user.ann", "aws_iam_role.cache");
    assert!(found[0].steps.iter().all(|step| step.assumption), "{found:?}");
    assert!(super::paths(&plan(&text("ecs-tasks.amazonaws.com")), "aws_iam_user.ann", "aws_iam_role.cache").is_empty());
}
