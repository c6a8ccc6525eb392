//! One connection to SQLite or PostgreSQL, blocking.
//!
//! Statements are the same for both; placeholders are `$1`, `$2`, …
//! All that is asynchronous stays in here: each statement runs to its end on a runtime of this thread, and nothing ever cancels one.
//! INVARIANT: transactions begin and end by statements of ours, never by the library's guards, which a cancelled future leaves in doubt.

mod migrate;
mod value;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::runtime::Runtime;

use crate::error::RegisterError;
use crate::place::Place;
pub(crate) use value::{Row, Value, list};

/// How long one process waits for another that writes the same file.
const BUSY: Duration = Duration::from_secs(120);
/// Rows of one statement; both databases refuse more than some 32,000 placeholders.
const ROWS_PER_STATEMENT: usize = 400;

/// An open database.
pub(crate) struct Store {
    runtime: Runtime,
    connection: Connection,
}

enum Connection {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

/// What a transaction keeps others from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lock {
    /// Nobody else works under the same number until the end; SQLite lets nobody else write at all.
    Number(i64),
    /// Rows are locked one by one as they are written.
    Rows,
}

impl Store {
    /// Connects, and brings the tables to the version that is known here.
    pub(crate) fn open(place: &Place) -> Result<Self, RegisterError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| RegisterError::Database(format!("no runtime: {error}")))?;
        let refused = |error: sqlx::Error| RegisterError::Place { place: place.to_string(), reason: words(&error) };
        let connection = match place {
            Place::File(path) => {
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    std::fs::create_dir_all(folder)
                        .map_err(|error| RegisterError::Place { place: place.to_string(), reason: error.to_string() })?;
                }
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .busy_timeout(BUSY)
                    .foreign_keys(true)
                    // Readers never wait for the writer, and what was committed survives the loss of power.
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .disable_statement_logging();
                Connection::Sqlite(Box::new(patient(|| runtime.block_on(options.connect())).map_err(refused)?))
            }
            Place::Postgres(url) => {
                let options: PgConnectOptions = url.parse().map_err(refused)?;
                let options = options.application_name("bartizan").disable_statement_logging();
                Connection::Postgres(Box::new(runtime.block_on(options.connect()).map_err(refused)?))
            }
        };
        let mut store = Self { runtime, connection };
        migrate::migrate(&mut store)?;
        Ok(store)
    }

    /// Whether several writers can work at a time, each on rows of its own.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Runs a statement; gives the number of rows that it changed.
    pub(crate) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, RegisterError> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let query = values.iter().fold(sqlx::query(sql), value::bind_sqlite);
                self.runtime.block_on(query.execute(&mut **connection)).map(|done| done.rows_affected())
            }
            Connection::Postgres(connection) => {
                let query = values.iter().fold(sqlx::query(sql), value::bind_postgres);
                self.runtime.block_on(query.execute(&mut **connection)).map(|done| done.rows_affected())
            }
        }
        .map_err(failed)
    }

    /// Runs a statement and gives its rows.
    pub(crate) fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, RegisterError> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let query = values.iter().fold(sqlx::query(sql), value::bind_sqlite);
                let rows: Vec<SqliteRow> = self.runtime.block_on(query.fetch_all(&mut **connection)).map_err(failed)?;
                rows.iter().map(value::row_sqlite).collect()
            }
            Connection::Postgres(connection) => {
                let query = values.iter().fold(sqlx::query(sql), value::bind_postgres);
                let rows: Vec<PgRow> = self.runtime.block_on(query.fetch_all(&mut **connection)).map_err(failed)?;
                rows.iter().map(value::row_postgres).collect()
            }
        }
    }

    /// Runs statements without values, also several.
    fn run(&mut self, sql: &str) -> Result<(), RegisterError> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match &mut self.connection {
            Connection::Sqlite(connection) => self.runtime.block_on(sql.execute(&mut **connection)).map(|_| ()),
            Connection::Postgres(connection) => self.runtime.block_on(sql.execute(&mut **connection)).map(|_| ()),
        }
        .map_err(failed)
    }

    /// Does everything or nothing. What was done is on disk when this returns.
    pub(crate) fn transaction<T>(
        &mut self,
        lock: Lock,
        work: impl FnOnce(&mut Self) -> Result<T, RegisterError>,
    ) -> Result<T, RegisterError> {
        self.run(if self.is_shared() { "BEGIN" } else { "BEGIN IMMEDIATE" })?;
        let done = self.locked(lock, work).and_then(|done| self.run("COMMIT").map(|()| done));
        if done.is_err() {
            // Where even that fails, the connection is lost and its transaction with it.
            let _ = self.run("ROLLBACK");
        }
        done
    }

    fn locked<T>(&mut self, lock: Lock, work: impl FnOnce(&mut Self) -> Result<T, RegisterError>) -> Result<T, RegisterError> {
        if let (true, Lock::Number(number)) = (self.is_shared(), lock) {
            // The wait for a lock has no value that could be read.
            self.execute("SELECT pg_advisory_xact_lock($1)", &[number.into()])?;
        }
        work(self)
    }

    /// Inserts rows; where `keys` are given, rows of the same key are replaced.
    pub(crate) fn put(&mut self, table: &str, columns: &[&str], keys: &[&str], rows: &[Vec<Value>]) -> Result<(), RegisterError> {
        for rows in rows.chunks(ROWS_PER_STATEMENT) {
            let mut n = 0;
            let tuples: Vec<String> = rows
                .iter()
                .map(|row| {
                    let places: Vec<String> = row
                        .iter()
                        .map(|_| {
                            n += 1;
                            format!("${n}")
                        })
                        .collect();
                    format!("({})", places.join(","))
                })
                .collect();
            let mut sql = format!("INSERT INTO {table} ({}) VALUES {}", columns.join(","), tuples.join(","));
            if !keys.is_empty() {
                let sets: Vec<String> =
                    columns.iter().filter(|column| !keys.contains(column)).map(|column| format!("{column}=excluded.{column}")).collect();
                sql.push_str(&format!(" ON CONFLICT ({}) DO UPDATE SET {}", keys.join(","), sets.join(",")));
            }
            let values: Vec<Value> = rows.iter().flatten().cloned().collect();
            self.execute(&sql, &values)?;
        }
        Ok(())
    }

    /// Seconds since 1970 by the clock of the database, which all workers share.
    pub(crate) fn now(&self) -> &'static str {
        if self.is_shared() {
            "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)"
        } else {
            "CAST(strftime('%s','now') AS INTEGER)"
        }
    }

    /// What keeps a worker from waiting for rows that another one holds.
    pub(crate) fn skip_locked(&self) -> &'static str {
        if self.is_shared() { " FOR UPDATE SKIP LOCKED" } else { "" }
    }

    /// Ends the connection in order; a file is left without its journal.
    pub(crate) fn close(self) {
        let Self { runtime, connection } = self;
        // All that was committed is on disk; a goodbye that fails changes nothing.
        let _ = match connection {
            Connection::Sqlite(connection) => runtime.block_on(connection.close()),
            Connection::Postgres(connection) => runtime.block_on(connection.close()),
        };
    }
}

/// Tries again while another process holds a file that is just being made: that lock alone does not wait by itself.
fn patient<T>(mut connect: impl FnMut() -> Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
    const TRIES: usize = 100;
    const PAUSE: Duration = Duration::from_millis(50);
    for _ in 0..TRIES {
        match connect() {
            Err(sqlx::Error::Database(error)) if error.message().contains("locked") => std::thread::sleep(PAUSE),
            other => return other,
        }
    }
    connect()
}

fn failed(error: sqlx::Error) -> RegisterError {
    RegisterError::Database(words(&error))
}

/// What happened, without the library's own preamble.
fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}
