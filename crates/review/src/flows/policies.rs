//! What resource policies, permissions and access lists admit: everyone, other accounts, services without a condition.
//!
//! The S3 rules follow the decision of S3 itself: a block of the bucket or the account undoes a public policy or list.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Confidence, Kind, Node, Reason, ReasonKind, Span, Value, is_account_id};

use super::entities::Entities;
use super::index::Index;
use super::set::{FlowSet, Found};
use super::{Context, reason};
use crate::facts::document::{Document, NARROWING_KEYS, Principal, Statement, as_written, glob, pattern};
use crate::facts::read::first_setting;
use crate::facts::verdict::Verdict;

/// What one component's own policy admits.
#[derive(Debug, Default)]
pub(crate) struct Admits<'a> {
    /// Actions that everyone may do, with the place of each.
    pub(crate) public: BTreeMap<String, Span>,
    /// Those of them that are given to callers without credentials of AWS as well; whether the service asks for a signature all the same is
    /// told by [`takes_unsigned`].
    pub(crate) unsigned: BTreeMap<String, Span>,
    /// Whether that is in force; `Unknown` where the account's defaults decide.
    pub(crate) in_force: Verdict,
    /// How: `policy`, `acl`, `permission`.
    pub(crate) by: BTreeSet<&'static str>,
    /// What undoes it or leaves it open, with its place.
    pub(crate) blocked_by: Option<(String, Option<Span>)>,
    /// Accounts that are not ours, with the actions they may do.
    pub(crate) foreign: BTreeMap<String, (BTreeSet<String>, Span)>,
    /// Service principals that no condition ties to a source.
    pub(crate) open_services: BTreeMap<String, Span>,
    /// Where a service is admitted under a condition whose values are not known.
    pub(crate) untold_services: Option<Span>,
    /// Components (roles, users) that it names, with the actions.
    pub(crate) named: BTreeMap<Address, (BTreeSet<String>, Span)>,
    /// The policy's statements.
    pub(crate) document: Option<Document<'a>>,
}

impl Admits<'_> {
    /// Everyone may do it, with credentials of AWS or without.
    fn open_to_all(&mut self, action: String, span: Span) {
        self.unsigned.entry(action.clone()).or_insert(span);
        self.public.entry(action).or_insert(span);
    }

    /// Whether somebody without credentials of AWS may do something.
    pub(crate) fn answers_unsigned(&self) -> bool {
        self.unsigned.keys().any(|pattern| UNSIGNED.iter().any(|action| glob(pattern, action)) || takes_unsigned(pattern))
    }
}

/// Actions that a service does for requests without a signature, where its policy names everyone; all others ask for an AWS account.
///
/// Source: S3 user guide, "Making requests": anonymous requests; SQS and SNS guides, "Policy elements", `Principal: "*"`; OpenSearch
/// guide, "Making and signing requests": open access policies; Lambda guide, "Access control for function URLs".
const UNSIGNED: &[&str] = &[
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectTagging",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:PurgeQueue",
    "sns:Publish",
    "sns:Subscribe",
    "es:ESHttpGet",
    "es:ESHttpHead",
    "es:ESHttpPost",
    "es:ESHttpPut",
    "es:ESHttpPatch",
    "es:ESHttpDelete",
    "execute-api:Invoke",
    "lambda:InvokeFunctionUrl",
    "mediastore:GetObject",
];

/// True for an action that the service does for a request without a signature.
pub(crate) fn takes_unsigned(action: &str) -> bool {
    UNSIGNED.iter().any(|known| known.eq_ignore_ascii_case(action))
}

/// By component; only those that have a policy, permissions or an access list.
pub(crate) type Policies<'a> = BTreeMap<Address, Admits<'a>>;

/// Keys that tie a service to whom it acts for.
/// Source: IAM user guide, "The confused deputy problem".
const SOURCE_KEYS: &[&str] = &["aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner"];

/// Settings that hold a resource policy.
const POLICY_SETTINGS: &[&str] = &["policy", "policies", "access_policies", "resource_policy", "access_policy"];

