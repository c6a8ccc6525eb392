//! What can be said of a reference whose value the plan does not know: which characters it may hold, and whether two of them are equal.

use crate::Truth;

/// A reference without a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    address: String,
    attribute: String,
    class: Class,
}

/// What the name of the attribute tells about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Twelve digits.
    Account,
    /// `eu-west-1`.
    Region,
    /// `aws`, `aws-cn`.
    Partition,
    /// A whole ARN.
    Arn,
    /// A name; AWS allows no colon in any of them.
    Name,
    /// Anything, but not empty.
    Other,
}

impl Symbol {
    pub(crate) fn new(address: &str, attribute: &str) -> Self {
        let class = if address.contains("data.aws_region.") {
            Class::Region
        } else {
            match attribute {
                "account_id" | "owner_id" | "AccountId" => Class::Account,
                "region" | "Region" => Class::Region,
                "partition" | "Partition" => Class::Partition,
                "arn" | "Arn" => Class::Arn,
                "name" | "bucket" | "Name" => Class::Name,
                other if other.ends_with("_arn") => Class::Arn,
                other if other.ends_with("_name") => Class::Name,
                _ => Class::Other,
            }
        };
        Self { address: address.to_owned(), attribute: attribute.to_owned(), class }
    }

    /// True for a reference to a whole ARN, or to something that may be one.
    pub(crate) fn may_hold_colons(&self) -> bool {
        matches!(self.class, Class::Arn | Class::Other)
    }

    /// True for a reference to a whole ARN.
    pub(crate) fn is_arn(&self) -> bool {
        self.class == Class::Arn
    }

    /// Whether the value may hold this character.
    pub(crate) fn admits(&self, c: char) -> bool {
        match self.class {
            Class::Account => c.is_ascii_digit(),
            Class::Region => c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
            Class::Partition => c.is_ascii_lowercase() || c == '-',
            Class::Name => c != ':',
            Class::Arn | Class::Other => true,
        }
    }

    /// Whether both have the same value.
    pub(crate) fn equals(&self, other: &Self) -> Truth {
        if self.address == other.address && self.attribute == other.attribute {
            return Truth::Yes;
        }
        let (Some(own_type), Some(other_type)) = (managed_type(&self.address), managed_type(&other.address)) else {
            return Truth::Maybe;
        };
        if self.address == other.address || without_index(&self.address) == without_index(&other.address) && !both_indexed(self, other) {
            return Truth::Maybe;
        }
        if own_type == other_type {
            return if self.attribute == other.attribute && self.is_identifying() { Truth::No } else { Truth::Maybe };
        }
        // A companion (`aws_secretsmanager_secret_version`) may repeat the ARN of what it belongs to; unrelated types never share one.
        let related = own_type.starts_with(other_type) || other_type.starts_with(own_type);
        if self.class == Class::Arn && other.class == Class::Arn && !related { Truth::No } else { Truth::Maybe }
    }

    /// True where two resources of one type cannot share the attribute's value.
    fn is_identifying(&self) -> bool {
        matches!(self.class, Class::Arn | Class::Name) || matches!(self.attribute.as_str(), "id" | "key_id" | "unique_id" | "url" | "Ref")
    }
}

impl std::fmt::Display for Symbol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "${{{}.{}}}", self.address, self.attribute)
    }
}

fn both_indexed(one: &Symbol, two: &Symbol) -> bool {
    one.address.ends_with(']') && two.address.ends_with(']')
}

fn without_index(address: &str) -> &str {
    if address.ends_with(']') { address.rfind('[').and_then(|at| address.get(..at)).unwrap_or(address) } else { address }
}

/// The type of a resource that the plan itself creates: `aws_sqs_queue` of `module.a["x.y"].aws_sqs_queue.q`.
///
/// `None` for data sources and other things that may well be equal under different addresses.
fn managed_type(address: &str) -> Option<&str> {
    let mut rest = address;
    while let Some(after) = rest.strip_prefix("module.") {
        let mut in_quotes = false;
        let dot = after.char_indices().find(|(_, c)| {
            in_quotes ^= *c == '"';
            *c == '.' && !in_quotes
        });
        rest = after.get(dot?.0 + 1..)?;
    }
    let (kind, _) = rest.split_once('.')?;
    (!matches!(kind, "data" | "var" | "local" | "module" | "each" | "count" | "path" | "self")).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::{Symbol, managed_type};
    use crate::Truth;

    fn equal(one: (&str, &str), two: (&str, &str)) -> Truth {
        Symbol::new(one.0, one.1).equals(&Symbol::new(two.0, two.1))
    }

    #[test]
    fn resources_of_one_type_at_different_addresses_are_different() {
        assert_eq!(equal(("aws_s3_bucket.a", "arn"), ("aws_s3_bucket.b", "arn")), Truth::No);
        assert_eq!(equal(("aws_s3_bucket.a[0]", "arn"), ("aws_s3_bucket.a[1]", "arn")), Truth::No);
        assert_eq!(equal(("aws_s3_bucket.a", "arn"), ("aws_s3_bucket.a[1]", "arn")), Truth::Maybe);
        assert_eq!(equal(("aws_s3_bucket.a", "arn"), ("aws_s3_bucket.a", "arn")), Truth::Yes);
        assert_eq!(equal(("aws_s3_bucket.a", "region"), ("aws_s3_bucket.b", "region")), Truth::Maybe);
    }

    #[test]
    fn data_sources_may_name_the_same_thing_twice() {
        assert_eq!(equal(("data.aws_caller_identity.a", "account_id"), ("data.aws_caller_identity.b", "account_id")), Truth::Maybe);
        assert_eq!(equal(("aws_secretsmanager_secret.s", "arn"), ("aws_secretsmanager_secret_version.s", "arn")), Truth::Maybe);
        assert_eq!(equal(("aws_sqs_queue.q", "arn"), ("aws_sns_topic.q", "arn")), Truth::No);
    }

    #[test]
    fn types_are_found_behind_modules_with_keys() {
        assert_eq!(managed_type("module.a[\"x.y\"].module.b.aws_sqs_queue.q[0]"), Some("aws_sqs_queue"));
        assert_eq!(managed_type("module.a.data.aws_region.r"), None);
        assert_eq!(managed_type("module.vpc"), None);
    }
}
