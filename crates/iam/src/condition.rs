//! Conditions of a statement: one operator, one key, its values.

use crate::compare::Matcher;
use crate::context::{Context, ContextValue};
use crate::{Comparison, Operator, Origin, PolicyText, Qualifier, Truth};

/// One value of a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionValue {
    /// As written; numbers and truth values as text.
    pub text: PolicyText,
    /// Where it is written.
    pub origin: Origin,
    matcher: Matcher,
}

impl ConditionValue {
    /// Compiles a value for its operator; `variables` says whether `${…}` is a policy variable.
    pub fn new(text: PolicyText, operator: &Operator, variables: bool, origin: Origin) -> Self {
        let matcher = Matcher::new(&text, operator, variables);
        Self { text, origin, matcher }
    }

    pub(crate) fn matcher(&self) -> &Matcher {
        &self.matcher
    }
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

    /// Whether the condition holds in a context.
    ///
    /// Source: IAM User Guide, "condition operators" and "multiple keys or values"; the table of missing keys and set operators.
    pub fn holds(&self, context: &Context) -> Truth {
        let Some(key) = self.key.known() else { return Truth::Maybe };
        self.holds_for(context.get(&key), context)
    }

    /// The same with this value of the key; variables take theirs from the context.
    pub(crate) fn holds_for(&self, value: &ContextValue, context: &Context) -> Truth {
        match self.operator.comparison {
            Comparison::Other => return Truth::Maybe,
            Comparison::Null => return self.null_holds(value, context),
            _ => {}
        }
        let single;
        let values = match value {
            ContextValue::Unknown => return Truth::Maybe,
            ContextValue::Absent => return self.operator.passes_without_key().into(),
            ContextValue::Multiple(values) if values.is_empty() => return self.operator.passes_without_key().into(),
            ContextValue::Multiple(values) => values.as_slice(),
            ContextValue::Single(value) => {
                single = [value.clone()];
                single.as_slice()
            }
        };
        let is_set = matches!(value, ContextValue::Multiple(_));
        let meets = |value: &PolicyText| {
            let listed = Truth::any(self.values.iter().map(|own| own.matcher.matches(value, context)));
            if self.operator.negated { listed.negated() } else { listed }
        };
        match self.operator.qualifier {
            Some(Qualifier::ForAllValues) => Truth::all(values.iter().map(meets)),
            Some(Qualifier::ForAnyValue) => Truth::any(values.iter().map(meets)),
            // An operator for one value never matches a key with several, negated or not.
            None if is_set => Truth::No,
            None => Truth::all(values.iter().map(meets)),
        }
    }

    fn null_holds(&self, value: &ContextValue, context: &Context) -> Truth {
        let absent = match value {
            ContextValue::Absent => "true",
            ContextValue::Multiple(values) if values.is_empty() => "true",
            ContextValue::Single(_) | ContextValue::Multiple(_) => "false",
            ContextValue::Unknown => return Truth::Maybe,
        };
        Truth::any(self.values.iter().map(|own| own.matcher.matches(&absent.into(), context)))
    }

    /// True where the other condition is the same, wherever it is written.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let keys_agree =
            self.key == other.key || self.key.known().zip(other.key.known()).is_some_and(|(own, other)| own.eq_ignore_ascii_case(&other));
        keys_agree
            && self.operator == other.operator
            && (self.open, self.variables, self.values.len()) == (other.open, other.variables, other.values.len())
            && self.values.iter().zip(&other.values).all(|(own, other)| own.text == other.text)
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

#[cfg(test)]
mod tests {
    use crate::{Context, ContextValue, Document, PolicyText, Truth};