/// Reads the resource policies of every component.
pub(crate) fn read<'a>(index: &Index<'a>) -> Policies<'a> {
    let own: BTreeSet<&str> = index.architecture.components.values().filter_map(|component| component.account.as_deref()).collect();
    let account_block = account_block(index);
    let mut found = Policies::new();
    for (address, component) in &index.architecture.components {
        if component.service == "iam" || component.component_type == "vpc.endpoint" {
            continue;
        }
        let mut admits = Admits { in_force: Verdict::Yes, ..Admits::default() };
        if let Some(node) = first_setting(component, POLICY_SETTINGS) {
            let document = Document::read(node);
            for statement in document.statements.iter().filter(|statement| statement.allow) {
                admit(index, component, statement, &own, &mut admits);
            }
            admits.document = Some(document);
        }
        if let Some(node) = component.setting("permissions") {
            permissions(node, &own, &mut admits);
        }
        if component.component_type == "s3.bucket" {
            access_list(component, &mut admits);
            block(component, account_block, &mut admits);
        }
        let empty = admits.public.is_empty()
            && admits.foreign.is_empty()
            && admits.open_services.is_empty()
            && admits.untold_services.is_none()
            && admits.named.is_empty()
            && admits.document.is_none();
        if !empty {
            found.insert(address.clone(), admits);
        }
    }
    found
}

/// Whether an account-wide block undoes public policies and public lists.
fn account_block(index: &Index<'_>) -> (Option<Span>, Option<Span>) {
    let mut found = (None, None);
    for component in index.architecture.components.values().filter(|component| component.component_type == "s3.account_public_access_block")
    {
        let on = |name: &str| component.setting(name).filter(|node| node.value.as_bool() == Some(true)).map(|node| node.span);
        found.0 = found.0.or(on("restrict_public_buckets"));
        found.1 = found.1.or(on("ignore_public_acls"));
    }
    found
}

fn admit<'a>(index: &Index<'a>, component: &Component, statement: &Statement<'a>, own: &BTreeSet<&str>, admits: &mut Admits<'a>) {
    let narrowed = statement.fixes(NARROWING_KEYS);
    // Allow with NotPrincipal reaches everyone but those named.
    if statement.not_principals && !narrowed {
        add_public(statement, admits);
        return;
    }
    for principal in &statement.principals {
        match principal {
            Principal::Anyone(_) if !narrowed => add_public(statement, admits),
            Principal::Anyone(_) | Principal::Federated(..) | Principal::Other => {}
            Principal::Aws(text, node) => {
                let named = text.references().map(|(address, _)| Address::new(address)).find(|address| index.component(address).is_some());
                let actions = statement.actions.iter().map(|(action, _)| action.clone());
                if let Some(address) = named {
                    let entry = admits.named.entry(address).or_insert_with(|| (BTreeSet::new(), node.span));
                    entry.0.extend(actions);
                } else if let Some(account) = account_of(&pattern(text)).filter(|account| !own.contains(account.as_str()))
                    && component.account.as_deref() != Some(account.as_str())
                    && !is_log_delivery(&account)
                    && !(own.is_empty() && text.references().next().is_some())
                {
                    let entry = admits.foreign.entry(account).or_insert_with(|| (BTreeSet::new(), node.span));
                    entry.0.extend(actions);
                }
            }
            Principal::Service(name, node) => {
                if statement.fixes(SOURCE_KEYS) || narrowed {
                    continue;
                }
                if statement.may_fix(SOURCE_KEYS) {
                    admits.untold_services.get_or_insert(node.span);
                } else {
                    admits.open_services.entry(name.clone()).or_insert(node.span);
                }
            }
        }
    }
}

fn add_public(statement: &Statement<'_>, admits: &mut Admits<'_>) {
    admits.by.insert("policy");
    for (action, node) in &statement.actions {
        for action in expand(action) {
            admits.open_to_all(action, node.span);
        }
    }
    if statement.not_actions || statement.actions.is_empty() {
        admits.open_to_all("*".to_owned(), statement.node.span);
    }
}

/// Actions that rules ask for by name; a pattern stands for itself and for those of them that it matches.
const ASKED: &[&str] = &[
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:PutBucketPolicy",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:PurgeQueue",
    "sns:Publish",
    "sns:Subscribe",
    "events:PutEvents",
    "kinesis:PutRecord",
    "kinesis:GetRecords",
    "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl",
    "kms:Decrypt",
    "kms:CreateGrant",
    "kms:ScheduleKeyDeletion",
    "ecr:BatchGetImage",
    "ecr:PutImage",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "es:ESHttpGet",
    "es:ESHttpPost",
    "es:ESHttpPut",
    "es:ESHttpDelete",
    "dynamodb:GetItem",
    "dynamodb:Scan",
    "dynamodb:PutItem",
    "dynamodb:DeleteItem",
    "glue:GetTable",
    "glue:UpdateTable",
    "execute-api:Invoke",
    "elasticfilesystem:ClientMount",
    "elasticfilesystem:ClientWrite",
    "glacier:InitiateJob",
    "backup:CopyIntoBackupVault",
];

