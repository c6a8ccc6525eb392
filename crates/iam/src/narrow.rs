//! Conditions that narrow "everyone" down to someone in particular.
//!
//! Source: Amazon S3 User Guide, "The meaning of public": a policy that grants to `*` is not public when a fixed value of one of these keys
//! limits it. The list here adds the keys of the other services that fulfil the same end.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{Comparison, Condition, Operator, PolicyText, Qualifier, Truth};

/// What a condition key says about the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    /// An identifier; any fixed value narrows.
    Identifier,
    /// An ARN: narrows when account or name are fixed.
    Arn,
    /// An address range: narrows when it is not wide.
    Address,
    /// A truth value that is only true for particular callers.
    Flag,
}

fn key_kind(key: &str) -> Option<KeyKind> {
    Some(match key {
        "aws:principalorgid"
        | "aws:principalorgpaths"
        | "aws:principalaccount"
        | "aws:sourceaccount"
        | "aws:sourceowner"
        | "aws:sourceorgid"
        | "aws:sourceorgpaths"
        | "aws:sourcevpc"
        | "aws:sourcevpce"
        | "aws:vpceaccount"
        | "aws:vpceorgid"
        | "aws:vpceorgpaths"
        | "aws:userid"
        | "aws:username"
        | "aws:principalservicename"
        | "kms:calleraccount"
        | "s3:dataaccesspointaccount"
        | "lambda:sourcefunctionarn" => KeyKind::Identifier,
        "aws:principalarn" | "aws:sourcearn" | "s3:dataaccesspointarn" | "aws:sourcevpcarn" => KeyKind::Arn,
        "aws:sourceip" | "aws:vpcsourceip" => KeyKind::Address,
        // EFS User Guide: true for what comes through a mount target, which lies in a VPC.
        "aws:principalisawsservice" | "elasticfilesystem:accessedviamounttarget" => KeyKind::Flag,
        _ => return None,
    })
}

/// Whether the condition leaves only particular callers when it holds.
pub(crate) fn narrows(condition: &Condition) -> Truth {
    limits(condition, false)
}

/// Whether the condition leaves only particular callers when it does *not* hold, as in a `Deny`.
pub(crate) fn narrows_when_false(condition: &Condition) -> Truth {
    limits(condition, true)
}

fn limits(condition: &Condition, inverted: bool) -> Truth {
    let Some(key) = condition.key.known() else {
        // A key that cannot be read may be any key.
        return if condition.key.has_unknown() { Truth::Maybe } else { Truth::No };
    };
    let Some(kind) = key_kind(&key.to_ascii_lowercase()) else { return Truth::No };
    if kind == KeyKind::Flag {
        return flag(condition, inverted);
    }
    if !positive(&condition.operator, inverted) {
        return Truth::No;
    }
    if condition.open {
        return Truth::Maybe;
    }
    if condition.values.is_empty() {
        // No value can match, so nobody passes.
        return Truth::Yes;
    }
    Truth::all(condition.values.iter().map(|value| match kind {
        KeyKind::Identifier | KeyKind::Flag => fixed(&value.text, &condition.operator),
        KeyKind::Arn => fixed_arn(&value.text, &condition.operator),
        KeyKind::Address => narrow_range(&value.text),
    }))
}

/// True for an operator that requires the key to be present and equal, once inverted where asked for.
fn positive(operator: &Operator, inverted: bool) -> bool {
    if !matches!(
        operator.comparison,
        Comparison::String | Comparison::StringIgnoreCase | Comparison::StringLike | Comparison::Arn | Comparison::IpAddress
    ) {
        return false;
    }
    match operator.qualifier {
        // The opposite of "all values are unequal" is "some value is equal"; the opposite of "some is unequal" holds without a value too.
        Some(Qualifier::ForAllValues) => inverted && operator.negated,
        Some(Qualifier::ForAnyValue) => !inverted && !operator.negated && !operator.if_exists,
        None if inverted => operator.negated,
        None => !operator.negated && !operator.if_exists,
    }
}

fn flag(condition: &Condition, inverted: bool) -> Truth {
    let operator = &condition.operator;
    if operator.comparison != Comparison::Bool || operator.qualifier.is_some() || condition.open {
        return if condition.open { Truth::Maybe } else { Truth::No };
    }
    let wanted = if inverted { "false" } else { "true" };
    let says = |value: &PolicyText| value.known().map_or(Truth::Maybe, |text| text.eq_ignore_ascii_case(wanted).into());
    let all = Truth::all(condition.values.iter().map(|value| says(&value.text)));
    // Denied unless it is true: without `IfExists` a request without the key is not denied.
    if inverted == operator.if_exists { all } else { Truth::No }
}

fn has_wildcard(text: &str, operator: &Operator) -> bool {
    matches!(operator.comparison, Comparison::StringLike | Comparison::Arn) && text.contains(['*', '?'])
}

