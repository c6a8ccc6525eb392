//! Facts about trust policies: who can assume a role.

use bartizan_model::{Address, Component};

use super::document::{Document, Principal, Statement, as_written, pattern, patterns};
use super::read::texts;
use super::sink::Sink;
use crate::flows::Context;
use crate::flows::policies::account_of;

/// Issuers of CI providers whose tokens name a repository, in the `sub` claim.
/// Source: the providers' documentation of their OpenID Connect tokens.
const CI_ISSUERS: &[&str] = &[
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "api.bitbucket.org",
    "oidc.circleci.com",
    "app.terraform.io",
    "agent.buildkite.com",
    "vstoken.dev.azure.com",
    "oidc.codefresh.io",
];

/// Services that hold a role themselves and act for no other account; nothing can be confused there.
/// Compute services fetch the role of code that the account itself set up.
const COMPUTE_SERVICES: &[&str] = &[
    "ec2.",
    "lambda.",
    "ecs-tasks.",
    "eks.",
    "pods.eks.",
    "eks-fargate-pods.",
    "edgelambda.",
    "glue.",
    "sagemaker.",
    "batch.",
    "codebuild.",
    "build.apprunner.",
    "tasks.apprunner.",
    "spotfleet.",
    "autoscaling.",
    "elasticmapreduce.",
    "rds.",
    "monitoring.rds.",
    "ecs.",
    "dax.",
    "codedeploy.",
    "elasticbeanstalk.",
    "apprunner.",
    "eks-nodegroup.",
    "ec2fleet.",
    "ssm.",
    "vpc-flow-logs.",
    "codepipeline.",
    "dms.",
    "redshift.",
    "cloudformation.",
    "transfer.",
    "spot.",
    "imagebuilder.",
    "amplify.",
    "backup.",
    "airflow.",
    "airflow-env.",
    "opsworks.",
    "kinesisanalytics.",
];

/// Sets the facts of trust policies.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    let own: std::collections::BTreeSet<&str> =
        context.index.architecture.components.values().filter_map(|component| component.account.as_deref()).collect();
    for component in context.index.architecture.components.values().filter(|component| component.component_type == "iam.role") {
        let Some(node) = component.setting("assume_role_policy") else { continue };
        let document = Document::read(node);
        for statement in document.statements.iter().filter(|statement| statement.allow) {
            for principal in &statement.principals {
                read(context, component, statement, principal, &own, sink);
            }
        }
        if !document.complete && sink.get(&component.address, "trust_anyone").is_none() {
            sink.unknown(&component.address, "trust_anyone", "its trust policy is not known", Some(node.span));
        }
    }
}

fn read(
    context: &Context<'_>,
    role: &Component,
    statement: &Statement<'_>,
    principal: &Principal<'_>,
    own: &std::collections::BTreeSet<&str>,
    sink: &mut Sink,
) {
    let address = &role.address;
    match principal {
        Principal::Anyone(node) => {
            let narrowed = statement.fixes(&[
                "aws:principalorgid",
                "aws:principalorgpaths",
                "aws:principalarn",
                "aws:principalaccount",
                "sts:externalid",
                "aws:sourceip",
                "aws:sourcevpc",
                "aws:sourcevpce",
                "aws:sourceaccount",
                "aws:sourcearn",
                "aws:userid",
            ]);
            if !narrowed {
                sink.yes(address, "trust_anyone", Some(node.span));
            }
        }
        Principal::Aws(text, node) => {
            let known = text.references().any(|(address, _)| context.index.component(&Address::new(address)).is_some());
            let account = account_of(&pattern(text)).filter(|account| !own.contains(account.as_str()));
            if let Some(account) = account.filter(|account| !known && role.account.as_deref() != Some(account)) {
                sink.push_text(address, "foreign_accounts", &account, Some(node.span));
                let tied = statement.fixes(&["sts:externalid", "aws:principalorgid", "aws:principalorgpaths"]);
                if !tied {
                    sink.push_text(address, "foreign_without_external_id", &account, Some(node.span));
                }
            }
        }
        Principal::Service(name, node) => {
            sink.push_text(address, "trust_services", name, Some(node.span));
            let keys = ["aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"];
            let tied = statement.fixes(&keys) || statement.may_fix(&keys);
            if !tied && !COMPUTE_SERVICES.iter().any(|prefix| name.starts_with(prefix)) {
                sink.push_text(address, "service_trust_open", name, Some(node.span));
            }
        }
        Principal::Federated(text, node) => federated(address, statement, &provider(context, text), node.span, sink),
        Principal::Other => {}
    }
}

