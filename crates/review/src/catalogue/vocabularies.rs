//! What conditions may name, per kind of rule and the types it looks at. `docs/catalogue.md` has the same in words.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::{Catalogue, On, Selector, SettingKind};
use crate::expression::{Shape, ValueKind, Vocabulary};
use crate::facts::{FACTS, FactKind, FactOn};

/// Fields of `component`: name, type, whether it may be null.
pub(crate) const COMPONENT: &[(&str, ValueKind, bool)] = &[
    ("account", ValueKind::Text, true),
    ("address", ValueKind::Text, false),
    ("assets", ValueKind::List, false),
    ("criticality", ValueKind::Number, false),
    ("exposure", ValueKind::Text, false),
    ("internet", ValueKind::Bool, false),
    ("kind", ValueKind::Text, false),
    ("name", ValueKind::Text, false),
    ("region", ValueKind::Text, true),
    ("service", ValueKind::Text, false),
    ("source_type", ValueKind::Text, false),
    ("stack", ValueKind::Text, false),
    ("tags", ValueKind::Map, false),
    ("traits", ValueKind::List, false),
    ("type", ValueKind::Text, false),
];

/// Fields of `flow`.
pub(crate) const FLOW: &[(&str, ValueKind, bool)] = &[
    ("authentication", ValueKind::Text, false),
    ("confidence", ValueKind::Text, false),
    ("criticality", ValueKind::Number, false),
    ("crosses", ValueKind::List, false),
    ("data", ValueKind::List, false),
    ("encrypted", ValueKind::Bool, false),
    ("id", ValueKind::Text, false),
    ("port", ValueKind::Number, true),
    ("protocol", ValueKind::Text, false),
    ("status", ValueKind::Text, false),
];

/// Fields of `system`.
pub(crate) const SYSTEM: &[(&str, ValueKind, bool)] = &[
    ("accounts", ValueKind::List, false),
    ("n_components", ValueKind::Number, false),
    ("regions", ValueKind::List, false),
    ("services", ValueKind::List, false),
    ("types", ValueKind::Map, false),
];

type Names = Arc<BTreeMap<String, Shape>>;

static COMPONENT_NAMES: LazyLock<Names> = LazyLock::new(|| fields(COMPONENT));
static FLOW_NAMES: LazyLock<Names> = LazyLock::new(|| fields(FLOW));
static SYSTEM_NAMES: LazyLock<Names> = LazyLock::new(|| fields(SYSTEM));
static COMPONENT_FACTS: LazyLock<Names> = LazyLock::new(|| facts(FactOn::Component));
static SYSTEM_FACTS: LazyLock<Names> = LazyLock::new(|| facts(FactOn::System));

/// The vocabulary of a rule's conditions.
pub(super) fn of_rule(catalogue: &Catalogue, on: On, target: &Selector, source: &Selector) -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    vocabulary.add_names("system", &SYSTEM_NAMES);
    match on {
        On::Component => add_component(&mut vocabulary, catalogue, "", target),
        On::Flow => {
            vocabulary.add_names("flow", &FLOW_NAMES);
            add_component(&mut vocabulary, catalogue, "to.", target);
            add_component(&mut vocabulary, catalogue, "from.", source);
            vocabulary.add_alias("from", "from.component", "address");
            vocabulary.add_alias("to", "to.component", "address");
        }
        On::System => vocabulary.add_names("facts", &SYSTEM_FACTS),
    }
    vocabulary
}

/// The vocabulary of a rule's question text: the rule's own with what is asked for.
pub(super) fn of_question(mut vocabulary: Vocabulary, on: On) -> Vocabulary {
    vocabulary.add("question", "setting", ValueKind::Text, false);
    vocabulary.add("question", "name", ValueKind::Text, false);
    vocabulary.add_alias("setting", "question", "setting");
    if on != On::Component {
        vocabulary.add_alias("name", "question", "name");
    }
    vocabulary
}

fn add_component(vocabulary: &mut Vocabulary, catalogue: &Catalogue, prefix: &str, selector: &Selector) {
    let root = format!("{prefix}component");
    vocabulary.add_names(&root, &COMPONENT_NAMES);
    if prefix.is_empty() {
        vocabulary.add_alias("component", &root, "address");
        vocabulary.add_alias("name", &root, "name");
    }
    vocabulary.add_names(&format!("{prefix}facts"), &COMPONENT_FACTS);
    add_settings(vocabulary, catalogue, &format!("{prefix}settings"), selector)
}

/// A setting is known where every selected type has it, with the same type: one that only some have would be null, and so look unset, elsewhere.
fn add_settings(vocabulary: &mut Vocabulary, catalogue: &Catalogue, root: &str, selector: &Selector) {
    vocabulary.add_root(root);
    if selector.is_any() {
        return;
    }
    let types: Vec<_> = catalogue.types.values().filter(|known| selector.selects(&known.name, &known.traits)).collect();
    let Some((first, rest)) = types.split_first() else { return };
    for (name, setting) in &first.settings {
        let everywhere: Option<Vec<_>> = rest.iter().map(|other| other.settings.get(name)).collect();
        let Some(others) = everywhere else { continue };
        if others.iter().any(|other| other.kind != setting.kind) {
            continue;
        }
        let nullable = !setting.has_default || others.iter().any(|other| !other.has_default);
        let nullable = nullable || setting.kind == SettingKind::Document;
        vocabulary.add(root, name, setting.kind.value_kind(), nullable);
    }
}

fn fields(fields: &[(&str, ValueKind, bool)]) -> Names {
    Arc::new(fields.iter().map(|(name, kind, nullable)| ((*name).to_owned(), Shape::new(*kind, *nullable))).collect())
}

fn facts(on: FactOn) -> Names {
    let facts = FACTS.iter().filter(|fact| fact.on == on);
    Arc::new(facts.map(|fact| (fact.name.to_owned(), Shape::new(fact_kind(fact.kind), fact.kind != FactKind::Bool))).collect())
}

fn fact_kind(kind: FactKind) -> ValueKind {
    match kind {
        FactKind::Bool => ValueKind::Bool,
        FactKind::Number => ValueKind::Number,
        FactKind::Text => ValueKind::Text,
        FactKind::List => ValueKind::List,
        FactKind::Map => ValueKind::Map,
    }
}
