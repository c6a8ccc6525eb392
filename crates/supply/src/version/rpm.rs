//! RPM's versions: `epoch:version-release`.
//!
//! Source: `rpmvercmp` and `rpm-version(7)`: runs of digits or letters, numbers above letters, `~` below everything, `^` above the end only.

use std::cmp::Ordering;

use super::number;

/// Epoch, version and release of a package.
#[derive(Clone, Debug)]
pub(super) struct Rpm {
    epoch: String,
    version: String,
    /// `None` where there is no hyphen.
    release: Option<String>,
}

impl Rpm {
    pub(super) fn parse(text: &str) -> Self {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (epoch, rest),
            // Module streams hold colons that end no epoch.
            _ => ("", text),
        };
        let (version, release) = rest.split_once('-').map_or((rest, None), |(version, release)| (version, Some(release)));
        Self { epoch: epoch.to_owned(), version: version.to_owned(), release: release.map(str::to_owned) }
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        number::compare(&self.epoch, &other.epoch).then_with(|| part(&self.version, &other.version)).then_with(|| {
            match (&self.release, &other.release) {
                (Some(a), Some(b)) => part(a, b),
                // A version without a release is below all of its releases.
                (a, b) => a.is_some().cmp(&b.is_some()),
            }
        })
    }
}

fn part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        a = a.trim_start_matches(is_separator);
        b = b.trim_start_matches(is_separator);
        match (a.strip_prefix('~'), b.strip_prefix('~')) {
            (Some(after_a), Some(after_b)) => {
                (a, b) = (after_a, after_b);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (a.strip_prefix('^'), b.strip_prefix('^')) {
            (Some(after_a), Some(after_b)) => {
                (a, b) = (after_a, after_b);
                continue;
            }
            (Some(_), None) => return if b.is_empty() { Ordering::Greater } else { Ordering::Less },
            (None, Some(_)) => return if a.is_empty() { Ordering::Less } else { Ordering::Greater },
            (None, None) => {}
        }
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let is_digits = a.starts_with(|character: char| character.is_ascii_digit());
        let (run_a, after_a) = split_run(a, is_digits);
        let (run_b, after_b) = split_run(b, is_digits);
        if run_b.is_empty() {
            return if is_digits { Ordering::Greater } else { Ordering::Less };
        }
        let order = if is_digits { number::compare(run_a, run_b) } else { run_a.cmp(run_b) };
        if order.is_ne() {
            return order;
        }
        (a, b) = (after_a, after_b);
    }
}

fn is_separator(character: char) -> bool {
    !character.is_ascii_alphanumeric() && character != '~' && character != '^'
}

fn split_run(text: &str, is_digits: bool) -> (&str, &str) {
    let belongs = |byte: u8| if is_digits { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() };
    let end = text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}