fn expand(action: &str) -> Vec<String> {
    let mut out = vec![action.to_owned()];
    out.extend(ASKED.iter().filter(|asked| **asked != action && glob(action, asked)).map(|asked| (*asked).to_owned()));
    out
}

/// True for actions that change or delete.
pub(crate) fn is_write(action: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    if name.starts_with('*') {
        return true;
    }
    const WRITE: &[&str] = &[
        "Put",
        "Post",
        "Delete",
        "Create",
        "Update",
        "Send",
        "Publish",
        "Purge",
        "Write",
        "Invoke",
        "Upload",
        "Replicate",
        "Restore",
        "Complete",
        "Batch",
        "ESHttpP",
        "ESHttpDelete",
        "ClientWrite",
        "ClientRootAccess",
        "Schedule",
        "Abort",
        "Set",
        "Add",
        "Remove",
        "Receive",
    ];
    const READ: &[&str] = &["BatchGet", "BatchCheck", "BatchDescribe"];
    (WRITE.iter().any(|prefix| name.starts_with(prefix)) && !READ.iter().any(|prefix| name.starts_with(prefix)))
        || name.starts_with("ClientWrite")
}

/// The account of a principal ARN or id; `None` where it is not literal or is AWS's own.
pub(crate) fn account_of(principal: &str) -> Option<String> {
    let id = if principal.starts_with("arn:") { principal.split(':').nth(4)? } else { principal };
    is_account_id(id).then(|| id.to_owned())
}

/// Accounts from which AWS itself delivers load balancer access logs.
/// Source: Elastic Load Balancing user guide, "Enable access logs", table of Elastic Load Balancing account ids.
fn is_log_delivery(account: &str) -> bool {
    const ACCOUNTS: &[&str] = &[
        "127311923021",
        "033677994240",
        "027434742980",
        "797873946194",
        "985666609251",
        "054676820928",
        "897822967062",
        "156460612806",
        "652711504416",
        "009996457667",
        "635631232127",
        "582318560864",
        "600734575887",
        "383597477331",
        "114774131450",
        "783225319266",
        "718504428378",
        "507241528517",
        "098369216593",
        "754344448648",
        "589379963580",
        "076674570225",
        "048591011584",
    ];
    ACCOUNTS.contains(&account)
}

/// Permissions of a function: one statement each.
fn permissions(node: &Node, own: &BTreeSet<&str>, admits: &mut Admits<'_>) {
    let Value::List(items) = &node.value else { return };
    for item in items {
        let text = |key: &str| item.get(key).and_then(|node| node.value.as_text()).map(pattern);
        let set = |key: &str| item.get(key).is_some_and(|node| !node.value.is_null());
        let Some(principal) = text("principal") else { continue };
        let span = item.get("principal").map_or(item.span, |node| node.span);
        let action = text("action").unwrap_or_else(|| "lambda:InvokeFunction".to_owned());
        let tied = set("source_arn") || set("source_account") || set("principal_org_id") || set("event_source_token") || set("condition");
        let everyone = item.get("principal").and_then(|node| node.value.as_text()).is_some_and(|text| as_written(text) == "*");
        if everyone && text("function_url_auth_type").as_deref() != Some("AWS_IAM") {
            if !tied {
                admits.by.insert("permission");
                for action in expand(&action) {
                    admits.open_to_all(action, span);
                }
            }
        } else if let Some(account) = account_of(&principal) {
            if !own.contains(account.as_str()) {
                admits.foreign.entry(account).or_insert_with(|| (BTreeSet::new(), span)).0.insert(action);
            }
        } else if principal.ends_with(".amazonaws.com") && !tied {
            admits.open_services.entry(principal).or_insert(span);
        }
    }
}

