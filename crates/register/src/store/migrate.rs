//! Versions of the tables. Each step is applied once, all in one transaction, by whoever comes first.

use super::{Lock, Store};
use crate::error::RegisterError;

/// Steps from one version to the next; the first makes everything. A step that was released is never changed.
const STEPS: &[&str] = &[include_str!("../../migrations/0001.sql")];
/// Lock of those who bring the tables up to date; any number does that is no system's.
const MIGRATION: i64 = -0x0062_7a74;

pub(super) fn migrate(store: &mut Store) -> Result<(), RegisterError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    // Most openers find everything in order and need no lock.
    if has_table(store)? && version(store)? == known {
        return Ok(());
    }
    store.transaction(Lock::Number(MIGRATION), |store| {
        store.run("CREATE TABLE IF NOT EXISTS bartizan_register (version BIGINT NOT NULL)")?;
        let found = version(store)?;
        if found > known {
            return Err(RegisterError::Newer { found, known });
        }
        for (step, number) in STEPS.iter().zip(1i64..).filter(|(_, number)| *number > found) {
            store.run(step)?;
            store.execute("INSERT INTO bartizan_register (version) VALUES ($1)", &[number.into()])?;
        }
        Ok(())
    })
}

fn has_table(store: &mut Store) -> Result<bool, RegisterError> {
    let sql = if store.is_shared() {
        "SELECT table_name::text FROM information_schema.tables WHERE table_name = $1 AND table_schema = current_schema()"
    } else {
        "SELECT name FROM sqlite_master WHERE name = $1"
    };
    Ok(!store.query(sql, &["bartizan_register".into()])?.is_empty())
}

fn version(store: &mut Store) -> Result<i64, RegisterError> {
    let mut rows = store.query("SELECT coalesce(max(version), 0) FROM bartizan_register", &[])?;
    rows.first_mut().map_or(Ok(0), super::Row::integer)
}
