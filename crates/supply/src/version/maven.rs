//! Maven's versions.
//!
//! Source: maven.apache.org, POM reference, "Version Order Specification", and `ComparableVersion` where the page is silent
//! (numbers come after words, `release` is an alias of nothing, words without regard to case).

use std::cmp::Ordering;

use super::number;

/// A version of a Java artifact: tokens with the separator before each.
#[derive(Clone, Debug)]
pub(super) struct Maven(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    /// A change between digits and letters separates like a hyphen.
    is_hyphen: bool,
    text: String,
}

impl Token {
    fn is_nothing(&self) -> bool {
        self.text.is_empty() || self.text == "0"
    }

    /// `.qualifier` < `-qualifier` < `-number` < `.number`.
    fn separator_rank(&self) -> u8 {
        match (number::is_number(&self.text), self.is_hyphen) {
            (false, false) => 0,
            (false, true) => 1,
            (true, true) => 2,
            (true, false) => 3,
        }
    }

    /// What stands where the shorter version has no token.
    fn padding(&self) -> Self {
        // `sp` is the one word above nothing, so it is compared with nothing and not with a number.
        let text = if self.is_hyphen || self.text == "sp" { "" } else { "0" };
        Self { is_hyphen: self.is_hyphen, text: text.to_owned() }
    }
}

/// Words in their order; the empty one is the release itself, words that are not listed come after all of them.
const WORDS: &[&str] = &["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

impl Maven {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.to_lowercase();
        let mut tokens: Vec<Token> = Vec::new();
        let mut is_hyphen = false;
        let mut rest = text.as_str();
        loop {
            let end = rest.find(['.', '-']).unwrap_or(rest.len());
            let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            push_piece(&mut tokens, piece, is_hyphen);
            let Some(separator) = after.chars().next() else { break };
            is_hyphen = separator == '-';
            rest = after.get(1..).unwrap_or_default();
        }
        trim(&mut tokens);
        Self(tokens)
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let n = self.0.len().max(other.0.len());
        for index in 0..n {
            let order = match (self.0.get(index), other.0.get(index)) {
                (Some(a), Some(b)) => compare(a, b, None),
                (Some(a), None) => compare(a, &a.padding(), Some(Ordering::Less)),
                (None, Some(b)) => compare(&b.padding(), b, Some(Ordering::Greater)),
                (None, None) => Ordering::Equal,
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

/// Pushes the runs of digits and letters of one piece between separators; an empty piece is a zero.
fn push_piece(tokens: &mut Vec<Token>, piece: &str, is_hyphen: bool) {
    if piece.is_empty() {
        tokens.push(Token { is_hyphen, text: "0".to_owned() });
        return;
    }
    let mut runs = number::runs(piece).peekable();
    let mut is_hyphen = is_hyphen;
    while let Some(run) = runs.next() {
        let text = if number::is_number(run) {
            let digits = run.trim_start_matches('0');
            if digits.is_empty() { "0" } else { digits }
        } else {
            match (run, runs.peek().is_some()) {
                // One letter is short for a word only right before a number.
                ("a", true) => "alpha",
                ("b", true) => "beta",
                ("m", true) => "milestone",
                ("cr", _) => "rc",
                ("ga" | "final" | "release", _) => "",
                _ => run,
            }
        };
        tokens.push(Token { is_hyphen, text: text.to_owned() });
        is_hyphen = true;
    }
}

/// Takes off nothings from the end, and from before each hyphen; of `0.0` nothing is left.
fn trim(tokens: &mut Vec<Token>) {
    let mut end = tokens.len();
    while let Some(last) = end.checked_sub(1) {
        if tokens.get(last).is_some_and(Token::is_nothing) {
            tokens.remove(last);
            end = last;
        } else {
            while end > 0 && tokens.get(end - 1).is_some_and(|token| !token.is_hyphen) {
                end -= 1;
            }
            end = end.saturating_sub(1);
        }
    }
}

/// `padded` says which side is padding, as the order that the padding has against any number after the other side is a word.
fn compare(a: &Token, b: &Token, padded: Option<Ordering>) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if a.is_hyphen != b.is_hyphen {
        return a.separator_rank().cmp(&b.separator_rank());
    }
    let (a_number, b_number) = (number::is_number(&a.text), number::is_number(&b.text));
    match (a_number, b_number) {
        (true, true) => number::compare(&a.text, &b.text),
        // Padding that is a zero is no number but nothing: words are compared with it by their order.
        (true, false) if padded == Some(Ordering::Greater) => word(&Token { is_hyphen: a.is_hyphen, text: "0".to_owned() }.text, &b.text),
        (false, true) if padded == Some(Ordering::Less) => word(&a.text, "0"),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => word(&a.text, &b.text),
    }
}

fn word(a: &str, b: &str) -> Ordering {
    let rank = |word: &str| WORDS.iter().position(|known| *known == word);
    match (rank(a), rank(b)) {
        (None, None) => a.cmp(b),
        (a, b) => a.unwrap_or(WORDS.len()).cmp(&b.unwrap_or(WORDS.len())),
    }
}
