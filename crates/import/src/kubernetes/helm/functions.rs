//! Functions that charts call: those of Go templates, of Sprig and of Helm that say something about what is deployed.
//! Random and time-dependent ones give a fixed text, so that the same chart renders to the same bytes.

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine;
use sha2::{Digest, Sha256};

use super::value::{Val, merged};

/// Stands for passwords, certificates and identifiers that are made when the chart is installed.
const GENERATED: &str = "generated";
/// Longest padding, repetition and sequence.
const MAX_COUNT: i64 = 10_000;
/// Longest text that a function gives.
const MAX_TEXT: usize = 4 << 20;
/// Largest pattern that is compiled, bytes of its automaton.
const MAX_PATTERN: usize = 1 << 18;

/// Calls a function.
pub(super) fn call(name: &str, arguments: &[Val]) -> Result<Val, String> {
    if grows_too_long(name, arguments) {
        return Err(format!("what `{name}` writes is too long"));
    }
    let at = |index: usize| arguments.get(index).cloned().unwrap_or(Val::Nil);
    let text = |index: usize| arguments.get(index).map(Val::display).unwrap_or_default();
    let last = || arguments.last().cloned().unwrap_or(Val::Nil);
    if let Some(value) = compare(name, arguments).or_else(|| arithmetic(name, arguments)) {
        return Ok(value);
    }
    if let Some(value) = strings(name, arguments) {
        return Ok(value);
    }
    if let Some(value) = collections(name, arguments) {
        return Ok(value);
    }
    Ok(match name {
        "default" => {
            let value = last();
            if arguments.len() > 1 && value.truthy() { value } else { at(0) }
        }
        "required" => last(),
        "fail" => return Err(format!("the chart refuses these values: {}", text(0))),
        "empty" => Val::Bool(!at(0).truthy()),
        "coalesce" => arguments.iter().find(|value| value.truthy()).cloned().unwrap_or(Val::Nil),
        "ternary" => {
            let condition = if arguments.len() > 2 { last().truthy() } else { false };
            if condition { at(0) } else { at(1) }
        }
        "all" => Val::Bool(arguments.iter().all(Val::truthy)),
        "any" => Val::Bool(arguments.iter().any(Val::truthy)),
        "toYaml" | "mustToYaml" | "toYamlPretty" => Val::str(at(0).yaml()),
        "toJson" | "mustToJson" | "toRawJson" | "mustToRawJson" | "toPrettyJson" => Val::str(at(0).json()),
        "fromYaml" | "fromYamlArray" | "fromJson" | "mustFromJson" => from_yaml(&text(0)),
        "lookup" | "getHostByName" => Val::Map(Rc::new(BTreeMap::new())),
        "randAlphaNum" | "randAlpha" | "randNumeric" | "randAscii" | "uuidv4" | "genPrivateKey" | "derivePassword" | "htpasswd"
        | "bcrypt" => Val::str(GENERATED),
        "genCA" | "genSelfSignedCert" | "genSignedCert" | "buildCustomCert" => {
            Val::map(["Cert", "Key"].map(|key| (key.to_owned(), Val::str(GENERATED))))
        }
        "now" | "date" | "dateInZone" | "ago" | "unixEpoch" | "htmlDate" => Val::str("1970-01-01"),
        "kindOf" | "typeOf" => Val::str(at(0).kind()),
        "kindIs" | "typeIs" => Val::Bool(text(0) == last().kind()),
        "semverCompare" => Val::Bool(semver_holds(&text(0), &text(1))),
        "semver" => Val::str(text(0)),
        "deepCopy" | "mustDeepCopy" => at(0),
        _ => return Err(format!("the function `{name}` is not known")),
    })
}

