//! Secrets written in configuration: known key formats, named settings with a literal value, random text under a telling name.
//!
//! The secret itself never leaves this module: a fact holds its name, its kind and where it stands.
//! Formats are those that their issuers document; placeholders and examples of documentation are left out unless they have the form of a live key.

mod written;

use bartizan_model::{Address, Component, Node, Part, Span, Text, Value};

use super::sink::{Sink, map, text};
use crate::flows::Context;

/// A secret that was found.
struct Secret {
    name: String,
    kind: &'static str,
    /// Only to find where it is written.
    value: String,
    span: Span,
}

/// Settings that hold text or maps which people put secrets into.
const PLACES: &[&str] = &[
    "environment",
    "environment_variables",
    "variables",
    "user_data",
    "container_definitions",
    "container_properties",
    "env",
    "data",
    "string_data",
    "body",
    "definition",
    "connection_properties",
    "default_arguments",
    "command",
    "args",
    "containers",
    "settings",
    "configuration_values",
    "stage_variables",
    "option_settings",
    "secret_string",
    "inline_code",
    "content",
    "build_environment",
    "template_body",
    "pipeline",
];

/// Settings that are a secret themselves, whatever their value looks like.
const SECRET_SETTINGS: &[&str] = &[
    "password",
    "master_password",
    "master_user_password",
    "admin_user_password",
    "auth_token",
    "private_key",
    "secret_key",
    "access_key",
    "token",
    "api_key",
    "user_password",
    "db_password",
    "preshared_key",
    "tunnel1_preshared_key",
    "tunnel2_preshared_key",
    "default_password",
];

/// Sets `plaintext_secrets`.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    let mut written = written::Written::new(&context.index.architecture.sources);
    for (address, component) in &context.index.architecture.components {
        for (name, node) in &component.settings {
            let mut found = Vec::new();
            if SECRET_SETTINGS.contains(&name.as_str()) && !component.component_type.starts_with("external.") {
                literal(name, node, &mut found);
            }
            if PLACES.contains(&name.as_str()) && !is_vault(component, name) {
                walk(name, node, &mut found);
            }
            for mut secret in found {
                if let Some(place) = written.place(&secret.value, secret.span) {
                    secret.span = place;
                }
                let excerpt = context.index.architecture.sources.excerpt(secret.span);
                if excerpt.contains('\n') {
                    secret.span = line_of(excerpt, secret.span, &secret.name);
                }
                write(address, name, &secret, sink);
            }
        }
    }
}

/// A secret store's own value, or a Kubernetes secret's data, is where secrets belong; that the plan holds it is another setting's matter.
fn is_vault(component: &Component, setting: &str) -> bool {
    component.service == "kubernetes" && component.component_type.ends_with(".secret") && setting != "string_data"
}

fn write(address: &Address, setting: &str, secret: &Secret, sink: &mut Sink) {
    let entry = map(vec![("name", text(&secret.name)), ("kind", text(secret.kind)), ("where", text(setting))], secret.span);
    sink.push(address, "plaintext_secrets", entry, Some(secret.span));
}

fn literal(name: &str, node: &Node, found: &mut Vec<Secret>) {
    let Some(text) = node.value.as_text() else { return };
    // A value that comes from a reference is not written here; one that a variable's default gave is, and its span points there or at its use.
    if text.references().next().is_some() {
        return;
    }
    let Some(value) = text.known() else { return };
    if !is_placeholder(&value) {
        let kind = known_format(&value).unwrap_or("password or key");
        found.push(Secret { name: name.to_owned(), kind, value: value.into_owned(), span: node.span });
    }
}

