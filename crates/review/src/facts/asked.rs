//! How a reader is asked for what a fact would say: the documentation in the vocabulary is for those who write rules.

use super::vocabulary::{FactDoc, FactKind};

/// Questions by fact, sorted by name, with `{}` where the component's name goes; for the facts that the plan leaves open most often.
const QUESTIONS: &[(&str, &str)] = &[
    ("actions", "Which sensitive actions do the policies of {} allow?"),
    ("actions_any_region", "Which sensitive actions may {} do in every region?"),
    ("actions_on_any", "Which sensitive actions may {} do on every resource?"),
    ("admin_console", "Does {} lead to a console of operators, and to which?"),
    ("admin_grant", "Do the policies of {} allow every action on every resource?"),
    ("admin_ports_open", "Which administration ports of {} does the whole internet reach?"),
    ("backed_up", "Does a backup plan keep copies of {}?"),
    ("becomes_admin", "Can {} make itself an administrator?"),
    ("broad_ingress", "Which whole networks may connect to {}?"),
    ("budget_alarm", "Does a budget or billing alarm notify someone?"),
    ("callers_checked", "Must callers of {} sign in before it, or come from named addresses?"),
    ("cluster_power", "Whom does {} make master of the cluster?"),
    ("denies_cleartext", "Does the policy of {} refuse whoever comes without TLS?"),
    ("encrypted_in_transit", "Is every way into {} encrypted?"),
    ("end_of_life", "Which version does {} run, and until when is it supported?"),
    ("environments", "Which environments lie in one account with production?"),
    ("escalates_via", "By which steps could {} become an administrator?"),
    ("escape_ways", "Which settings of {} let a process out of its container?"),
    ("floating_images", "Which images of {} have no fixed version?"),
    ("foreign_accounts", "Which other accounts does the policy of {} admit?"),
    ("foreign_actions", "What does the policy of {} allow other accounts?"),
    ("foreign_without_external_id", "Which other accounts may become {} without an external id?"),
    ("guardduty", "Is GuardDuty on in this account and region?"),
    ("images_scanned", "Are the images in {} scanned for known flaws?"),
    ("injection_filtered", "Does the web ACL before {} look for SQL in requests?"),
    ("internet_reachable", "Can the internet reach {}?"),
    ("irsa_subject_broad", "Can pods of several service accounts become {}?"),
    ("logged", "Is access to {} logged?"),
    ("metadata_open_to_pods", "Can pods on {} get the credentials of its nodes?"),
    ("mfa_enforced", "Is {} refused without a second factor?"),
    ("multi_region_trail", "Does a trail that is on record every region?"),
    ("network_bound_role", "Are the rights of {} tied to its own network?"),
    ("oidc_subject_broad", "Does the trust of {} admit more than one branch of one repository?"),
    ("open_egress", "May {} send to any address of the internet?"),
    ("open_ingress", "To which ports of {} is the whole internet admitted?"),
    ("outsiders_become_admin", "Can somebody outside become administrator through {}?"),
    ("outsiders_reach_data", "Can somebody outside reach the data of {}?"),
    ("passrole_any", "May {} pass any role to a service?"),
    ("plaintext_secrets", "Which secrets are written in the configuration of {}?"),
    ("public_actions", "What is everyone allowed to do with {}?"),
    ("public_write_actions", "What may everyone change or delete in {}?"),
    ("rate_limited", "Is the rate of requests to {} limited for each caller?"),
    ("replicated", "Is there a copy of {} in another region or account?"),
    ("root_guarded", "Are the root users of the organisation without credentials, or denied by policy?"),
    ("rotated", "Does {} change by itself from time to time?"),
    ("scaled_out", "Does {} run in more than one instance or availability zone?"),
    ("secret_readers", "Whom does {} let read every Secret of the cluster?"),
    ("service_trust_open", "Which services may use {} on behalf of any account?"),
    ("shown_any_region", "Which sensitive actions may {} do in every region?"),
    ("shown_on_any", "Which sensitive actions may {} do on every resource?"),
    ("tls_required", "Does {} refuse clients without TLS?"),
    ("trust_anyone", "Can anyone with an AWS account become {}?"),
    ("uploads_from", "Who outside of the system writes objects to {}?"),
    ("waf", "Does a web ACL stand before {}?"),
    ("wildcard_grants", "Of which services may {} do everything on every resource?"),
];

/// The question for a fact of what is shown; one that has no words of its own is made of what the vocabulary says first.
pub(crate) fn question(fact: &FactDoc, shown: &str) -> String {
    if let Ok(at) = QUESTIONS.binary_search_by(|(name, _)| (*name).cmp(fact.name))
        && let Some((_, text)) = QUESTIONS.get(at)
    {
        return text.replace("{}", &format!("`{shown}`"));
    }
    let about = plain(fact.about);
    match fact.kind {
        FactKind::Bool => format!("For `{shown}`, is it so that {about}?"),
        FactKind::Number => format!("For `{shown}`, how many are the {about}?"),
        FactKind::Text | FactKind::List | FactKind::Map => format!("For `{shown}`, what are the {about}?"),
    }
}

/// What a fact is about without what only writers of rules need: for what it is set, the members of its values, remarks.
fn plain(about: &str) -> String {
    let about = match about.split_once(": ") {
        Some((scope, rest)) if scope.starts_with("for ") => rest,
        _ => about,
    };
    let head = about.split([';', ':']).next().unwrap_or(about);
    let mut out = String::new();
    let mut depth = 0_usize;
    for letter in head.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(letter),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",")
}

#[cfg(test)]
mod tests {
    use super::{QUESTIONS, question};
    use crate::facts::FactOn;
    use crate::facts::vocabulary::FACTS;

    #[test]
    fn every_name_is_a_fact_and_they_are_sorted() {
        assert!(QUESTIONS.is_sorted_by_key(|(name, _)| name));
        for (name, text) in QUESTIONS {
            let fact = FACTS.iter().find(|fact| fact.name == *name).unwrap();
            assert_eq!(text.contains("{}"), fact.on == FactOn::Component, "{text}");
        }
    }

    #[test]
    fn no_question_has_what_is_for_writers_of_rules() {
        for fact in FACTS {
            let text = question(fact, "web");
            let words = ["(", ")", "texts", "maps", "numbers", "facts/", ";", ":", "for a", " ,"];
            let found: Vec<&&str> = words.iter().filter(|word| text.contains(**word)).collect();
            assert!(found.is_empty() && text.ends_with('?') && text.len() > 25, "{}: {text} {found:?}", fact.name);
        }
    }
}
