//! Functions of text.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bartizan_model::{Node, Part, Text, Value};
use regex::Regex;

use super::super::budget::MAX_TEXT;
use super::super::evaluate::{MAX_ELEMENTS, is_unknown, to_text};
use super::{Args, Called, Stop, as_list, known_string, text_value};

/// Characters that a pattern may write, at most: those of the text and of what replaces each match.
const MAX_REPLACED: usize = 1 << 28;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Called> {
    Some(match name {
        "lower" => args.string(0).map(|s| text_value(s.to_lowercase())),
        "upper" => args.string(0).map(|s| text_value(s.to_uppercase())),
        "title" => args.string(0).map(|s| text_value(title(&s))),
        "chomp" => args.string(0).map(|s| text_value(s.trim_end_matches(['\n', '\r']))),
        "trimspace" => args.string(0).map(|s| text_value(s.trim())),
        "trim" => two(args, |s, cut| s.trim_matches(|c| cut.contains(c)).to_owned()),
        "trimprefix" => two(args, |s, cut| s.strip_prefix(cut).unwrap_or(s).to_owned()),
        "trimsuffix" => two(args, |s, cut| s.strip_suffix(cut).unwrap_or(s).to_owned()),
        "strrev" => args.string(0).map(|s| text_value(s.chars().rev().collect::<String>())),
        "startswith" => predicate(args, |s, part| s.starts_with(part)),
        "endswith" => predicate(args, |s, part| s.ends_with(part)),
        "strcontains" => predicate(args, |s, part| s.contains(part)),
        "indent" => indent(args),
        "join" => join(args),
        "split" => split(args),
        "replace" => replace(args),
        "substr" => substr(args),
        "regex" => regex_first(args),
        "regexall" => regex_all(args),
        _ => return None,
    })
}

fn two(args: &Args<'_>, apply: impl Fn(&str, &str) -> String) -> Called {
    Ok(text_value(apply(&args.string(0)?, &args.string(1)?)))
}

fn predicate(args: &Args<'_>, apply: impl Fn(&str, &str) -> bool) -> Called {
    Ok(Value::Bool(apply(&args.string(0)?, &args.string(1)?)))
}

fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .map(|c| {
            let out = if start { c.to_uppercase().next().unwrap_or(c) } else { c };
            start = !(c.is_alphanumeric() || c == '_' || c == '\'');
            out
        })
        .collect()
}

fn indent(args: &Args<'_>) -> Called {
    let spaces = usize::try_from(args.integer(0)?).ok().filter(|n| *n <= 1000);
    let spaces = spaces.ok_or_else(|| Stop::Fail("the indent is 0 to 1000".to_owned()))?;
    let text = to_text(args.get(1)?)?;
    not_too_long(text.encoded().matches('\n').count().saturating_mul(spaces))?;
    Ok(Value::Text(Text::from_encoded(text.encoded().replace('\n', &format!("\n{}", " ".repeat(spaces))))))
}

fn join(args: &Args<'_>) -> Called {
    let separator = args.string(0)?;
    let mut out = Text::default();
    let mut first = true;
    for index in 1..args.len() {
        for item in args.list(index)? {
            if !first {
                out.push(&Text::literal(separator.as_str()));
            }
            first = false;
            out.push(&to_text(item)?);
            not_too_long(out.encoded().len())?;
        }
    }
    Ok(Value::Text(out))
}

fn not_too_long(length: usize) -> Result<(), Stop> {
    if length > MAX_TEXT { Err(Stop::Fail("the text grows too long".to_owned())) } else { Ok(()) }
}

fn split(args: &Args<'_>) -> Called {
    let separator = args.string(0)?;
    let node = args.get(1)?;
    let n_pieces = node.value.as_text().map_or(0, |text| text.encoded().matches(separator.as_str()).take(MAX_ELEMENTS + 1).count());
    if n_pieces > MAX_ELEMENTS {
        return Err(Stop::Fail("more elements than are sensible".to_owned()));
    }
    let piece = |text: Text| Node::new(Value::Text(text), node.span);
    if separator.is_empty() {
        return Ok(Value::List(known_string(node)?.chars().map(|c| piece(Text::literal(c))).collect()));
    }
    match node.value.as_text() {
        // The literal parts of a text can be cut also where its references are not known; a lone reference cannot.
        Some(text) if text.known().is_none() && text.parts().count() > 1 => {
            Ok(Value::List(split_around_references(text, &separator).into_iter().map(piece).collect()))
        }
        _ => Ok(Value::List(known_string(node)?.split(separator.as_str()).map(|part| piece(part.into())).collect())),
    }
}

