//! AWS account ids.

/// True for the id of an AWS account: twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_account_id;

    #[test]
    fn an_account_id_has_twelve_digits() {
        assert!(is_account_id("012345678901"));
        assert!(["12345678901", "1234567890123", "12345678901a", "arn:aws:iam:", ""].iter().all(|text| !is_account_id(text)));
    }
}
