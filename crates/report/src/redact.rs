//! Hides secrets in what is shown: a report is passed on more widely than the source it quotes.
//!
//! Hidden are AWS access key ids (all but their first four characters), literal values that a key named like a secret is set to, the default
//! of a variable named so, and passwords in URLs.
//! References such as `var.password` stay, for they hide nothing and explain much.

use bartizan_model::names_secret;

const HIDDEN: &str = "********";
/// Key ids start with one of these prefixes followed by 16 capitals or digits.
/// Source: IAM user guide, "IAM identifiers", unique id prefixes (2026).
const KEY_ID_PREFIXES: [&str; 2] = ["AKIA", "ASIA"];
const KEY_ID_LENGTH: usize = 20;
/// The text with secrets hidden, line by line.
pub fn redact(text: &str) -> String {
    let mut redactor = Redactor::default();
    text.split('\n').map(|line| redactor.line(line)).collect::<Vec<_>>().join("\n")
}

/// What a setting of a secret's name shows instead of its value.
pub(crate) fn hidden() -> String {
    HIDDEN.to_owned()
}

/// Goes through consecutive lines of one file.
#[derive(Default)]
pub(crate) struct Redactor {
    /// The line before named an environment variable that holds a secret (`- name: DB_PASSWORD`).
    named_secret: bool,
    /// The lines belong to a variable that holds a secret.
    in_variable: bool,
}

impl Redactor {
    pub(crate) fn line(&mut self, line: &str) -> String {
        let line = hide_passwords_of_urls(&hide_key_ids(line));
        if let Some(name) = variable(&line) {
            self.in_variable = names_secret(name);
        } else if line.starts_with('}') {
            self.in_variable = false;
        }
        let mut out = String::with_capacity(line.len());
        let mut from = 0;
        while let Some((key, value)) = assignment(&line, from) {
            let literal = line.get(value.clone()).unwrap_or("");
            let key_name = key.trim_matches(['"', '\'', ' ', '-']);
            let follows_name = std::mem::take(&mut self.named_secret);
            if key_name == "name" {
                self.named_secret = names_secret(literal);
            }
            out.push_str(line.get(from..value.start).unwrap_or(""));
            let is_secret = !literal.is_empty()
                && (names_secret(key_name) || (key_name == "value" && follows_name) || (key_name == "default" && self.in_variable));
            out.push_str(if is_secret { HIDDEN } else { literal });
            from = value.end;
        }
        if from == 0 {
            self.named_secret = false;
        }
        out.push_str(line.get(from..).unwrap_or(""));
        out
    }
}

/// The key and the byte range of the literal value of the first assignment from an offset on whose key is worth looking at.
fn assignment(line: &str, mut from: usize) -> Option<(&str, std::ops::Range<usize>)> {
    while let Some(found) = line.get(from..)?.find(['=', ':', ',']) {
        let at = from + found;
        from = at + 1;
        let before = line.get(..at)?.trim_end().trim_end_matches(['"', '\'', '\\']);
        let start = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).map_or(0, |index| index + 1);
        let key = before.get(start..)?;
        // `define('DB_PASSWORD', 'hunter2')`: the first argument names the second.
        let opened = before.get(..start).unwrap_or("").trim_end_matches(['"', '\'']);
        if line.as_bytes().get(at) == Some(&b',') && !(opened.ends_with('(') && opened.len() < start) {
            continue;
        }
        if !(names_secret(key) || key.ends_with("name") || key.ends_with("value") || key == "default") {
            continue;
        }
        let rest = line.get(at + 1..)?;
        let padding = rest.len() - rest.trim_start().len();
        let value_start = at + 1 + padding;
        let value = line.get(value_start..)?;
        // JSON inside of JSON escapes its quotes.
        let escapes = value.len() - value.trim_start_matches('\\').len();
        let (value_start, value) = (value_start + escapes, value.get(escapes..)?);
        let is_reference = |value: &str| value.starts_with("${") || value.starts_with("$(") || value.starts_with('$');
        for quote in ['"', '\''] {
            if let Some(inside) = value.strip_prefix(quote) {
                let length = length_of_quoted(inside, quote, escapes > 0);
                let end = if is_reference(inside) { value_start + 1 } else { value_start + 1 + length };
                return Some((key, value_start + 1..end));
            }
        }
        // Unquoted: only where the syntax allows a bare literal, `KEY=value` of a shell and `key: value` of YAML.
        let shell = line.as_bytes().get(at) == Some(&b'=') && padding == 0;
        let yaml = line.as_bytes().get(at) == Some(&b':') && padding > 0;
        let length = value.find(char::is_whitespace).unwrap_or(value.len());
        let bare = !is_reference(value) && !value.starts_with(['{', '[', '|', '>', '=', '&', '*', '<', '(']);
        let end = if (shell || yaml) && bare { value_start + length } else { value_start };
        return Some((key, value_start..end));
    }
    None
}

