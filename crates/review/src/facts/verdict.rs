//! Yes, no or not known, and the arithmetic of the three.

/// A three-valued answer; ordered so that *and* is the least and *or* the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It is not so.
    No,
    /// The plan does not tell.
    #[default]
    Unknown,
    /// It is so.
    Yes,
}

impl Verdict {
    /// Both.
    pub(crate) fn and(self, other: Verdict) -> Verdict {
        self.min(other)
    }

    /// Either.
    pub(crate) fn or(self, other: Verdict) -> Verdict {
        self.max(other)
    }

    /// A known truth value.
    pub(crate) fn known(value: bool) -> Verdict {
        if value { Verdict::Yes } else { Verdict::No }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{No, Unknown, Yes};

    #[test]
    fn what_is_not_known_gives_way_to_a_no_and_to_a_yes() {
        assert_eq!(Unknown.and(No), No);
        assert_eq!(Unknown.and(Yes), Unknown);
        assert_eq!(Unknown.or(Yes), Yes);
        assert_eq!(Unknown.or(No), Unknown);
    }
}
