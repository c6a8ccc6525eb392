//! Functions of lists, sets and maps, and conversions between types.

use bartizan_model::{Node, Text, Value};
use indexmap::IndexMap;

use super::super::convert::primitive;
use super::super::evaluate::{MAX_ELEMENTS, equal, is_symbolic, is_unknown, map_key, truth};
use super::strings::known_strings;
use super::{Args, Called, Stop, affordable, as_list, cost_of, distinct, text_value};

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Called> {
    Some(match name {
        "alltrue" => all_or_any(args, true),
        "anytrue" => all_or_any(args, false),
        "chunklist" => chunk(args),
        "coalesce" => coalesce(args),
        "coalescelist" => coalesce_list(args),
        "compact" => compact(args),
        "concat" => concat(args),
        "contains" => contains(args),
        "distinct" | "toset" => to_set(args, name == "toset"),
        "element" => element(args),
        "flatten" => flatten(args),
        "index" => index(args),
        "keys" => args.map(0).map(|map| {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            list(args, keys.into_iter().map(|key| text_value(key.as_str())))
        }),
        "values" if matches!(args.all(), [Node { value: Value::List(items), .. }] if items.iter().all(is_symbolic)) => {
            args.list(0).map(|items| Value::List(items.to_vec()))
        }
        "values" => args.map(0).map(|map| {
            let mut pairs: Vec<(&String, &Node)> = map.iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(b.0));
            Value::List(pairs.into_iter().map(|(_, node)| node.clone()).collect())
        }),
        "length" => length(args),
        "list" => Ok(Value::List(args.all().to_vec())),
        "lookup" => lookup(args),
        "map" => pairs(args),
        "matchkeys" => match_keys(args),
        "merge" => merge(args),
        "one" => one(args),
        "range" => range(args),
        "reverse" => args.list(0).map(|items| Value::List(items.iter().rev().cloned().collect())),
        "setintersection" => set_operation(args, |items, other| items.retain(|item| has(other, item))),
        "setsubtract" => set_operation(args, |items, other| items.retain(|item| !has(other, item))),
        "setunion" => set_operation(args, |items, other| items.extend(other.iter().cloned())),
        "setproduct" => set_product(args),
        "slice" => slice(args),
        "sort" => args.get(0).and_then(known_strings).map(|mut texts| {
            texts.sort();
            list(args, texts.into_iter().map(text_value))
        }),
        "sum" => sum(args),
        "transpose" => transpose(args),
        "zipmap" => zip_map(args),
        "tolist" => args.get(0).and_then(|node| match &node.value {
            Value::Null => Ok(Value::Null),
            _ => as_list(node).map(|items| Value::List(items.to_vec())),
        }),
        "tomap" => {
            args.get(0).and_then(|node| if node.value.is_null() { Ok(Value::Null) } else { args.map(0).map(|map| Value::Map(map.clone())) })
        }
        "tostring" => convert(args, "string"),
        "tonumber" => convert(args, "number"),
        "tobool" => convert(args, "bool"),
        "issensitive" => Ok(Value::Bool(false)),
        "type" => Ok(text_value("any")),
        _ => return None,
    })
}

fn list(args: &Args<'_>, values: impl Iterator<Item = Value>) -> Value {
    match args.all().first() {
        Some(first) => Value::List(values.map(|value| Node::new(value, first.span)).collect()),
        None => Value::List(Vec::new()),
    }
}

fn has(items: &[Node], wanted: &Node) -> bool {
    items.iter().any(|item| equal(item, wanted) == Some(true))
}

/// [`distinct`], unless it would compare too many pairs: texts are looked up, all else is compared with all else.
fn distinct_checked(items: Vec<Node>) -> Result<Vec<Node>, Stop> {
    let n_compared = items.iter().filter(|item| !matches!(item.value, Value::Text(_))).count() as u64;
    affordable(n_compared.saturating_mul(items.len() as u64))?;
    Ok(distinct(items))
}

