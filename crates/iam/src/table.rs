//! Sets of actions over a table of all actions, for questions about a whole plan.
//!
//! AWS has more than twenty thousand actions. A statement is compiled once to one bit per action; what a principal may do is then a few
//! operations on bits. [`crate::aws::action_table`] is the table of all actions; a caller may have one of its own.

use crate::{Actions, Truth};

const BITS: usize = 64;

/// All actions there are, lower case, sorted by service and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionTable {
    /// INVARIANT: sorted by service, then name; lower case; without duplicates.
    actions: Vec<String>,
}

/// A set of actions of one [`ActionTable`]: bit `n` is its `n`th action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionSet {
    /// INVARIANT: no trailing zero words, so that equal sets are equal values.
    words: Vec<u64>,
}

impl ActionTable {
    /// A table of these actions (`s3:GetObject`).
    pub fn new<S: AsRef<str>>(actions: impl IntoIterator<Item = S>) -> Self {
        let mut actions: Vec<_> = actions.into_iter().map(|action| action.as_ref().to_ascii_lowercase()).collect();
        actions.sort_by(|one, two| order(one).cmp(&order(two)));
        actions.dedup();
        Self { actions }
    }

    /// Number of actions.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// True for a table without any action.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The actions that a statement speaks of: first those it certainly does, then those it may (which contain the first).
    pub fn sets(&self, actions: &Actions) -> (ActionSet, ActionSet) {
        let (mut certain, mut possible) = (ActionSet::default(), ActionSet::default());
        for pattern in actions.patterns() {
            for at in self.range(pattern.service()) {
                match self.actions.get(at).map_or(Truth::No, |action| pattern.matches_lower(action)) {
                    Truth::Yes => {
                        certain.insert(at);
                        possible.insert(at);
                    }
                    Truth::Maybe => possible.insert(at),
                    Truth::No => {}
                }
            }
        }
        if actions.is_except() { (self.all().minus(&possible), self.all().minus(&certain)) } else { (certain, possible) }
    }

    /// The set of these actions (lower case); what the table does not know is left out.
    pub(crate) fn set_of<'a>(&self, actions: impl IntoIterator<Item = &'a str>) -> ActionSet {
        let mut out = ActionSet::default();
        actions.into_iter().filter_map(|action| self.position(action)).for_each(|at| out.insert(at));
        out
    }

    /// Every action.
    pub fn all(&self) -> ActionSet {
        let mut out = ActionSet::default();
        (0..self.actions.len()).for_each(|at| out.insert(at));
        out
    }

    /// The names of a set, sorted by service and name.
    pub fn names<'a>(&'a self, set: &'a ActionSet) -> impl Iterator<Item = &'a str> {
        self.actions.iter().enumerate().filter(|(at, _)| set.contains(*at)).map(|(_, action)| action.as_str())
    }

    /// Whether a set holds an action, in any case; false for one that the table does not know.
    pub fn contains(&self, set: &ActionSet, action: &str) -> bool {
        self.position(&action.to_ascii_lowercase()).is_some_and(|at| set.contains(at))
    }

    /// Where an action lies, whose name is in lower case.
    fn position(&self, action: &str) -> Option<usize> {
        self.actions.binary_search_by(|known| order(known).cmp(&order(action))).ok()
    }

    /// Where the actions of one service lie; everything where the service is not plainly written.
    fn range(&self, service: Option<&str>) -> std::ops::Range<usize> {
        match service {
            Some(service) if !service.contains(['*', '?']) => {
                let start = self.actions.partition_point(|action| order(action).0 < service);
                let end = self.actions.partition_point(|action| order(action).0 <= service);
                start..end.max(start)
            }
            _ => 0..self.actions.len(),
        }
    }
}

/// Service and name. Whole actions sort otherwise, because a hyphen comes before the colon.
fn order(action: &str) -> (&str, &str) {
    action.split_once(':').unwrap_or((action, ""))
}

