//! Where a register is: a file, or a PostgreSQL database by its address.

use std::fmt;
use std::path::PathBuf;

use crate::error::RegisterError;

/// Where a register is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite; made where there is none.
    File(PathBuf),
    /// `postgres://user:password@host/database?sslmode=verify-full`.
    Postgres(String),
}

impl Place {
    /// Reads `postgres://…`, `postgresql://…`, `sqlite:PATH`, or the path of a file.
    ///
    /// # Errors
    /// It is the address of something else.
    pub fn parse(text: &str) -> Result<Self, RegisterError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        if let Some(path) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
            return Ok(Self::File(path.into()));
        }
        match text.split_once("://") {
            Some((scheme, _)) => {
                let reason = format!("`{scheme}` is no database that is known here; use `postgres://…` or a file");
                Err(RegisterError::Place { place: hidden(text), reason })
            }
            None => Ok(Self::File(text.into())),
        }
    }
}

/// Without the password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => f.write_str(&hidden(url)),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An address without what may be a secret: the password, and everything behind the path.
pub(crate) fn hidden(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((user, host)) => format!("{scheme}://{}@{host}", user.split(':').next().unwrap_or_default()),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn places_are_told_apart_and_passwords_stay_hidden() {
        let shown = |text: &str| Place::parse(text).map(|place| place.to_string()).map_err(|error| error.to_string());
        assert_eq!(shown("postgres://ann:s3cret@db.example.org/risks?password=x").as_deref(), Ok("postgres://ann@db.example.org/risks"));
        assert_eq!(Place::parse("sqlite:a/b.sqlite").unwrap(), Place::File("a/b.sqlite".into()));
        assert_eq!(Place::parse("a/b.sqlite").unwrap(), Place::File("a/b.sqlite".into()));
        let error = shown("mysql://root:s3cret@h/d").unwrap_err();
        assert!(error.starts_with("`mysql://root@h/d` is no register") && !error.contains("s3cret"), "{error}");
    }
}
