//! Values that go into statements and come out of rows.

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use crate::error::RegisterError;

/// A value. There is no NULL in the register's tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        // PostgreSQL's texts cannot hold this character.
        Self::Text(value.replace('\0', "\u{fffd}"))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::from(value.as_str())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::from(value.as_str())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

/// The values of a row, in the order of its columns; read from the front.
#[derive(Debug)]
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    /// The next value, which is a number.
    pub(crate) fn integer(&mut self) -> Result<i64, RegisterError> {
        match self.0.next() {
            Some(Value::Integer(value)) => Ok(value),
            other => Err(unexpected("a number", &other)),
        }
    }

    /// The next value, which is a text.
    pub(crate) fn text(&mut self) -> Result<String, RegisterError> {
        match self.0.next() {
            Some(Value::Text(value)) => Ok(value),
            other => Err(unexpected("a text", &other)),
        }
    }

    /// The next value, which is bytes.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, RegisterError> {
        match self.0.next() {
            Some(Value::Bytes(value)) => Ok(value),
            other => Err(unexpected("bytes", &other)),
        }
    }

    /// The next value, which is a list of texts in JSON.
    pub(crate) fn list(&mut self) -> Result<Vec<String>, RegisterError> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|error| RegisterError::Damaged(format!("`{text}` is no list: {error}")))
    }
}

fn unexpected(wanted: &str, found: &Option<Value>) -> RegisterError {
    let found = match found {
        Some(Value::Integer(_)) => "a number",
        Some(Value::Text(_)) => "a text",
        Some(Value::Bytes(_)) => "bytes",
        None => "nothing",
    };
    RegisterError::Damaged(format!("a column holds {found} instead of {wanted}"))
}

/// A list of texts, as [`Row::list`] reads it.
pub(crate) fn list(texts: &[String]) -> Value {
    Value::from(serde_json::Value::from(texts.to_vec()).to_string())
}

pub(super) fn bind_sqlite<'q>(query: Query<'q, Sqlite, SqliteArguments>, value: &Value) -> Query<'q, Sqlite, SqliteArguments> {
    match value.clone() {
        Value::Integer(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    }
}

pub(super) fn bind_postgres<'q>(query: Query<'q, Postgres, PgArguments>, value: &Value) -> Query<'q, Postgres, PgArguments> {
    match value.clone() {
        Value::Integer(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    }
}

pub(super) fn row_sqlite(row: &SqliteRow) -> Result<Row, RegisterError> {
    let mut values = Vec::with_capacity(row.len());
    for index in 0..row.len() {
        let kind = row.try_get_raw(index).map_err(super::failed)?.type_info().name().to_owned();
        let value = match kind.as_str() {
            "INTEGER" => row.try_get_unchecked::<i64, _>(index).map(Value::Integer),
            "TEXT" => row.try_get_unchecked::<String, _>(index).map(Value::Text),
            "BLOB" => row.try_get_unchecked::<Vec<u8>, _>(index).map(Value::Bytes),
            other => return Err(RegisterError::Damaged(format!("a column holds a value of type {other}"))),
        };
        values.push(value.map_err(super::failed)?);
    }
    Ok(Row(values.into_iter()))
}

pub(super) fn row_postgres(row: &PgRow) -> Result<Row, RegisterError> {
    let mut values = Vec::with_capacity(row.len());
    for index in 0..row.len() {
        let kind = row.try_get_raw(index).map_err(super::failed)?.type_info().name().to_owned();
        let value = match kind.as_str() {
            "INT8" => row.try_get::<i64, _>(index).map(Value::Integer),
            "INT4" => row.try_get::<i32, _>(index).map(|value| Value::Integer(value.into())),
            "TEXT" | "VARCHAR" | "NAME" => row.try_get::<String, _>(index).map(Value::Text),
            "BYTEA" => row.try_get::<Vec<u8>, _>(index).map(Value::Bytes),
            other => return Err(RegisterError::Damaged(format!("a column holds a value of type {other}"))),
        };
        values.push(value.map_err(super::failed)?);
    }
    Ok(Row(values.into_iter()))
}
