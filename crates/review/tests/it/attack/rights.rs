//! What decides on a principal's rights: denies, boundaries, groups, policy versions, tags, keys and policies of resources.

use bartizan_review::Standing;

use super::{CALLER, allow, deny, document, joined, likelihood, plan, role, service, standing, statement, user};

const BUILDER: &str = "aws_iam_user.builder";

fn builder(statements: &[String]) -> String {
    user("builder", statements)
}

#[test]
fn a_deny_wins_over_every_allow() {
    let raises = allow("iam:PutUserPolicy", "*");
    assert_eq!(standing(&[builder(std::slice::from_ref(&raises))], BUILDER), Standing::Yes);
    assert_eq!(standing(&[builder(&[raises.clone(), deny("iam:*", "*")])], BUILDER), Standing::No);
    assert_eq!(standing(&[builder(&[raises, deny("iam:PutUserPolicy", "arn:aws:iam::*:user/somebody")])], BUILDER), Standing::Yes);
}

fn bounded(boundary: &str) -> Vec<String> {
    let bounded = "resource \"aws_iam_user\" \"builder\" {\n  name = \"builder\"\n  permissions_boundary = aws_iam_policy.boundary.arn\n}\n\
        resource \"aws_iam_user_policy\" \"builder\" {\n  user = aws_iam_user.builder.name\n  policy = ";
    let boundary = format!(
        "resource \"aws_iam_policy\" \"boundary\" {{\n  name = \"boundary\"\n  policy = {}\n}}\n",
        document(&[allow(boundary, "*")])
    );
    vec![format!("{bounded}{}\n}}\n", document(&[allow("*", "*")])), boundary]
}

#[test]
fn a_boundary_limits_whatever_the_policies_grant() {
    assert_eq!(standing(&bounded("*"), BUILDER), Standing::Yes);
    assert_eq!(standing(&bounded("s3:*"), BUILDER), Standing::No);
    // What can change its own policy stays within the boundary.
    assert_eq!(standing(&bounded("iam:PutUserPolicy"), BUILDER), Standing::No);
    // Another user has no boundary.
    let mut with_admin = bounded("iam:CreateAccessKey");
    with_admin.push(user("admin", &[allow("*", "*")]));
    assert_eq!(standing(&with_admin, BUILDER), Standing::Yes);
}

fn group(name: &str, statements: &[String]) -> String {
    let policy = format!(
        "resource \"aws_iam_group_policy\" \"{name}\" {{\n  group = aws_iam_group.{name}.name\n  policy = {}\n}}\n",
        document(statements)
    );
    format!("resource \"aws_iam_group\" \"{name}\" {{\n  name = \"{name}\"\n}}\n{policy}")
}

fn member(user: &str, group: &str) -> String {
    format!(
        "resource \"aws_iam_user_group_membership\" \"{user}\" {{\n  user = aws_iam_user.{user}.name\n  groups = [aws_iam_group.{group}.name]\n}}\n"
    )
}

#[test]
fn members_have_what_their_group_has() {
    let admins = group("admins", &[allow("*", "*")]);
    assert_eq!(standing(&[builder(&[]), admins.clone(), member("builder", "admins")], BUILDER), Standing::Yes);
    assert_eq!(standing(&[builder(&[]), admins], BUILDER), Standing::No);
}