/// True where a function would write more than [`MAX_TEXT`]; only those count that write more than they are given.
fn grows_too_long(name: &str, arguments: &[Val]) -> bool {
    let text = |index: usize| arguments.get(index).map(Val::display).unwrap_or_default();
    let last = || arguments.last().map(Val::display).unwrap_or_default();
    let number = |index: usize| usize::try_from(arguments.get(index).map_or(0, Val::int).clamp(0, MAX_COUNT)).unwrap_or(0);
    let length = match name {
        "repeat" => last().len().saturating_mul(number(0)),
        "replace" => last().matches(text(0).as_str()).count().saturating_mul(text(1).len()),
        "indent" | "nindent" => last().matches('\n').count().saturating_add(1).saturating_mul(number(0)),
        // Each match may copy all of the text for each `$0`.
        "regexReplaceAll" | "mustRegexReplaceAll" | "regexReplaceAllLiteral" => text(1).len().saturating_mul(1 + text(2).len()) / 64,
        "join" => arguments.last().map_or(0, |list| list.items().len()).saturating_mul(text(0).len()),
        _ => 0,
    };
    length > MAX_TEXT
}

fn pattern(text: &str) -> Option<regex::Regex> {
    regex::RegexBuilder::new(text).size_limit(MAX_PATTERN).build().ok()
}

fn compare(name: &str, arguments: &[Val]) -> Option<Val> {
    let (first, rest) = arguments.split_first()?;
    let equal = |a: &Val, b: &Val| a == b || (is_number(a) && is_number(b) && a.float() == b.float());
    let ordered = |a: &Val, b: &Val| match (a, b) {
        (Val::Str(a), Val::Str(b)) => a.cmp(b),
        _ => a.float().total_cmp(&b.float()),
    };
    let second = rest.first().cloned().unwrap_or(Val::Nil);
    Some(Val::Bool(match name {
        "eq" => rest.iter().any(|other| equal(first, other)),
        "ne" => !equal(first, &second),
        "lt" => ordered(first, &second).is_lt(),
        "le" => ordered(first, &second).is_le(),
        "gt" => ordered(first, &second).is_gt(),
        "ge" => ordered(first, &second).is_ge(),
        "not" => !first.truthy(),
        _ => return None,
    }))
}

fn is_number(value: &Val) -> bool {
    matches!(value, Val::Int(_) | Val::Float(_))
}

fn arithmetic(name: &str, arguments: &[Val]) -> Option<Val> {
    let int = |index: usize| arguments.get(index).map_or(0, Val::int);
    let all = || arguments.iter().map(Val::int);
    Some(Val::Int(match name {
        "add" => all().fold(0, i64::wrapping_add),
        "add1" => int(0).wrapping_add(1),
        "sub" => int(0).wrapping_sub(int(1)),
        "mul" => all().fold(1, i64::wrapping_mul),
        "div" => int(0).checked_div(int(1)).unwrap_or(0),
        "mod" => int(0).checked_rem(int(1)).unwrap_or(0),
        "max" => all().max().unwrap_or(0),
        "min" => all().min().unwrap_or(0),
        "int" | "int64" | "atoi" => int(0),
        "ceil" => arguments.first()?.float().ceil() as i64,
        "floor" => arguments.first()?.float().floor() as i64,
        "round" => arguments.first()?.float().round() as i64,
        "float64" => return Some(Val::Float(arguments.first()?.float())),
        "len" => match arguments.first()? {
            Val::Str(text) => text.len() as i64,
            Val::List(items) => items.len() as i64,
            Val::Map(map) => map.len() as i64,
            _ => 0,
        },
        _ => return None,
    }))
}

