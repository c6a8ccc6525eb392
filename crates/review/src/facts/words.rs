//! What facts say as evidence, in words: the names are for those who write rules.

/// Words for a fact's value, with `{}` where the value or an element of it goes, `{words}` where that is words and no name; for a fact that is true or false, one sentence each.
struct Words {
    name: &'static str,
    says: &'static str,
    /// Where the fact is false, empty or not set.
    otherwise: &'static str,
}

const fn words(name: &'static str, says: &'static str, otherwise: &'static str) -> Words {
    Words { name, says, otherwise }
}

/// Facts that rules show, sorted by name; a test holds the catalogue against it.
const WORDS: &[Words] = &[
    words("actions", "grants {}", "grants nothing of weight"),
    words("actions_on_any", "grants {} on every resource", "grants nothing on every resource"),
    words("admin_console", "leads to {words}", "leads to no console"),
    words("admin_grant", "grants everything", "does not grant everything"),
    words("admin_ports_open", "opens port {words} to the whole internet", "opens no administration port"),
    words("allows_everything", "allows every action on every resource", "does not allow everything"),
    words("allows_passing_any", "allows iam:PassRole on every role", "does not allow passing every role"),
    words("broad_ingress", "admits {words}", "admits no whole network"),
    words("bulk_readers", "{} may read all of it", "nobody may read all of it"),
    words("bypasses_edge", "{} can be gone around", "nothing can be gone around"),
    words("cleartext_buckets", "{} admits requests without TLS", "buckets admit requests with TLS only"),
    words("cluster_power", "makes {} master of the cluster", "makes nobody master of the cluster"),
    words("code_writers", "{} may replace its code", "nobody may replace its code"),
    words("compute_roles", "runs as {}", "runs as nobody"),
    words("console_password", "has a console password", "has no console password"),
    words("dangling_targets", "points to {}, which nothing of the plan owns", "points to what the plan owns"),
    words("data_events", "a trail records data events", "no trail records data events"),
    words("deletable_balancers", "one call deletes {}", "balancers are protected from deletion"),
    words("doubled_trails", "{} records global events too", "global events are recorded once"),
    words("end_of_life", "{words}", "no end of support is known"),
    words("environments", "holds {}", "names no environment"),
    words("escalates_via", "{words}", "does not escalate"),
    words("escape_ways", "{words}", "nothing lets it out of its container"),
    words("exploited_flaws", "{words}", "no flaw that attackers use is known in its packages"),
    words("exposed_sharers", "{} answers callers and runs as the same role", "nobody who answers callers runs as it"),
    words("flat_namespaces", "in {} every pod is reached by every other", "no namespace is flat"),
    words("flat_workloads", "{} takes connections from every pod", "every workload says from whom it takes connections"),
    words("floating_images", "the image {} may be another tomorrow", "every image has a tag of its own"),
    words("floating_modules", "{} has no fixed version", "modules have fixed versions"),
    words("foreign_accounts", "lets account {} in", "lets no other account in"),
    words("foreign_actions", "lets other accounts do {}", "lets other accounts do nothing"),
    words("foreign_layers", "loads {}, which another account publishes", "loads no layer of others"),
    words("foreign_without_external_id", "lets account {} in without an external id", "asks every other account for an external id"),
    words("guardduty", "GuardDuty is on", "GuardDuty is not on"),
    words("guest_actions", "guests may {}", "guests may do nothing"),
    words("has_access_key", "has an access key that does not end", "has no access key"),
    words("hasty_keys", "{} is gone soon after it is deleted", "every key waits before it is gone"),
    words("idle_rule_groups", "{} holds a rule without effect", "every rule has an effect"),
    words("image_secrets", "{} stays in the image", "no secret stays in its images"),
    words("inline_holders", "a policy is written into {}", "no policy is written into users and groups"),
    words("input_steers", "the input decides {words}", "the input decides nothing of weight"),
    words("internet_reachable", "the internet reaches it", "the internet does not reach it"),
    words("irsa_subject_broad", "pods of several service accounts can take it", "pods of one service account can take it"),
    words("lesser_flaws", "{words}", "no lesser flaw is known in its packages"),
    words("metadata_open_to_pods", "pods get the credentials of the node", "pods do not get the credentials of the node"),
    words("multi_region_trail", "a trail records every region", "no trail records every region"),
    words("node_role_rights", "every pod of the node gets {}", "nodes have no more than they need"),
    words("oidc_issuers", "trusts tokens of {}", "trusts no issuer of tokens"),
    words("oidc_subject_broad", "admits more than one branch of one repository", "admits one branch of one repository"),
    words("old_tls", "accepts TLS 1.0 or 1.1 by its policy {}", "accepts TLS 1.2 and newer only"),
    words("open_egress", "may send to any address of the internet", "may not send to any address of the internet"),
    words("open_ingress", "admits {words}", "does not admit the whole internet"),
    words("open_routes", "{} asks for nothing", "every route asks who calls"),
    words("open_spare_groups", "{} admits the whole internet and nothing carries it", "no open group lies about"),
    words("outside_subscribers", "its messages go out by {words}", "its messages stay"),
    words("outsiders_become_admin", "{words}", "nobody from outside becomes administrator"),
    words("passrole_any", "passes any role to any service", "does not pass any role to any service"),
    words("payloads_logged", "logs {words} in full", "logs no contents"),
    words("plaintext_secrets", "{} is written here", "no secret is written here"),
    words("public_actions", "everyone may {}", "everyone may do nothing"),
    words("public_blocked_by", "{words}", "nothing stands against what it opens to everyone"),
    words("public_write_actions", "everyone may {}", "everyone may change nothing"),
    words("regional_stores", "{} has no copy in another region", "every store has a copy in another region"),
    words("root_guarded", "root users have no credentials", "nothing guards the root user"),
    words("runs_as_root", "{words} runs as root", "nothing runs as root"),
    words("secret_readers", "{} may read every Secret", "nobody may read every Secret"),
    words("service_trust_open", "{} may come on behalf of any account", "services come on behalf of the own account only"),
    words("severe_flaws", "{words}", "no severe flaw is known in its packages"),
    words("shared_cache", "{words}", "nothing of one caller is kept for another"),
    words("shown_any_region", "grants {} in every region", "grants nothing in every region"),
    words("shown_on_any", "grants {} on every resource", "grants nothing on every resource"),
    words("signup_opens", "whoever signs up gets {}", "whoever signs up gets nothing"),
    words("silent_alarms", "{} tells nobody", "every alarm tells someone"),
    words("spare_groups", "nothing carries {}", "every group is carried"),
    words("stored_in_clear", "its contents are stored unencrypted", "its contents are stored encrypted"),
    words("stranger_groups", "{} opens every port to public addresses", "no group opens every port to public addresses"),
    words("tls_required", "refuses clients without TLS", "takes clients without TLS"),
    words("triggers", "is called by {}", "nothing calls it"),
    words("trust_anyone", "anyone with an AWS account can become it", "not everyone can become it"),
    words("unbounded_consumers", "{} takes from it without a bound", "everyone who takes from it is bounded"),
    words("unbounded_states", "{} has no bound", "every state has a bound"),
    words("unchecked_routes", "{} hands on what nothing checks", "every route checks what it hands on"),
    words("unlimited_entries", "{} takes requests without a limit", "every entry has a limit"),
    words("unlimited_functions", "{} runs without a limit", "every function has a limit"),
    words("unlimited_workloads", "{} has a container without a memory limit", "every container has a memory limit"),
    words("unlogged_buckets", "nothing records who reads {}", "something records who reads the buckets"),
    words("unlogged_domains", "{} publishes no logs", "every search domain publishes logs"),
    words("unlogged_entries", "{} keeps no access log", "every entry keeps an access log"),
    words("unrotated_keys", "{} is never rotated", "keys are rotated"),
    words("unrotated_logins", "{} never changes", "every login changes"),
    words("unscoped_readers", "{} may read any item", "nobody may read any item"),
    words("unscoped_routes", "{} opens to any user", "no route of administrators opens to any user"),
    words("unversioned_chart", "its chart has no version", "its chart has a version"),
    words("uploads_from", "{words} writes to it", "nobody from outside writes to it"),
    words("waf", "a web ACL stands before it", "no web ACL stands before it"),
    words("wildcard_grants", "grants everything of {} on every resource", "grants no whole service"),
    words("writers", "{} may write to it", "nobody may write to it"),
];

/// What a fact's value says; nothing for what is no fact that rules show.
pub(crate) fn says(name: &str) -> Option<&'static str> {
    find(name).map(|words| words.says)
}

/// What it says where it is false, empty or not set.
pub(crate) fn otherwise(name: &str) -> Option<&'static str> {
    find(name).map(|words| words.otherwise)
}

fn find(name: &str) -> Option<&'static Words> {
    WORDS.binary_search_by(|words| words.name.cmp(name)).ok().and_then(|at| WORDS.get(at))
}

#[cfg(test)]
mod tests {
    use super::WORDS;
    use crate::facts::vocabulary::FACTS;

    #[test]
    fn every_name_is_a_fact_and_they_are_sorted() {
        assert!(WORDS.is_sorted_by_key(|words| words.name));
        let unknown: Vec<&str> = WORDS.iter().map(|words| words.name).filter(|name| FACTS.iter().all(|fact| fact.name != *name)).collect();
        assert_eq!(unknown, Vec::<&str>::new());
    }
}
