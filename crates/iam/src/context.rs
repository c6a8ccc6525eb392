//! The request context: what is known of each condition key.

use std::collections::BTreeMap;

use crate::PolicyText;

/// What is known of one condition key in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValue {
    /// The request has no such key.
    Absent,
    /// The request has the key with one value.
    Single(PolicyText),
    /// The request has the key with a set of values, perhaps an empty one.
    Multiple(Vec<PolicyText>),
    /// It is not known whether the request has the key, nor its value.
    Unknown,
}

/// The context of a request, by condition key; keys compare without case (IAM User Guide, condition elements).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    values: BTreeMap<String, ContextValue>,
    /// What a key is that nobody set.
    others_absent: bool,
}

impl Context {
    /// A context in which every key that is not set is absent, as in a request that was recorded.
    pub fn complete() -> Self {
        Self { values: BTreeMap::new(), others_absent: true }
    }

    /// A context in which nothing is known but what is set, as at plan time.
    pub fn open() -> Self {
        Self::default()
    }

    /// Sets a key to one value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<PolicyText>) -> Self {
        self.set(key, ContextValue::Single(value.into()));
        self
    }

    /// Sets a key.
    pub fn set(&mut self, key: &str, value: ContextValue) {
        self.values.insert(key.to_ascii_lowercase(), value);
    }

    /// Sets a key where nobody has.
    pub fn set_default(&mut self, key: &str, value: ContextValue) {
        self.values.entry(key.to_ascii_lowercase()).or_insert(value);
    }

    /// What is known of a key.
    pub fn get(&self, key: &str) -> &ContextValue {
        let found = if key.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.values.get(&key.to_ascii_lowercase())
        } else {
            self.values.get(key)
        };
        match (found, self.others_absent) {
            (Some(value), _) => value,
            (None, true) => &ContextValue::Absent,
            (None, false) => &ContextValue::Unknown,
        }
    }

    /// All keys that are set, lower case, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }
}
