//! What one policy grants and another does not, with a request that shows it.
//!
//! For reviews of changes: compare the policy after with the policy before.
//! Only the two documents count; they are taken to stand at the same place (both identity policies, or both of one resource).

use crate::context::Context;
use crate::document::{Document, Effect, Statement};
use crate::formula::{Atom, Cube};
use crate::satisfy::{Need, Witness, solve_cube};
use crate::{Principals, Resources, Truth};

/// More steps than this are not taken for one statement.
const MAX_STEPS: usize = 4_096;

/// A statement that grants something new.
#[derive(Clone, Debug, PartialEq)]
pub struct Extra<'a> {
    /// The statement of the first policy.
    pub statement: &'a Statement,
    /// *Yes* where the example shows it, *maybe* where it could not be told.
    pub verdict: Truth,
    /// An action that it grants and the other policy does not: `s3:getobject`, lower case.
    pub action: Option<String>,
    /// A resource.
    pub resource: Option<String>,
    /// A principal.
    pub principal: Option<String>,
    /// Conditions of the example with their witnesses.
    pub needs: Vec<Need<'a>>,
}

/// The statements of `new` that grant something that `old` does not grant.
///
/// References stand for things that are unlike everything else, and what is unknown makes the verdict *maybe*.
pub fn grants_beyond<'a>(new: &'a Document, old: &'a Document) -> Vec<Extra<'a>> {
    let mut out: Vec<_> = new.allows().filter_map(|statement| extra(statement, new, old)).collect();
    if let (Some(_), Some(statement)) = (&new.incomplete, new.statements.first())
        && out.is_empty()
    {
        out.push(Extra { statement, verdict: Truth::Maybe, action: None, resource: None, principal: None, needs: Vec::new() });
    }
    out
}

/// What changed from one version of a policy to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes<'a> {
    /// Statements of the new version that grant what the old one did not.
    pub granted: Vec<Extra<'a>>,
    /// Statements of the old version that granted what the new one does not.
    pub revoked: Vec<Extra<'a>>,
}

/// What changed from `old` to `new`; nothing where both grant the same, however they are written.
pub fn changes<'a>(old: &'a Document, new: &'a Document) -> Changes<'a> {
    Changes { granted: grants_beyond(new, old), revoked: grants_beyond(old, new) }
}

/// Whether everything that `one` grants is granted by `other` too.
pub fn implies(one: &Document, other: &Document) -> Truth {
    let unknown = Truth::from(one.incomplete.is_some()).and(Truth::Maybe);
    Truth::any(grants_beyond(one, other).iter().map(|extra| extra.verdict)).or(unknown).negated()
}

/// Whether both grant the same.
pub fn equivalent(one: &Document, other: &Document) -> Truth {
    implies(one, other).and(implies(other, one))
}

/// Whether no request is granted by both.
pub fn disjoint(one: &Document, other: &Document) -> Truth {
    let denies: Vec<_> = one.statements.iter().chain(&other.statements).filter(|deny| deny.effect == Effect::Deny).map(literals).collect();
    let mut common = if one.incomplete.is_some() || other.incomplete.is_some() { Truth::Maybe } else { Truth::No };
    for (left, right) in one.allows().flat_map(|left| other.allows().map(move |right| (left, right))) {
        let mut cube = Cube { literals: literals(left) };
        if !literals(right).iter().all(|(atom, polarity)| cube.add(atom, *polarity)) {
            continue;
        }
        let mut search = Search { steps: 0, best: None };
        search.descend(&cube, &denies);
        let found = search.best.map_or(Truth::No, |(truth, _)| truth);
        common = common.or(found.and(left.is_allow()).and(right.is_allow()));
    }
    common.negated()
}

