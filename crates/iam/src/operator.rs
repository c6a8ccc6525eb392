//! Condition operators: `ForAnyValue:StringLikeIfExists` and the like.
//!
//! Source: IAM User Guide, condition operators; operator names are compared without case, as AWS does in practice.

use std::fmt;

/// What an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// Exact text.
    String,
    /// Exact text without case.
    StringIgnoreCase,
    /// Glob.
    StringLike,
    /// Number, equal.
    Numeric(Order),
    /// Date, ISO 8601 or seconds since 1970.
    Date(Order),
    /// Truth value.
    Bool,
    /// Base64 bytes.
    Binary,
    /// Address in a CIDR range.
    IpAddress,
    /// ARN, segment by segment; `ArnEquals` and `ArnLike` are the same.
    Arn,
    /// Presence of the key.
    Null,
    /// An operator that this crate does not know.
    Other,
}

/// How two ordered values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// Equal.
    Equal,
    /// Less.
    Less,
    /// Less or equal.
    LessEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterEqual,
}

/// How a key with several values is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qualifier {
    /// `ForAllValues:`: every value of the request must match; true where there is none.
    ForAllValues,
    /// `ForAnyValue:`: at least one must match; false where there is none.
    ForAnyValue,
}

/// A condition operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// As written.
    pub text: String,
    /// What it compares.
    pub comparison: Comparison,
    /// `…Not…`: true where no value matches.
    pub negated: bool,
    /// `…IfExists`: true where the key is absent.
    pub if_exists: bool,
    /// `ForAllValues:` or `ForAnyValue:`.
    pub qualifier: Option<Qualifier>,
}

impl Operator {
    /// Reads an operator; one that is not known gets [`Comparison::Other`].
    pub fn parse(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let (qualifier, rest) = match lower.split_once(':') {
            Some(("forallvalues", rest)) => (Some(Qualifier::ForAllValues), rest),
            Some(("foranyvalue", rest)) => (Some(Qualifier::ForAnyValue), rest),
            _ => (None, lower.as_str()),
        };
        let (name, if_exists) = match rest.strip_suffix("ifexists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (comparison, negated) = match name {
            "stringequals" => (Comparison::String, false),
            "stringnotequals" => (Comparison::String, true),
            "stringequalsignorecase" => (Comparison::StringIgnoreCase, false),
            "stringnotequalsignorecase" => (Comparison::StringIgnoreCase, true),
            "stringlike" => (Comparison::StringLike, false),
            "stringnotlike" => (Comparison::StringLike, true),
            "bool" => (Comparison::Bool, false),
            "binaryequals" => (Comparison::Binary, false),
            "ipaddress" => (Comparison::IpAddress, false),
            "notipaddress" => (Comparison::IpAddress, true),
            "arnequals" | "arnlike" => (Comparison::Arn, false),
            "arnnotequals" | "arnnotlike" => (Comparison::Arn, true),
            "null" => (Comparison::Null, false),
            other => ordered(other),
        };
        Self { text: text.to_owned(), comparison, negated, if_exists, qualifier }
    }

    /// True where a request without the key meets the condition.
    pub fn passes_without_key(&self) -> bool {
        match self.qualifier {
            _ if self.if_exists => true,
            Some(Qualifier::ForAllValues) => true,
            Some(Qualifier::ForAnyValue) => false,
            None => self.negated,
        }
    }
}

fn ordered(name: &str) -> (Comparison, bool) {
    let (make, rest): (fn(Order) -> Comparison, &str) = if let Some(rest) = name.strip_prefix("numeric") {
        (Comparison::Numeric, rest)
    } else if let Some(rest) = name.strip_prefix("date") {
        (Comparison::Date, rest)
    } else {
        return (Comparison::Other, false);
    };
    match rest {
        "equals" => (make(Order::Equal), false),
        "notequals" => (make(Order::Equal), true),
        "lessthan" => (make(Order::Less), false),
        "lessthanequals" => (make(Order::LessEqual), false),
        "greaterthan" => (make(Order::Greater), false),
        "greaterthanequals" => (make(Order::GreaterEqual), false),
        _ => (Comparison::Other, false),
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Operator, Order, Qualifier};

    #[test]
    fn qualifier_negation_and_if_exists_are_read() {
        let operator = Operator::parse("ForAllValues:StringNotLikeIfExists");
        assert_eq!(operator.qualifier, Some(Qualifier::ForAllValues));
        assert_eq!((operator.comparison, operator.negated, operator.if_exists), (Comparison::StringLike, true, true));
        assert_eq!(Operator::parse("numericlessthanequals").comparison, Comparison::Numeric(Order::LessEqual));
        assert_eq!(Operator::parse("StringMatches").comparison, Comparison::Other);
    }

    #[test]
    fn a_missing_key_passes_negated_and_all_values() {
        let passes = |text: &str| Operator::parse(text).passes_without_key();
        assert!(passes("StringNotEquals") && passes("ForAllValues:StringEquals") && passes("BoolIfExists"));
        assert!(!passes("StringEquals") && !passes("ForAnyValue:StringNotEquals"));
    }
}