fn strings(name: &str, arguments: &[Val]) -> Option<Val> {
    let text = |index: usize| arguments.get(index).map(Val::display).unwrap_or_default();
    let last = || arguments.last().map(Val::display).unwrap_or_default();
    let number = |index: usize| arguments.get(index).map_or(0, Val::int);
    Some(match name {
        "quote" => Val::str(each(arguments, |value| serde_json::Value::String(value).to_string())),
        "squote" => Val::str(each(arguments, |value| format!("'{}'", value.replace('\'', "''")))),
        "print" => Val::str(arguments.iter().map(Val::display).collect::<String>()),
        "println" => Val::str(format!("{}\n", arguments.iter().map(Val::display).collect::<Vec<_>>().join(" "))),
        "cat" => Val::str(arguments.iter().map(Val::display).collect::<Vec<_>>().join(" ")),
        "printf" => Val::str(format_text(&text(0), arguments.get(1..).unwrap_or(&[]))),
        "toString" => Val::str(last()),
        "lower" => Val::str(last().to_lowercase()),
        "upper" => Val::str(last().to_uppercase()),
        "title" | "untitle" | "camelcase" | "kebabcase" | "snakecase" => Val::str(cased(name, &last())),
        "trim" => Val::str(last().trim()),
        "nospace" => Val::str(last().split_whitespace().collect::<String>()),
        "trimAll" => Val::str(last().trim_matches(|character| text(0).contains(character))),
        "trimPrefix" => Val::str(last().strip_prefix(&text(0)).unwrap_or(&last())),
        "trimSuffix" => Val::str(last().strip_suffix(&text(0)).unwrap_or(&last())),
        "hasPrefix" => Val::Bool(last().starts_with(&text(0))),
        "hasSuffix" => Val::Bool(last().ends_with(&text(0))),
        "contains" => Val::Bool(last().contains(&text(0))),
        "replace" => Val::str(last().replace(&text(0), &text(1))),
        "repeat" => Val::str(last().repeat(usize::try_from(number(0).clamp(0, 1000)).unwrap_or(0))),
        "trunc" => Val::str(truncated(&last(), number(0))),
        "abbrev" => Val::str(truncated(&last(), number(0))),
        "substr" => {
            let skip = usize::try_from(number(0)).unwrap_or(0);
            let take = usize::try_from(number(1)).map_or(usize::MAX, |end| end.saturating_sub(skip));
            Val::str(last().chars().skip(skip).take(take).collect::<String>())
        }
        "indent" | "nindent" => {
            let pad = " ".repeat(usize::try_from(number(0).clamp(0, MAX_COUNT)).unwrap_or(0));
            let body = last().split('\n').map(|line| format!("{pad}{line}")).collect::<Vec<_>>().join("\n");
            Val::str(if name == "nindent" { format!("\n{body}") } else { body })
        }
        "b64enc" => Val::str(base64::engine::general_purpose::STANDARD.encode(last())),
        "b64dec" => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(last()).unwrap_or_default();
            Val::str(String::from_utf8_lossy(&bytes))
        }
        "sha256sum" | "sha1sum" | "adler32sum" => {
            let digest = Sha256::digest(last().as_bytes());
            Val::str(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        }
        "splitList" => Val::list(last().split(text(0).as_str()).map(Val::str).collect()),
        "split" => Val::map(last().split(text(0).as_str()).enumerate().map(|(index, part)| (format!("_{index}"), Val::str(part)))),
        "join" => {
            let list = arguments.last()?;
            Val::str(list.items().iter().map(Val::display).collect::<Vec<_>>().join(&text(0)))
        }
        "regexMatch" | "mustRegexMatch" => Val::Bool(pattern(&text(0)).is_some_and(|pattern| pattern.is_match(&text(1)))),
        "regexReplaceAll" | "mustRegexReplaceAll" | "regexReplaceAllLiteral" => match pattern(&text(0)) {
            Some(pattern) => Val::str(pattern.replace_all(&text(1), text(2).as_str())),
            None => Val::str(text(1)),
        },
        "regexFind" => Val::str(
            pattern(&text(0)).and_then(|pattern| pattern.find(&text(1)).map(|found| found.as_str().to_owned())).unwrap_or_default(),
        ),
        "urlParse" => Val::map([("host".to_owned(), Val::str(text(0).split("://").last().unwrap_or("").split('/').next().unwrap_or("")))]),
        _ => return None,
    })
}

