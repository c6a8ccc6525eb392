//! Module calls: which directory a call means, its instances, its outputs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bartizan_model::{Diagnostic, Node, Severity, Span, Text, Value, path};

use super::budget::INSTANCE;
use super::config::{Config, Directory, local_source};
use super::evaluate::{Evaluated, Failure, Scope};
use super::instance::instance_keys;
use super::module::{Children, Expansion, Module, ModuleCall, Namespace};
use super::resolve::Resolver;
use super::syntax::{Accessor, Block};
use crate::tree::Tree;

/// Modules nested deeper than this are taken for a cycle.
const MAX_MODULE_DEPTH: usize = 24;
/// Instances of all modules together beyond this are refused.
const MAX_MODULES: usize = 50_000;

impl<'a> Resolver<'a> {
    /// The instances of a module call.
    pub(crate) fn children(&self, module: &Rc<Module<'a>>, name: &str) -> Option<Rc<Children<'a>>> {
        let (name, block) = module.directory.modules.get_key_value(name)?;
        if let Some(children) = module.children.borrow().get(&**name) {
            return Some(Rc::clone(children));
        }
        let directory = self.module_directory(module, name, block);
        let expansion = self.expansion(block, &Scope::of(module));
        let keys = instance_keys(&expansion, block.header);
        let mut modules = Vec::new();
        if let Some(directory) = directory {
            let n_modules = self.n_modules.get() + keys.len();
            self.n_modules.set(n_modules);
            let affordable = self.spend(INSTANCE.saturating_mul(keys.len() as u64), block.header).is_ok();
            if module.depth >= MAX_MODULE_DEPTH || module.is_inside(directory) || n_modules > MAX_MODULES || !affordable {
                self.report(Diagnostic::new(
                    "terraform/module-cycle",
                    Severity::Error,
                    format!("module `{name}` calls itself, or is nested too deeply or called too often; it is left out"),
                    block.header,
                ));
            } else {
                modules = keys
                    .into_iter()
                    .map(|key| {
                        Rc::new(Module {
                            directory,
                            prefix: format!("{}module.{name}{}.", module.prefix, key.suffix),
                            stack: Rc::clone(&module.stack),
                            call: Some(ModuleCall { caller: Rc::clone(module), block, instance: key }),
                            depth: module.depth + 1,
                            values: RefCell::default(),
                            children: RefCell::default(),
                        })
                    })
                    .collect();
            }
        }
        let children = Rc::new(Children { expansion, modules, available: directory.is_some() });
        module.children.borrow_mut().insert(name, Rc::clone(&children));
        Some(children)
    }

    fn module_directory(&self, module: &Module<'a>, name: &str, block: &Block) -> Option<&'a Directory> {
        if let Some(source) = local_source(block) {
            let path = path::join(&module.directory.path, source)?;
            return self.config.directories.get(&path);
        }
        // Keys of `modules.json` are the dotted names of the calls, without instance keys.
        let mut names = vec![name];
        let mut call = module.call.as_ref();
        while let Some(inner) = call {
            names.push(inner.block.label(0).unwrap_or(""));
            call = inner.caller.call.as_ref();
        }
        names.reverse();
        let path = self.installed.get(&(module.stack.path.clone(), names.join(".")))?;
        self.config.directories.get(path)
    }

    pub(super) fn module_value(
        &self,
        module: &Rc<Module<'a>>,
        name: &str,
        accessors: &'a [Accessor],
        scope: &Scope<'a>,
        span: Span,
    ) -> Evaluated<Node> {
        let Some(children) = self.children(module, name) else {
            return Err(Failure::new(format!("no module `{name}` is called"), span));
        };
        if !children.available {
            // `module.x.y`, `module.x[0].y`, `module.x["k"].y` all refer to the one component that stands for the module.
            let rest = match accessors.first() {
                Some(Accessor::Index(_) | Accessor::FullSplat | Accessor::AttributeSplat) => accessors.get(1..).unwrap_or(&[]),
                _ => accessors,
            };
            let whole = Node::new(Value::Text(Text::reference(&format!("{}module.{name}", module.prefix), "", None)), span);
            let value = self.access(&whole, rest, scope, span)?;
            return Ok(if matches!(accessors.first(), Some(Accessor::FullSplat | Accessor::AttributeSplat)) {
                Node::new(Value::List(vec![value]), span)
            } else {
                value
            });
        }
        match (&children.expansion, accessors.first()) {
            (Expansion::Single, Some(Accessor::Attribute(output))) => match children.modules.first() {
                Some(child) => {
                    let value = self.output(child, output, span)?;
                    self.access(&value, accessors.get(1..).unwrap_or(&[]), scope, span)
                }
                None => Ok(Node::new(Value::unresolved("the module is nested too deeply"), span)),
            },
            (Expansion::Single, _) => {
                let whole = children.modules.first().map_or(Node::new(Value::Null, span), |child| self.outputs(child, span));
                self.access(&whole, accessors, scope, span)
            }
            (Expansion::Symbolic(_), Some(Accessor::Index(_))) => {
                let whole = children.modules.first().map_or(Node::new(Value::Null, span), |child| self.outputs(child, span));
                self.access(&whole, accessors.get(1..).unwrap_or(&[]), scope, span)
            }
            (expansion, _) => {
                let values: Vec<Node> = children.modules.iter().map(|child| self.outputs(child, span)).collect();
                let value = match expansion {
                    Expansion::Each(keys) => Value::Map(keys.iter().map(|(key, _)| key.clone()).zip(values).collect()),
                    Expansion::Single | Expansion::Count(_) | Expansion::Symbolic(_) => Value::List(values),
                };
                self.access(&Node::new(value, span), accessors, scope, span)
            }
        }
    }

    pub(super) fn output(&self, module: &Rc<Module<'a>>, name: &str, span: Span) -> Evaluated<Rc<Node>> {
        let Some((name, block)) = module.directory.outputs.get_key_value(name) else {
            return Err(Failure::new(format!("the module has no output `{name}`"), span));
        };
        self.memo(module, (Namespace::Output, name), span, || match block.body.attribute("value") {
            Some(value) => self.eval(&value.expr, &Scope::of(module)),
            None => Ok(Node::new(Value::Null, block.span)),
        })
    }

    /// All outputs of a module as a map; one that fails is left unknown.
    pub(crate) fn outputs(&self, module: &Rc<Module<'a>>, span: Span) -> Node {
        let members = module.directory.outputs.keys().map(|name| {
            let value = match self.output(module, name, span) {
                Ok(value) => (*value).clone(),
                Err(failure) => Node::new(Value::unresolved(&failure.why), failure.span),
            };
            (name.to_string(), value)
        });
        Node::new(Value::Map(members.collect()), span)
    }
}

/// Reads `.terraform/modules/modules.json` of every directory that has one.
pub(super) fn installed_modules(config: &Config, tree: &Tree) -> BTreeMap<(String, String), String> {
    let mut out = BTreeMap::new();
    for directory in config.directories.keys() {
        let path = if directory.is_empty() {
            ".terraform/modules/modules.json".to_owned()
        } else {
            format!("{directory}/.terraform/modules/modules.json")
        };
        let Ok(text) = tree.text(&path) else { continue };
        let origin = crate::json::Origin::Computed(Span::new(bartizan_model::FileId(0), 0..0));
        let Ok(manifest) = crate::json::parse(&text, origin) else { continue };
        for entry in manifest.at("Modules[]") {
            let member = |name: &str| entry.get(name).and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned));
            if let (Some(key), Some(dir)) = (member("Key"), member("Dir"))
                && let Some(dir) = path::join(directory, &dir)
            {
                out.insert((directory.clone(), key), dir);
            }
        }
    }
    out
}
