//! `moved` blocks: which address was another before.

use bartizan_model::{Address, Moved};

use super::module::{Module, each_suffix};
use super::resolve::Resolver;
use super::syntax::{Accessor, Expr, ExprKind};

impl<'a> Resolver<'a> {
    /// What a module says was moved in it.
    pub(super) fn moved_in(&self, module: &Module<'a>, out: &mut Vec<Moved>) {
        for block in &module.directory.moved {
            let address = |name: &str| {
                let relative = relative(&block.body.attribute(name)?.expr)?;
                Some(Address::new(format!("{}{relative}", module.prefix)))
            };
            if let (Some(from), Some(to)) = (address("from"), address("to")) {
                out.push(Moved { from, to });
            }
        }
    }
}

/// The address that an expression spells out, inside of its module; in JSON it is a text.
fn relative(expr: &Expr) -> Option<String> {
    let (base, accessors) = match &expr.kind {
        ExprKind::Text(text) => return Some(text.to_string()),
        ExprKind::Traversal(base, accessors) => (base, accessors),
        _ => return None,
    };
    let ExprKind::Name(name) = &base.kind else { return None };
    let mut out = name.to_string();
    for accessor in accessors {
        match accessor {
            Accessor::Attribute(name) => {
                out.push('.');
                out.push_str(name);
            }
            Accessor::Index(index) => match &index.kind {
                ExprKind::Text(key) => out.push_str(&each_suffix(&key.to_string())),
                ExprKind::Number(number) => out.push_str(&format!("[{}]", super::number_text(*number))),
                _ => return None,
            },
            Accessor::AttributeSplat | Accessor::FullSplat => return None,
        }
    }
    Some(out)
}
