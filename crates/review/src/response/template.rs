//! The small template language of runbooks: Markdown with lines that repeat or leave out what does not fit this system.
//!
//! `{% each TYPE, … %}` repeats its lines for the components of these types that the category's threats concern, `{% each-any TYPE, … %}`
//! for all of the system; `{% if TYPE, … %}` keeps them where the system has one; `{% else %}` and `{% end %}` as usual.
//! In a repetition `{name}`, `{address}`, `{setting:x}`, `{ref:x}` are filled as in fixes; everywhere the values that the caller gives.

use bartizan_model::{Architecture, Component};

use crate::catalogue::controls::type_matches;
use crate::mitigations::code::{self, Extra};

/// More components than this are counted, not spelled out: a runbook is read in a hurry.
const MAX_EACH: usize = 5;

/// What a template is filled for.
pub(crate) struct Setting<'a> {
    pub(crate) architecture: &'a Architecture,
    /// Components that the threats concern, worst threat first.
    pub(crate) concerned: Vec<&'a Component>,
    /// Values for placeholders, everywhere.
    pub(crate) values: Vec<(&'a str, String)>,
}

/// A piece of a parsed template.
#[derive(Debug)]
enum Piece {
    Lines(String),
    Block(Block),
}

#[derive(Debug)]
struct Block {
    head: Head,
    types: Vec<String>,
    body: Vec<Piece>,
    otherwise: Option<Vec<Piece>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    Each,
    EachAny,
    If,
}

/// Fills a template; a mistake in it is told with its line.
pub(crate) fn render(template: &str, setting: &Setting<'_>) -> Result<String, String> {
    let pieces = parse(template)?;
    let mut out = String::with_capacity(template.len() * 2);
    write(&pieces, setting, None, &mut out);
    Ok(out)
}

fn parse(template: &str) -> Result<Vec<Piece>, String> {
    let mut open: Vec<Block> = Vec::new();
    let mut top: Vec<Piece> = Vec::new();
    for (line, number) in template.split_inclusive('\n').zip(1usize..) {
        let Some(directive) = line.trim().strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}")) else {
            push(&mut open, &mut top, Piece::Lines(line.to_owned()));
            continue;
        };
        let (word, rest) = directive.trim().split_once(' ').unwrap_or((directive.trim(), ""));
        let head = match word {
            "each" => Head::Each,
            "each-any" => Head::EachAny,
            "if" => Head::If,
            "else" => match open.last_mut() {
                Some(Block { otherwise: otherwise @ None, .. }) => {
                    *otherwise = Some(Vec::new());
                    continue;
                }
                _ => return Err(format!("line {number}: `else` without a block")),
            },
            "end" => {
                let Some(block) = open.pop() else { return Err(format!("line {number}: `end` without a block")) };
                push(&mut open, &mut top, Piece::Block(block));
                continue;
            }
            _ => return Err(format!("line {number}: there is no `{word}`; there are each, each-any, if, else, end")),
        };
        let types = rest.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        open.push(Block { head, types, body: Vec::new(), otherwise: None });
    }
    if open.is_empty() { Ok(top) } else { Err("a block has no `end`".to_owned()) }
}

fn push(open: &mut [Block], top: &mut Vec<Piece>, piece: Piece) {
    let pieces = match open.last_mut() {
        Some(Block { otherwise: Some(otherwise), .. }) => otherwise,
        Some(block) => &mut block.body,
        None => top,
    };
    match (pieces.last_mut(), piece) {
        (Some(Piece::Lines(before)), Piece::Lines(more)) => before.push_str(&more),
        (_, piece) => pieces.push(piece),
    }
}

fn write(pieces: &[Piece], setting: &Setting<'_>, about: Option<&Component>, out: &mut String) {
    for piece in pieces {
        let block = match piece {
            Piece::Lines(lines) => {
                out.push_str(&filled(lines, setting, about));
                continue;
            }
            Piece::Block(block) => block,
        };
        let found = found(setting, block);
        if found.is_empty() {
            write(block.otherwise.as_deref().unwrap_or(&[]), setting, about, out);
        } else if block.head == Head::If {
            write(&block.body, setting, about, out);
        } else {
            for component in found.iter().take(MAX_EACH) {
                write(&block.body, setting, Some(component), out);
            }
            if let Some(more) = found.len().checked_sub(MAX_EACH).filter(|more| *more > 0) {
                out.push_str(&format!("# and the same for {more} more of this kind\n"));
            }
        }
    }
}

/// Components that a block speaks of, one for each block of the source.
fn found<'a>(setting: &Setting<'a>, block: &Block) -> Vec<&'a Component> {
    let fits = |component: &&Component| block.types.iter().any(|pattern| type_matches(pattern, &component.component_type));
    match block.head {
        Head::Each => setting.concerned.iter().copied().filter(fits).collect(),
        Head::EachAny => setting.architecture.components.values().filter(fits).collect(),
        // One is enough to know.
        Head::If => setting.architecture.components.values().filter(fits).take(1).collect(),
    }
}

fn filled(lines: &str, setting: &Setting<'_>, about: Option<&Component>) -> String {
    match about {
        Some(component) => {
            // What the component itself says of region and account is nearer than what most of the system says.
            let own = |name: &str| (name == "region" && component.region.is_some()) || (name == "account" && component.account.is_some());
            let values = setting.values.iter().filter(|(name, _)| !own(name)).cloned().collect();
            code::fill(setting.architecture, component, None, lines, &Extra { values, ..Extra::default() })
        }
        None => setting.values.iter().fold(lines.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value)),
    }
}

#[cfg(test)]
mod tests {
    use bartizan_model::Architecture;

    use super::{Setting, render};

    #[test]
    fn blocks_without_a_component_give_what_stands_after_else() {
        let architecture = Architecture::default();
        let setting = Setting { architecture: &architecture, concerned: Vec::new(), values: vec![("region", "eu-west-1".to_owned())] };
        let text = "a {region}\n{% each s3.bucket %}\nb {name}\n{% else %}\nc\n{% end %}\n{% if kms.key %}\nd\n{% end %}\n";
        assert_eq!(render(text, &setting).unwrap(), "a eu-west-1\nc\n");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let architecture = Architecture::default();
        let setting = Setting { architecture: &architecture, concerned: Vec::new(), values: Vec::new() };
        assert_eq!(render("x\n{% end %}\n", &setting).unwrap_err(), "line 2: `end` without a block");
        assert!(render("{% each s3.bucket %}\n", &setting).is_err());
        assert!(render("{% repeat s3.bucket %}\n", &setting).unwrap_err().contains("there is no `repeat`"));
    }
}
