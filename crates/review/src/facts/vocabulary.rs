//! The closed vocabulary of facts, with the documentation that rule writers and the generated pages use.

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactOn {
    /// One component.
    Component,
    /// The system.
    System,
}

/// The type of a fact's value, which also says what the fact is where code did not set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactKind {
    /// `true` or `false`; unset is `false`.
    Bool,
    /// A number; unset is `null`.
    Number,
    /// A text; unset is `null`.
    Text,
    /// A list; unset is `[]`.
    List,
    /// A map; unset is `{}`.
    Map,
}

/// One entry of the vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct FactDoc {
    /// Snake-case name: `public_actions`.
    pub name: &'static str,
    /// What it is about.
    pub on: FactOn,
    /// Its type.
    pub kind: FactKind,
    /// One sentence for rule writers, with the members of a list's or map's values.
    pub about: &'static str,
}

const fn component(name: &'static str, kind: FactKind, about: &'static str) -> FactDoc {
    FactDoc { name, on: FactOn::Component, kind, about }
}

const fn system(name: &'static str, kind: FactKind, about: &'static str) -> FactDoc {
    FactDoc { name, on: FactOn::System, kind, about }
}

/// Every fact that rules may read, sorted by name.
///
/// Permission facts (`actions`, `actions_on_any`, `admin_grant`, `wildcard_grants`, …) are set on the role or user *and* on every compute
/// that runs as it.
pub const FACTS: &[FactDoc] = &[
    system("access_analyzer", FactKind::Bool, "an IAM Access Analyzer exists"),
    system("account_public_access_block", FactKind::Bool, "the account's S3 public access block is on in all four parts"),
    component(
        "actions",
        FactKind::List,
        "sensitive IAM actions (texts, the list is in facts/actions.rs) that its policies allow on at least one resource",
    ),
    component(
        "actions_any_region",
        FactKind::List,
        "sensitive IAM actions that its policies allow on every resource without an aws:RequestedRegion condition",
    ),
    component(
        "actions_on_any",
        FactKind::List,
        "sensitive IAM actions (texts) that its policies allow on every resource of the service, without a condition and without a matching deny",
    ),
    component(
        "admin_console",
        FactKind::Text,
        "for an entry of a cluster: which console of operators it leads to, by its name or by the images behind it",
    ),
    component(
        "admin_grant",
        FactKind::Bool,
        "its policies allow every action or every IAM action on every resource without a condition, or name an AWS managed administrator policy",
    ),
    component(
        "admin_ports_open",
        FactKind::List,
        "administration ports (numbers: 22, 3389, 5985, 2375, 6443, 10250, …) that the whole internet is admitted to by its security groups; all of them where every protocol is open",
    ),
    system("alarm_targets", FactKind::List, "addresses that alarms notify"),
    component(
        "allows_everything",
        FactKind::Bool,
        "for a managed policy: it allows every action on every resource, to whoever it is attached to",
    ),
    component("allows_passing_any", FactKind::Bool, "for a managed policy: it allows iam:PassRole on every role without a condition"),
    component("answers_callers", FactKind::Bool, "code that calls from outside reach through nothing but gateways, balancers and edges"),
    component(
        "any_table_readers",
        FactKind::List,
        "for a table: roles of code that answers callers which may read every table, with no bound on the key",
    ),
    component("async_failures_kept", FactKind::Bool, "failed asynchronous deliveries go to a dead letter queue or failure destination"),
    component(
        "async_triggers",
        FactKind::List,
        "for a function: addresses of buckets, topics and rules on events that call it without waiting for its answer",
    ),
    component("autoscaled", FactKind::Bool, "an auto scaling target, group or policy covers it"),
    component("backed_up", FactKind::Bool, "a backup plan selects it, by link or by tag"),
    system("backup_plans", FactKind::List, "addresses of backup plans"),
    component(
        "becomes_admin",
        FactKind::Bool,
        "the user or role is no administrator and can certainly make itself one, by itself or by other principals (attack graph)",
    ),
    component(
        "broad_ingress",
        FactKind::List,
        "rules of its security groups that admit whole networks (the VPC's CIDR, prefix of 16 bits or fewer) or carry no port limit between members: maps with cidr, protocol, from_port, to_port, group, kind (vpc, private, self, group)",
    ),
    system("budget_alarm", FactKind::Bool, "a budget or billing alarm notifies someone"),
    component(
        "bulk_readers",
        FactKind::List,
        "for a table: roles of code that answers callers which may read it as a whole, by Scan or export, with no bound on the key",
    ),
    component(
        "bypasses_edge",
        FactKind::List,
        "addresses of edges (distribution, API domain) in front of it that anyone can go around because it is reachable directly",
    ),
    component("callers_checked", FactKind::Bool, "for an entry of a cluster: callers must sign in before it, or come from named addresses"),
    component(
        "calls_through",
        FactKind::List,
        "addresses of the VPC endpoints through which its calls to AWS services go; their policies and aws:SourceVpce hold for these calls",
    ),
    system("cleartext_buckets", FactKind::List, "addresses of buckets whose policy lets requests without TLS in"),
    component("cleartext_flows", FactKind::List, "addresses of active flows' other ends that reach it without encryption"),
    component(
        "cluster_power",
        FactKind::List,
        "for a binding or access policy: service accounts, roles and open groups that it makes masters of the cluster",
    ),
    component(
        "code_writers",
        FactKind::List,
        "for a function or job: principals in the plan that may replace its code in the bucket it is taken from",
    ),
    component("compute_roles", FactKind::List, "addresses of the roles it runs as"),
    system("config_recorder", FactKind::Bool, "AWS Config records"),
    component("console_password", FactKind::Bool, "for a user: a console password exists"),
    component("consumers", FactKind::List, "addresses that receive data from it by an active flow"),
    component(
        "dangling_targets",
        FactKind::List,
        "names of buckets, balancers or addresses it points to that no component of the plan owns",
    ),
    system("data_events", FactKind::Bool, "a trail that is on records data events; empty where the plan holds no trail"),
    component("data_events_logged", FactKind::Bool, "a trail records its data events (object reads, function invocations, item access)"),
    component(
        "dead_letter",
        FactKind::Bool,
        "messages that cannot be processed go to a dead letter target (its own, its consumers' or its subscriptions')",
    ),
    component("dead_letters_of", FactKind::List, "for a queue or topic: addresses of those whose failed messages it keeps"),
    system("deletable_balancers", FactKind::List, "addresses of balancers that one call deletes"),
    component("denies_cleartext", FactKind::Bool, "its resource policy denies everyone who comes without TLS (aws:SecureTransport false)"),
    component("denies_sse_c", FactKind::Bool, "its resource policy denies writing with keys that the customer provides"),
    system("doubled_trails", FactKind::List, "addresses of trails of one account that record the events of global services each"),
    component("encrypted_in_transit", FactKind::Bool, "every way into it is encrypted; unknown where it depends on the client"),
    component(
        "end_of_life",
        FactKind::Map,
        "its engine, runtime or version with the day support ends: product, version, ends (YYYY-MM-DD), ended (bool), source; empty where the table does not have it",
    ),
    component(
        "entered_by",
        FactKind::List,
        "what the internet talks to when it comes to it: itself, or addresses of the balancers, gateways and distributions before it",
    ),
    component(
        "entry_points",
        FactKind::List,
        "external entities (internet, aws:anyone, aws:account/…) whose data reaches it along active flows, however far",
    ),
    system(
        "environments",
        FactKind::List,
        "environment names (production, staging, …) found in tags and names of one account or stack, where production is among them; unknown where stacks of several environments do not name their accounts",
    ),
    component(
        "escalates_via",
        FactKind::List,
        "the steps (texts) by which the user or role, that is no administrator, becomes one; unknown where conditions are open (attack graph)",
    ),
    component("escape_ways", FactKind::List, "for containers: settings by which a process leaves its container for the node, in words"),
    component("event_loop", FactKind::List, "addresses of a cycle of triggers through it"),
    component(
        "exploited_flaws",
        FactKind::List,
        "known flaws (texts) of packages that it ships and that attackers use, or probably will: CISA lists them, or EPSS gives 10 % and more",
    ),
    component(
        "exposed_sharers",
        FactKind::List,
        "for a role: addresses of code that answers callers, where code further back runs as the same role",
    ),
    component(
        "external_input",
        FactKind::Bool,
        "data of an external entity that is not trusted reaches it along active flows, however far",
    ),
    system("findings_routed", FactKind::Bool, "an event rule or subscription carries findings of GuardDuty or Security Hub to someone"),
    system(
        "flat_namespaces",
        FactKind::List,
        "namespaces, in a cluster with several workloads, of which one workload at least takes connections from every pod",
    ),
    system("flat_workloads", FactKind::List, "addresses of workloads in those namespaces that take connections from every pod"),
    component("flaw_use_known", FactKind::Bool, "the scan of its packages could tell which flaws attackers use"),
    component(
        "floating_images",
        FactKind::List,
        "images of containers, and bases that their Dockerfiles start from, with the tag latest or none",
    ),
    system("floating_modules", FactKind::List, "addresses of sources of Terraform modules without a fixed version"),
    component("flow_logged", FactKind::Bool, "for a VPC or subnet: a flow log records its traffic"),
    component("foreign_accounts", FactKind::List, "account ids that its resource or trust policy names and that are not the system's own"),
    component("foreign_actions", FactKind::List, "IAM actions that its resource policy allows other accounts"),
    component(
        "foreign_layers",
        FactKind::List,
        "for a function: ARNs of layers that an account outside of the system publishes, AWS's own left out",
    ),
    component(
        "foreign_without_external_id",
        FactKind::List,
        "for a role: foreign accounts that its trust policy admits without sts:ExternalId",
    ),
    component("granted_by", FactKind::List, "policies that grant what it may do: maps with name, managed (bool), source"),
    component("grants", FactKind::List, "statements it holds: maps with effect, actions, resources, services, any_resource, conditional"),
    component("grants_to", FactKind::List, "addresses of components that its policies name"),
    component("group_members", FactKind::List, "for a security group: addresses that carry it"),
    component("groups_open", FactKind::List, "addresses of its security groups that admit the whole internet on some port"),
    system("guardduty", FactKind::Bool, "a GuardDuty detector is on; unknown where the plan holds none"),
    component("guest_actions", FactKind::List, "for an identity pool: actions and managed policies of the role that guests get"),
    component("handles", FactKind::List, "assets that its active flows carry: maps with name, confidentiality, integrity, availability"),
    component("has_access_key", FactKind::Bool, "for a user: a long-lived access key exists in the plan"),
    system(
        "hasty_keys",
        FactKind::List,
        "addresses of keys that encrypt stored data and whose deletion takes effect within less than 14 days",
    ),
    component(
        "held_by",
        FactKind::List,
        "for a managed policy: addresses of the roles, users and groups of the plan that it is attached to",
    ),
    component("identity_shared_with", FactKind::List, "addresses of other compute that runs as the same role"),
    system("idle_rule_groups", FactKind::List, "addresses of security groups with rules that admit nobody or nobody new"),
    component(
        "image_secrets",
        FactKind::List,
        "names of variables and build arguments that are secrets and stay in the image that it runs, as its Dockerfile says",
    ),
    component("images_scanned", FactKind::Bool, "for a repository: images are scanned by its own setting, the registry's or Inspector"),
    component("injection_filtered", FactKind::Bool, "a web ACL before it looks for SQL in requests"),
    system("inline_holders", FactKind::List, "addresses of users and groups with policies written into them"),
    component(
        "input_steers",
        FactKind::List,
        "for a workflow: parameters by which the input chooses the code, command, secret or role that the workflow acts on",
    ),
    component("internet_ports", FactKind::List, "ports (numbers) that the internet reaches; -1 stands for every port"),
    component(
        "internet_reachable",
        FactKind::Bool,
        "the internet reaches it on the network: address, route, network ACL and security group, with the reasons; unknown where one of them is not known",
    ),
    component(
        "irsa_subject_broad",
        FactKind::Bool,
        "for a role: pods of several namespaces or service accounts can take it (subject missing or with a wildcard)",
    ),
    component("isolated_namespace", FactKind::Bool, "for a namespace or workload: a network policy denies by default"),
    component("keeps_traces_of", FactKind::List, "for a bucket: addresses of trails, recorders and flow logs that write to it"),
    component("key_users", FactKind::List, "for a key: addresses of components encrypted under it"),
    component(
        "leads_to_sql",
        FactKind::List,
        "for an entry that callers from outside reach: addresses of SQL databases that the code behind it asks",
    ),
    component("lesser_flaws", FactKind::List, "other known flaws (texts) of packages that it ships, rated medium or low"),
    component("logged", FactKind::Bool, "its access is logged by a setting of its own or by a companion"),
    component(
        "loop_unseen",
        FactKind::List,
        "for a function: members of a cycle of triggers that Lambda's own loop detection does not see through",
    ),
    component("malware_scanned", FactKind::Bool, "for a bucket: a protection plan or a scanning function looks at new objects"),
    component(
        "metadata_open_to_pods",
        FactKind::Bool,
        "for a node group: pods get the credentials of the nodes' role from the metadata service",
    ),
    component("mfa_enforced", FactKind::Bool, "for a user or group: a policy denies what comes without a second factor"),
    system("multi_region_trail", FactKind::Bool, "a trail that is on records all regions; unknown where the plan holds no trail"),
    component(
        "network_bound_role",
        FactKind::Bool,
        "its role's grants or trust are tied to its own network (aws:SourceVpc, aws:SourceIp, aws:EC2InstanceSourceVPC)",
    ),
    component(
        "network_callers",
        FactKind::List,
        "for a store: addresses of compute and Client VPN endpoints that routes, network ACLs, security groups and authorization rules let through to its port",
    ),
    component("node_role_rights", FactKind::List, "for a node group: policies of the nodes' role beyond those that every node needs"),
    component(
        "not_reachable_because",
        FactKind::Text,
        "what keeps the internet out where something (a public address, publicly_accessible) suggests that it could come in",
    ),
    component("oidc_audience_missing", FactKind::Bool, "for a role: a federated trust has no condition on the audience"),
    component("oidc_issuers", FactKind::List, "for a role: issuers of web identities that it trusts"),
    component(
        "oidc_subject_broad",
        FactKind::Bool,
        "for a role: the trust for a CI provider admits any repository, any branch of one or has no condition on the subject",
    ),
    component("old_tls", FactKind::Text, "the TLS policy by which clients may come with TLS 1.0 or 1.1"),
    component(
        "on_attack_path",
        FactKind::Map,
        "the likeliest attack path from outside that it lies on: `likelihood` (ratio 0..=1) and `path` (id)",
    ),
    component(
        "open_egress",
        FactKind::Bool,
        "its traffic may go to any address of the internet: a route out and a security group that lets it; or no VPC at all",
    ),
    component(
        "open_ingress",
        FactKind::List,
        "security group rules that admit the whole internet: maps with protocol, from_port, to_port, cidr, group",
    ),
    component("open_routes", FactKind::List, "for an API: methods and routes that answer without authorization or key"),
    system("open_spare_groups", FactKind::List, "addresses of those spare security groups that admit the whole internet"),
    component(
        "outside_subscribers",
        FactKind::List,
        "for a topic: protocols of subscriptions by which its messages leave AWS: email, sms, or a web endpoint that the plan does not hold",
    ),
    component(
        "outsiders_become_admin",
        FactKind::List,
        "the steps (texts) by which somebody outside becomes administrator through this role or user, without any assumed flaw (attack graph)",
    ),
    component(
        "outsiders_reach_data",
        FactKind::List,
        "the steps (texts) by which somebody outside reaches its data, without any assumed flaw (attack graph)",
    ),
    component(
        "own_key",
        FactKind::Bool,
        "its data is encrypted under a customer managed key: a key of the plan or one that it names, not the service's own",
    ),
    component("packages_known", FactKind::Bool, "a scan judged every package that it ships"),
    component("passrole_any", FactKind::Bool, "its policies allow iam:PassRole on every role without a condition on the service"),
    system("password_policy", FactKind::Bool, "an account password policy exists"),
    component("payloads_logged", FactKind::List, "for a stage or workflow: what of its contents is logged in full"),
    component(
        "plaintext_secrets",
        FactKind::List,
        "secrets written in its configuration: maps with name, kind, where; never the secret itself",
    ),
    component("prepared_statements", FactKind::List, "for a workgroup: names of the prepared statements in the plan"),
    component("producers", FactKind::List, "addresses that send data to it by an active flow"),
    component(
        "public_actions",
        FactKind::List,
        "IAM actions that resource policies and ACLs allow everyone, account-level and bucket-level blocks considered",
    ),
    component(
        "public_blocked_by",
        FactKind::Text,
        "what undoes a public policy or ACL: a public access block, object ownership or the default for new buckets",
    ),
    component("public_by", FactKind::List, "how everyone is allowed: policy, acl, permission"),
    component("public_write_actions", FactKind::List, "those public actions that change or delete"),
    component("rate_limited", FactKind::Bool, "a throttle, usage plan or web ACL rate rule limits its callers"),
    component("reads_from", FactKind::List, "for an event source mapping: component types (texts) that it reads from"),
    system(
        "regional_stores",
        FactKind::List,
        "addresses of stores without a copy in a second region, in a plan whose DNS records fail over or choose a region by latency",
    ),
    component("replicated", FactKind::Bool, "a copy in another region, account or cluster exists"),
    system(
        "root_guarded",
        FactKind::Bool,
        "root users of the organisation have no credentials of their own or are denied by policy; unknown where the plan does not hold the organisation",
    ),
    component("rotated", FactKind::Bool, "for a secret: rotation is configured or the service rotates it"),
    component("run_by", FactKind::List, "for a role: addresses of the compute that runs as it"),
    component("run_by_exposed", FactKind::Bool, "for a role: compute that takes data from outside runs as it"),
    component(
        "runs_as_root",
        FactKind::List,
        "images of its containers that run as root, as their Dockerfile or the scanned image says, or `a container` where its own settings say so; empty where nobody says",
    ),
    component("scaled_out", FactKind::Bool, "it runs in more than one instance or availability zone"),
    system("scps", FactKind::List, "addresses of service control policies"),
    component(
        "secret_readers",
        FactKind::List,
        "for a binding: service accounts and open groups that it lets read every Secret of the cluster",
    ),
    system("security_hub", FactKind::Bool, "Security Hub is on"),
    component(
        "service_trust_open",
        FactKind::List,
        "service principals (texts) that a resource or trust policy or permission admits without aws:SourceArn, aws:SourceAccount or aws:SourceOrgID",
    ),
    component("severe_flaws", FactKind::List, "other known flaws (texts) of packages that it ships, rated high or critical, or by nobody"),
    component(
        "shared_cache",
        FactKind::List,
        "for a distribution or stage: answers that hang on the caller and are kept under a key without him",
    ),
    component("shield", FactKind::Bool, "Shield Advanced protects it"),
    component("shown_any_region", FactKind::List, "those of the policies in the plan that name neither a resource nor a region"),
    component(
        "shown_on_any",
        FactKind::List,
        "sensitive IAM actions that the policies in the plan allow on every resource without a condition; what policies elsewhere add is left open",
    ),
    component(
        "signup_opens",
        FactKind::List,
        "for a user pool: addresses of roles that its users get and of entries that ask for no more than a user of it",
    ),
    system("silent_alarms", FactKind::List, "addresses of alarms that tell nobody"),
    system(
        "spare_groups",
        FactKind::List,
        "addresses of security groups that nothing in the plan carries or names; empty where a part of the plan is not seen",
    ),
    component("stored_in_clear", FactKind::Bool, "for a queue or stream: its contents are stored unencrypted"),
    system("stranger_groups", FactKind::List, "addresses of security groups that open every port to a range of public addresses"),
    component("subnet_tier", FactKind::Text, "public, private or isolated, by the routes of its subnets"),
    component("tls_required", FactKind::Bool, "for a database: its parameter group refuses clients without TLS"),
    component("trail_covers", FactKind::Bool, "a trail that is on records the management events of its account"),
    system("trail_stoppers", FactKind::List, "principals that may stop or delete trails"),
    system("trails", FactKind::List, "addresses of CloudTrail trails that are on"),
    component("triggers", FactKind::List, "addresses of queues, topics, streams, buckets or rules that invoke it"),
    component("trust_anyone", FactKind::Bool, "for a role: any AWS principal can assume it; no condition narrows it"),
    component("trust_services", FactKind::List, "for a role: service principals (texts) that can assume it"),
    component("unbounded_consumers", FactKind::List, "for a queue: functions that take from it without any bound on their concurrency"),
    component("unbounded_states", FactKind::List, "for a workflow: names of states that wait without a timeout or fan out without a bound"),
    component(
        "unchecked_routes",
        FactKind::List,
        "for an API: methods and routes that hand bodies to an AWS service with nothing that checks them",
    ),
    component(
        "unlimited_entries",
        FactKind::List,
        "addresses of entries that callers from outside reach without a rate limit and whose data reaches it along active flows",
    ),
    system(
        "unlimited_functions",
        FactKind::List,
        "addresses of functions that callers from outside start without a rate limit or reserved concurrency",
    ),
    system("unlimited_workloads", FactKind::List, "addresses of workloads of a cluster with a container without memory limit"),
    system(
        "unlogged_buckets",
        FactKind::List,
        "addresses of buckets whose reading nothing records, those of sensitive data and of logs left out",
    ),
    system("unlogged_domains", FactKind::List, "addresses of search domains that publish none of their logs"),
    system("unlogged_entries", FactKind::List, "addresses of balancers, distributions and stages that keep no access log"),
    system("unrotated_keys", FactKind::List, "addresses of keys that KMS could change by itself and does not"),
    system("unrotated_logins", FactKind::List, "addresses of secrets that hold the login of a database or broker and never change"),
    component(
        "unscoped_readers",
        FactKind::List,
        "for a table: roles of code that answers callers which may read any item of it, with no bound on the key",
    ),
    component("unscoped_routes", FactKind::List, "for an API: administrators' routes that any token of the user pool or issuer opens"),
    component("unversioned_chart", FactKind::Bool, "for a Helm release: its chart comes from elsewhere and no version of it is written"),
    component("uploads_from", FactKind::List, "for a bucket: who outside of the system writes objects to it, in words"),
    component("used_for_callers", FactKind::List, "for a store: code that answers callers from outside and reads or writes it"),
    component("waf", FactKind::Bool, "a web ACL stands before it"),
    component("watched", FactKind::List, "metrics (texts) that alarms watch on it"),
    component(
        "wildcard_grants",
        FactKind::List,
        "services (IAM prefixes) of which its policies allow every action on every resource; `*` for all",
    ),
    component("writers", FactKind::List, "addresses of principals in the plan that may write to it or delete from it"),
    component("zones", FactKind::Number, "availability zones that its subnets lie in, where known"),
];

#[cfg(test)]
mod tests {
    use super::FACTS;

    #[test]
    fn the_vocabulary_is_sorted_and_has_no_doubles() {
        assert!(FACTS.is_sorted_by(|a, b| (a.name, a.on) < (b.name, b.on)));
    }
}
