//! JSON whose values know their place: a raw value borrows from the text, and where it borrows from is its offset.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::File;
use crate::package::Found;

/// Reads a whole file, or says what is wrong and where.
pub(crate) fn whole<'a, T: Deserialize<'a>>(file: &File<'a>, found: &mut Found) -> Option<T> {
    match serde_json::from_str(file.text) {
        Ok(value) => Some(value),
        Err(error) => {
            let span = file.span_at(error.line(), error.column());
            found.malformed(file.path, span, format!("not what the format asks for: {error}"));
            None
        }
    }
}

/// Reads one value of a file; a value that does not fit is counted and the rest goes on.
pub(crate) fn part<'a, T: Deserialize<'a>>(file: &File<'a>, raw: &'a RawValue, what: &str, found: &mut Found) -> Option<T> {
    match serde_json::from_str(raw.get()) {
        Ok(value) => Some(value),
        Err(error) => {
            found.malformed(what, file.span_of(raw.get()), format!("`{what}` is not what the format asks for: {error}"));
            None
        }
    }
}
