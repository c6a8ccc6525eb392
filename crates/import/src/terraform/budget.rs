//! How much evaluation may cost, so that no configuration, however small, makes it run or grow without end.
//!
//! A few lines of Terraform can ask for billions of values: locals that double each other, nested `for` expressions, counts of modules in modules.
//! Every step and every copy of a value is paid from one purse per run, which grows with the text that was read.

use bartizan_model::{Node, Span, Text, Value};

use super::evaluate::{Evaluated, Failure};
use super::resolve::Resolver;

/// What every run may spend. A step costs some tens of nanoseconds and a value some hundred bytes, so this is a second and less than a gigabyte.
const BASE: u64 = 8_000_000;
/// What each byte of Terraform text adds; real configurations need less than a tenth of it.
const PER_BYTE: u64 = 100;
/// Price of an instance of a resource or module: it becomes a component with all its defaults.
pub(super) const INSTANCE: u64 = 400;
/// Bytes of text that cost as much as one value.
const BYTES_PER_STEP: usize = 16;
/// Values nested deeper than this are refused; everything that walks a value recurses.
const MAX_DEPTH: usize = 200;
/// Longest text that a function or template may give.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// What a run may spend when it reads this many bytes of Terraform.
pub(super) fn purse(n_bytes: usize) -> u64 {
    BASE.saturating_add(PER_BYTE.saturating_mul(n_bytes as u64))
}

/// What a copy of a value costs, and how deep it is nested.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) cost: u64,
    depth: usize,
}

/// The size of a value. INVARIANT: values nest only so deep, because this is asked whenever one is put into another.
pub(super) fn size(node: &Node) -> Size {
    let of = |nodes: &mut dyn Iterator<Item = &Node>| {
        let inner = nodes.map(size);
        inner.fold(Size { cost: 1, depth: 1 }, |all, one| Size { cost: all.cost + one.cost, depth: all.depth.max(one.depth + 1) })
    };
    match &node.value {
        Value::List(items) => of(&mut items.iter()),
        Value::Map(members) => of(&mut members.values()),
        Value::Text(text) => Size { cost: 1 + text_cost(text), depth: 1 },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => Size { cost: 1, depth: 1 },
    }
}

fn text_cost(text: &Text) -> u64 {
    (text.encoded().len() / BYTES_PER_STEP) as u64
}

impl Resolver<'_> {
    /// Pays for something; a failure when the purse is empty.
    pub(super) fn spend(&self, cost: u64, span: Span) -> Evaluated<()> {
        match self.purse.get().checked_sub(cost) {
            Some(left) => {
                self.purse.set(left);
                Ok(())
            }
            None => {
                self.purse.set(0);
                Err(Failure::new("the configuration asks for more values than a review can hold", span))
            }
        }
    }

    /// Pays for a copy of a value.
    pub(super) fn spend_on(&self, node: &Node, span: Span) -> Evaluated<()> {
        let size = size(node);
        if size.depth > MAX_DEPTH {
            return Err(Failure::new(format!("a value is nested more than {MAX_DEPTH} levels deep"), span));
        }
        self.spend(size.cost, span)
    }
}
