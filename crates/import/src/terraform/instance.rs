//! Instances of resources and data sources, and their attributes.

use std::rc::Rc;

use bartizan_model::{Node, Span, Text, Value};

use super::budget::INSTANCE;
use super::evaluate::{Evaluated, Failure, Scope, number, unknown_of};
use super::module::{Expansion, Instance, InstanceKey, Memo, Module, each_suffix};
use super::resolve::Resolver;
use super::syntax::{Accessor, Block};

/// Instances of one block beyond this are refused.
const MAX_INSTANCES: usize = 10_000;

impl<'a> Resolver<'a> {
    pub(super) fn expansion(&self, block: &'a Block, scope: &Scope<'a>) -> Expansion {
        if let Some(count) = block.body.attribute("count") {
            return match self.eval(&count.expr, scope).and_then(|node| Ok((number(&node)?, node))) {
                Ok((Some(n), _)) if (0.0..=MAX_INSTANCES as f64).contains(&n) => Expansion::Count(n as usize),
                Ok((Some(_), _)) => {
                    let why = format!("more than {MAX_INSTANCES} instances");
                    Expansion::Symbolic(self.failed(&Failure::new(why, count.span)))
                }
                Ok((None, node)) => Expansion::Symbolic(Node::new(unknown_of(&node), count.span)),
                Err(failure) => Expansion::Symbolic(self.failed(&failure)),
            };
        }
        let Some(for_each) = block.body.attribute("for_each") else { return Expansion::Single };
        let collection = match self.eval(&for_each.expr, scope) {
            Ok(collection) => collection,
            Err(failure) => return Expansion::Symbolic(self.failed(&failure)),
        };
        match self.elements(&collection) {
            Ok(Some(elements)) if elements.len() > MAX_INSTANCES => {
                Expansion::Symbolic(self.failed(&Failure::new(format!("more than {MAX_INSTANCES} instances"), for_each.span)))
            }
            Ok(Some(elements)) => {
                let is_set = matches!(collection.value, Value::List(_));
                let keyed = elements.into_iter().map(|(key, value)| {
                    let key = if is_set { &value } else { &key };
                    (key.value.as_text().map(Text::to_string).unwrap_or_default(), value)
                });
                let mut keyed: Vec<(String, Node)> = keyed.collect();
                keyed.sort_by(|a, b| a.0.cmp(&b.0));
                keyed.dedup_by(|a, b| a.0 == b.0);
                Expansion::Each(keyed)
            }
            Ok(None) => Expansion::Symbolic(Node::new(unknown_of(&collection), for_each.span)),
            Err(failure) => Expansion::Symbolic(self.failed(&failure)),
        }
    }

