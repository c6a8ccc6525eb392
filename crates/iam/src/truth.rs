//! Three values: no, maybe, yes. A plan rarely knows everything, and "not known" must never turn into an answer.

/// An answer that may be open.
///
/// *Maybe* means that it depends on something the plan does not know; the order is `No < Maybe < Yes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// In no case.
    No,
    /// It depends on what is not known.
    Maybe,
    /// In every case.
    Yes,
}

impl Truth {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// One holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The opposite; maybe stays maybe.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Truth::No => Truth::Yes,
            Truth::Maybe => Truth::Maybe,
            Truth::Yes => Truth::No,
        }
    }

    /// Whether all hold; yes for none.
    pub fn all(items: impl IntoIterator<Item = Self>) -> Self {
        let mut out = Truth::Yes;
        for item in items {
            out = out.and(item);
            if out == Truth::No {
                break;
            }
        }
        out
    }

    /// Whether any holds; no for none.
    pub fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut out = Truth::No;
        for item in items {
            out = out.or(item);
            if out == Truth::Yes {
                break;
            }
        }
        out
    }

    /// True for yes.
    pub fn is_yes(self) -> bool {
        self == Truth::Yes
    }

    /// True for no.
    pub fn is_no(self) -> bool {
        self == Truth::No
    }

    /// True for yes and maybe.
    pub fn is_possible(self) -> bool {
        self != Truth::No
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Truth::Yes } else { Truth::No }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth;

    #[test]
    fn empty_conjunction_is_yes_and_empty_disjunction_is_no() {
        assert_eq!(Truth::all([]), Truth::Yes);
        assert_eq!(Truth::any([]), Truth::No);
    }

    #[test]
    fn maybe_absorbs_as_in_kleene_logic() {
        assert_eq!(Truth::Maybe.and(Truth::No), Truth::No);
        assert_eq!(Truth::Maybe.and(Truth::Yes), Truth::Maybe);
        assert_eq!(Truth::Maybe.or(Truth::Yes), Truth::Yes);
        assert_eq!(Truth::Maybe.negated(), Truth::Maybe);
    }
}