fn each(arguments: &[Val], write: impl Fn(String) -> String) -> String {
    arguments.iter().filter(|value| **value != Val::Nil).map(|value| write(value.display())).collect::<Vec<_>>().join(" ")
}

fn truncated(text: &str, length: i64) -> String {
    let count = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    if length >= 0 { text.chars().take(count).collect() } else { text.chars().skip(text.chars().count().saturating_sub(count)).collect() }
}

fn cased(name: &str, text: &str) -> String {
    let words: Vec<&str> = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let capital = |word: &str| {
        let mut characters = word.chars();
        characters.next().map(|first| first.to_uppercase().chain(characters).collect::<String>()).unwrap_or_default()
    };
    match name {
        "kebabcase" => words.join("-").to_lowercase(),
        "snakecase" => words.join("_").to_lowercase(),
        "camelcase" => words.iter().map(|word| capital(word)).collect(),
        "title" => text.split(' ').map(capital).collect::<Vec<_>>().join(" "),
        _ => text.to_owned(),
    }
}

/// The verbs of Go's `printf` that charts use.
fn format_text(format: &str, arguments: &[Val]) -> String {
    let mut out = String::new();
    let mut arguments = arguments.iter();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        // Widths and flags only change the look.
        let verb = characters.by_ref().find(|character| !(character.is_ascii_digit() || matches!(character, '.' | '-' | '+' | '#' | ' ')));
        match verb {
            Some('%') => out.push('%'),
            Some('q') => out.push_str(&serde_json::Value::String(arguments.next().map(Val::display).unwrap_or_default()).to_string()),
            Some('T') => out.push_str(arguments.next().map_or("", Val::kind)),
            Some(_) => out.push_str(&arguments.next().map(Val::display).unwrap_or_default()),
            None => {}
        }
    }
    out
}

