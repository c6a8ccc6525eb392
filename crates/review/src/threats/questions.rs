//! Questions: what is unknown and decides a rule, asked once per setting and group of instances, with all rules that hang on it.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Span};

use super::cause::short_hash;
use super::view::{Subject, SubjectScope, View};
use crate::catalogue::Rule;
use crate::expression::{Gap, Operand, Read, Scope, Val};
use crate::facts::{FACTS, asked};
use crate::outcome::Question;

/// Questions while they are collected.
#[derive(Default)]
pub(super) struct Questions {
    asked: BTreeMap<String, Asked>,
}

struct Asked {
    text: String,
    to: String,
    about: Address,
    instances: BTreeSet<Address>,
    setting: Option<String>,
    why: String,
    span: Option<Span>,
    decides: BTreeSet<String>,
    /// Whether the rule itself gave the text; such a text wins over the default.
    is_own_text: bool,
}

/// The id of the question for a path of a component, the same for all its instances: `name` is the last part of the path.
pub(super) fn id(address: &Address, root: &str, name: &str) -> String {
    let kind = root.rsplit('.').next().unwrap_or(root);
    format!("q-{}", short_hash(&[address.without_instance_keys().as_str(), kind, name], 8))
}

impl Questions {
    /// Asks for everything that kept a rule from a verdict.
    pub(super) fn ask(&mut self, rule: &Rule, view: &View<'_>, subject: Subject<'_>, gaps: &[Gap]) {
        for gap in gaps {
            let (root, name) = gap.path.rsplit_once('.').unwrap_or(("", gap.path.as_str()));
            let (about, component) = end(view, subject, root);
            let id = match subject.flow() {
                Some(flow) if root == "flow" => format!("q-{}", short_hash(&[&flow.id, root, name], 8)),
                _ => id(&about, root, name),
            };
            let shown = component.map_or_else(|| about.to_string(), |component| component.name.clone());
            // The rule's sentence asks for its verdict; where several things are open, each needs a question of its own.
            let own_text = rule.question.as_ref().and_then(|question| question.text.as_ref()).filter(|_| gaps.len() == 1);
            let own = own_text.map(|text| {
                let scope = QuestionScope { inner: view.scope(subject), setting: name, name: &shown };
                text.fill(&scope)
            });
            let is_setting = root.ends_with("settings");
            let entry = self.asked.entry(id).or_insert_with(|| Asked {
                text: default_text(view, component, root, name, &shown),
                to: default_audience(root).to_owned(),
                about: about.clone(),
                instances: BTreeSet::new(),
                setting: is_setting.then(|| name.to_owned()),
                why: gap.why.clone(),
                span: gap.span,
                decides: BTreeSet::new(),
                is_own_text: false,
            });
            entry.instances.insert(about);
            entry.decides.insert(rule.id.clone());
            if let Some(question) = &rule.question {
                entry.to.clone_from(&question.to);
            }
            if let Some(text) = own
                && !entry.is_own_text
            {
                entry.text = text;
                entry.is_own_text = true;
            }
        }
    }

    /// The questions, most rules decided first.
    pub(super) fn finish(self, view: &View<'_>) -> Vec<Question> {
        let known = |span: &Span| view.architecture.sources.get(span.file).is_some();
        let mut questions: Vec<Question> = self
            .asked
            .into_iter()
            .map(|(id, asked)| {
                let others = asked.instances.len().saturating_sub(1);
                let text = if others == 0 { asked.text } else { format!("{} (the same for {others} more)", asked.text) };
                Question {
                    id,
                    text,
                    to: asked.to,
                    about: asked.instances.first().cloned().unwrap_or(asked.about),
                    setting: asked.setting,
                    why: asked.why,
                    span: asked.span.filter(known),
                    decides: asked.decides.into_iter().collect(),
                }
            })
            .collect();
        questions.sort_by(|a, b| b.decides.len().cmp(&a.decides.len()).then_with(|| (&a.about, &a.id).cmp(&(&b.about, &b.id))));
        questions
    }
}

/// The component that a path is about.
fn end<'a>(view: &View<'a>, subject: Subject<'a>, root: &str) -> (Address, Option<&'a Component>) {
    match subject {
        Subject::Component(component) => (component.address.clone(), Some(component)),
        Subject::Flow(flow, from, _) if root.starts_with("from.") => (flow.from.clone(), from),
        Subject::Flow(flow, _, to) => (flow.to.clone(), to),
        Subject::System => {
            let system = view.architecture.declarations.system.as_deref().unwrap_or("system");
            (Address::new(system), None)
        }
    }
}

fn default_audience(root: &str) -> &'static str {
    if root.ends_with("settings") { "development" } else { "operations" }
}

fn default_text(view: &View<'_>, component: Option<&Component>, root: &str, name: &str, shown: &str) -> String {
    let kind = root.rsplit('.').next().unwrap_or(root);
    match kind {
        "settings" => {
            let about = component
                .and_then(|component| view.catalogue.types.get(&component.component_type))
                .and_then(|known| known.settings.get(name))
                .map_or_else(String::new, |setting| format!(" ({})", setting.about));
            format!("To what is `{name}` of `{shown}` set{about}?")
        }
        "facts" => match FACTS.iter().find(|fact| fact.name == name) {
            Some(fact) => asked::question(fact, shown),
            None => format!("What is `{name}` of `{shown}`?"),
        },
        "flow" => match name {
            "encrypted" => format!("Is the traffic to `{shown}` encrypted?"),
            "authentication" => format!("How do callers of `{shown}` prove who they are?"),
            _ => format!("What is the `{name}` of the traffic to `{shown}`?"),
        },
        _ => format!("What is the `{name}` of `{shown}`?"),
    }
}

/// The rule's view with what is asked for.
struct QuestionScope<'q, 'v, 'a> {
    inner: SubjectScope<'v, 'a>,
    setting: &'q str,
    name: &'q str,
}

impl Scope for QuestionScope<'_, '_, '_> {
    fn read<'s>(&'s self, read: &'s Read) -> Operand<'s> {
        match (read.root.as_str(), read.name.as_str()) {
            ("question", "setting") => Operand::text(Some(self.setting)),
            ("question", "name") => Operand::text(Some(self.name)),
            ("question", _) => Operand::new(Val::Null),
            _ => self.inner.read(read),
        }
    }
}
