//! TOML files, read whole: a syntax error leaves nothing of them.

use serde::de::DeserializeOwned;

use super::File;
use crate::package::Found;

/// Reads a whole file, or says what is wrong and where.
pub(super) fn whole<T: DeserializeOwned>(file: &File<'_>, found: &mut Found) -> Option<T> {
    match toml::from_str(file.text) {
        Ok(value) => Some(value),
        Err(error) => {
            let span = file.span(error.span().unwrap_or(0..0));
            found.malformed(file.path, span, format!("not what the format asks for: {}", error.message()));
            None
        }
    }
}