fn collections(name: &str, arguments: &[Val]) -> Option<Val> {
    let at = |index: usize| arguments.get(index).cloned().unwrap_or(Val::Nil);
    let key = |index: usize| arguments.get(index).map(Val::display).unwrap_or_default();
    let last = || arguments.last().cloned().unwrap_or(Val::Nil);
    let map_of = |value: &Val| match value {
        Val::Map(map) => (**map).clone(),
        _ => BTreeMap::new(),
    };
    Some(match name {
        "list" | "tuple" => Val::list(arguments.to_vec()),
        "dict" => Val::map(
            arguments.chunks(2).map(|pair| (pair.first().map(Val::display).unwrap_or_default(), pair.get(1).cloned().unwrap_or(Val::Nil))),
        ),
        "get" => at(0).get(&key(1)),
        "set" => {
            let mut map = map_of(&at(0));
            map.insert(key(1), at(2));
            Val::Map(Rc::new(map))
        }
        "unset" => {
            let mut map = map_of(&at(0));
            map.remove(&key(1));
            Val::Map(Rc::new(map))
        }
        "hasKey" => Val::Bool(matches!(&at(0), Val::Map(map) if map.contains_key(&key(1)))),
        "keys" => Val::list(arguments.iter().flat_map(map_of).map(|(key, _)| Val::str(key)).collect()),
        "values" => Val::list(arguments.iter().flat_map(map_of).map(|(_, value)| value).collect()),
        "pick" | "omit" => {
            let names: Vec<String> = arguments.iter().skip(1).map(Val::display).collect();
            Val::map(map_of(&at(0)).into_iter().filter(|(key, _)| names.contains(key) == (name == "pick")))
        }
        // The first map wins with `merge`, the last one with `mergeOverwrite`.
        "merge" | "mustMerge" => arguments.iter().rev().fold(Val::map([]), |below, over| laid_over(&below, over)),
        "mergeOverwrite" | "mustMergeOverwrite" => arguments.iter().fold(Val::map([]), |below, over| laid_over(&below, over)),
        "index" => arguments.iter().skip(1).fold(at(0), |value, key| match (&value, key) {
            (Val::List(items), index) => usize::try_from(index.int()).ok().and_then(|index| items.get(index).cloned()).unwrap_or(Val::Nil),
            (_, key) => value.get(&key.display()),
        }),
        "dig" => {
            let path = arguments.get(..arguments.len().saturating_sub(2)).unwrap_or(&[]);
            let found = path.iter().fold(last(), |value, key| value.get(&key.display()));
            if found == Val::Nil { at(arguments.len().saturating_sub(2)) } else { found }
        }
        "first" => at(0).items().first().cloned().unwrap_or(Val::Nil),
        "last" => at(0).items().last().cloned().unwrap_or(Val::Nil),
        "rest" => Val::list(at(0).items().iter().skip(1).cloned().collect()),
        "initial" => Val::list(at(0).items().split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default()),
        "append" | "mustAppend" | "push" => Val::list(at(0).items().iter().cloned().chain([at(1)]).collect()),
        "prepend" => Val::list([at(1)].into_iter().chain(at(0).items().iter().cloned()).collect()),
        "concat" => Val::list(arguments.iter().flat_map(|list| list.items().iter().cloned()).collect()),
        "reverse" => Val::list(at(0).items().iter().rev().cloned().collect()),
        "uniq" => {
            let mut out: Vec<Val> = Vec::new();
            at(0).items().iter().for_each(|item| {
                if !out.contains(item) {
                    out.push(item.clone());
                }
            });
            Val::list(out)
        }
        "compact" => Val::list(at(0).items().iter().filter(|item| item.truthy()).cloned().collect()),
        "without" => {
            Val::list(at(0).items().iter().filter(|item| !arguments.iter().skip(1).any(|other| other == *item)).cloned().collect())
        }
        "has" => Val::Bool(last().items().contains(&at(0))),
        "sortAlpha" => {
            let mut items: Vec<String> = at(0).items().iter().map(Val::display).collect();
            items.sort();
            Val::list(items.iter().map(Val::str).collect())
        }
        "toStrings" => Val::list(at(0).items().iter().map(|item| Val::str(item.display())).collect()),
        "until" => Val::list((0..at(0).int().clamp(0, MAX_COUNT)).map(Val::Int).collect()),
        "untilStep" => {
            let step = usize::try_from(at(2).int()).unwrap_or(1).max(1);
            let end = at(1).int().clamp(at(0).int(), at(0).int().saturating_add(MAX_COUNT));
            Val::list((at(0).int()..end).step_by(step).map(Val::Int).collect())
        }
        _ => return None,
    })
}

/// Like [`merged`], but null does not remove.
fn laid_over(below: &Val, over: &Val) -> Val {
    if *over == Val::Nil { below.clone() } else { merged(below, over) }
}

fn from_yaml(text: &str) -> Val {
    let decode = |scalar: &str| bartizan_model::Text::from_encoded(scalar);
    let source = crate::yaml::Source { locate: &|range| range, decode: &decode };
    let yaml = crate::yaml::read_with(bartizan_model::FileId(0), text, &source);
    yaml.documents.first().map_or(Val::Nil, |document| Val::from_node(&document.root))
}

/// Version constraints as charts use them (`>=1.19-0`): compared with a current cluster, or the version that is given.
fn semver_holds(constraint: &str, version: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let text = text.trim().trim_start_matches('v');
        text.split(['-', '+']).next().unwrap_or("").split('.').map(|part| part.parse().unwrap_or(0)).chain([0, 0, 0]).take(3).collect()
    };
    let version = numbers(version);
    constraint.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let operator = part.len() - part.trim_start_matches(['<', '>', '=', '!', '^', '~']).len();
        let (operator, wanted) = part.split_at(operator);
        let order = version.cmp(&numbers(wanted));
        match operator {
            ">=" | "^" | "~" => order.is_ge(),
            ">" => order.is_gt(),
            "<=" => order.is_le(),
            "<" => order.is_lt(),
            "!=" => order.is_ne(),
            _ => order.is_eq(),
        }
    })
}