/// The issuer of an identity provider: from the provider's own component, its ARN or its name.
fn provider(context: &Context<'_>, text: &bartizan_model::Text) -> String {
    for (address, _) in text.references() {
        if let Some(component) = context.index.component(&Address::new(address)) {
            if component.service == "eks" {
                return "oidc.eks.amazonaws.com".to_owned();
            }
            if let Some(node) = component.setting("url") {
                return patterns(node).into_iter().next().unwrap_or_default().trim_start_matches("https://").to_owned();
            }
        }
    }
    let whole = pattern(text);
    whole.split_once("oidc-provider/").map_or(whole.clone(), |(_, issuer)| issuer.to_owned())
}

fn federated(address: &Address, statement: &Statement<'_>, issuer: &str, span: bartizan_model::Span, sink: &mut Sink) {
    sink.push_text(address, "oidc_issuers", issuer, Some(span));
    let claims = |claim: &str| -> Vec<(bool, String, bartizan_model::Span)> {
        statement
            .conditions
            .iter()
            .filter(|condition| {
                condition.key.ends_with(&format!(":{claim}")) && condition.is_positive() && !condition.operator.starts_with("forallvalues")
            })
            .flat_map(|condition| {
                let exact = condition.operator.contains("equals");
                texts(condition.values).map(move |value| (exact, as_written(value), condition.values.span))
            })
            .collect()
    };
    let subjects = claims("sub");
    let eks = issuer.contains("oidc.eks.") || statement.conditions.iter().any(|condition| condition.key.contains("oidc.eks."));
    let kubernetes = eks || subjects.iter().any(|(_, subject, _)| subject.starts_with("system:serviceaccount:"));
    let ci = CI_ISSUERS.iter().any(|known| issuer.contains(known))
        || statement.conditions.iter().any(|condition| CI_ISSUERS.iter().any(|known| condition.key.starts_with(known)));
    if kubernetes {
        let broad = subjects.iter().find(|(exact, subject, _)| !exact && wild_service_account(subject));
        match broad {
            Some((_, _, at)) => sink.yes(address, "irsa_subject_broad", Some(*at)),
            None if subjects.is_empty() => sink.yes(address, "irsa_subject_broad", Some(statement.node.span)),
            None => {}
        }
    } else if ci {
        let broad = subjects.iter().find(|(exact, subject, _)| wild_repository(subject, *exact));
        match broad {
            Some((_, _, at)) => sink.yes(address, "oidc_subject_broad", Some(*at)),
            None if subjects.is_empty() => sink.yes(address, "oidc_subject_broad", Some(statement.node.span)),
            None => {}
        }
    }
    if (kubernetes || ci) && claims("aud").is_empty() {
        sink.yes(address, "oidc_audience_missing", Some(statement.node.span));
    }
}

/// `system:serviceaccount:*:*` and the like: more than one namespace or service account.
fn wild_service_account(subject: &str) -> bool {
    let mut parts = subject.split(':').skip(2);
    let namespace = parts.next().unwrap_or("*");
    let account = parts.next().unwrap_or("*");
    namespace == "*" || account == "*" || namespace.ends_with('*') && namespace.len() < 4
}

/// Subjects that stand for every repository of an owner, or every branch and pull request of a repository.
fn wild_repository(subject: &str, exact: bool) -> bool {
    if exact {
        // With an exact operator a `*` is a literal: it matches nothing, which is no exposure.
        return false;
    }
    if subject.starts_with('*') {
        return true;
    }
    let Some(rest) = subject.strip_prefix("repo:") else {
        return subject == "*" || subject.ends_with(":*") && subject.matches(':').count() <= 1;
    };
    let (repository, context) = rest.split_once(':').unwrap_or((rest, "*"));
    repository.ends_with("/*") || repository == "*" || !repository.contains('/') || context == "*"
}