#[test]
fn changing_a_group_raises_its_members_only() {
    let plan = |of: &str| {
        let groups = [group("own", &[allow("iam:PutGroupPolicy", of)]), group("foreign", &[allow("s3:ListBucket", "*")])];
        [builder(&[]), joined(&groups), member("builder", "own")]
    };
    assert_eq!(standing(&plan("aws_iam_group.own.arn"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("aws_iam_group.foreign.arn"), BUILDER), Standing::No);
}

#[test]
fn whoever_adds_itself_to_a_group_has_its_rights() {
    let plan = |rights: &str, of: &str| [builder(&[allow("iam:AddUserToGroup", of)]), group("staff", &[allow(rights, "*")])];
    assert_eq!(standing(&plan("*", "*"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("s3:GetObject", "*"), BUILDER), Standing::No);
    assert_eq!(standing(&plan("*", "arn:aws:iam::*:group/others"), BUILDER), Standing::No);
}

fn managed(name: &str, attached_to: &str) -> String {
    format!(
        "resource \"aws_iam_policy\" \"{name}\" {{\n  name = \"{name}\"\n  policy = {}\n}}\n\
         resource \"aws_iam_user_policy_attachment\" \"{name}\" {{\n  user = aws_iam_user.{attached_to}.name\n  policy_arn = aws_iam_policy.{name}.arn\n}}\n",
        document(&[allow("s3:ListAllMyBuckets", "*")])
    )
}

#[test]
fn a_new_version_raises_only_whoever_holds_the_policy() {
    let plan = |of: &str| {
        let policies = [managed("own", "builder"), managed("foreign", "other")];
        [builder(&[allow("iam:CreatePolicyVersion", of)]), user("other", &[]), joined(&policies)]
    };
    assert_eq!(standing(&plan("aws_iam_policy.own.arn"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("aws_iam_policy.foreign.arn"), BUILDER), Standing::No);
}

#[test]
fn a_tag_condition_holds_where_the_tag_is_or_can_be_set() {
    let condition = "StringEquals = { \"aws:ResourceTag/team\" = \"blue\" }";
    let keys = statement("Allow", "iam:CreateAccessKey", "*", condition);
    let admin = |tags: &str| {
        format!(
            "resource \"aws_iam_user\" \"admin\" {{\n  name = \"admin\"\n{tags}}}\nresource \"aws_iam_user_policy\" \"admin\" {{\n  user = aws_iam_user.admin.name\n  policy = {}\n}}\n",
            document(&[allow("*", "*")])
        )
    };
    let blue = "  tags = { team = \"blue\" }\n";
    assert_eq!(standing(&[builder(std::slice::from_ref(&keys)), admin(blue)], BUILDER), Standing::Yes);
    assert_eq!(standing(&[builder(std::slice::from_ref(&keys)), admin("")], BUILDER), Standing::No);
    assert_eq!(standing(&[builder(&[keys.clone(), allow("iam:TagUser", "*")]), admin("")], BUILDER), Standing::Yes);
    assert_eq!(standing(&[builder(&[keys, allow("iam:TagRole", "*")]), admin("")], BUILDER), Standing::No);
}

const STORE: &str = "resource \"aws_s3_bucket\" \"ledger\" {\n  bucket = \"ledger\"\n}\n";
const LEDGER: &str = "aws_s3_bucket.ledger";
const READER: &str = "aws_iam_role.reader";

#[test]
fn what_lies_under_a_key_is_read_with_the_key() {
    let encrypted = "resource \"aws_kms_key\" \"ledger\" {\n}\nresource \"aws_s3_bucket_server_side_encryption_configuration\" \"ledger\" {\n  bucket = aws_s3_bucket.ledger.id\n  rule {\n    apply_server_side_encryption_by_default {\n      sse_algorithm = \"aws:kms\"\n      kms_master_key_id = aws_kms_key.ledger.arn\n    }\n  }\n}\n";
    let reads = |statements: &[String]| {
        let plan = plan(&joined(&[STORE.to_owned(), encrypted.to_owned(), role("reader", &service("lambda"), statements)]));
        likelihood(&plan, READER, LEDGER) > 0.0
    };
    let objects = allow("s3:GetObject", "*");
    assert!(reads(&[objects.clone(), allow("kms:Decrypt", "aws_kms_key.ledger.arn")]));
    assert!(!reads(std::slice::from_ref(&objects)));
    assert!(!reads(&[objects.clone(), allow("kms:Decrypt", "arn:aws:kms:*:*:alias/other")]));
    assert!(!reads(&[objects, allow("kms:Decrypt", "*"), deny("kms:Decrypt", "aws_kms_key.ledger.arn")]));
}

#[test]
fn the_policy_of_a_resource_grants_to_whom_it_names() {
    let policy = |principal: &str| {
        format!(
            "resource \"aws_s3_bucket_policy\" \"ledger\" {{\n  bucket = aws_s3_bucket.ledger.id\n  policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", Principal = {{ AWS = {principal} }}, Action = \"s3:GetObject\", Resource = \"${{aws_s3_bucket.ledger.arn}}/*\" }}] }})\n}}\n"
        )
    };
    let reads = |principal: &str, statements: &[String]| {
        let roles = [role("reader", &service("lambda"), statements), role("other", &service("lambda"), &[])];
        let plan = plan(&joined(&[CALLER.to_owned(), STORE.to_owned(), policy(principal), joined(&roles)]));
        likelihood(&plan, READER, LEDGER) > 0.0
    };
    assert!(reads("aws_iam_role.reader.arn", &[]));
    assert!(!reads("aws_iam_role.other.arn", &[]));
    assert!(!reads("aws_iam_role.reader.arn", &[deny("s3:*", "*")]));
    // The account as a whole leaves it to the role's policies.
    assert!(!reads("\"arn:aws:iam::${data.aws_caller_identity.current.account_id}:root\"", &[]));
}

#[test]
fn a_deny_in_the_policy_of_a_resource_wins() {
    let policy = |effect: &str| {
        format!(
            "resource \"aws_s3_bucket_policy\" \"ledger\" {{\n  bucket = aws_s3_bucket.ledger.id\n  policy = jsonencode({{ Statement = [{{ Effect = \"{effect}\", Principal = \"*\", Action = \"s3:GetObject\", Resource = \"${{aws_s3_bucket.ledger.arn}}/*\", Condition = {{ StringNotEquals = {{ \"aws:PrincipalArn\" = aws_iam_role.other.arn }} }} }}] }})\n}}\n"
        )
    };
    let reads = |policy: &str| {
        let reader = role("reader", &service("lambda"), &[allow("s3:GetObject", "*")]);
        let other = role("other", &service("lambda"), &[]);
        likelihood(&plan(&joined(&[STORE.to_owned(), policy.to_owned(), reader, other])), READER, LEDGER) > 0.0
    };
    assert!(reads(""));
    assert!(!reads(&policy("Deny")));
}
