//! Addresses: the source's own names of things.

use std::fmt;
use std::sync::Arc;

/// The address of a component as its source spells it: `module.x.aws_s3_bucket.logs["a"]`, `namespace/Kind/name`, `internet`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<str>);

impl Address {
    /// Wraps an address as it is.
    pub fn new(address: impl AsRef<str>) -> Self {
        Self(Arc::from(address.as_ref()))
    }

    /// The internet, as an external entity.
    pub fn internet() -> Self {
        Self::new("internet")
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address without instance keys (`["a"]`, `[0]`) of resources and modules: what all instances of one block share.
    pub fn without_instance_keys(&self) -> Address {
        let mut out = String::with_capacity(self.0.len());
        let mut depth = 0usize;
        let mut quoted = false;
        let mut escaped = false;
        for character in self.0.chars() {
            if quoted {
                match character {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '"' => quoted = false,
                    _ => {}
                }
                continue;
            }
            match character {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                '"' if depth > 0 => quoted = true,
                _ if depth == 0 => out.push(character),
                _ => {}
            }
        }
        Address::new(out)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn instance_keys_are_dropped_also_where_they_hold_brackets() {
        let address = Address::new(r#"module.a["x]\"y"].aws_s3_bucket.b[0]"#);
        assert_eq!(address.without_instance_keys().as_str(), "module.a.aws_s3_bucket.b");
    }
}
