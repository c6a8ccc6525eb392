//! `format` and `formatlist`: Go's verbs over values that may hold references.

use bartizan_model::{Node, Text, Value};

use super::super::budget::MAX_TEXT;
use super::super::evaluate::to_text;
use super::super::number_text;
use super::{Args, Called, Stop, affordable, cost_of};

/// Widths beyond this are refused.
const MAX_WIDTH: usize = 1000;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Called> {
    match name {
        "format" => Some(format(args.all())),
        "formatlist" => Some(format_list(args)),
        _ => None,
    }
}

fn format(nodes: &[Node]) -> Called {
    let Some((pattern, values)) = nodes.split_first() else { return Err(Stop::Fail("wants a format".to_owned())) };
    let pattern = to_text(pattern)?;
    let mut out = Text::default();
    let mut literal = String::new();
    let mut next = 0usize;
    let mut characters = pattern.encoded().chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            literal.push(character);
            continue;
        }
        if characters.peek() == Some(&'%') {
            characters.next();
            literal.push('%');
            continue;
        }
        out.push(&Text::from_encoded(std::mem::take(&mut literal)));
        let mut verb = Verb::default();
        let letter = loop {
            let Some(c) = characters.next() else { return Err(Stop::Fail("the format ends in the middle of a verb".to_owned())) };
            match c {
                '-' => verb.left = true,
                '+' => verb.plus = true,
                '#' | ' ' => {}
                '0' if verb.width == 0 && !verb.has_precision => verb.zero = true,
                '0'..='9' => {
                    let digit = c.to_digit(10).unwrap_or(0) as usize;
                    let field = if verb.has_precision { &mut verb.precision } else { &mut verb.width };
                    *field = (*field * 10 + digit).min(MAX_WIDTH);
                }
                '.' => verb.has_precision = true,
                '[' => {
                    let index: String = characters.by_ref().take_while(|c| *c != ']').collect();
                    next = index.parse::<usize>().unwrap_or(1).saturating_sub(1);
                }
                letter => break letter,
            }
        };
        let value = values.get(next).ok_or_else(|| Stop::Fail("the format has more verbs than there are values".to_owned()))?;
        next += 1;
        out.push(&verb.render(letter, value)?);
        if out.encoded().len() > MAX_TEXT {
            return Err(Stop::Fail("the text grows too long".to_owned()));
        }
    }
    out.push(&Text::from_encoded(literal));
    Ok(Value::Text(out))
}

#[derive(Default)]
struct Verb {
    left: bool,
    plus: bool,
    zero: bool,
    width: usize,
    has_precision: bool,
    precision: usize,
}

impl Verb {
    fn render(&self, letter: char, node: &Node) -> Result<Text, Stop> {
        if node.value.is_unknown() {
            return Ok(to_text(node)?);
        }
        let plain = match letter {
            's' | 'v' | 'q' => {
                let text = match &node.value {
                    Value::List(_) | Value::Map(_) => crate::json::write(node).unwrap_or_default(),
                    Value::Null => Text::literal("null"),
                    _ => to_text(node)?,
                };
                if letter == 'q' {
                    let mut quoted = Text::literal("\"");
                    quoted.push(&text);
                    quoted.push(&Text::literal("\""));
                    return Ok(quoted);
                }
                if !text.is_literal() {
                    return Ok(text);
                }
                text.encoded().to_owned()
            }
            't' => to_text(node)?.to_string(),
            'd' | 'f' | 'g' | 'e' | 'x' | 'X' | 'o' | 'b' => {
                let Some(number) = node.value.as_number() else {
                    return Ok(Text::unknown("a formatted number is known only after the apply"));
                };
                self.number(letter, number)
            }
            other => return Err(Stop::Fail(format!("`%{other}` is not a verb"))),
        };
        let missing = self.width.saturating_sub(plain.chars().count());
        let padded = match (self.left, self.zero && letter != 's') {
            (true, _) => format!("{plain}{}", " ".repeat(missing)),
            (false, true) => match plain.strip_prefix('-') {
                Some(digits) => format!("-{}{digits}", "0".repeat(missing)),
                None => format!("{}{plain}", "0".repeat(missing)),
            },
            (false, false) => format!("{}{plain}", " ".repeat(missing)),
        };
        Ok(Text::literal(padded))
    }

    fn number(&self, letter: char, number: f64) -> String {
        let whole = number as i64;
        let text = match letter {
            'd' => format!("{whole}"),
            'x' => format!("{whole:x}"),
            'X' => format!("{whole:X}"),
            'o' => format!("{whole:o}"),
            'b' => format!("{whole:b}"),
            'f' => format!("{number:.*}", if self.has_precision { self.precision } else { 6 }),
            'e' => format!("{number:e}"),
            _ => number_text(number),
        };
        if self.plus && number >= 0.0 { format!("+{text}") } else { text }
    }
}

fn format_list(args: &Args<'_>) -> Called {
    let values = args.all();
    let mut length = None;
    for node in values.iter().skip(1) {
        match &node.value {
            Value::List(items) => length = Some(length.map_or(items.len(), |n: usize| n.max(items.len()))),
            Value::Unknown(_) => return Err(Stop::Unknown(node.clone())),
            _ => {}
        }
    }
    let repeated = values.iter().filter(|node| !matches!(node.value, Value::List(_))).map(|node| cost_of(node, length.unwrap_or(1)));
    affordable(repeated.fold(0, u64::saturating_add))?;
    let mut out = Vec::new();
    for index in 0..length.unwrap_or(1) {
        let mut row = Vec::with_capacity(values.len());
        for node in values {
            match &node.value {
                Value::List(items) => match items.get(index) {
                    Some(item) => row.push(item.clone()),
                    None => return Err(Stop::Fail("the lists differ in length".to_owned())),
                },
                _ => row.push(node.clone()),
            }
        }
        let span = values.first().map(|node| node.span);
        let value = format(&row)?;
        if let Some(span) = span {
            out.push(Node::new(value, span));
        }
    }
    Ok(Value::List(out))
}