fn extra<'a>(statement: &'a Statement, new: &'a Document, old: &'a Document) -> Option<Extra<'a>> {
    let start = Cube { literals: literals(statement) };
    let mut search = Search { steps: 0, best: None };
    // What the first policy itself denies is not granted, and what the second grants is nothing new.
    let own_denies: Vec<_> = new.statements.iter().filter(|deny| deny.effect == Effect::Deny).map(literals).collect();
    let granted = old.statements.iter().filter(|allow| allow.effect == Effect::Allow).map(literals);
    let outside: Vec<_> = own_denies.iter().cloned().chain(granted).collect();
    search.descend(&start, &outside);
    // What the second grants and denies again counts as new, too.
    for deny in old.denies() {
        let mut cube = start.clone();
        if literals(deny).iter().all(|(atom, polarity)| cube.add(atom, *polarity)) {
            search.descend(&cube, &own_denies);
        }
    }
    let (truth, witness) = search.best?;
    // A statement that may grant or forbid makes everything beside it doubtful: what the one adds, and what the other already has.
    let doubtful = new.statements.iter().chain(&old.statements).any(|other| other.effect == Effect::Unknown);
    let open = doubtful || old.incomplete.is_some();
    let verdict = if open { truth.and(Truth::Maybe) } else { truth };
    Some(Extra {
        statement,
        verdict,
        action: witness.action,
        resource: witness.resource,
        principal: witness.principal,
        needs: witness.needs,
    })
}

/// The parts of a statement, all of which must hold for it to apply.
fn literals(statement: &Statement) -> Vec<(Atom<'_>, bool)> {
    let mut out = vec![(Atom::Action(&statement.actions), true)];
    if statement.resources != Resources::Attached && !statement.resources.is_everything() {
        out.push((Atom::Resource(&statement.resources), true));
    }
    if statement.principals != Principals::Attached {
        out.push((Atom::Principal(&statement.principals), true));
    }
    out.extend(statement.conditions.iter().map(|condition| (Atom::Condition(condition), true)));
    out
}

struct Search<'a> {
    steps: usize,
    best: Option<(Truth, Witness<'a>)>,
}

