//! Statements of policies of two reviews, by what they speak of and not by how they are cut into documents.

use std::collections::BTreeMap;

use super::document::{Change, PermissionChange, Spot};
use super::names::{Names, Side};
use super::snapshot::{Permission, Snapshot};

/// One action of a statement on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Piece {
    action: String,
    resource: String,
    conditions: Vec<String>,
}

/// A statement in the names of the newer review.
struct Statement<'a> {
    written: &'a Permission,
    holder: String,
    policy: String,
    resources: Vec<String>,
    pieces: Vec<Piece>,
}

/// What is granted or forbidden in one review only; nothing where a document is too old to tell.
pub(super) fn permissions(base: &Snapshot, head: &Snapshot, names: &Names<'_>) -> Vec<PermissionChange> {
    let (Some(before), Some(after)) = (&base.permissions, &head.permissions) else { return Vec::new() };
    let before: Vec<Statement<'_>> = before.iter().map(|permission| statement(permission, Side::Base, names)).collect();
    let after: Vec<Statement<'_>> = after.iter().map(|permission| statement(permission, Side::Head, names)).collect();
    let mut changes = beyond(&after, &before, Change::New);
    changes.extend(beyond(&before, &after, Change::Gone));
    changes.sort_by(|a, b| (!a.widens, a).cmp(&(!b.widens, b)));
    changes.dedup();
    changes
}

fn statement<'a>(permission: &'a Permission, side: Side, names: &Names<'_>) -> Statement<'a> {
    let named = |text: &String| {
        let text = names.text(side, text);
        names.address(side, &text).to_owned()
    };
    let conditions: Vec<String> = permission.conditions.iter().map(named).collect();
    let resources: Vec<String> = permission.resources.iter().map(named).collect();
    let pieces = permission.actions.iter().flat_map(|action| {
        let piece = |resource: &String| Piece { action: action.to_lowercase(), resource: resource.clone(), conditions: conditions.clone() };
        resources.iter().map(piece).collect::<Vec<_>>()
    });
    let pieces = pieces.collect();
    Statement { written: permission, holder: named(&permission.holder), policy: named(&permission.policy), resources, pieces }
}

/// The statements of `these` with the pieces that no statement of the `others` covers.
fn beyond(these: &[Statement<'_>], others: &[Statement<'_>], change: Change) -> Vec<PermissionChange> {
    let key = |statement: &Statement<'_>| (statement.holder.clone(), statement.written.via.clone(), statement.written.effect.clone());
    let mut by_holder: BTreeMap<(String, String, String), Vec<&Statement<'_>>> = BTreeMap::new();
    for other in others {
        by_holder.entry(key(other)).or_default().push(other);
    }
    let mut out = Vec::new();
    for this in these {
        let known = by_holder.get(&key(this)).map_or(&[][..], Vec::as_slice);
        // A policy that AWS keeps is its name, and so is a role whose rules nobody sees, where it holds.
        if this.written.actions.is_empty() {
            if !known.iter().any(|other| other.policy == this.policy && other.resources == this.resources) {
                out.push(told(this, change, Vec::new(), this.resources.clone()));
            }
            continue;
        }
        let covered = |piece: &Piece| known.iter().flat_map(|other| &other.pieces).any(|other| covers(other, piece));
        // Of a statement those actions are told together that are new on the same resources.
        let mut resources_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for piece in this.pieces.iter().filter(|piece| !covered(piece)) {
            resources_of.entry(&piece.action).or_default().push(&piece.resource);
        }
        let mut actions_on: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
        for (action, resources) in resources_of {
            actions_on.entry(resources).or_default().push(action);
        }
        for (resources, actions) in actions_on {
            // As they are written, not in lower case.
            let actions = this.written.actions.iter().filter(|action| actions.contains(&action.to_lowercase().as_str())).cloned().collect();
            out.push(told(this, change, actions, resources.into_iter().map(str::to_owned).collect()));
        }
    }
    out
}

fn told(statement: &Statement<'_>, change: Change, actions: Vec<String>, resources: Vec<String>) -> PermissionChange {
    let Statement { written, .. } = statement;
    let restricts = written.effect == "deny" || written.via == "boundary";
    PermissionChange {
        change,
        widens: (change == Change::New) != restricts,
        holder: statement.holder.clone(),
        via: written.via.clone(),
        effect: written.effect.clone(),
        actions,
        resources,
        conditions: written.conditions.clone(),
        policy: statement.policy.clone(),
        origin: written.origin.as_ref().map(|origin| Spot { file: origin.file.clone(), line: origin.line }),
    }
}

/// Whether one piece speaks of everything that another does; *no* where that is not certain.
fn covers(one: &Piece, other: &Piece) -> bool {
    (one.conditions.is_empty() || one.conditions == other.conditions)
        && pattern_covers(&one.action, &other.action)
        && pattern_covers(&one.resource, &other.resource)
}

/// Whether a pattern matches all that another one matches: what it matches as a text, wildcards of the other taken for themselves.
///
/// That is sound: `*` covers whatever a wildcard stands for, and `?` is not let cover one.
fn pattern_covers(pattern: &str, other: &str) -> bool {
    if pattern == other || pattern == "*" {
        return true;
    }
    // What all but some patterns match is covered by everything or by itself.
    if pattern.starts_with("not ") || other.starts_with("not ") {
        return false;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), other.chars().collect());
    let (mut at, mut place) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(place) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some('?') if *character != '*' => (at, place) = (at + 1, place + 1),
            Some(own) if own == character => (at, place) = (at + 1, place + 1),
            _ => match star {
                Some((star_at, star_place)) => {
                    star = Some((star_at, star_place + 1));
                    (at, place) = (star_at + 1, star_place + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|own| *own == '*'))
}

#[cfg(test)]
mod tests {
    use super::pattern_covers;

    #[test]
    fn a_pattern_covers_what_it_matches_and_never_more() {
        for (pattern, other, covered) in [
            ("s3:*", "s3:get*", true),
            ("s3:get*", "s3:*", false),
            ("*", "not iam:*", true),
            ("not iam:*", "s3:getobject", false),
            ("${aws_s3_bucket.a.arn}*", "${aws_s3_bucket.a.arn}/*", true),
            ("${aws_s3_bucket.a.arn}/*", "${aws_s3_bucket.a.arn}", false),
            ("a?c", "a*c", false),
            ("a?c", "a?c", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b", "ab*", false),
        ] {
            assert_eq!(pattern_covers(pattern, other), covered, "{pattern} {other}");
        }
    }
}