fn convert(args: &Args<'_>, name: &str) -> Called {
    let node = args.get(0)?;
    let converted = primitive(node.clone(), name);
    let fits = match (name, &converted.value) {
        (_, Value::Null | Value::Unknown(_)) => true,
        ("string", Value::Text(_)) | ("number", Value::Number(_)) | ("bool", Value::Bool(_)) => true,
        (_, Value::Text(_)) if is_unknown(&converted) => return Err(Stop::Unknown(converted)),
        _ => false,
    };
    if fits { Ok(converted.value) } else { Err(Stop::Fail(format!("it cannot be converted to {name}"))) }
}

fn all_or_any(args: &Args<'_>, all: bool) -> Called {
    let mut undecided = None;
    for item in args.list(0)? {
        match truth(item)? {
            Some(value) if value != all => return Ok(Value::Bool(!all)),
            Some(_) => {}
            None => undecided = Some(item),
        }
    }
    undecided.map_or(Ok(Value::Bool(all)), |item| Err(Stop::Unknown(item.clone())))
}

fn chunk(args: &Args<'_>) -> Called {
    let items = args.list(0)?;
    let size = usize::try_from(args.integer(1)?).unwrap_or(0);
    if size == 0 {
        return Ok(list(args, std::iter::once(Value::List(items.to_vec()))));
    }
    Ok(list(args, items.chunks(size).map(|chunk| Value::List(chunk.to_vec()))))
}

fn coalesce(args: &Args<'_>) -> Called {
    for node in args.all() {
        match &node.value {
            Value::Null => {}
            Value::Text(text) if text.is_empty() => {}
            // A reference is never empty; anything else that is not known might be.
            Value::Unknown(_) => return Err(Stop::Unknown(node.clone())),
            value => return Ok(value.clone()),
        }
    }
    Err(Stop::Fail("every argument is `null` or empty".to_owned()))
}

fn coalesce_list(args: &Args<'_>) -> Called {
    for index in 0..args.len() {
        let node = args.get(index)?;
        match &node.value {
            Value::List(items) if !items.is_empty() => return Ok(node.value.clone()),
            Value::Map(members) if !members.is_empty() => return Ok(node.value.clone()),
            Value::Unknown(_) => return Err(Stop::Unknown(node.clone())),
            _ => {}
        }
    }
    Err(Stop::Fail("every list is empty".to_owned()))
}

fn compact(args: &Args<'_>) -> Called {
    let keep = |node: &&Node| match &node.value {
        Value::Null => false,
        Value::Text(text) => !text.is_empty(),
        _ => true,
    };
    Ok(Value::List(args.list(0)?.iter().filter(keep).cloned().collect()))
}

fn concat(args: &Args<'_>) -> Called {
    let mut out = Vec::new();
    for index in 0..args.len() {
        let node = args.get(index)?;
        match &node.value {
            Value::List(items) => out.extend(items.iter().cloned()),
            // A list that is not known leaves the others readable.
            Value::Unknown(_) if args.len() > 1 => out.push(node.clone()),
            _ => out.extend(args.list(index)?.iter().cloned()),
        }
    }
    Ok(Value::List(out))
}

fn contains(args: &Args<'_>) -> Called {
    let wanted = args.get(1)?;
    let mut undecided = is_unknown(wanted).then_some(wanted);
    for item in args.list(0)? {
        match equal(item, wanted) {
            Some(true) => return Ok(Value::Bool(true)),
            Some(false) => {}
            None => undecided = Some(item),
        }
    }
    undecided.map_or(Ok(Value::Bool(false)), |item| Err(Stop::Unknown(item.clone())))
}

fn to_set(args: &Args<'_>, sorted: bool) -> Called {
    let node = args.get(0)?;
    if node.value.is_null() {
        return Ok(Value::Null);
    }
    let mut items = distinct_checked(as_list(node)?.to_vec())?;
    if sorted && items.iter().all(|item| matches!(&item.value, Value::Text(_))) {
        items.sort_by(|a, b| a.value.as_text().cmp(&b.value.as_text()));
    }
    Ok(Value::List(items))
}

