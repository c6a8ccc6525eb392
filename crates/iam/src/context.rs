//! The request context: what is known of each condition key.

use std::collections::BTreeMap;

use crate::{PolicyText, date};

/// True for the keys that hold the time of the request, which every request has (IAM User Guide, global condition keys).
pub(crate) fn is_time_of_request(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:CurrentTime") || key.eq_ignore_ascii_case("aws:EpochTime")
}

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
    /// The earliest time of the request, in seconds since 1970.
    since: Option<u64>,
}

impl Context {
    /// A context in which every key that is not set is absent, as in a request that was recorded.
    pub fn complete() -> Self {
        Self { others_absent: true, ..Self::default() }
    }

    /// A context in which nothing is known but what is set, as at plan time.
    pub fn open() -> Self {
        Self::default()
    }

    /// Says that the request is made on a day (`2026-11-27`, or a time as conditions write it) or later.
    ///
    /// With an open context, a grant that ended before is then none, and one that begins later is conditional. Text that is no date changes nothing.
    #[must_use]
    pub fn since(mut self, day: &str) -> Self {
        // Whole seconds, and nothing before 1970, so that contexts compare.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let seconds = date::seconds(day).map(|seconds| seconds as u64);
        self.since = seconds.or(self.since);
        self
    }

    /// Whether a value is possible for a key: the keys that hold the time are always there and not before [`Context::since`].
    pub(crate) fn admits_time(&self, key: &str, value: &ContextValue) -> bool {
        let Some(since) = self.earliest(key) else { return true };
        let ContextValue::Single(text) = value else { return false };
        text.known().and_then(|text| date::seconds(&text)).is_none_or(|seconds| seconds >= since)
    }

    /// The earliest time and the one after it, for a key that holds the time.
    pub(crate) fn times_to_try(&self, key: &str) -> Vec<ContextValue> {
        let times = self.earliest(key).into_iter().flat_map(|since| [since, since + 0.5]);
        times.map(|seconds| ContextValue::Single(PolicyText::literal(seconds.to_string()))).collect()
    }

    fn earliest(&self, key: &str) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "seconds of four-digit years are far below 2^52")]
        self.since.filter(|_| is_time_of_request(key)).map(|since| since as f64)
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