/// Walks maps and lists; a key names the value below it, and `{name: X, value: Y}` pairs count as one.
fn walk(key: &str, node: &Node, found: &mut Vec<Secret>) {
    match &node.value {
        Value::Text(text) => judge(key, text, node.span, found),
        Value::List(items) => items.iter().for_each(|item| walk(key, item, found)),
        Value::Map(members) => {
            let member = |names: &[&str]| names.iter().find_map(|name| members.get(*name));
            let name = member(&["name", "Name"]).and_then(|node| node.value.as_str());
            let kind = member(&["type", "Type"]).and_then(|node| node.value.as_str());
            if let (Some(name), Some(value)) = (name, member(&["value", "Value"])) {
                // CodeBuild names the parameter or secret instead of its value.
                if !matches!(kind.as_deref(), Some("PARAMETER_STORE" | "SECRETS_MANAGER")) {
                    walk(&name, value, found);
                }
                return;
            }
            for (name, value) in members {
                if !matches!(name.as_str(), "valueFrom" | "secrets" | "secretKeyRef" | "secretRef") {
                    walk(name, value, found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => {}
    }
}

fn judge(key: &str, value: &Text, span: Span, found: &mut Vec<Secret>) {
    // A script or document holds many lines: each assignment is judged by itself.
    let whole = literal_part(value);
    if whole.contains('\n') || whole.len() > 400 {
        script(&whole, span, found);
        return;
    }
    if value.references().next().is_some() && whole.trim().is_empty() {
        return;
    }
    if let Some(kind) = known_format(&whole).filter(|_| !is_placeholder(&whole)) {
        found.push(Secret { name: key.to_owned(), kind, value: whole, span });
    } else if value.references().next().is_none() && names_secret(key) && is_secret_value(&whole) {
        found.push(Secret { name: key.to_owned(), kind: kind_by_name(key), value: whole, span });
    } else if let Some((kind, password)) = inside_url(&whole) {
        found.push(Secret { name: key.to_owned(), kind, value: password.to_owned(), span });
    }
}

/// The literal text, with what is not written here as a space.
fn literal_part(text: &Text) -> String {
    let mut out = String::new();
    for part in text.parts() {
        match part {
            Part::Literal(literal) => out.push_str(literal),
            Part::Reference { .. } | Part::Unknown(_) => out.push(' '),
        }
    }
    out
}

/// Assignments in a script: `export NAME=value`, `define('NAME', 'value')`, `name: value`, `-e NAME=value`.
fn script(body: &str, span: Span, found: &mut Vec<Secret>) {
    for line in body.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('#') && known_format(trimmed).is_none() {
            continue;
        }
        if trimmed.contains("PRIVATE KEY-----") && trimmed.contains("BEGIN") {
            found.push(Secret { name: "PRIVATE KEY".to_owned(), kind: "private key", value: String::new(), span });
            continue;
        }
        for (name, value) in assignments(trimmed) {
            let value = value.trim_matches(['"', '\'', ';', ',', ')', '(', ' ']);
            if is_placeholder(value) {
                continue;
            }
            if let Some(kind) = known_format(value) {
                found.push(Secret { name: name.to_owned(), kind, value: value.to_owned(), span });
            } else if names_secret(name) && is_secret_value(value) {
                found.push(Secret { name: name.to_owned(), kind: kind_by_name(name), value: value.to_owned(), span });
            }
        }
    }
}

/// The line of the source that assigns a name, within the span of the text that holds it; the span itself where it is not found
/// (a text that a template or function built).
fn line_of(excerpt: &str, span: Span, name: &str) -> Span {
    let mut offset = 0usize;
    for line in excerpt.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.contains(name) && (trimmed.contains('=') || trimmed.contains(':') || trimmed.contains(',') || trimmed.contains("BEGIN"))
        {
            let lead = line.len() - line.trim_start().len();
            let start = span.start as usize + offset + lead;
            return Span::new(span.file, start..start + trimmed.len());
        }
        offset += line.len();
    }
    span
}

fn assignments(line: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    // PHP's and JSON's two quoted words.
    let quoted: Vec<&str> = line.split(['"', '\'']).collect();
    if (line.contains("define(") || line.contains("\":") || line.contains("',")) && quoted.len() >= 4 {
        let mut words = quoted.iter().skip(1).step_by(2);
        if let (Some(name), Some(value)) = (words.next(), words.next()) {
            found.push((*name, *value));
        }
    }
    for word in line.split_whitespace() {
        if let Some((name, value)) = word.split_once('=') {
            let name = name.trim_start_matches("--").trim_start_matches('-');
            if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.') {
                found.push((name, value));
            }
        }
    }
    if let Some((name, value)) = line.split_once(": ")
        && name.trim().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !value.trim().contains(' ')
    {
        found.push((name.trim(), value.trim()));
    }
    found
}

/// Formats that tell a secret by themselves.
fn known_format(value: &str) -> Option<&'static str> {
    let word = |prefix: &str, length: usize, allowed: fn(char) -> bool| {
        value.match_indices(prefix).any(|(at, _)| {
            let before = value.get(..at).and_then(|text| text.chars().next_back());
            let rest = value.get(at + prefix.len()..).unwrap_or("");
            before.is_none_or(|c| !c.is_ascii_alphanumeric()) && rest.chars().take_while(|c| allowed(*c)).count() >= length
        })
    };
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let token = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if word("AKIA", 16, upper) || word("ASIA", 16, upper) {
        return Some("AWS access key");
    }
    if value.contains("-----BEGIN") && value.contains("PRIVATE KEY") {
        return Some("private key");
    }
    for (prefix, length, kind) in [
        ("ghp_", 30, "GitHub token"),
        ("gho_", 30, "GitHub token"),
        ("ghs_", 30, "GitHub token"),
        ("github_pat_", 30, "GitHub token"),
        ("glpat-", 18, "GitLab token"),
        ("sk_live_", 16, "Stripe key"),
        ("rk_live_", 16, "Stripe key"),
        ("xoxb-", 20, "Slack token"),
        ("xoxp-", 20, "Slack token"),
        ("SG.", 40, "SendGrid key"),
        ("npm_", 30, "npm token"),
        ("AIza", 32, "Google API key"),
        ("hvs.", 24, "Vault token"),
        ("dop_v1_", 40, "DigitalOcean token"),
        ("sk-ant-", 20, "Anthropic key"),
    ] {
        if word(prefix, length, token) {
            return Some(kind);
        }
    }
    None
}