    /// The instances of a resource; each is registered under its address.
    pub(super) fn instances_of(
        &self,
        module: &Rc<Module<'a>>,
        is_data: bool,
        kind: &str,
        name: &str,
        block: &'a Block,
    ) -> Vec<Rc<Instance<'a>>> {
        let base = module.address(is_data, kind, name);
        let keys = self.instance_keys_at(&base, block, module);
        let instance = |key: &InstanceKey| {
            let address = format!("{base}{}", key.suffix);
            if let Some(known) = self.instances.borrow().get(&address) {
                return Some(Rc::clone(known));
            }
            if let Err(failure) = self.spend(INSTANCE, block.header) {
                self.failed(&failure);
                return None;
            }
            let instance = Rc::new(Instance { module: Rc::clone(module), block, key: key.clone(), is_data });
            self.instances.borrow_mut().insert(address, Rc::clone(&instance));
            Some(instance)
        };
        keys.iter().map_while(instance).collect()
    }

    fn instance_keys_at(&self, base: &str, block: &'a Block, module: &Rc<Module<'a>>) -> Vec<InstanceKey> {
        let (_, keys) = self.expansion_at(base, block, module);
        keys
    }

    /// Expansion of the resource at an address without instance key; computed once.
    fn expansion_at(&self, base: &str, block: &'a Block, module: &Rc<Module<'a>>) -> (Rc<Expansion>, Vec<InstanceKey>) {
        let known = self.expansions.borrow().get(base).cloned();
        let expansion = match known {
            Some(Some(expansion)) => expansion,
            // It is being computed: the resource's `count` refers to the resource itself.
            Some(None) => {
                Rc::new(Expansion::Symbolic(Node::new(Value::unresolved("the number of instances refers to itself"), block.header)))
            }
            None => {
                self.expansions.borrow_mut().insert(base.to_owned(), None);
                let expansion = Rc::new(self.expansion(block, &Scope::of(module)));
                self.expansions.borrow_mut().insert(base.to_owned(), Some(Rc::clone(&expansion)));
                expansion
            }
        };
        let keys = instance_keys(&expansion, block.header);
        (expansion, keys)
    }

    #[expect(clippy::too_many_arguments, reason = "one call site per kind of reference; a struct would only rename them")]
    pub(super) fn resource_value(
        &self,
        module: &Rc<Module<'a>>,
        is_data: bool,
        kind: &str,
        label: &str,
        accessors: &'a [Accessor],
        scope: &Scope<'a>,
        span: Span,
    ) -> Evaluated<Node> {
        let map = if is_data { &module.directory.data } else { &module.directory.resources };
        let Some(((kind, label), block)) = map.get_key_value(&(kind.into(), label.into()) as &(Box<str>, Box<str>)) else {
            let data = if is_data { "data source" } else { "resource" };
            return Err(Failure::new(format!("no {data} `{kind}.{label}` is declared in this module"), span));
        };
        let base = module.address(is_data, kind, label);
        let (expansion, keys) = self.expansion_at(&base, block, module);
        self.instances_of(module, is_data, kind, label, block);
        let whole = |suffix: &str| Node::new(Value::Text(Text::reference(&format!("{base}{suffix}"), "", None)), span);
        let value = match (&*expansion, accessors.first()) {
            (Expansion::Single, _) => return self.access(&whole(""), accessors, scope, span),
            (Expansion::Symbolic(_), Some(Accessor::Index(_))) => {
                return self.access(&whole("[*]"), accessors.get(1..).unwrap_or(&[]), scope, span);
            }
            (Expansion::Each(_), _) => {
                Value::Map(keys.iter().zip(each_keys(&expansion)).map(|(key, name)| (name.to_owned(), whole(&key.suffix))).collect())
            }
            // An attribute straight of a counted resource is an error today; old configurations mean the first.
            (Expansion::Count(n), Some(Accessor::Attribute(_))) if *n > 0 => return self.access(&whole("[0]"), accessors, scope, span),
            (Expansion::Symbolic(_), Some(Accessor::Attribute(_))) => return self.access(&whole("[*]"), accessors, scope, span),
            (Expansion::Count(_) | Expansion::Symbolic(_), _) => Value::List(keys.iter().map(|key| whole(&key.suffix)).collect()),
        };
        self.access(&Node::new(value, span), accessors, scope, span)
    }

    /// An attribute of the resource, data source or missing module at an address.
    pub(crate) fn attribute_at(&self, address: &str, name: &str, span: Span) -> Evaluated<Node> {
        let instance = self.instances.borrow().get(address).cloned();
        let Some(instance) = instance else {
            return Ok(Node::new(Value::Text(Text::reference(address, name, None)), span));
        };
        let key = (address.to_owned(), name.to_owned());
        let found = self.attributes.borrow().get(&key).cloned();
        match found {
            // Who asks is the place, not who asked first.
            Some(Memo::Done(result)) => {
                return result.map(|node| {
                    self.use_document(&node, span);
                    Node::new(node.value.clone(), span)
                });
            }
            // A cycle through attributes: Terraform refuses it only between resources; an unvalued reference is true in any case.
            Some(Memo::InProgress) => return Ok(Node::new(Value::Text(Text::reference(address, name, None)), span)),
            None => {}
        }
        self.attributes.borrow_mut().insert(key.clone(), Memo::InProgress);
        let result = self.compute_attribute(&instance, address, name, span).map(Rc::new);
        self.attributes.borrow_mut().insert(key, Memo::Done(result.clone()));
        result.map(|node| (*node).clone())
    }

    /// True where an attribute of a resource is a block that stands there at least once.
    pub(crate) fn is_configured_block(&self, address: &str, name: &str, value: &Node) -> bool {
        let instance = self.instances.borrow().get(address).cloned();
        let named = |block: &Block| &*block.kind == name || (&*block.kind == "dynamic" && block.label(0) == Some(name));
        instance.is_some_and(|instance| instance.block.body.blocks.iter().any(named))
            && matches!(&value.value, Value::List(items) if !items.is_empty())
    }

    fn compute_attribute(&self, instance: &Instance<'a>, address: &str, name: &str, span: Span) -> Evaluated<Node> {
        let reference = |value: Option<&str>| Node::new(Value::Text(Text::reference(address, name, value)), span);
        let scope = instance.key.scope(&instance.module);
        if instance.is_data
            && let Some(value) = self.data_attribute(instance, address, name, &scope, span)?
        {
            return Ok(value);
        }
        let body = &instance.block.body;
        if let Some(attribute) = body.attribute(name) {
            let node = self.eval(&attribute.expr, &scope)?;
            let value = match &node.value {
                Value::Null => return Ok(reference(None)),
                Value::Text(text) if text.is_literal() => return Ok(reference(Some(text.encoded()))),
                Value::Text(text) if is_identity(name) => return Ok(reference(text.known().as_deref())),
                _ => node,
            };
            return Ok(value);
        }
        let mut items = Vec::new();
        let mut found = false;
        for block in &body.blocks {
            let kind = if &*block.kind == "dynamic" { block.label(0).unwrap_or("") } else { &*block.kind };
            if kind == name {
                found = true;
                items.extend(self.block_values(block, &scope).1);
            }
        }
        Ok(if found { Node::new(Value::List(items), span) } else { reference(None) })
    }

    /// The whole object behind a reference without attribute: its configured attributes and blocks.
    pub(crate) fn whole_object(&self, text: &Text) -> Option<Node> {
        let (address, "") = text.as_reference()? else { return None };
        let instance = self.instances.borrow().get(address).cloned()?;
        Some(self.body(&instance.block.body, &instance.key.scope(&instance.module), instance.block.header, true))
    }
}