impl<'a> Search<'a> {
    /// Looks for a request within the cube and outside all the others: of each of those, some part must not hold.
    fn descend(&mut self, cube: &Cube<'a>, outside: &[Vec<(Atom<'a>, bool)>]) {
        if self.best.as_ref().is_some_and(|(truth, _)| truth.is_yes()) {
            return;
        }
        self.steps += 1;
        let (truth, witness) = if self.steps > MAX_STEPS { (Truth::Maybe, Witness::default()) } else { solve_cube(cube, &Context::open()) };
        if truth.is_no() {
            return;
        }
        let Some((next, rest)) = outside.split_first().filter(|_| self.steps <= MAX_STEPS) else {
            if self.best.as_ref().is_none_or(|(best, _)| truth > *best) {
                self.best = Some((truth, witness));
            }
            return;
        };
        for (atom, polarity) in next {
            let mut narrower = cube.clone();
            if narrower.add(atom, !polarity) {
                self.descend(&narrower, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{changes, disjoint, equivalent, grants_beyond, implies};
    use crate::{Document, Truth};

    fn policy(statements: &str) -> Document {
        Document::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
    }

    const READ: &str = r#"{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}"#;

    #[test]
    fn a_policy_implies_what_is_within_it() {
        let wide = policy(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#);
        assert_eq!(implies(&policy(READ), &wide), Truth::Yes);
        assert_eq!(implies(&wide, &policy(READ)), Truth::No);
        assert_eq!(equivalent(&wide, &wide), Truth::Yes);
    }

    #[test]
    fn two_statements_together_cover_one() {
        let parts = policy(
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]},
               {"Effect":"Allow","Action":"s3:ListBucket","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}"#,
        );
        assert_eq!(equivalent(&policy(READ), &parts), Truth::Yes);
    }

    #[test]
    fn what_is_new_is_shown_by_a_request() {
        let more = policy(&format!(r#"{READ},{{"Sid":"New","Effect":"Allow","Action":"s3:Put*","Resource":"arn:aws:s3:::b/in/*"}}"#));
        let before = policy(READ);
        let [extra] = grants_beyond(&more, &before).try_into().unwrap();
        assert_eq!((extra.statement.sid.as_deref(), extra.verdict), (Some("New"), Truth::Yes));
        assert!(extra.action.unwrap().starts_with("s3:put"));
        assert!(extra.resource.unwrap().starts_with("arn:aws:s3:::b/in/"));
        assert!(grants_beyond(&before, &more).is_empty());
    }

    #[test]
    fn a_change_is_told_in_both_directions() {
        let moved = READ.replace("s3:ListBucket", "s3:PutObject");
        let (before, after) = (policy(READ), policy(&moved));
        let found = changes(&before, &after);
        assert_eq!(found.granted.iter().map(|extra| extra.action.as_deref()).collect::<Vec<_>>(), [Some("s3:putobject")]);
        assert_eq!(found.revoked.iter().map(|extra| extra.action.as_deref()).collect::<Vec<_>>(), [Some("s3:listbucket")]);
        let same = changes(&before, &before);
        assert!(same.granted.is_empty() && same.revoked.is_empty());
    }

    #[test]
    fn conditions_and_denies_count() {
        let narrowed = policy(&READ.replace("\"Action\"", r#""Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}},"Action""#));
        let denied = policy(&format!(
            r#"{READ},{{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{{"StringNotEquals":{{"aws:SourceVpce":"vpce-1"}}}}}}"#
        ));
        assert_eq!(equivalent(&narrowed, &denied), Truth::Yes);
        assert_eq!(implies(&policy(READ), &narrowed), Truth::No);
        let before = policy(r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#);
        let extra = &grants_beyond(&denied, &before)[0];
        assert_eq!(extra.action.as_deref(), Some("s3:listbucket"));
        assert!(extra.needs.iter().any(|need| need.text == "StringEquals aws:SourceVpce `vpce-1`"));
    }

    #[test]
    fn a_statement_that_may_forbid_makes_nothing_new() {
        let torn = policy(&format!(
            r#"{READ},{{"Effect":"Dejy","Action":"s3:GetObject","Resource":"*","Condition":{{"Bool":{{"a:b":"true"}}}}}}"#
        ));
        assert_eq!(implies(&torn, &torn), Truth::Maybe);
        assert_eq!(implies(&policy(READ), &torn), Truth::Maybe);
    }

    #[test]
    fn the_same_text_elsewhere_is_the_same_even_where_it_is_not_known() {
        let own = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{"StringEquals":{"a:b":"${c:d}"}}}"#;
        assert_eq!(implies(&policy(own), &policy(&format!("{READ},  {own}"))), Truth::Yes);
        assert_eq!(implies(&policy(own), &policy(READ)), Truth::Maybe);
    }

    #[test]
    fn policies_without_a_common_request_are_disjoint() {
        let of = |action: &str, resource: &str| policy(&format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#));
        assert_eq!(disjoint(&of("s3:Get*", "*"), &of("s3:*Object", "arn:aws:s3:::b/*")), Truth::No);
        assert_eq!(disjoint(&of("s3:Get*", "*"), &of("s3:Put*", "*")), Truth::Yes);
        assert_eq!(disjoint(&of("s3:*", "arn:aws:s3:::a/*"), &of("s3:*", "arn:aws:s3:::b*")), Truth::Yes);
    }

    #[test]
    fn principals_are_compared_too() {
        let to = |principal: &str| policy(&format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"sqs:*","Resource":"*"}}"#));
        let (account, anyone) = (to(r#"{"AWS":"111111111111"}"#), to("\"*\""));
        assert_eq!(implies(&account, &anyone), Truth::Yes);
        assert_eq!(implies(&anyone, &account), Truth::No);
        assert_eq!(implies(&to(r#"{"AWS":["111111111111","222222222222"]}"#), &account), Truth::No);
    }
}