/// A password in a URL: `postgres://user:secret@host`.
fn inside_url(value: &str) -> Option<(&'static str, &str)> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or("");
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    (!password.trim().is_empty() && !is_placeholder(password) && is_secret_value(password)).then_some(("password in a URL", password))
}

/// Names under which secrets are kept. Names of where a secret is (an ARN, a path) are not.
fn names_secret(name: &str) -> bool {
    let lower: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
    const WORDS: &[&str] = &[
        "password",
        "passwd",
        "secretkey",
        "secretaccesskey",
        "apikey",
        "accesskey",
        "authtoken",
        "accesstoken",
        "privatekey",
        "clientsecret",
        "dbpass",
        "passphrase",
        "signingkey",
        "encryptionkey",
        "jwtsecret",
        "sessionsecret",
        "webhooksecret",
        "masterkey",
        "connectionstring",
    ];
    const PLACES: &[&str] = &[
        "arn",
        "name",
        "path",
        "id",
        "file",
        "url",
        "uri",
        "length",
        "policy",
        "enabled",
        "expiry",
        "ttl",
        "rotation",
        "version",
        "ref",
        "region",
        "parameter",
        "prefix",
        "key2",
        "location",
        "param",
        "host",
        "manager",
        "type",
        "store",
        "days",
        "username",
        "field",
        "header",
        "table",
        "bucket",
        "timeout",
    ];
    let telling = WORDS.iter().any(|word| lower.contains(word))
        || lower.ends_with("secret")
        || lower.ends_with("token")
        || lower == "pwd"
        || lower.ends_with("pass");
    telling && !PLACES.iter().any(|place| lower.ends_with(place))
}

fn kind_by_name(name: &str) -> &'static str {
    let lower = name.to_ascii_lowercase();
    if lower.contains("pass") || lower == "pwd" {
        "password"
    } else if lower.contains("token") {
        "token"
    } else {
        "key"
    }
}

