//! Decimal numbers of any length, compared as text: dates and hashes in versions pass every integer.

use std::cmp::Ordering;

/// Whether a text is a number: digits and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Compares two texts of digits by value; leading zeros and an empty text count nothing.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Splits the digits off the front of a text.
pub(super) fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Runs of digits and of anything else, in order.
pub(super) fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_digit = first.is_ascii_digit();
        let end = rest.char_indices().find(|(_, character)| character.is_ascii_digit() != is_digit).map_or(rest.len(), |(at, _)| at);
        let (run, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{compare, runs};

    #[test]
    fn numbers_past_every_integer_are_compared_by_value() {
        assert_eq!(compare("999999999999999999999999999991", "999999999999999999999999999999"), Ordering::Less);
        assert_eq!(compare("0010", "9"), Ordering::Greater);
        assert_eq!(compare("", "000"), Ordering::Equal);
        assert_eq!(runs("1rc22ß").collect::<Vec<_>>(), ["1", "rc", "22", "ß"]);
    }
}