fn fixed(text: &PolicyText, operator: &Operator) -> Truth {
    if text.has_unknown() {
        return Truth::Maybe;
    }
    let shown = text.to_string();
    if text.known().is_some_and(|known| known.contains("${")) {
        return Truth::No;
    }
    if !has_wildcard(&shown, operator) {
        return Truth::Yes;
    }
    // `o-abc/r-x/*` and `AROAEXAMPLE:*` name one organisation path or role whatever follows.
    let before = shown.split(['*', '?']).next().unwrap_or("");
    (before.len() >= 10).into()
}

fn fixed_arn(text: &PolicyText, operator: &Operator) -> Truth {
    if text.known().is_some_and(|known| known.contains("${")) {
        return Truth::No;
    }
    let shown = text.to_string();
    if let Some([_, _, service, _, account, resource]) = text.arn_segments() {
        let (account, resource) = (account.to_string(), resource.to_string());
        if !account.is_empty() && !account.contains(['*', '?']) {
            return if text.split(':', 6).get(4).is_some_and(PolicyText::has_unknown) { Truth::Maybe } else { Truth::Yes };
        }
        // Bucket names are unique in the world, so a bucket is named even without its account.
        let bucket = resource.split('/').next().unwrap_or("");
        if service.known().as_deref() == Some("s3") && !bucket.is_empty() {
            return match (bucket.contains('*'), text.has_unknown()) {
                (true, _) => Truth::No,
                (false, true) => Truth::Maybe,
                (false, false) => Truth::Yes,
            };
        }
    }
    match (has_wildcard(&shown, operator), text.has_unknown()) {
        (_, true) => Truth::Maybe,
        // A reference to an ARN with something after it: `${aws_s3_bucket.a.arn}/*`.
        (true, false) => text.references().next().is_some().into(),
        (false, false) => Truth::Yes,
    }
}

/// Ranges wider than /8 (IPv4) or /32 (IPv6) are the internet, unless they are private (S3 User Guide, "The meaning of public").
fn narrow_range(text: &PolicyText) -> Truth {
    let Some(known) = text.known() else {
        return if text.has_unknown() { Truth::Maybe } else { Truth::Yes };
    };
    let known = known.trim();
    let range = known.parse::<IpNet>().or_else(|_| known.parse::<IpAddr>().map(IpNet::from));
    match range {
        Ok(IpNet::V4(range)) => (range.prefix_len() >= 8).into(),
        Ok(IpNet::V6(range)) => {
            (range.prefix_len() >= 32 || range.addr().segments().first().is_some_and(|first| first & 0xFE00 == 0xFC00)).into()
        }
        Err(_) => Truth::Yes,
    }
}

#[cfg(test)]
mod tests {
    use super::{narrows, narrows_when_false};
    use crate::{Document, Truth};

    fn condition(text: &str) -> crate::Condition {
        let json =
            format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{{text}}}}}}}"#);
        Document::from_json(&json).unwrap().statements[0].conditions[0].clone()
    }

    #[test]
    fn fixed_values_narrow_and_wild_ones_do_not() {
        let cases = [
            (r#""StringEquals":{"aws:PrincipalOrgID":"o-1"}"#, Truth::Yes),
            (r#""StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}"#, Truth::No),
            (r#""StringLike":{"aws:PrincipalOrgID":"*"}"#, Truth::No),
            (r#""StringNotEquals":{"aws:PrincipalOrgID":"o-1"}"#, Truth::No),
            (r#""ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/x"}"#, Truth::No),
            (r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:::my-bucket"}"#, Truth::Yes),
            (r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:my-bucket"}"#, Truth::Yes),
            (r#""ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:*"}"#, Truth::No),
            (r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/*"}"#, Truth::Yes),
            (r#""IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}"#, Truth::No),
            (r#""IpAddress":{"aws:SourceIp":"203.0.113.7"}"#, Truth::Yes),
            (r#""IpAddress":{"aws:SourceIp":"::/0"}"#, Truth::No),
            (r#""Bool":{"aws:SecureTransport":"true"}"#, Truth::No),
            (r#""StringEquals":{"aws:Referer":"https://x"}"#, Truth::No),
            (r#""Bool":{"aws:PrincipalIsAWSService":"true"}"#, Truth::Yes),
            (r#""Bool":{"elasticfilesystem:AccessedViaMountTarget":"true"}"#, Truth::Yes),
        ];
        for (text, expected) in cases {
            assert_eq!(narrows(&condition(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_deny_narrows_by_what_it_spares() {
        let cases = [
            (r#""StringNotEquals":{"aws:SourceVpce":"vpce-1"}"#, Truth::Yes),
            (r#""StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}"#, Truth::Yes),
            (r#""NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, Truth::Yes),
            (r#""StringEquals":{"aws:SourceVpce":"vpce-1"}"#, Truth::No),
            (r#""BoolIfExists":{"aws:PrincipalIsAWSService":"false"}"#, Truth::Yes),
            (r#""Bool":{"aws:SecureTransport":"false"}"#, Truth::No),
        ];
        for (text, expected) in cases {
            assert_eq!(narrows_when_false(&condition(text)), expected, "{text}");
        }
    }
}