/// Length of a quoted value up to its closing quote, which is escaped where the opening one is.
fn length_of_quoted(inside: &str, quote: char, is_escaped: bool) -> usize {
    let is_close = |at: &usize| is_escaped || !inside.get(..*at).is_some_and(|before| before.ends_with('\\'));
    let length = inside.match_indices(quote).map(|(at, _)| at).find(is_close).unwrap_or(inside.len());
    let value = inside.get(..length).unwrap_or(inside);
    if is_escaped { value.trim_end_matches('\\').len() } else { value.len() }
}

/// The name of the variable whose block begins on a line.
pub(crate) fn variable(line: &str) -> Option<&str> {
    line.trim_start()
        .strip_prefix("variable")?
        .trim_start()
        .trim_start_matches('"')
        .split(['"', ' ', '{'])
        .next()
        .filter(|name| !name.is_empty())
}

/// `mysql://shop:********@host`.
fn hide_passwords_of_urls(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let authority = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '`' | '?')).unwrap_or(after.len());
        let login = after.get(..authority).and_then(|authority| authority.rsplit_once('@')).map(|(login, _)| login);
        rest = after;
        // References such as `${var.password}` hide nothing.
        if let Some((user, password)) = login.and_then(|login| login.split_once(':'))
            && !password.is_empty()
            && !password.contains(['$', '{'])
        {
            out.push_str(&format!("{user}:{HIDDEN}"));
            rest = after.get(user.len() + 1 + password.len()..).unwrap_or("");
        }
    }
    out.push_str(rest);
    out
}

fn hide_key_ids(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = KEY_ID_PREFIXES.iter().filter_map(|prefix| rest.find(prefix)).min() {
        let (before, candidate) = rest.split_at(at);
        out.push_str(before);
        let length = candidate.bytes().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()).count();
        let shown = if length == KEY_ID_LENGTH { 4 } else { length };
        out.push_str(candidate.get(..shown).unwrap_or(""));
        if length == KEY_ID_LENGTH {
            out.push_str(HIDDEN);
        }
        rest = candidate.get(length..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn literal_secrets_are_hidden_in_every_syntax() {
        for (source, shown) in [
            (r#"  password = "hunter2hunter2""#, r#"  password = "********""#),
            (r#"  "DB_PASSWORD" : "hunter2","#, r#"  "DB_PASSWORD" : "********","#),
            ("export AWS_SECRET_ACCESS_KEY=abcdEFGH1234", "export AWS_SECRET_ACCESS_KEY=********"),
            ("export AWS_ACCESS_KEY_ID=AKIAABCDEFGHIJKLMNOP", "export AWS_ACCESS_KEY_ID=AKIA********"),
            ("- name: DB_PASSWORD\n  value: hunter2", "- name: DB_PASSWORD\n  value: ********"),
            (
                "variable \"db_password\" {\n  type = string\n  default = \"hunter2\"\n}\n  default = \"x\"",
                "variable \"db_password\" {\n  type = string\n  default = \"********\"\n}\n  default = \"x\"",
            ),
            ("define('DB_PASSWORD', 'hunter2');", "define('DB_PASSWORD', '********');"),
            ("[\"password\", \"username\"]", "[\"password\", \"username\"]"),
            ("variable \"db_password\" { default = \"hunter2\" }", "variable \"db_password\" { default = \"********\" }"),
            ("url = \"mysql://shop:hunter2@db:3306/x\"", "url = \"mysql://shop:********@db:3306/x\""),
            ("url = \"mysql://shop:${var.password}@db/x\"", "url = \"mysql://shop:${var.password}@db/x\""),
            (r#"  password = "hun\"ter2" # set"#, r#"  password = "********" # set"#),
            ("stringData: {password: hunter2 }", "stringData: {password: ******** }"),
            (
                r#"{"name":"a","password":"hunter2","x":1,"api_key":"k"}"#,
                r#"{"name":"a","password":"********","x":1,"api_key":"********"}"#,
            ),
            (r#"[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"A"}]"#, r#"[{"name":"DB_PASSWORD","value":"********"},{"name":"A"}]"#),
            (r#""variables":"{\"password\":\"hunter2\"}""#, r#""variables":"{\"password\":\"********\"}""#),
        ] {
            assert_eq!(redact(source), shown);
        }
    }

    #[test]
    fn references_and_ordinary_values_stay() {
        for source in [
            "  password = var.password",
            r#"  password = "${var.password}""#,
            "  manage_master_user_password = true",
            r#"  http_tokens = "required""#,
            r#"resource "aws_ssm_parameter" "db_password" {"#,
            "- name: QUEUE_URL\n  value: https://example.org",
            "secretKeyRef:\n  name: db",
            "AKIASHORT",
        ] {
            assert_eq!(redact(source), source);
        }
    }
}
