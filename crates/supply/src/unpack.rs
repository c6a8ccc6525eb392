//! Files that are no texts → the texts in them that name packages: sections of binaries, entries of archives, records of rpm's database.
//!
//! All input may be hostile: nothing is written anywhere, what comes out is bounded, and what is refused is told.

pub(crate) mod archive;
pub(crate) mod berkeley;
pub(crate) mod elf;
pub(crate) mod rpm;
pub(crate) mod sqlite;

use crate::package::SkipReason;

/// A text inside of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inner {
    /// What follows the file's path: empty for the file itself, else it starts with `!/`.
    pub(crate) path: String,
    /// Its bytes; mostly UTF-8.
    pub(crate) text: Vec<u8>,
}

/// Something that was refused or could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Path of a file, and of what lies in it after `!/`.
    pub(crate) path: String,
    /// Why.
    pub(crate) reason: SkipReason,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self { path: path.into(), reason: SkipReason::Unreadable(reason.to_string()) }
    }
}

/// A path without `.` and empty parts; `None` where it is absolute, leads out of its root, or is none.
///
/// Control characters become `?`: the path is shown on terminals.
pub(crate) fn below_root(path: &[u8]) -> Option<String> {
    if path.first() == Some(&b'/') || path.len() > MAX_PATH_BYTES {
        return None;
    }
    let path = String::from_utf8_lossy(path);
    let mut out = String::with_capacity(path.len());
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => {
                if !out.is_empty() {
                    out.push('/');
                }
                out.extend(part.chars().map(|character| if character.is_control() { '?' } else { character }));
            }
        }
    }
    Some(out)
}

/// Linux refuses longer ones.
const MAX_PATH_BYTES: usize = 4096;
