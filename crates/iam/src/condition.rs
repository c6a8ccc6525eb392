//! Conditions of a statement: one operator, one key, its values.

use crate::{Operator, Origin, PolicyText};

/// One value of a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionValue {
    /// As written; numbers and truth values as text.
    pub text: PolicyText,
    /// Where it is written.
    pub origin: Origin,
}

/// One key under one operator. All conditions of a statement must hold; the values of one are alternatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The operator.
    pub operator: Operator,
    /// The condition key as written: `aws:SourceArn`, or `${issuer}:sub`.
    pub key: PolicyText,
    /// The values.
    pub values: Vec<ConditionValue>,
    /// True where the values cannot be known.
    pub open: bool,
    /// True where `${…}` in a value is a policy variable.
    pub variables: bool,
    /// Where the values are written.
    pub origin: Origin,
}

impl Condition {
    /// True for a condition on this key; the comparison ignores case.
    pub fn is_on(&self, key: &str) -> bool {
        self.key.known().is_some_and(|own| own.eq_ignore_ascii_case(key))
    }

    /// The end of the key after its last colon, lower case: `sub` of `token.actions.githubusercontent.com:sub`, also behind a reference.
    pub fn claim(&self) -> String {
        let suffix = self.key.known_suffix();
        suffix.rsplit_once(':').map_or(suffix.as_str(), |(_, claim)| claim).to_ascii_lowercase()
    }
}

/// As a reader would say it: ``StringEquals aws:SourceAccount `111111111111` ``.
impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.operator, self.key)?;
        for (index, value) in self.values.iter().enumerate() {
            f.write_str(if index == 0 { " " } else { ", " })?;
            write!(f, "`{}`", value.text)?;
        }
        if self.open { f.write_str(" (values not known)") } else { Ok(()) }
    }
}
