//! Encodings and hashes.

use bartizan_model::{Node, Severity, Span, Text, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use sha1::Digest as _;

use super::super::evaluate::to_text;
use super::super::resolve::Resolver;
use super::{Args, Called, Stop, affordable, text_value};
use crate::json::{self, Origin};

pub(super) fn call(resolver: &Resolver<'_>, name: &str, args: &Args<'_>, span: Span) -> Option<Called> {
    Some(match name {
        "jsonencode" => json_encode(resolver, args, span),
        "jsondecode" => json_decode(args, span),
        "yamldecode" => yaml_decode(args, span),
        // JSON is YAML; what reads it does not mind.
        "yamlencode" => json_encode(resolver, args, span),
        "base64encode" | "textencodebase64" => encode(args),
        "base64decode" | "textdecodebase64" => decode(args),
        "base64gzip" => gzip(args),
        "urlencode" => args.string(0).map(|s| text_value(url_encode(&s))),
        "csvdecode" => csv_decode(args, span),
        "md5" => args.string(0).map(|s| text_value(hex(&md5::Md5::digest(s)))),
        "sha1" => args.string(0).map(|s| text_value(hex(&sha1::Sha1::digest(s)))),
        "sha256" => args.string(0).map(|s| text_value(hex(&sha2::Sha256::digest(s)))),
        "sha512" => args.string(0).map(|s| text_value(hex(&sha2::Sha512::digest(s)))),
        "base64sha256" => args.string(0).map(|s| text_value(STANDARD.encode(sha2::Sha256::digest(s)))),
        "base64sha512" => args.string(0).map(|s| text_value(STANDARD.encode(sha2::Sha512::digest(s)))),
        "uuidv5" => uuid_v5(args),
        "uuid" | "bcrypt" | "rsadecrypt" => Ok(Value::after_apply(format!("`{name}` gives another value at each run"))),
        _ => return None,
    })
}

fn json_encode(resolver: &Resolver<'_>, args: &Args<'_>, span: Span) -> Called {
    let node = args.get(0)?;
    if node.value.is_unknown() {
        return Err(Stop::Unknown(node.clone()));
    }
    let text = json::write(node).ok_or_else(|| Stop::Unknown(node.clone()))?;
    if matches!(node.value, Value::Map(_) | Value::List(_)) {
        resolver.remember_document(&text, Node::new(node.value.clone(), span), span);
    }
    Ok(Value::Text(text))
}

fn json_decode(args: &Args<'_>, span: Span) -> Called {
    let node = args.get(0)?;
    let text = to_text(node)?;
    if text.as_reference().is_some() && text.known().is_none() {
        return Err(Stop::Unknown(node.clone()));
    }
    // A reference with a value stands for its value here.
    let source = text.as_reference().and_then(|_| text.known()).map_or_else(|| text.encoded().to_owned(), std::borrow::Cow::into_owned);
    match json::parse(&source, Origin::Computed(span)) {
        Ok(node) => Ok(node.value),
        Err(_) if text.known().is_none() => Err(Stop::Unknown(node.clone())),
        Err(error) => Err(Stop::Fail(error.message.to_owned())),
    }
}

fn yaml_decode(args: &Args<'_>, span: Span) -> Called {
    let node = args.get(0)?;
    let text = to_text(node)?;
    if text.known().is_none() && text.as_reference().is_some() {
        return Err(Stop::Unknown(node.clone()));
    }
    // A reference with a value stands for its value here.
    let text = text.as_reference().and_then(|_| text.known()).map_or_else(|| text.clone(), Text::literal);
    // What was made by `jsonencode` or `yamlencode` keeps its references where YAML has no place for them.
    if let Ok(node) = json::parse(text.encoded(), Origin::Computed(span)) {
        return Ok(node.value);
    }
    let (documents, problems) = crate::kubernetes::documents_of(&text, span);
    if let Some(error) = problems.iter().find(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(Stop::Fail(error.message.clone()));
    }
    match documents.as_slice() {
        [] => Ok(Value::Null),
        [only] => Ok(only.value.clone()),
        _ => Err(Stop::Fail("the text holds more than one YAML document".to_owned())),
    }
}

fn encode(args: &Args<'_>) -> Called {
    let node = args.get(0)?;
    let text = to_text(node)?;
    // User data is read by people and by us: encoded text that holds references stays plain, or they would be lost.
    match text.known() {
        Some(known) if text.is_literal() => Ok(text_value(STANDARD.encode(known.as_bytes()))),
        _ => Ok(Value::Text(text)),
    }
}

fn decode(args: &Args<'_>) -> Called {
    let bytes = STANDARD.decode(args.string(0)?.trim()).map_err(|_| Stop::Fail("this is not base64".to_owned()))?;
    String::from_utf8(bytes).map(text_value).map_err(|_| Stop::Fail("the decoded bytes are not UTF-8 text".to_owned()))
}

fn gzip(args: &Args<'_>) -> Called {
    use std::io::Write as _;
    let text = args.string(0)?;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let bytes = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    bytes.map(|bytes| text_value(STANDARD.encode(bytes))).map_err(|error| Stop::Fail(error.to_string()))
}

fn url_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            b' ' => "+".to_owned(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn csv_decode(args: &Args<'_>, span: Span) -> Called {
    let text = args.string(0)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| Stop::Fail(error.to_string()))?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| Stop::Fail(error.to_string()))?;
        affordable(((rows.len() + 1) as u64).saturating_mul(headers.len() as u64))?;
        let row: IndexMap<String, Node> =
            headers.iter().zip(&record).map(|(name, value)| (name.to_owned(), Node::text(value, span))).collect();
        rows.push(Node::new(Value::Map(row), span));
    }
    Ok(Value::List(rows))
}

fn uuid_v5(args: &Args<'_>) -> Called {
    let namespace = match args.string(0)?.as_str() {
        "dns" => uuid::Uuid::NAMESPACE_DNS,
        "url" => uuid::Uuid::NAMESPACE_URL,
        "oid" => uuid::Uuid::NAMESPACE_OID,
        "x500" => uuid::Uuid::NAMESPACE_X500,
        other => uuid::Uuid::parse_str(other).map_err(|_| Stop::Fail(format!("`{other}` is not a UUID")))?,
    };
    Ok(text_value(uuid::Uuid::new_v5(&namespace, args.string(1)?.as_bytes()).to_string()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hash of bytes by the name of the function that wants it: `filesha256`, `filebase64sha512`, …
pub(super) fn hash_bytes(name: &str, bytes: &[u8]) -> Option<Text> {
    let text = match name {
        "filemd5" => hex(&md5::Md5::digest(bytes)),
        "filesha1" => hex(&sha1::Sha1::digest(bytes)),
        "filesha256" => hex(&sha2::Sha256::digest(bytes)),
        "filesha512" => hex(&sha2::Sha512::digest(bytes)),
        "filebase64sha256" => STANDARD.encode(sha2::Sha256::digest(bytes)),
        "filebase64sha512" => STANDARD.encode(sha2::Sha512::digest(bytes)),
        "filebase64" => STANDARD.encode(bytes),
        _ => return None,
    };
    Some(Text::literal(text))
}
