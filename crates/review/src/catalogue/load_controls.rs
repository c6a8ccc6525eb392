//! Loads controls: checks each against the component types and compiles the conditions that show it.

use serde_saphyr::Spanned;

use super::controls::Control;
use super::costs::Costs;
use super::rule::Check;
use super::{Catalogue, On, Problems, Selector, stem, vocabularies};
use crate::expression::Expression;

pub(super) fn load(path: &str, text: &str, catalogue: &mut Catalogue, problems: &mut Problems) {
    let before = problems.count();
    let Some(parsed) = problems.parse::<Spanned<Control>>(path, text) else { return };
    let at = parsed.referenced;
    let control = parsed.value;
    for problem in control.problems() {
        problems.push(path, Some(at), problem);
    }
    if control.id != stem(path) {
        problems.push(path, Some(at), format!("the id `{}` and the file's name `{}` differ", control.id, stem(path)));
    }
    for name in Costs::named(&control.cost.text).into_iter().chain(Costs::named(&control.performance.text)) {
        if catalogue.costs.figure(name).is_none() {
            problems.push(path, Some(at), format!("there is no figure `{name}` in `costs.yaml`"));
        }
    }
    let mut check = Check { path, catalogue, problems };
    check.types(&control.types.iter().map(|name| Spanned::new(name.clone(), at, at)).collect::<Vec<_>>());
    let mut shown = Vec::new();
    for (types, condition) in control.conditions() {
        match compile(catalogue, &types, condition) {
            Ok(condition) => shown.push((types, condition)),
            Err(message) => problems.push(path, Some(at), format!("`shown_by`: {message}")),
        }
    }
    if problems.count() == before {
        catalogue.shown.insert(control.id.clone(), shown);
        catalogue.controls.insert(control.id.clone(), control);
    }
}

fn compile(catalogue: &Catalogue, types: &[String], condition: &str) -> Result<Expression, String> {
    let target = Selector { types: types.to_vec(), traits: Vec::new() };
    let on = if target.is_any() { On::System } else { On::Component };
    let vocabulary = vocabularies::of_rule(catalogue, on, &target, &Selector::default());
    Expression::compile_condition(condition, &vocabulary).map_err(|error| error.message)
}