fn split_around_references(text: &Text, separator: &str) -> Vec<Text> {
    let mut done = Vec::new();
    let mut current = Text::default();
    for part in text.parts() {
        match part {
            Part::Literal(literal) => {
                for (index, piece) in literal.split(separator).enumerate() {
                    if index > 0 {
                        done.push(std::mem::take(&mut current));
                    }
                    current.push(&Text::literal(piece));
                }
            }
            Part::Reference { address, attribute, value } => current.push(&Text::reference(address, attribute, value)),
            Part::Unknown(why) => current.push(&Text::unknown(why)),
        }
    }
    done.push(current);
    done
}

fn replace(args: &Args<'_>) -> Called {
    let (text, from, to) = (args.string(0)?, args.string(1)?, args.string(2)?);
    let out = match from.strip_prefix('/').and_then(|inner| inner.strip_suffix('/')).filter(|_| from.len() > 1) {
        Some(pattern) => {
            // Each match may copy all of the text for each `$0` in what replaces it.
            if (text.len() + 1).saturating_mul(to.len() + 1) > MAX_REPLACED {
                return Err(Stop::Fail("the text grows too long".to_owned()));
            }
            compile(pattern)?.replace_all(&text, to.as_str()).into_owned()
        }
        None => {
            not_too_long(text.len().saturating_add(text.matches(from.as_str()).count().saturating_mul(to.len())))?;
            text.replace(&from, &to)
        }
    };
    not_too_long(out.len())?;
    Ok(text_value(out))
}

fn substr(args: &Args<'_>) -> Called {
    let text: Vec<char> = args.string(0)?.chars().collect();
    let (offset, length) = (args.integer(1)?, args.integer(2)?);
    let total = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 { (total + offset).max(0) } else { offset.min(total) };
    let end = if length < 0 { total } else { (start + length).min(total) };
    let (start, end) = (usize::try_from(start).unwrap_or(0), usize::try_from(end).unwrap_or(0));
    Ok(text_value(text.get(start..end).unwrap_or(&[]).iter().collect::<String>()))
}

/// Compiles a pattern. A module that is called a thousand times applies its patterns as often, and compiling costs more than all the rest of a call.
fn compile(pattern: &str) -> Result<Regex, Stop> {
    /// Patterns that are kept; a plan that makes up more than these compiles the others again.
    const KEPT: usize = 256;
    thread_local! {
        static COMPILED: RefCell<BTreeMap<String, Regex>> = const { RefCell::new(BTreeMap::new()) };
    }
    COMPILED.with_borrow_mut(|compiled| {
        if let Some(regex) = compiled.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = regex::RegexBuilder::new(pattern)
            .size_limit(1 << 20)
            .build()
            .map_err(|_| Stop::Fail(format!("`{pattern}` is not a regular expression")))?;
        if compiled.len() < KEPT {
            compiled.insert(pattern.to_owned(), regex.clone());
        }
        Ok(regex)
    })
}

fn regex_first(args: &Args<'_>) -> Called {
    let regex = compile(&args.string(0)?)?;
    let node = args.get(1)?;
    let text = known_string(node)?;
    match regex.captures(&text) {
        Some(captures) => Ok(captured(&regex, &captures, node)),
        None => Err(Stop::Fail("the pattern does not match".to_owned())),
    }
}

fn regex_all(args: &Args<'_>) -> Called {
    let regex = compile(&args.string(0)?)?;
    let node = args.get(1)?;
    let text = known_string(node)?;
    let all: Vec<Node> =
        regex.captures_iter(&text).take(MAX_ELEMENTS + 1).map(|captures| Node::new(captured(&regex, &captures, node), node.span)).collect();
    if all.len() > MAX_ELEMENTS { Err(Stop::Fail("more elements than are sensible".to_owned())) } else { Ok(Value::List(all)) }
}

/// Terraform's shape of a match: the text, a list of unnamed groups or a map of named ones.
fn captured(regex: &Regex, captures: &regex::Captures<'_>, node: &Node) -> Value {
    let value = |m: Option<regex::Match<'_>>| Node::new(m.map_or(Value::Null, |m| text_value(m.as_str())), node.span);
    if regex.captures_len() == 1 {
        return value(captures.get(0)).value;
    }
    let named: indexmap::IndexMap<String, Node> =
        regex.capture_names().flatten().map(|name| (name.to_owned(), value(captures.name(name)))).collect();
    if named.is_empty() { Value::List((1..captures.len()).map(|index| value(captures.get(index))).collect()) } else { Value::Map(named) }
}

/// Texts of a list, for `sort` and the like; `None` where one is not known.
pub(super) fn known_strings(node: &Node) -> Result<Vec<String>, Stop> {
    as_list(node)?.iter().map(|item| if is_unknown(item) { Err(Stop::Unknown(item.clone())) } else { known_string(item) }).collect()
}
