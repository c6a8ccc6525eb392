//! "Did you mean": the nearest known name.

/// `; did you mean `x`?` where a known name is near enough to be a slip of the pen.
pub(crate) fn did_you_mean<T: AsRef<str>>(wrong: &str, known: impl Iterator<Item = T>) -> Option<String> {
    let limit = (wrong.chars().count() / 3).max(1);
    known
        .map(|name| (distance(wrong, name.as_ref()), name))
        .filter(|(distance, name)| *distance <= limit || (wrong.len() >= 4 && name.as_ref().contains(wrong)))
        .min_by(|a, b| (a.0, a.1.as_ref()).cmp(&(b.0, b.1.as_ref())))
        .map(|(_, name)| format!("; did you mean `{}`?", name.as_ref()))
}

/// Names in backticks with commas, at most twenty.
pub(crate) fn list<T: AsRef<str>>(names: impl Iterator<Item = T>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{}`", name.as_ref())).collect();
    match names.get(..20) {
        Some(first) if names.len() > 20 => format!("{} and {} more", first.join(", "), names.len() - 20),
        _ => names.join(", "),
    }
}

/// Levenshtein's distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        let mut next = vec![before];
        for (right, above) in b.iter().zip(row.iter().skip(1)) {
            let cost = diagonal + usize::from(left != *right);
            diagonal = *above;
            before = cost.min(above + 1).min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn a_slip_is_mended_and_a_stranger_is_not() {
        let known = ["versioning", "block_public_policy"];
        assert_eq!(did_you_mean("versoning", known.iter()).as_deref(), Some("; did you mean `versioning`?"));
        assert_eq!(did_you_mean("public_policy", known.iter()).as_deref(), Some("; did you mean `block_public_policy`?"));
        assert_eq!(did_you_mean("kms_key", known.iter()), None);
    }
}
