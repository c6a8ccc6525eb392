//! Roles that are passed to services and roles that are taken by trust.

use bartizan_review::Standing;

use super::{
    CALLER, OWN_ACCOUNT, access, admin_likelihood, admin_role, allow, deny, joined, plan, role, service, standing, statement, techniques,
    trust, trust_when, user,
};
use crate::support::{CATALOGUE, review};

const BUILDER: &str = "aws_iam_user.builder";

fn builder(statements: &[String]) -> String {
    user("builder", statements)
}

fn passes_to_lambda() -> Vec<String> {
    vec![allow("lambda:CreateFunction lambda:InvokeFunction", "*"), allow("iam:PassRole", "*")]
}

#[test]
fn a_role_is_passed_only_to_a_service_that_it_trusts() {
    let plan = |trusted: &str| [builder(&passes_to_lambda()), admin_role(&service(trusted))];
    assert_eq!(standing(&plan("lambda"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("ec2"), BUILDER), Standing::No);
}

#[test]
fn a_role_is_passed_only_where_the_statement_names_it() {
    let plan = |passed: &str| {
        let statements = [allow("lambda:CreateFunction lambda:InvokeFunction", "*"), allow("iam:PassRole", passed)];
        [builder(&statements), admin_role(&service("lambda")), role("plain", &service("lambda"), &[])]
    };
    assert_eq!(standing(&plan("aws_iam_role.admin.arn"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("arn:aws:iam::*:role/adm*"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("aws_iam_role.plain.arn"), BUILDER), Standing::No);
    assert_eq!(standing(&plan("arn:aws:iam::*:role/app/*"), BUILDER), Standing::No);
}

#[test]
fn passed_to_service_limits_where_a_role_goes() {
    let plan = |service_name: &str| {
        let condition = format!("StringEquals = {{ \"iam:PassedToService\" = \"{service_name}.amazonaws.com\" }}");
        let pass = statement("Allow", "iam:PassRole", "*", &condition);
        [builder(&[allow("lambda:CreateFunction lambda:InvokeFunction", "*"), pass]), admin_role(&service("lambda"))]
    };
    assert_eq!(standing(&plan("lambda"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("ecs-tasks"), BUILDER), Standing::No);
}

#[test]
fn passing_takes_every_action_of_it() {
    let plan = |actions: &str| [builder(&[allow(actions, "*")]), admin_role(&service("lambda"))];
    assert_eq!(standing(&plan("lambda:* iam:PassRole"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("lambda:*"), BUILDER), Standing::No);
    assert_eq!(standing(&plan("iam:PassRole"), BUILDER), Standing::No);
}

#[test]
fn a_deny_on_the_passed_role_wins() {
    let plan = |denied: &str| {
        let mut statements = passes_to_lambda();
        statements.push(deny("iam:PassRole", denied));
        [builder(&statements), admin_role(&service("lambda")), role("plain", &service("lambda"), &[])]
    };
    assert_eq!(standing(&plan("aws_iam_role.admin.arn"), BUILDER), Standing::No);
    assert_eq!(standing(&plan("aws_iam_role.plain.arn"), BUILDER), Standing::Yes);
}

#[test]
fn a_trust_in_the_account_leaves_it_to_the_callers_policies() {
    let plan = |statements: &[String]| [CALLER.to_owned(), builder(statements), admin_role(&trust(OWN_ACCOUNT))];
    assert_eq!(standing(&plan(&[allow("sts:AssumeRole", "aws_iam_role.admin.arn")]), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan(&[allow("sts:AssumeRole", "arn:aws:iam::*:role/other")]), BUILDER), Standing::No);
    assert_eq!(standing(&plan(&[]), BUILDER), Standing::No);
}

#[test]
fn a_grant_on_every_role_takes_only_those_that_trust_the_caller() {
    let plan = |trusted: &str| [CALLER.to_owned(), builder(&[allow("sts:AssumeRole", "*")]), user("other", &[]), admin_role(trusted)];
    assert_eq!(standing(&plan(&trust(OWN_ACCOUNT)), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan(&service("lambda")), BUILDER), Standing::No);
    assert_eq!(standing(&plan(&trust("AWS = aws_iam_user.other.arn")), BUILDER), Standing::No);
}

#[test]
fn a_trust_that_names_the_caller_is_enough() {
    let trusting = |who: &str| trust(&format!("AWS = aws_iam_user.{who}.arn"));
    let plan = |who: &str| [builder(&[]), user("other", &[]), admin_role(&trusting(who))];
    assert_eq!(standing(&plan("builder"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("other"), BUILDER), Standing::No);
    let denied = [builder(&[deny("sts:AssumeRole", "*")]), admin_role(&trusting("builder"))];
    assert_eq!(standing(&denied, BUILDER), Standing::No);
}

#[test]
fn another_account_enters_by_trust_and_an_external_id_is_no_secret_of_the_plan() {
    let trusted = "AWS = \"arn:aws:iam::210987654321:root\"";
    let open = plan(&admin_role(&trust(trusted)));
    let guarded = plan(&admin_role(&trust_when(trusted, "StringEquals = { \"sts:ExternalId\" = \"4711\" }")));
    let entry = "aws:account/210987654321";
    assert!(admin_likelihood(&open, entry) > 0.0);
    // The id guards against a deputy that is confused, not against the account that is trusted.
    assert!(admin_likelihood(&guarded, entry) <= admin_likelihood(&open, entry));
    assert!(admin_likelihood(&guarded, entry) > 0.0);
    assert_eq!(admin_likelihood(&open, "aws:account/111111111111"), 0.0);
}

#[test]
fn a_trust_that_asks_for_a_second_factor_is_conditional_and_certain_for_whoever_registers_one() {
    let second_factor = "Bool = { \"aws:MultiFactorAuthPresent\" = \"true\" }";
    let plan = |mut statements: Vec<String>| {
        statements.push(allow("sts:AssumeRole", "*"));
        [CALLER.to_owned(), builder(&statements), admin_role(&trust_when(OWN_ACCOUNT, second_factor))]
    };
    let guarded = plan(Vec::new());
    assert_eq!(standing(&guarded, BUILDER), Standing::Conditional);
    let conditions = access(&super::plan(&joined(&guarded)), BUILDER).conditions;
    assert!(conditions.iter().any(|condition| condition.contains("second factor")), "{conditions:?}");
    let registers = vec![allow("iam:CreateVirtualMFADevice", "*"), allow("iam:EnableMFADevice", "aws_iam_user.builder.arn")];
    assert_eq!(standing(&plan(registers), BUILDER), Standing::Yes);
    let of_another = vec![allow("iam:CreateVirtualMFADevice", "*"), allow("iam:EnableMFADevice", "arn:aws:iam::*:user/somebody")];
    assert_eq!(standing(&plan(of_another), BUILDER), Standing::Conditional);
}

#[test]
fn a_second_factor_that_is_taken_over_belongs_to_a_user_that_one_can_be() {
    let second_factor = "Bool = { \"aws:MultiFactorAuthPresent\" = \"true\" }";
    let admin = user("admin", &[statement("Allow", "*", "*", second_factor)]);
    let plan =
        |actions: &str| [builder(&[allow(actions, "aws_iam_user.admin.arn"), allow("iam:CreateVirtualMFADevice", "*")]), admin.clone()];
    assert_eq!(standing(&plan("iam:CreateAccessKey iam:EnableMFADevice"), BUILDER), Standing::Yes);
    assert_eq!(standing(&plan("iam:CreateAccessKey"), BUILDER), Standing::No);
    assert_eq!(standing(&plan("iam:EnableMFADevice"), BUILDER), Standing::No);
}

#[test]
fn a_launch_template_gives_machines_the_role_of_any_profile() {
    let profile = "resource \"aws_iam_instance_profile\" \"admin\" {\n  name = \"admin\"\n  role = aws_iam_role.admin.name\n}\n";
    let group = "resource \"aws_launch_template\" \"web\" {\n  name = \"web\"\n  image_id = \"ami-1\"\n  instance_type = \"t3.micro\"\n}\n\
        resource \"aws_autoscaling_group\" \"web\" {\n  min_size = 1\n  max_size = 2\n  launch_template {\n    id = aws_launch_template.web.id\n    version = \"$Latest\"\n  }\n}\n";
    let plan = |actions: &str, trusted: &str, machines: &[&str]| {
        joined(&[builder(&[allow(actions, "*")]), admin_role(&service(trusted)), machines.concat()])
    };
    let actions = "ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate";
    let standing = |text: String| access(&super::plan(&text), BUILDER).escalates;
    assert_eq!(standing(plan(actions, "ec2", &[profile, group])), Standing::Yes);
    assert_eq!(standing(plan(actions, "lambda", &[profile, group])), Standing::No);
    assert_eq!(standing(plan(actions, "ec2", &[profile])), Standing::No);
    assert_eq!(standing(plan("ec2:ModifyLaunchTemplate", "ec2", &[profile, group])), Standing::No);
}

#[test]
fn root_modules_are_accounts_of_their_own() {
    let attacker = user("builder", &[allow("iam:CreateAccessKey", "*")]);
    let admin = user("admin", &[allow("*", "*")]);
    let together = review(&CATALOGUE.0, &[("live/main.tf", &joined(&[attacker.clone(), admin.clone()]))]);
    assert_eq!(access(&together, BUILDER).escalates, Standing::Yes);
    let backend = |key: &str| format!("terraform {{\n  backend \"s3\" {{\n    bucket = \"state\"\n    key = \"{key}\"\n  }}\n}}\n");
    let live = joined(&[backend("live"), attacker]);
    let test = joined(&[backend("test"), admin]);
    let apart = review(&CATALOGUE.0, &[("live/main.tf", &live), ("test/main.tf", &test)]);
    let builder = apart.attack.access().iter().find(|access| access.address.as_str().ends_with(BUILDER)).unwrap();
    assert_eq!(builder.escalates, Standing::No, "{:?}", builder.via);
}

#[test]
fn an_administrator_of_one_account_enters_another_by_trust() {
    let provider = |account: &str| {
        format!(
            "terraform {{\n  backend \"s3\" {{\n    key = \"{account}\"\n  }}\n}}\nprovider \"aws\" {{\n  allowed_account_ids = [\"{account}\"]\n}}\n"
        )
    };
    let deployer = joined(&[provider("111111111111"), role("deployer", &service("codebuild"), &[allow("*", "*")])]);
    let plan = |trusted: &str| {
        let bucket = "resource \"aws_s3_bucket\" \"ledger\" {\n  bucket = \"ledger\"\n}\n".to_owned();
        let reader = role("reader", &trust(&format!("AWS = \"{trusted}\"")), &[allow("s3:GetObject", "*")]);
        let other = joined(&[provider("222222222222"), reader, bucket]);
        review(&CATALOGUE.0, &[("tools/main.tf", &deployer), ("shop/main.tf", &other)])
    };
    let reaches = |review: &bartizan_review::Review| {
        let end_with = |wanted: &str| {
            review.architecture.components.keys().find(|address| address.as_str().ends_with(wanted)).unwrap().as_str().to_owned()
        };
        let found = super::paths(review, &end_with("aws_iam_role.deployer"), &end_with("aws_s3_bucket.ledger"));
        found.iter().map(|path| techniques(path).join(" ")).collect::<Vec<_>>()
    };
    assert!(!reaches(&plan("arn:aws:iam::111111111111:role/deployer")).is_empty());
    assert!(!reaches(&plan("arn:aws:iam::111111111111:root")).is_empty());
    assert!(reaches(&plan("arn:aws:iam::333333333333:role/deployer")).is_empty());
}
