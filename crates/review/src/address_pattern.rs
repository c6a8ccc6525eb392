//! Address patterns as people write them in `bartizan.yaml`: `*` matches any run of characters.

/// Whether an address fits a pattern; a pattern without `*` must be equal.
pub(crate) fn matches(pattern: &str, address: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(first) = pieces.next() else { return false };
    let Some(mut rest) = address.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, between)) = pieces.split_last() else { return rest.is_empty() };
    for piece in between {
        let Some(found) = rest.find(piece) else { return false };
        rest = rest.get(found + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_matches_any_run_and_nothing_else_does() {
        assert!(matches("aws_s3_bucket.*", "aws_s3_bucket.logs[0]"));
        assert!(matches("*.logs*", "module.a.aws_s3_bucket.logs[\"x\"]"));
        assert!(matches("a*b*c", "axxbyyc"));
        assert!(!matches("a*b", "abc"));
        assert!(!matches("aws_s3_bucket.log", "aws_s3_bucket.logs"));
        assert!(!matches("ab*ba", "aba"));
    }
}