fn element(args: &Args<'_>) -> Called {
    let items = match args.list(0) {
        Ok(items) => items,
        // The element of a list that is one reference is that reference's.
        Err(Stop::Unknown(node)) if node.value.as_text().is_some_and(|text| text.as_reference().is_some()) => return Ok(node.value),
        Err(stop) => return Err(stop),
    };
    let position = args.integer(1)?;
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if length == 0 {
        return Err(Stop::Fail("the list is empty".to_owned()));
    }
    let wrapped = usize::try_from(position.rem_euclid(length)).unwrap_or(0);
    items.get(wrapped).map(|item| item.value.clone()).ok_or_else(|| Stop::Fail("the list is empty".to_owned()))
}

fn flatten(args: &Args<'_>) -> Called {
    fn into(node: &Node, out: &mut Vec<Node>) -> Result<(), Stop> {
        for item in as_list(node)? {
            match &item.value {
                Value::List(_) => into(item, out)?,
                _ => out.push(item.clone()),
            }
            if out.len() > MAX_ELEMENTS {
                return Err(Stop::Fail("more elements than are sensible".to_owned()));
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    into(args.get(0)?, &mut out)?;
    Ok(Value::List(out))
}

fn index(args: &Args<'_>) -> Called {
    let wanted = args.known(1)?;
    let position = args.list(0)?.iter().position(|item| equal(item, wanted) == Some(true));
    position.map(|position| Value::Number(position as f64)).ok_or_else(|| Stop::Fail("the list does not hold the value".to_owned()))
}

fn length(args: &Args<'_>) -> Called {
    let node = args.get(0)?;
    let n = match &node.value {
        Value::List(items) => items.len(),
        Value::Map(members) => members.len(),
        Value::Text(_) => args.string(0)?.chars().count(),
        Value::Unknown(_) => return Err(Stop::Unknown(node.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) => return Err(Stop::Fail("expected a list, map or text".to_owned())),
    };
    Ok(Value::Number(n as f64))
}

fn lookup(args: &Args<'_>) -> Called {
    let map = args.map(0)?;
    let key = map_key(args.known(1)?)?.unwrap_or_default();
    match (map.get(&key), args.all().get(2)) {
        (Some(found), _) => Ok(found.value.clone()),
        (None, Some(default)) => Ok(default.value.clone()),
        (None, None) => Err(Stop::Fail(format!("the map has no key `{key}`"))),
    }
}

fn pairs(args: &Args<'_>) -> Called {
    let mut map = IndexMap::new();
    for pair in args.all().chunks(2) {
        if let [key, value] = pair {
            map.insert(map_key(key)?.ok_or_else(|| Stop::Unknown(key.clone()))?, value.clone());
        }
    }
    Ok(Value::Map(map))
}

fn match_keys(args: &Args<'_>) -> Called {
    let (values, keys, wanted) = (args.list(0)?, args.list(1)?, args.list(2)?);
    affordable((keys.len() as u64).saturating_mul(wanted.len() as u64))?;
    let chosen = values.iter().zip(keys).filter(|(_, key)| has(wanted, key)).map(|(value, _)| value.clone());
    Ok(Value::List(chosen.collect()))
}

fn merge(args: &Args<'_>) -> Called {
    let mut out: IndexMap<String, Node> = IndexMap::new();
    for node in args.all() {
        match &node.value {
            Value::Map(members) => out.extend(members.iter().map(|(key, member)| (key.clone(), member.clone()))),
            Value::Null => {}
            _ if is_unknown(node) => return Err(Stop::Unknown(node.clone())),
            _ => return Err(Stop::Fail("expected maps".to_owned())),
        }
    }
    Ok(Value::Map(out))
}

fn one(args: &Args<'_>) -> Called {
    let node = args.get(0)?;
    if node.value.is_null() {
        return Ok(Value::Null);
    }
    match args.list(0)? {
        [] => Ok(Value::Null),
        [only] => Ok(only.value.clone()),
        _ => Err(Stop::Fail("the list has more than one element".to_owned())),
    }
}

fn range(args: &Args<'_>) -> Called {
    let (start, end, step) = match args.len() {
        1 => (0.0, args.number(0)?, 1.0),
        2 => (args.number(0)?, args.number(1)?, 1.0),
        _ => (args.number(0)?, args.number(1)?, args.number(2)?),
    };
    let step = if args.len() < 3 && end < start { -1.0 } else { step };
    let n_steps = ((end - start) / step).ceil();
    if step == 0.0 || !n_steps.is_finite() || n_steps > MAX_ELEMENTS as f64 {
        return Err(Stop::Fail("the range has no end or too many elements".to_owned()));
    }
    // Counted and not added up: `start + step` may be `start` again where the numbers are large.
    let n_steps = if n_steps > 0.0 { n_steps as usize } else { 0 };
    Ok(list(args, (0..n_steps).map(|index| Value::Number(start + step * index as f64))))
}

fn set_operation(args: &Args<'_>, apply: impl Fn(&mut Vec<Node>, &[Node])) -> Called {
    let mut items = args.list(0)?.to_vec();
    for index in 1..args.len() {
        let other = args.list(index)?;
        affordable((items.len() as u64).saturating_mul(other.len() as u64))?;
        apply(&mut items, other);
    }
    distinct_checked(items).map(Value::List)
}

fn set_product(args: &Args<'_>) -> Called {
    let mut rows: Vec<Vec<Node>> = vec![Vec::new()];
    let mut row_cost = 0;
    for index in 0..args.len() {
        let items = args.list(index)?;
        if rows.len().saturating_mul(items.len()) > MAX_ELEMENTS {
            return Err(Stop::Fail("more elements than are sensible".to_owned()));
        }
        row_cost += items.iter().map(|item| cost_of(item, 1)).max().unwrap_or(0);
        affordable(row_cost.saturating_mul((rows.len() * items.len()) as u64))?;
        rows = rows.iter().flat_map(|row| items.iter().map(move |item| row.iter().chain([item]).cloned().collect())).collect();
    }
    Ok(list(args, rows.into_iter().map(Value::List)))
}

fn slice(args: &Args<'_>) -> Called {
    let items = args.list(0)?;
    let bound = |index: usize| args.integer(index).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let (start, end) = (bound(1)?, bound(2)?);
    items.get(start..end).map(|part| Value::List(part.to_vec())).ok_or_else(|| Stop::Fail("the bounds lie outside of the list".to_owned()))
}

fn sum(args: &Args<'_>) -> Called {
    let mut total = 0.0;
    for item in args.list(0)? {
        if is_unknown(item) {
            return Err(Stop::Unknown(item.clone()));
        }
        total += item.value.as_number().ok_or_else(|| Stop::Fail("expected numbers".to_owned()))?;
    }
    Ok(Value::Number(total))
}

fn transpose(args: &Args<'_>) -> Called {
    let mut out: IndexMap<String, Node> = IndexMap::new();
    for (key, values) in args.map(0)? {
        affordable((known_strings(values)?.len() as u64).saturating_mul(1 + key.len() as u64 / 16))?;
        for value in known_strings(values)? {
            let entry = out.entry(value).or_insert_with(|| Node::new(Value::List(Vec::new()), values.span));
            if let Value::List(items) = &mut entry.value {
                items.push(Node::new(Value::Text(Text::literal(key.as_str())), values.span));
            }
        }
    }
    out.sort_keys();
    Ok(Value::Map(out))
}

fn zip_map(args: &Args<'_>) -> Called {
    let (keys, values) = (args.list(0)?, args.list(1)?);
    let mut out = IndexMap::new();
    for (key, value) in keys.iter().zip(values) {
        out.insert(map_key(key)?.ok_or_else(|| Stop::Unknown(key.clone()))?, value.clone());
    }
    Ok(Value::Map(out))
}
