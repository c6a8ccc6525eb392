//! Patterns over actions: `s3:Get*`. Case does not matter (IAM User Guide, elements_action).

use crate::pattern::{Pattern, Syntax};
use crate::{Origin, PolicyText, Truth, glob};

/// One element of `Action` or `NotAction`.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionPattern {
    /// As written.
    pub text: PolicyText,
    /// Where it is written.
    pub origin: Origin,
    matcher: Matcher,
}

#[derive(Clone, Debug, PartialEq)]
enum Matcher {
    /// Lower-case glob.
    Plain(String),
    Symbolic(Pattern),
}

impl ActionPattern {
    /// Compiles a pattern.
    pub fn new(text: PolicyText, origin: Origin) -> Self {
        let matcher = match text.known() {
            Some(known) => Matcher::Plain(known.to_ascii_lowercase()),
            None => Matcher::Symbolic(Pattern::compile(&text, Syntax { wildcards: true, variables: false, fold_case: true })),
        };
        Self { text, origin, matcher }
    }

    /// Whether it matches an action, in any case: `s3:GetObject`.
    pub fn matches(&self, action: &str) -> Truth {
        self.matches_lower(&action.to_ascii_lowercase())
    }

    /// The same for an action that is lower case already, without copying it.
    pub fn matches_lower(&self, action: &str) -> Truth {
        match &self.matcher {
            Matcher::Plain(pattern) => glob::matches(pattern, action).into(),
            Matcher::Symbolic(pattern) => pattern.matches(&Pattern::subject(&action.into(), true)),
        }
    }

    /// Whether every action that `other` matches is matched by this one; *no* means "not for certain".
    pub fn covers(&self, other: &Self) -> Truth {
        match self.as_pattern().matches(&other.as_pattern().as_any()) {
            Truth::Yes => Truth::Yes,
            Truth::Maybe | Truth::No if self.text.has_unknown() || other.text.has_unknown() => Truth::Maybe,
            Truth::Maybe | Truth::No => Truth::No,
        }
    }

    /// True for `*` and `*:*`: every action of every service.
    pub fn is_everything(&self) -> bool {
        match &self.matcher {
            Matcher::Plain(pattern) => pattern == "*:*" || !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*'),
            Matcher::Symbolic(_) => false,
        }
    }

    /// The service prefix, lower case, where it is plainly written: `s3`; `*` where the pattern is `*`.
    pub fn service(&self) -> Option<&str> {
        match &self.matcher {
            Matcher::Plain(pattern) => Some(pattern.split_once(':').map_or(pattern.as_str(), |(service, _)| service)),
            Matcher::Symbolic(_) => None,
        }
    }

    /// True for every action of at least one service: `*`, `s3:*`.
    pub fn is_whole_service(&self) -> bool {
        match &self.matcher {
            Matcher::Plain(pattern) => self.is_everything() || pattern.split_once(':').is_some_and(|(_, name)| name == "*"),
            Matcher::Symbolic(_) => false,
        }
    }

    pub(crate) fn as_pattern(&self) -> Pattern {
        match &self.matcher {
            Matcher::Plain(pattern) => {
                Pattern::compile(&pattern.as_str().into(), Syntax { wildcards: true, variables: false, fold_case: false })
            }
            Matcher::Symbolic(pattern) => pattern.clone(),
        }
    }
}

/// The `Action` or `NotAction` of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Actions {
    /// `Action`: any of these.
    Only(Vec<ActionPattern>),
    /// `NotAction`: anything but these.
    Except(Vec<ActionPattern>),
}

impl Actions {
    /// Whether the statement speaks of an action.
    pub fn matches(&self, action: &str) -> Truth {
        self.matches_lower(&action.to_ascii_lowercase())
    }

    /// The same for an action that is lower case already.
    pub fn matches_lower(&self, action: &str) -> Truth {
        let listed = Truth::any(self.patterns().iter().map(|pattern| pattern.matches_lower(action)));
        match self {
            Actions::Only(_) => listed,
            Actions::Except(_) => listed.negated(),
        }
    }

    /// The patterns as listed.
    pub fn patterns(&self) -> &[ActionPattern] {
        match self {
            Actions::Only(patterns) | Actions::Except(patterns) => patterns,
        }
    }

    /// True for `NotAction`.
    pub fn is_except(&self) -> bool {
        matches!(self, Actions::Except(_))
    }

    /// Whether every action that `other` speaks of is spoken of here; *no* means "not for certain".
    pub fn covers(&self, other: &Self) -> Truth {
        match (self, other) {
            (Actions::Only(own), Actions::Only(others)) => {
                Truth::all(others.iter().map(|other| Truth::any(own.iter().map(|own| own.covers(other)))))
            }
            // Everything but A covers everything but B when all of A is in B.
            (Actions::Except(own), Actions::Except(others)) => {
                Truth::all(own.iter().map(|own| Truth::any(others.iter().map(|other| other.covers(own)))))
            }
            (Actions::Except(own), Actions::Only(others)) => {
                Truth::all(own.iter().flat_map(|own| others.iter().map(|other| own.as_pattern().overlaps(&other.as_pattern()).negated())))
            }
            (Actions::Only(own), Actions::Except(_)) => own.iter().any(ActionPattern::is_everything).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ActionPattern, Actions};
    use crate::{Origin, PolicyText, Truth};

    fn pattern(text: &str) -> ActionPattern {
        ActionPattern::new(text.into(), Origin::default())
    }

    #[test]
    fn case_does_not_matter_and_stars_match_runs() {
        assert_eq!(pattern("S3:get*").matches("s3:GetObject"), Truth::Yes);
        assert_eq!(pattern("s3:GetObjec?").matches("s3:GetObject"), Truth::Yes);
        assert_eq!(pattern("*").matches("iam:PassRole"), Truth::Yes);
        assert_eq!(pattern("s3:*").matches("s3express:CreateSession"), Truth::No);
    }

    #[test]
    fn not_action_is_anything_else() {
        let actions = Actions::Except(vec![pattern("iam:*"), pattern("sts:*")]);
        assert_eq!(actions.matches("s3:GetObject"), Truth::Yes);
        assert_eq!(actions.matches("iam:CreateUser"), Truth::No);
    }

    #[test]
    fn an_unknown_action_may_match() {
        let unknown = ActionPattern::new(PolicyText::unknown("variable without value"), Origin::default());
        assert_eq!(unknown.matches("s3:GetObject"), Truth::Maybe);
    }

    #[test]
    fn covering_compares_patterns() {
        let only = |texts: &[&str]| Actions::Only(texts.iter().map(|text| pattern(text)).collect());
        let except = |texts: &[&str]| Actions::Except(texts.iter().map(|text| pattern(text)).collect());
        assert_eq!(only(&["s3:*"]).covers(&only(&["s3:Get*", "s3:PutObject"])), Truth::Yes);
        assert_eq!(only(&["s3:Get*"]).covers(&only(&["s3:*"])), Truth::No);
        assert_eq!(only(&["*"]).covers(&except(&["iam:*"])), Truth::Yes);
        assert_eq!(except(&["iam:*"]).covers(&only(&["s3:*"])), Truth::Yes);
        assert_eq!(except(&["s3:Get*"]).covers(&only(&["s3:*"])), Truth::No);
        assert_eq!(except(&["iam:Get*"]).covers(&except(&["iam:*"])), Truth::Yes);
    }
}