/// Values that a secret could have: some length, no path, no reference syntax, no plain word of configuration.
fn is_secret_value(value: &str) -> bool {
    let value = value.trim();
    if value.len() < 6 || value.contains(char::is_whitespace) || is_placeholder(value) {
        return false;
    }
    let reference = value.starts_with("arn:")
        || value.starts_with('/')
        || value.starts_with("$")
        || value.starts_with("{{")
        || value.starts_with("http")
        || value.starts_with("ssm:")
        || value.starts_with("vault:")
        || value.starts_with("secretsmanager:")
        || value.starts_with("AWSCURRENT");
    let flag =
        matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "enabled" | "disabled" | "required" | "optional" | "default");
    !reference && !flag
}

/// Values that stand for a secret that someone will fill in.
fn is_placeholder(value: &str) -> bool {
    let lower = value.trim().to_ascii_lowercase();
    if lower.is_empty() || lower.chars().all(|c| matches!(c, '*' | 'x' | '.' | '-' | '0' | '#' | '?' | '\u{FFFD}' | ' ')) {
        return true;
    }
    const WORDS: &[&str] = &[
        "changeme",
        "change-me",
        "change_me",
        "placeholder",
        "replace",
        "your-",
        "your_",
        "yourpass",
        "todo",
        "dummy",
        "redacted",
        "<",
        "insert",
        "example.com",
        "not-used",
        "notused",
        "unused",
        "fixme",
        "tbd",
        "override",
        "to-be-",
        "to_be_",
        "will-be",
        "managed-by",
        "set-in",
        "null",
        "none",
    ];
    WORDS.iter().any(|word| lower.contains(word)) || lower.starts_with("${") || lower.starts_with("{{") || lower.starts_with("%")
}

#[cfg(test)]
mod tests {
    use super::{is_placeholder, is_secret_value, known_format, names_secret, script};
    use bartizan_model::{FileId, Span};

    #[test]
    fn live_formats_are_told_from_words_that_only_look_alike() {
        assert_eq!(known_format("AKIAIOSFODNN7EXAMAAA"), Some("AWS access key"));
        assert_eq!(known_format("xAKIAIOSFODNN7EXAMAAA"), None);
        assert_eq!(known_format("arn:aws:iam::111122223333:role/x"), None);
        assert_eq!(known_format("ghp_0123456789abcdefghijABCDEFGHIJ012345"), Some("GitHub token"));
    }

    #[test]
    fn a_name_of_a_place_is_no_secret() {
        for name in ["DB_PASSWORD", "apiKey", "JWT_SECRET", "secret_key", "GITHUB_TOKEN"] {
            assert!(names_secret(name), "{name}");
        }
        for name in ["SECRET_ARN", "PASSWORD_FILE", "DB_SECRET_NAME", "TOKEN_TTL", "KEY_PREFIX", "BUCKET"] {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn placeholders_and_references_are_no_secrets() {
        for value in ["changeme", "<password>", "xxxxxxxx", "${DB_PASSWORD}", "arn:aws:secretsmanager:x", "/app/db/password", "true"] {
            assert!(!is_secret_value(value), "{value}");
        }
        assert!(is_secret_value("Aa1234321Bb"));
        assert!(is_placeholder("REPLACE_ME"));
    }

    #[test]
    fn a_script_gives_each_assignment_by_name_and_never_the_value() {
        let body = "#! /bin/bash\nexport AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMAAA\nexport AWS_SECRET_ACCESS_KEY=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\nexport AWS_DEFAULT_REGION=us-west-2\n";
        let mut found = Vec::new();
        script(body, Span::new(FileId(0), 0..body.len()), &mut found);
        let names: Vec<_> = found.iter().map(|secret| (secret.name.as_str(), secret.kind)).collect();
        assert_eq!(names, [("AWS_ACCESS_KEY_ID", "AWS access key"), ("AWS_SECRET_ACCESS_KEY", "key")]);
    }
}