    fn holds(condition: &str, context: &Context) -> Truth {
        let json = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}}}"#
        );
        Truth::all(Document::from_json(&json).unwrap().statements[0].conditions.iter().map(|condition| condition.holds(context)))
    }

    fn one(value: &str) -> Context {
        Context::complete().with("a:key", value)
    }

    fn set(values: &[&str]) -> Context {
        let mut context = Context::complete();
        context.set("a:key", ContextValue::Multiple(values.iter().map(|value| PolicyText::literal(*value)).collect()));
        context
    }

    #[test]
    fn values_are_alternatives_and_negated_values_are_not() {
        let cases = [
            (r#""StringEquals":{"a:key":["x","y"]}"#, "y", true),
            (r#""StringNotEquals":{"a:key":["x","y"]}"#, "y", false),
            (r#""StringNotEquals":{"a:key":["x","y"]}"#, "z", true),
            (r#""StringEquals":{"a:key":"*"}"#, "z", false),
            (r#""StringLike":{"a:key":"a*z"}"#, "abz", true),
            (r#""StringLike":{"a:key":"A*"}"#, "abz", false),
            (r#""StringEqualsIgnoreCase":{"a:key":"AbZ"}"#, "aBz", true),
            (r#""NumericLessThan":{"a:key":"10"}"#, "9.5", true),
            (r#""NumericNotEquals":{"a:key":10}"#, "10", false),
            (r#""DateGreaterThan":{"a:key":"2020-01-01T00:00:00Z"}"#, "1577836801", true),
            (r#""Bool":{"a:key":"True"}"#, "true", true),
            (r#""BinaryEquals":{"a:key":"QmFy"}"#, "QmFy", true),
            (r#""IpAddress":{"a:key":"2001:db8::/32"}"#, "2001:db8::1", true),
            (r#""IpAddress":{"a:key":"203.0.113.7"}"#, "203.0.113.8", false),
            (r#""ArnEquals":{"a:key":"arn:aws:sns:*:1:t*"}"#, "arn:aws:sns:eu-west-1:1:topic", true),
            (r#""ArnLike":{"a:key":"arn:aws:sns:*:topic"}"#, "arn:aws:sns:eu-west-1:1:topic", false),
            (r#""ArnNotLike":{"a:key":"arn:aws:sns:*"}"#, "arn:aws:sns:eu-west-1:1:topic", true),
        ];
        for (condition, value, expected) in cases {
            assert_eq!(holds(condition, &one(value)), Truth::from(expected), "{condition} with {value}");
        }
    }

    #[test]
    fn set_operators_look_at_every_value() {
        assert_eq!(holds(r#""ForAllValues:StringEquals":{"a:key":["x","y"]}"#, &set(&["x", "y"])), Truth::Yes);
        assert_eq!(holds(r#""ForAllValues:StringEquals":{"a:key":["x"]}"#, &set(&["x", "y"])), Truth::No);
        assert_eq!(holds(r#""ForAllValues:StringEquals":{"a:key":["x"]}"#, &set(&[])), Truth::Yes);
        assert_eq!(holds(r#""ForAllValues:StringNotEquals":{"a:key":["x"]}"#, &set(&["z", "y"])), Truth::Yes);
        assert_eq!(holds(r#""ForAnyValue:StringEquals":{"a:key":["x"]}"#, &set(&["x", "y"])), Truth::Yes);
        assert_eq!(holds(r#""ForAnyValue:StringEquals":{"a:key":["x"]}"#, &set(&[])), Truth::No);
        assert_eq!(holds(r#""StringEquals":{"a:key":["x"]}"#, &set(&["x"])), Truth::No);
    }

    #[test]
    fn missing_keys_decide_by_operator() {
        let none = Context::complete();
        assert_eq!(holds(r#""StringNotLike":{"a:key":"x"}"#, &none), Truth::Yes);
        assert_eq!(holds(r#""NotIpAddress":{"a:key":"10.0.0.0/8"}"#, &none), Truth::Yes);
        assert_eq!(holds(r#""Bool":{"a:key":"false"}"#, &none), Truth::No);
        assert_eq!(holds(r#""BoolIfExists":{"a:key":"true"}"#, &none), Truth::Yes);
        assert_eq!(holds(r#""Null":{"a:key":"true"}"#, &none), Truth::Yes);
        assert_eq!(holds(r#""Null":{"a:key":"true"}"#, &one("x")), Truth::No);
        assert_eq!(holds(r#""Null":{"a:key":"false"}"#, &set(&[])), Truth::No);
    }

    #[test]
    fn what_is_not_known_stays_maybe() {
        assert_eq!(holds(r#""StringEquals":{"a:key":"x"}"#, &Context::open()), Truth::Maybe);
        let reference = |address: &str| PolicyText::reference(address, "arn", None);
        let context = Context::open().with("aws:SourceArn", reference("aws_s3_bucket.a"));
        assert_eq!(holds(r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:::x"}"#, &context), Truth::Maybe);
        assert_eq!(holds(r#""StringLike":{"aws:SourceArn":"*"}"#, &context), Truth::Yes);
    }

    #[test]
    fn variables_join_two_keys() {
        let context = Context::complete().with("aws:PrincipalTag/team", "red*").with("aws:ResourceTag/team", "red*");
        assert_eq!(holds(r#""StringLike":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}"#, &context), Truth::Yes);
        let other = Context::complete().with("aws:PrincipalTag/team", "red*").with("aws:ResourceTag/team", "redder");
        assert_eq!(holds(r#""StringLike":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}"#, &other), Truth::No);
        assert_eq!(holds(r#""StringNotEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/absent}"}"#, &other), Truth::Yes);
    }
}