impl ActionSet {
    pub(crate) const EMPTY: Self = Self { words: Vec::new() };

    fn insert(&mut self, at: usize) {
        let word = at / BITS;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= 1 << (at % BITS);
        }
    }

    fn contains(&self, at: usize) -> bool {
        self.words.get(at / BITS).is_some_and(|word| word & (1 << (at % BITS)) != 0)
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (long, short) = if self.words.len() >= other.words.len() { (self, other) } else { (other, self) };
        let words = long.words.iter().enumerate().map(|(at, word)| word | short.words.get(at).copied().unwrap_or(0));
        Self { words: words.collect() }
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self { words: self.words.iter().zip(&other.words).map(|(own, other)| own & other).collect() }.trimmed()
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let words = self.words.iter().enumerate().map(|(at, word)| word & !other.words.get(at).copied().unwrap_or(0));
        Self { words: words.collect() }.trimmed()
    }

    /// Number of actions.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// True for no action.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn trimmed(mut self) -> Self {
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::ActionTable;
    use crate::{ActionPattern, Actions, Origin, PolicyText};

    fn table() -> ActionTable {
        ActionTable::new(["s3:GetObject", "s3:PutObject", "s3-object-lambda:GetObject", "iam:PassRole", "s3express:CreateSession"])
    }

    fn patterns(texts: &[&str]) -> Vec<ActionPattern> {
        texts.iter().map(|text| ActionPattern::new((*text).into(), Origin::default())).collect()
    }

    fn names(actions: &Actions) -> Vec<String> {
        let table = table();
        let (certain, _) = table.sets(actions);
        table.names(&certain).map(str::to_owned).collect()
    }

    #[test]
    fn patterns_select_actions() {
        assert_eq!(names(&Actions::Only(patterns(&["S3:*"]))), ["s3:getobject", "s3:putobject"]);
        assert_eq!(
            names(&Actions::Only(patterns(&["*:Get*", "iam:PassRole"]))),
            ["iam:passrole", "s3:getobject", "s3-object-lambda:getobject"]
        );
        assert_eq!(names(&Actions::Except(patterns(&["s3*:*"]))), ["iam:passrole"]);
        assert_eq!(names(&Actions::Only(patterns(&["ec2:*"]))), [""; 0]);
    }

    #[test]
    fn every_action_is_found_as_matching_one_by_one_finds_it() {
        let table = table();
        for text in ["s3:*", "s3-object-lambda:*", "s3express:*", "iam:*", "i*", "s3:get*", "*"] {
            let actions = Actions::Only(patterns(&[text]));
            let (certain, _) = table.sets(&actions);
            for action in table.names(&table.all()) {
                assert_eq!(table.contains(&certain, action), actions.matches(action).is_yes(), "{text} {action}");
            }
        }
    }

    #[test]
    fn unknown_patterns_may_be_anything_and_except_turns_them_round() {
        let table = table();
        let unknown = || vec![ActionPattern::new(PolicyText::unknown("variable"), Origin::default())];
        let (certain, possible) = table.sets(&Actions::Only(unknown()));
        assert_eq!((certain.len(), possible.len()), (0, 5));
        let (certain, possible) = table.sets(&Actions::Except(unknown()));
        assert_eq!((certain.len(), possible.len()), (0, 5));
    }

    #[test]
    fn sets_are_combined_bit_by_bit() {
        let table = ActionTable::new((0..200).map(|n| format!("x:a{n:03}")));
        let set = |text: &str| table.sets(&Actions::Only(patterns(&[text]))).0;
        let (low, high) = (set("x:a0*"), set("x:a1*"));
        assert_eq!((low.len(), high.len(), low.union(&high).len()), (100, 100, 200));
        assert!(low.intersection(&high).is_empty());
        assert_eq!(table.all().minus(&high), low);
        assert!(table.contains(&high, "X:A150"));
    }
}
