//! Names that secrets go by.

/// What names of secrets end in, in lower case without `_` and `-`.
const SECRET_NAMES: [&str; 10] =
    ["password", "passwd", "secret", "secretkey", "secretaccesskey", "accesstoken", "authtoken", "apikey", "privatekey", "passphrase"];

/// True for the name of a key, variable or setting whose literal value is a secret: `DB_PASSWORD`, `authToken`.
pub fn names_secret(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_NAMES.iter().any(|ending| plain.ends_with(ending)) || plain == "token"
}

#[cfg(test)]
mod tests {
    use super::names_secret;

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in ["password", "DB_PASSWORD", "authToken", "master-passwd", "token", "client_secret"] {
            assert!(names_secret(name), "{name}");
        }
        for name in ["password_policy", "secret_arn", "token_validity", "key"] {
            assert!(!names_secret(name), "{name}");
        }
    }
}