/// Canned lists and grants to everyone.
fn access_list(component: &Component, admits: &mut Admits<'_>) {
    // `signed` for lists that ask for credentials of any account.
    let mut list = |actions: &[&str], signed: bool, span: Span| {
        admits.by.insert("acl");
        for action in actions {
            if signed {
                admits.public.entry((*action).to_owned()).or_insert(span);
            } else {
                admits.open_to_all((*action).to_owned(), span);
            }
        }
    };
    const READ: &[&str] = &["s3:GetObject", "s3:ListBucket"];
    const WRITE: &[&str] = &["s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"];
    if let Some(node) = component.setting("acl") {
        match node.value.as_str().as_deref() {
            Some("public-read") => list(READ, false, node.span),
            Some("authenticated-read") => list(READ, true, node.span),
            Some("public-read-write") => list(WRITE, false, node.span),
            _ => {}
        }
    }
    let Some(grants) = component.setting("grants") else { return };
    let Value::List(items) = &grants.value else { return };
    for item in items {
        let (mut everyone, mut with_account) = (false, false);
        let mut permissions: Vec<String> = Vec::new();
        item.for_each_text(&mut |text, _| {
            let value = pattern(text);
            everyone |= value.ends_with("/AllUsers");
            with_account |= value.ends_with("/AuthenticatedUsers");
            if matches!(value.as_str(), "READ" | "WRITE" | "FULL_CONTROL" | "READ_ACP" | "WRITE_ACP") {
                permissions.push(value);
            }
        });
        if everyone || with_account {
            let write = permissions.iter().any(|permission| permission != "READ" && permission != "READ_ACP");
            list(if write { WRITE } else { READ }, !everyone, item.span);
        }
    }
}

/// What undoes public access to a bucket.
/// Source: S3 user guide, "Blocking public access": new buckets have all four blocks and no access lists since April 2023.
fn block(component: &Component, account: (Option<Span>, Option<Span>), admits: &mut Admits<'_>) {
    if admits.public.is_empty() {
        return;
    }
    let flag = |name: &str| component.setting(name).map(|node| (node.value.as_bool(), node.span));
    let on = |name: &str| flag(name).filter(|(value, _)| *value == Some(true)).map(|(_, span)| span);
    let off = |name: &str| flag(name).is_some_and(|(value, _)| value == Some(false));
    let open = |name: &str| flag(name).filter(|(value, _)| value.is_none()).map(|(_, span)| span);
    let mut verdicts = Vec::new();
    if admits.by.contains("policy") {
        let stopped = on("restrict_public_buckets").or(account.0).map(|span| ("restrict_public_buckets", span));
        let stopped = stopped.or_else(|| on("block_public_policy").map(|span| ("block_public_policy", span)));
        verdicts.push(match stopped {
            Some((name, span)) => (Verdict::No, format!("{name} leaves a public policy without effect"), Some(span)),
            None if open("restrict_public_buckets").is_some() => {
                (Verdict::Unknown, "whether restrict_public_buckets is on is not known".to_owned(), open("restrict_public_buckets"))
            }
            None if off("restrict_public_buckets") || off("block_public_policy") => (Verdict::Yes, String::new(), None),
            None => (
                Verdict::Unknown,
                "buckets created since April 2023 refuse public policies unless the block is switched off".to_owned(),
                None,
            ),
        });
    }
    if admits.by.contains("acl") {
        let stopped = on("ignore_public_acls").or(account.1).map(|span| ("ignore_public_acls", span));
        let stopped = stopped.or_else(|| on("block_public_acls").map(|span| ("block_public_acls", span)));
        let ownership =
            component.setting("object_ownership").and_then(|node| node.value.as_str().map(|value| (value.into_owned(), node.span)));
        verdicts.push(match (stopped, ownership) {
            (Some((name, span)), _) => (Verdict::No, format!("{name} leaves public access lists without effect"), Some(span)),
            (None, Some((value, span))) if value == "BucketOwnerEnforced" => {
                (Verdict::No, "object ownership BucketOwnerEnforced switches access lists off".to_owned(), Some(span))
            }
            (None, Some(_)) if off("ignore_public_acls") || off("block_public_acls") => (Verdict::Yes, String::new(), None),
            (None, _) => (
                Verdict::Unknown,
                "buckets created since April 2023 have access lists switched off unless the plan changes that".to_owned(),
                None,
            ),
        });
    }
    let best = verdicts.into_iter().max_by_key(|(verdict, _, _)| *verdict);
    if let Some((verdict, text, span)) = best {
        admits.in_force = verdict;
        admits.blocked_by = (verdict != Verdict::Yes).then_some((text, span));
    }
}