/// Attributes by which others name a resource. Such a text stands for the resource even where it was put together from other references.
fn is_identity(name: &str) -> bool {
    name == "id"
        || name == "arn"
        || name == "name"
        || name == "bucket"
        || name == "identifier"
        || name == "family"
        || name.ends_with("_name")
        || name.ends_with("_identifier")
}

/// Keys of the instances of an expansion.
pub(super) fn instance_keys(expansion: &Expansion, span: Span) -> Vec<InstanceKey> {
    match expansion {
        Expansion::Single => vec![InstanceKey::default()],
        Expansion::Count(n) => (0..*n)
            .map(|index| InstanceKey {
                suffix: format!("[{index}]"),
                each: None,
                count: Some(Node::new(Value::Number(index as f64), span)),
            })
            .collect(),
        Expansion::Each(items) => items
            .iter()
            .map(|(key, value)| InstanceKey {
                suffix: each_suffix(key),
                each: Some(Rc::new((Node::text(key.as_str(), value.span), value.clone()))),
                count: None,
            })
            .collect(),
        Expansion::Symbolic(why) => {
            vec![InstanceKey { suffix: "[*]".to_owned(), each: Some(Rc::new((why.clone(), why.clone()))), count: Some(why.clone()) }]
        }
    }
}

fn each_keys(expansion: &Expansion) -> impl Iterator<Item = &str> {
    match expansion {
        Expansion::Each(items) => items.as_slice(),
        Expansion::Single | Expansion::Count(_) | Expansion::Symbolic(_) => &[],
    }
    .iter()
    .map(|(key, _)| key.as_str())
}
