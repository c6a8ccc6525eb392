//! Matching of plain text with `*` (any run of characters) and `?` (one character), in linear space and without recursion.

/// Whether `pattern` matches the whole of `text`; both are taken as they are, so fold case before where that is wanted.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // After a star: where to come back to when what follows does not fit.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(b'?') => {
                p += 1;
                t = next_character(text, t);
                continue;
            }
            Some(other) if other == byte => {
                p += 1;
                t += 1;
                continue;
            }
            Some(_) | None => {}
        }
        let Some((star_p, star_t)) = star else { return false };
        let further = next_character(text, star_t);
        star = Some((star_p, further));
        (p, t) = (star_p + 1, further);
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// Byte offset of the character after the one at `at`.
fn next_character(text: &[u8], at: usize) -> usize {
    let mut next = at + 1;
    while text.get(next).is_some_and(|byte| byte & 0xC0 == 0x80) {
        next += 1;
    }
    next
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::matches;

    /// The definition, spelled out; exponential and obviously right.
    fn reference(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => reference(rest, text) || text.split_first().is_some_and(|(_, tail)| reference(pattern, tail)),
            (Some(('?', rest)), Some((_, tail))) => reference(rest, tail),
            (Some((p, rest)), Some((t, tail))) => p == t && reference(rest, tail),
            _ => false,
        }
    }

    #[test]
    fn question_mark_is_exactly_one_character() {
        assert!(matches("a?c", "aäc"));
        assert!(!matches("a?", "a"));
        assert!(!matches("?", "ab"));
        assert!(matches("s3:*Object", "s3:GetObject"));
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[abä*?]{0,7}", text in "[abä]{0,8}") {
            let (p, t): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
            assert_eq!(matches(&pattern, &text), reference(&p, &t), "{pattern} {text}");
        }
    }
}
