//! The attack graph over real Terraform text: of every mechanism a plan that it threatens and one that is refused.

use bartizan_model::Address;
use bartizan_review::{Access, AttackPath, Goal, Review, Standing};

use crate::support::{CATALOGUE, review};

mod cuts;
mod entries;
mod generated;
mod hardened;
mod limits;
mod rights;
mod roles;
mod secrets;

fn plan(text: &str) -> Review {
    review(&CATALOGUE.0, &[("main.tf", text)])
}

/// Text of several parts.
fn joined(parts: &[String]) -> String {
    parts.join("\n")
}

fn access(review: &Review, address: &str) -> Access {
    let all = review.attack.access();
    let found = all.iter().find(|access| access.address.as_str() == address);
    found
        .unwrap_or_else(|| panic!("no principal {address} among {:?}", all.iter().map(|access| &access.address).collect::<Vec<_>>()))
        .clone()
}

/// Whether a principal of a plan becomes an administrator.
fn standing(parts: &[String], address: &str) -> Standing {
    access(&plan(&joined(parts)), address).escalates
}

/// Paths of a review from somebody to one component.
fn paths(review: &Review, from: &str, to: &str) -> Vec<AttackPath> {
    review.attack.paths(Some(from), &Goal::Components(vec![Address::new(to)]))
}

/// The likelihood of the best path, 0 where there is none.
fn likelihood(review: &Review, from: &str, to: &str) -> f64 {
    paths(review, from, to).first().map_or(0.0, |path| path.likelihood)
}

/// The same to administrator rights.
fn admin_likelihood(review: &Review, from: &str) -> f64 {
    review.attack.paths(Some(from), &Goal::Admin).first().map_or(0.0, |path| path.likelihood)
}

fn techniques(path: &AttackPath) -> Vec<&str> {
    path.steps.iter().map(|step| step.technique.as_str()).collect()
}

fn allow(actions: &str, resource: &str) -> String {
    statement("Allow", actions, resource, "")
}

fn deny(actions: &str, resource: &str) -> String {
    statement("Deny", actions, resource, "")
}

/// A statement; several actions are separated by spaces, a resource that is no literal begins with a type's name.
fn statement(effect: &str, actions: &str, resource: &str, condition: &str) -> String {
    let actions: Vec<String> = actions.split(' ').map(|action| format!("\"{action}\"")).collect();
    let resource = if resource.starts_with("aws_") { resource.to_owned() } else { format!("\"{resource}\"") };
    let condition = if condition.is_empty() { String::new() } else { format!(", Condition = {{ {condition} }}") };
    format!("{{ Effect = \"{effect}\", Action = [{}], Resource = {resource}{condition} }}", actions.join(", "))
}

fn document(statements: &[String]) -> String {
    format!("jsonencode({{ Version = \"2012-10-17\", Statement = [\n{}\n] }})", statements.join(",\n"))
}

fn user(name: &str, statements: &[String]) -> String {
    let policy = format!(
        "resource \"aws_iam_user_policy\" \"{name}\" {{\n  user = aws_iam_user.{name}.name\n  policy = {}\n}}\n",
        document(statements)
    );
    format!("resource \"aws_iam_user\" \"{name}\" {{\n  name = \"{name}\"\n}}\n{}", if statements.is_empty() { "" } else { &policy })
}

/// A role; `trust` is the statement that says who takes it.
fn role(name: &str, trust: &str, statements: &[String]) -> String {
    let policy = format!(
        "resource \"aws_iam_role_policy\" \"{name}\" {{\n  role = aws_iam_role.{name}.id\n  policy = {}\n}}\n",
        document(statements)
    );
    format!(
        "resource \"aws_iam_role\" \"{name}\" {{\n  name = \"{name}\"\n  assume_role_policy = {}\n}}\n{}",
        document(&[trust.to_owned()]),
        if statements.is_empty() { "" } else { &policy }
    )
}

fn trust(principal: &str) -> String {
    trust_when(principal, "")
}

fn trust_when(principal: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!(", Condition = {{ {condition} }}") };
    format!("{{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = {{ {principal} }}{condition} }}")
}

fn service(name: &str) -> String {
    trust(&format!("Service = \"{name}.amazonaws.com\""))
}

/// A role that may do anything.
fn admin_role(trust: &str) -> String {
    role("admin", trust, &[allow("*", "*")])
}

/// The trust of everybody in the plan's own account, as far as their own policies let them.
const OWN_ACCOUNT: &str = "AWS = \"arn:aws:iam::${data.aws_caller_identity.current.account_id}:root\"";

const CALLER: &str = "data \"aws_caller_identity\" \"current\" {}\n";
