//! Plain scalars of the YAML 1.2 core schema.

use bartizan_model::{Text, Value};

/// The value of a plain scalar without a tag.
pub(super) fn plain(text: &str, decode: &dyn Fn(&str) -> Text) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::Text(decode(text)), Value::Number),
    }
}

/// The value of a scalar with a tag of the core schema (`str`, `int`, …); `None` where the text does not fit the tag.
pub(super) fn tagged(tag: &str, text: &str, decode: &dyn Fn(&str) -> Text) -> Option<Value> {
    match tag {
        "str" | "binary" | "timestamp" => Some(Value::Text(decode(text))),
        "null" => Some(Value::Null),
        "bool" => match plain(text, decode) {
            Value::Bool(value) => Some(Value::Bool(value)),
            _ => None,
        },
        "int" | "float" => number(text).or_else(|| text.parse().ok().filter(|number: &f64| number.is_finite())).map(Value::Number),
        _ => None,
    }
}

/// A finite decimal, hexadecimal or octal number as the core schema writes it, without leading zeros.
fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let first = unsigned.bytes().next()?;
    if !first.is_ascii_digit() && first != b'.' {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if first == b'0' && unsigned.as_bytes().get(1).is_some_and(|second| second.is_ascii_digit()) {
        return None;
    }
    let well_formed = unsigned.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !well_formed {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn radix(digits: &str, radix: u32) -> Option<f64> {
    let value = u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))?;
    // A number that a float cannot hold exactly stays text rather than changing its value.
    (value <= 1 << 53).then_some(value as f64)
}
