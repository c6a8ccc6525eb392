//! Attack paths in words: the chain of an attack with the names that readers know, likelihoods, and one sentence that tells it all.

use bartizan_model::{Address, Kind};
use bartizan_review::{AttackPath, PathStep, Review};

use crate::words;

/// Where the attack graph ends that gains everything.
const ADMIN: &str = "admin";

/// A place that an attacker reaches, with the steps that lead there from the place before.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    /// An address, or `admin`.
    pub(crate) address: &'a str,
    /// The steps that lead here; none for the entry.
    pub(crate) by: Vec<&'a PathStep>,
}

/// The places of a path in order, the entry first; steps that stay at a place are part of the one that leads there.
pub(crate) fn chain(path: &AttackPath) -> Vec<Link<'_>> {
    let mut links = vec![Link { address: &path.from, by: Vec::new() }];
    for step in &path.steps {
        match links.last_mut() {
            Some(last) if last.address == step.to => last.by.push(step),
            _ => links.push(Link { address: &step.to, by: vec![step] }),
        }
    }
    links
}

/// What readers call an address: its component's name, else the address itself.
pub(crate) fn name(review: &Review, address: &str) -> String {
    if address == ADMIN {
        return "administrator rights".to_owned();
    }
    let component = review.architecture.component(&Address::new(address));
    match component {
        Some(component) => component.name.clone(),
        None => review.attack.entry_name(address).unwrap_or(address).replace('`', ""),
    }
}

/// What kind of thing an address is, for readers; nothing for who is outside and where no component has it.
pub(crate) fn kind(review: &Review, address: &str) -> String {
    let component = review.architecture.component(&Address::new(address)).filter(|component| component.kind != Kind::ExternalEntity);
    component.map_or_else(String::new, |component| component.component_type.replace(['.', '_'], " "))
}

/// A ratio for readers, never more exact than it is: two digits below one per cent.
pub fn percent(ratio: f64) -> String {
    let hundreds = if ratio.is_finite() { ratio * 100.0 } else { 0.0 };
    if hundreds >= 1.0 { format!("{hundreds:.0} %") } else { format!("{hundreds:.2} %") }
}

/// What a change leaves of a path: `ends it`, `leaves 0.88 %`.
pub(crate) fn left(likelihood: f64) -> String {
    if likelihood > 0.0 { format!("leaves {}", percent(likelihood)) } else { "ends it".to_owned() }
}

/// Where a path leads, without its steps: ``an attacker on the internet reads `orders` ``.
pub(crate) fn gist(review: &Review, path: &AttackPath) -> String {
    let who = if path.from == Address::internet().as_str() {
        "an attacker on the internet".to_owned()
    } else {
        match review.attack.entry_name(&path.from) {
            Some(anyone) if anyone.starts_with("anyone") => anyone.to_owned(),
            Some(entry) => format!("an attacker with access to {entry}"),
            None => format!("an attacker with access to `{}`", name(review, &path.from)),
        }
    };
    let goal = name(review, &path.to);
    let what = match path.operation {
        Some("read") => format!("reads `{goal}`"),
        Some("write") => format!("changes `{goal}`"),
        Some("destroy") => format!("destroys `{goal}`"),
        Some("disrupt") => format!("stops `{goal}`"),
        _ if path.to == ADMIN => "becomes administrator".to_owned(),
        _ => format!("takes over `{goal}`"),
    };
    format!("{who} {what}")
}

/// A path in one sentence with names in backticks, without capital and full stop.
pub fn sentence(review: &Review, path: &AttackPath) -> String {
    const NAMED: usize = 4;
    let links = chain(path);
    let between = links.iter().skip(1).filter(|link| link.address != path.to);
    let mut between: Vec<String> = between.map(|link| format!("`{}`", name(review, link.address))).collect();
    // Roles are often called like what runs as them.
    between.dedup();
    between.truncate(NAMED);
    let over = if between.is_empty() { String::new() } else { format!(" over {}", words::list(&between)) };
    let assumed = path.steps.iter().any(|step| step.assumption);
    format!(
        "{}{over}; about {} of those who try get through{}",
        gist(review, path),
        percent(path.likelihood),
        if assumed { ", if there is a flaw that the plan does not show" } else { "" },
    )
}

/// The attack path of a review that weighs most: by likelihood and by what its goal is worth.
pub fn weightiest(review: &Review) -> Option<&AttackPath> {
    // INVARIANT: paths are sorted, first the one that weighs most.
    review.attack_paths.first()
}

#[cfg(test)]
mod tests {
    use super::{chain, percent, sentence};
    use crate::fixture;

    #[test]
    fn a_sentence_names_entry_way_goal_and_chance() {
        let review = fixture::attacked();
        let [path] = review.attack_paths.as_slice() else { panic!("one path") };
        assert_eq!(
            sentence(&review, path),
            "an attacker on the internet reads `orders` over `uploads` and `app`; about 7 % of those who try get through, \
             if there is a flaw that the plan does not show"
        );
        let addresses: Vec<&str> = chain(path).iter().map(|link| link.address).collect();
        assert_eq!(addresses, ["internet", "aws_s3_bucket.uploads", "aws_iam_role.app", "aws_db_instance.orders"]);
    }

    #[test]
    fn small_chances_keep_their_digits() {
        assert_eq!((percent(0.0736).as_str(), percent(0.0088).as_str()), ("7 %", "0.88 %"));
    }
}