/// Adds flows from everyone, from other accounts and from roles that a policy names.
pub(super) fn add(context: &Context<'_>, entities: &mut Entities, set: &mut FlowSet) {
    for (address, admits) in &context.policies {
        let Some(component) = context.index.component(address) else { continue };
        let api = component.component_type.starts_with("apigateway.");
        if component.kind == Kind::Supporting || api {
            continue;
        }
        if !admits.public.is_empty() && admits.in_force == Verdict::Yes && !behind_vpc(context, component) {
            let from = entities.anyone();
            let why = public_reasons(admits);
            let asks = !admits.answers_unsigned() || asks_for_login(component);
            let authentication = context.index.services.api(component).authentication.filter(|_| asks);
            push(context, from, address, authentication.or_else(|| Some("none".to_owned())), why, set);
        }
        for (account, (actions, span)) in &admits.foreign {
            let from = entities.account(account);
            push(context, from, address, None, vec![allowed(actions, *span, &format!("account {account}"))], set);
        }
        for (principal, (actions, span)) in &admits.named {
            for user in users_of(context, principal) {
                push(context, user, address, None, vec![allowed(actions, *span, &format!("`{principal}`"))], set);
            }
        }
    }
}

/// A domain inside a VPC answers there only, whatever its policy says; also where the plan does not tell which subnets those are.
pub(crate) fn behind_vpc(context: &Context<'_>, component: &Component) -> bool {
    let named = |setting: &str| {
        let node = component.setting(setting).filter(|node| !node.value.is_null());
        node.is_some_and(|node| node.value.as_list().is_none_or(|list| !list.is_empty()))
    };
    component.service == "opensearch"
        && (["vpc_subnet_ids", "vpc_security_group_ids"].into_iter().any(named)
            || context.endpoints.get(&component.address).is_some_and(|endpoint| !endpoint.subnets.is_empty()))
}

/// A domain that knows users of its own asks everyone for a login, whatever its policy admits.
/// Source: OpenSearch guide, "Fine-grained access control": open access policy with HTTP basic authentication.
pub(crate) fn asks_for_login(component: &Component) -> bool {
    component.component_type == "opensearch.domain"
        && component.flag("fine_grained_access_control") == Some(true)
        && component.flag("anonymous_auth_enabled") != Some(true)
}

fn users_of(context: &Context<'_>, principal: &Address) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    let mut queue = vec![principal.clone()];
    for _ in 0..3 {
        let mut next = Vec::new();
        for at in &queue {
            for relation in ["runs_as", "configured_by", "uses_service_account"] {
                for user in context.index.follow_back(at, relation) {
                    if user.kind == Kind::Supporting { next.push(user.address.clone()) } else { found.push(user.address.clone()) }
                }
            }
        }
        queue = next;
    }
    found.sort();
    found.dedup();
    found.truncate(50);
    found
}

fn public_reasons(admits: &Admits<'_>) -> Vec<Reason> {
    let names: Vec<String> = admits.public.keys().take(3).map(|action| format!("`{action}`")).collect();
    let by: Vec<&str> = admits.by.iter().copied().collect();
    let span = admits.public.values().next().copied();
    vec![reason(ReasonKind::Permission, format!("its {} allows everyone {}", by.join(" and "), names.join(", ")), span)]
}

fn allowed(actions: &BTreeSet<String>, span: Span, whom: &str) -> Reason {
    let names: Vec<String> = actions.iter().take(3).map(|action| format!("`{action}`")).collect();
    reason(ReasonKind::Permission, format!("its policy allows {whom} {}", names.join(", ")), Some(span))
}

fn push(context: &Context<'_>, from: Address, to: &Address, authentication: Option<String>, why: Vec<Reason>, set: &mut FlowSet) {
    let mut found: Found = context.to(from, to.clone(), Confidence::Granted, why);
    if authentication.is_some() {
        found.authentication = authentication;
    }
    if found.protocol.is_none() {
        found.protocol = Some("https".to_owned());
        found.port = Some(443);
        found.encrypted = Some(true);
    }
    set.add(found);
}
