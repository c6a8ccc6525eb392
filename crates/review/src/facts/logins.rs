//! Secrets that hold the login of a database or broker, and whether anything changes it.
//!
//! Keys of a partner's API are left out: nothing in AWS can change them.

use std::collections::BTreeSet;

use bartizan_model::{Component, Span};

use super::document::pattern;
use super::read::texts;
use super::sink::Sink;
use crate::flows::Context;

/// Words in names of what databases and brokers ask for.
const STORES: &[&str] = &[
    "db",
    "database",
    "rds",
    "aurora",
    "mysql",
    "mariadb",
    "postgres",
    "postgresql",
    "pg",
    "redshift",
    "docdb",
    "documentdb",
    "mongo",
    "mongodb",
    "sqlserver",
    "sqlalchemy",
    "jdbc",
    "redis",
    "rabbitmq",
];

/// Words for what lets somebody in.
const LETTING_IN: &[&str] =
    &["password", "passwd", "pass", "pwd", "credential", "credentials", "login", "uri", "url", "dsn", "user", "auth"];

/// Words for what is no secret by itself.
const PLAIN: &[&str] = &["host", "hostname", "port", "endpoint", "arn", "region", "name", "cert", "ca"];

/// Sets the fact; `rotated` must be set before.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    for (address, component) in &context.index.architecture.components {
        let held = match component.component_type.as_str() {
            "secretsmanager.secret" => in_secret(component),
            // A parameter has no rotation at all.
            "ssm.parameter" if component.text("parameter_type").as_deref() == Some("SecureString") => {
                let words = words(&component.name);
                (has(&words, STORES) && has(&words, &["password", "passwd", "pwd", "pass", "credentials"])).then_some(component.span)
            }
            _ => None,
        };
        let Some(span) = held else { continue };
        let rotated = sink.get(address, "rotated").is_some_and(|node| node.value.as_bool() != Some(false));
        if !rotated {
            sink.push_system("unrotated_logins", address.as_str(), span);
        }
    }
}

fn words(name: &str) -> BTreeSet<String> {
    name.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned).collect()
}

fn has(words: &BTreeSet<String>, known: &[&str]) -> bool {
    known.iter().any(|word| words.contains(*word))
}

/// By what it holds, else by its name.
fn in_secret(secret: &Component) -> Option<Option<Span>> {
    let contents: Vec<String> = secret.setting("secret_string").into_iter().flat_map(texts).map(pattern).collect();
    let holds = |key: &str| contents.iter().any(|text| text.contains(&format!("\"{key}\"")));
    // A name and a password alone may be for anything.
    if holds("password") && ["host", "engine", "port", "dbname", "database", "endpoint"].into_iter().any(holds) {
        return Some(secret.span);
    }
    let words = words(&secret.name);
    let login = has(&words, STORES) && (has(&words, LETTING_IN) || !has(&words, PLAIN));
    login.then_some(secret.span)
}

#[cfg(test)]
mod tests {
    use super::{LETTING_IN, PLAIN, STORES, has, words};

    #[test]
    fn a_host_is_no_login_and_an_address_with_one_is() {
        for (name, login) in
            [("orders/db", true), ("ORDERS_DATABASE_URI", true), ("orders_postgres_host", false), ("geocoder-api-key", false)]
        {
            let words = words(name);
            assert_eq!(has(&words, STORES) && (has(&words, LETTING_IN) || !has(&words, PLAIN)), login, "{name}");
        }
    }
}
