//! Names → values: variables, locals, modules, resources, data sources, over all instances of all stacks.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bartizan_model::{Diagnostic, Node, Severity, Sources, Span, Text, Value};
use indexmap::IndexMap;

use super::config::{Config, Directory, literal, local_source};
use super::convert;
use super::evaluate::{Evaluated, Failure, Scope, number, unknown_of};
use super::module::{Children, Expansion, Instance, InstanceKey, Memo, Module, ModuleCall, Namespace, Stack, each_suffix};
use super::syntax::{Accessor, Block, Body, ExprKind, TemplatePart};
use crate::resource::{Mode, Resource};
use crate::tree::{self, Tree};

/// Modules nested deeper than this are taken for a cycle.
const MAX_MODULE_DEPTH: usize = 24;
/// Instances of one block beyond this are refused.
const MAX_INSTANCES: usize = 10_000;
/// Instances of all modules together beyond this are refused.
const MAX_MODULES: usize = 50_000;

/// Evaluates a configuration. Interior mutability, because values refer to each other in any order.
pub(crate) struct Resolver<'a> {
    pub(crate) config: &'a Config,
    pub(crate) tree: &'a Tree,
    pub(crate) sources: RefCell<Sources>,
    pub(crate) depth: Cell<u32>,
    pub(crate) template_depth: Cell<u32>,
    pub(crate) roots: RefCell<Vec<Rc<Module<'a>>>>,
    pub(crate) documents: RefCell<HashMap<Text, Vec<Node>>>,
    /// Directories of installed modules: root directory and key of the call → directory.
    installed: BTreeMap<(String, String), String>,
    instances: RefCell<HashMap<String, Rc<Instance<'a>>>>,
    /// By address without instance key; `None` while it is being computed.
    expansions: RefCell<HashMap<String, Option<Rc<Expansion>>>>,
    attributes: RefCell<HashMap<(String, String), Memo>>,
    diagnostics: RefCell<Vec<Diagnostic>>,
    n_modules: Cell<usize>,
    pub(crate) providers: RefCell<HashMap<String, super::provider::ProviderInfo>>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(config: &'a Config, tree: &'a Tree, sources: Sources) -> Self {
        let resolver = Self {
            config,
            tree,
            sources: RefCell::new(sources),
            depth: Cell::new(0),
            template_depth: Cell::new(0),
            roots: RefCell::new(Vec::new()),
            documents: RefCell::new(HashMap::new()),
            installed: installed_modules(config, tree),
            instances: RefCell::new(HashMap::new()),
            expansions: RefCell::new(HashMap::new()),
            attributes: RefCell::new(HashMap::new()),
            diagnostics: RefCell::new(Vec::new()),
            n_modules: Cell::new(0),
            providers: RefCell::new(HashMap::new()),
        };
        let roots = config.roots();
        let only = roots.len() == 1;
        let modules = roots.into_iter().map(|directory| {
            let prefix = if only || directory.path.is_empty() { String::new() } else { format!("{}:", directory.path) };
            let stack = Rc::new(Stack { path: directory.path.clone() });
            Rc::new(Module { directory, prefix, stack, call: None, depth: 0, values: RefCell::default(), children: RefCell::default() })
        });
        *resolver.roots.borrow_mut() = modules.collect();
        resolver
    }

    /// Every resource, looked-up data source and missing module of every stack.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let mut out = Vec::new();
        let mut pending: Vec<Rc<Module<'a>>> = self.roots.borrow().iter().rev().cloned().collect();
        while let Some(module) = pending.pop() {
            self.resources_of(&module, &mut out);
            for name in module.directory.modules.keys().rev() {
                let Some(children) = self.children(&module, name) else { continue };
                if !children.available {
                    self.missing_module(&module, name, &mut out);
                }
                pending.extend(children.modules.iter().rev().cloned());
            }
        }
        out
    }

    /// Diagnostics, documents and the sources with what was read on the way.
    pub(crate) fn finish(self) -> (Vec<Diagnostic>, HashMap<Text, Vec<Node>>, Sources) {
        (self.diagnostics.into_inner(), self.documents.into_inner(), self.sources.into_inner())
    }

    pub(crate) fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    fn resources_of(&self, module: &Rc<Module<'a>>, out: &mut Vec<Resource>) {
        let directory = module.directory;
        let managed = directory.resources.iter().map(|entry| (false, entry));
        let looked = directory.data.iter().map(|entry| (true, entry));
        for (is_data, ((kind, name), block)) in managed.chain(looked) {
            if is_data && &**kind == "aws_iam_policy_document" {
                continue;
            }
            let provider = self.provider_of(module, block, kind);
            for instance in self.instances_of(module, is_data, kind, name, block) {
                let scope = instance.key.scope(module);
                let body = self.body(&block.body, &scope, block.span, true);
                out.push(Resource {
                    address: format!("{}{}", module.address(is_data, kind, name), instance.key.suffix),
                    mode: if is_data { Mode::Looked } else { Mode::Managed },
                    source_type: kind.to_string(),
                    label: name.to_string(),
                    body,
                    span: block.header,
                    stack: module.stack.path.clone(),
                    account: provider.account.clone(),
                    region: provider.region.clone(),
                });
            }
        }
    }

    fn missing_module(&self, module: &Rc<Module<'a>>, name: &str, out: &mut Vec<Resource>) {
        let Some(block) = module.directory.modules.get(name) else { return };
        let source = literal(block, "source").unwrap_or("?").to_owned();
        // One component stands for all instances; what differs between them is not known of it.
        let repeated = block.body.attribute("for_each").or(block.body.attribute("count"));
        let key = repeated.and_then(|attribute| {
            let why = Node::new(Value::unresolved("it differs between the instances of the module"), attribute.span);
            instance_keys(&Expansion::Symbolic(why), block.header).pop()
        });
        let scope = key.unwrap_or_default().scope(module);
        self.report(
            Diagnostic::new(
                "terraform/module-not-available",
                Severity::Warning,
                format!("module `{name}` from `{source}` is not available, so what it creates is not reviewed"),
                block.header,
            )
            .with_help("run `terraform init` (or `terraform get`) so that `.terraform/modules` holds it, or review the output of `terraform show -json`"),
        );
        out.push(Resource {
            address: format!("{}module.{name}", module.prefix),
            mode: Mode::Module,
            source_type: "module".to_owned(),
            label: name.to_owned(),
            body: self.body(&block.body, &scope, block.span, true),
            span: block.header,
            stack: module.stack.path.clone(),
            account: None,
            region: None,
        });
    }

    // ---- bodies ------------------------------------------------------------------------------------------------------------------------

    /// The body of a block as a map; blocks become lists of maps. `top` leaves out what Terraform itself reads (`count`, `lifecycle`, …).
    pub(crate) fn body(&self, body: &'a Body, scope: &Scope<'a>, span: Span, top: bool) -> Node {
        let mut map = IndexMap::with_capacity(body.attributes.len());
        for attribute in &body.attributes {
            if top && matches!(&*attribute.name, "count" | "for_each" | "provider" | "providers" | "depends_on" | "version") {
                continue;
            }
            let value = self.eval(&attribute.expr, scope).unwrap_or_else(|failure| self.failed(&failure));
            map.insert(attribute.name.to_string(), Node::new(value.value, attribute.span));
        }
        for block in &body.blocks {
            if top && matches!(&*block.kind, "lifecycle" | "provisioner" | "connection" | "timeouts") {
                continue;
            }
            let (kind, items) = self.block_values(block, scope);
            let list = map.entry(kind.to_owned()).or_insert_with(|| Node::new(Value::List(Vec::new()), block.span));
            match &mut list.value {
                Value::List(existing) => existing.extend(items),
                _ => list.value = Value::List(items),
            }
        }
        Node::new(Value::Map(map), span)
    }

    /// Kind and values of a nested block, `dynamic` ones expanded.
    fn block_values(&self, block: &'a Block, scope: &Scope<'a>) -> (&'a str, Vec<Node>) {
        if &*block.kind != "dynamic" {
            return (&block.kind, vec![self.body(&block.body, scope, block.span, false)]);
        }
        let kind = block.label(0).unwrap_or("dynamic");
        let Some(content) = block.body.blocks("content").next() else { return (kind, Vec::new()) };
        let Some(for_each) = block.body.attribute("for_each") else { return (kind, Vec::new()) };
        let iterator = match block.body.attribute("iterator").map(|attribute| &attribute.expr.kind) {
            Some(ExprKind::Name(name)) => name,
            _ => kind,
        };
        let collection = match self.eval(&for_each.expr, scope) {
            Ok(collection) => collection,
            Err(failure) => return (kind, vec![self.failed(&failure)]),
        };
        match self.elements(&collection) {
            Ok(Some(elements)) => {
                let is_set = matches!(collection.value, Value::List(_));
                let items = elements.into_iter().map(|(key, value)| {
                    let key = if is_set { value.clone() } else { key };
                    let element: IndexMap<String, Node> = [("key".to_owned(), key), ("value".to_owned(), value)].into_iter().collect();
                    let inner = scope.with(iterator, Node::new(Value::Map(element), for_each.span));
                    self.body(&content.body, &inner, content.span, false)
                });
                (kind, items.collect())
            }
            Ok(None) => (kind, vec![Node::new(unknown_of(&collection), for_each.span)]),
            // `null` for a dynamic block's collection is refused by Terraform only when it is evaluated; an absent list means no block.
            Err(failure) if matches!(collection.value, Value::Null) => {
                let _ = failure;
                (kind, Vec::new())
            }
            Err(failure) => (kind, vec![self.failed(&failure)]),
        }
    }

    /// What stands in for a value that Terraform would refuse; it is told once per place.
    pub(crate) fn failed(&self, failure: &Failure) -> Node {
        self.report(
            Diagnostic::new("terraform/unresolved-reference", Severity::Warning, failure.why.clone(), failure.span)
                .with_help("the value counts as unknown"),
        );
        Node::new(Value::unresolved(&failure.why), failure.span)
    }

    // ---- names -------------------------------------------------------------------------------------------------------------------------

    /// The value of a name that is no local variable of the expression, with what is accessed of it.
    pub(crate) fn named(&self, name: &str, accessors: &'a [Accessor], scope: &Scope<'a>, span: Span) -> Evaluated<Node> {
        let Some(module) = &scope.module else {
            return Err(Failure::new(format!("the template has no variable `{name}`"), span));
        };
        let first = match accessors.first() {
            Some(Accessor::Attribute(first)) => Some(&**first),
            _ => None,
        };
        let rest = accessors.get(1..).unwrap_or(&[]);
        match (name, first) {
            ("var", Some(first)) => {
                let value = self.variable(module, first, span)?;
                self.access(&value, rest, scope, span)
            }
            ("local", Some(first)) => {
                let value = self.local(module, first, span)?;
                self.access(&value, rest, scope, span)
            }
            ("each", Some(which)) => match &scope.each {
                Some(each) => self.access(if which == "key" { &each.0 } else { &each.1 }, rest, scope, span),
                None => Err(Failure::new("`each` has no meaning here: the block has no `for_each`", span)),
            },
            ("count", Some("index")) => {
                scope.count.clone().ok_or_else(|| Failure::new("`count.index` has no meaning here: the block has no `count`", span))
            }
            ("path", Some(which)) => {
                // Tree-absolute, so that files are found whatever module the path is handed to.
                let path = if which == "module" { &module.directory.path } else { &module.stack.path };
                Ok(Node::text(format!("/{path}").as_str(), span))
            }
            ("terraform", Some("workspace")) => Ok(Node::new(Value::unresolved("the workspace is chosen when Terraform runs"), span)),
            ("terraform" | "self", _) => Ok(Node::new(Value::after_apply("it is known only when the plan is applied"), span)),
            ("module", Some(first)) => self.module_value(module, first, rest, scope, span),
            ("data", Some(kind)) => match rest.first() {
                Some(Accessor::Attribute(label)) => {
                    self.resource_value(module, true, kind, label, rest.get(1..).unwrap_or(&[]), scope, span)
                }
                _ => Err(Failure::new("`data` wants a type and a name", span)),
            },
            (kind, Some(label)) => self.resource_value(module, false, kind, label, rest, scope, span),
            (other, None) => Err(Failure::new(format!("`{other}` is not declared"), span)),
        }
    }

    fn memo(
        &self,
        module: &Module<'a>,
        key: (Namespace, &'a str),
        span: Span,
        compute: impl FnOnce() -> Evaluated<Node>,
    ) -> Evaluated<Rc<Node>> {
        let found = module.values.borrow().get(&key).cloned();
        match found {
            Some(Memo::Done(result)) => return result,
            Some(Memo::InProgress) => return Err(Failure::new(format!("`{}` refers to itself", key.1), span)),
            None => {}
        }
        module.values.borrow_mut().insert(key, Memo::InProgress);
        let result = compute().map(Rc::new);
        module.values.borrow_mut().insert(key, Memo::Done(result.clone()));
        result
    }

    fn local(&self, module: &Rc<Module<'a>>, name: &str, span: Span) -> Evaluated<Rc<Node>> {
        let Some((name, attribute)) = module.directory.locals.get_key_value(name) else {
            return Err(Failure::new(format!("no local value `{name}` is declared"), span));
        };
        self.memo(module, (Namespace::Local, name), span, || self.eval(&attribute.expr, &Scope::of(module)))
    }

    fn variable(&self, module: &Rc<Module<'a>>, name: &str, span: Span) -> Evaluated<Rc<Node>> {
        let Some((name, block)) = module.directory.variables.get_key_value(name) else {
            return Err(Failure::new(format!("no variable `{name}` is declared"), span));
        };
        self.memo(module, (Namespace::Variable, name), span, || {
            let default = || block.body.attribute("default").map(|default| self.eval(&default.expr, &Scope::of(module)));
            let given = match &module.call {
                Some(call) => call.block.body.attribute(name).map(|argument| self.eval(&argument.expr, &call.instance.scope(&call.caller))),
                None => module.directory.values.get(name).map(|value| self.eval(&value.expr, &Scope::of(module))),
            };
            let nullable = !matches!(block.body.attribute("nullable").map(|a| &a.expr.kind), Some(ExprKind::Bool(false)));
            let value = match given {
                Some(Ok(node)) if node.value.is_null() && !nullable => default().unwrap_or(Ok(node)),
                Some(Err(failure)) => Ok(self.failed(&failure)),
                Some(Ok(node)) => Ok(node),
                None => default().unwrap_or_else(|| {
                    let why = format!("variable `{name}` has no value");
                    Ok(Node::new(Value::unresolved(why), block.header))
                }),
            }?;
            match block.body.attribute("type") {
                Some(constraint) => Ok(convert::to_type(self, value, &constraint.expr)),
                None => Ok(value),
            }
        })
    }

    // ---- modules -----------------------------------------------------------------------------------------------------------------------

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
            if module.depth >= MAX_MODULE_DEPTH || n_modules > MAX_MODULES {
                self.report(Diagnostic::new(
                    "terraform/module-cycle",
                    Severity::Error,
                    format!("module `{name}` is nested too deeply or called too often; it is left out"),
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
            let path = tree::join(&module.directory.path, source)?;
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

    fn module_value(
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

    fn output(&self, module: &Rc<Module<'a>>, name: &str, span: Span) -> Evaluated<Rc<Node>> {
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

    // ---- resources ---------------------------------------------------------------------------------------------------------------------

    fn expansion(&self, block: &'a Block, scope: &Scope<'a>) -> Expansion {
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
    fn instances_of(&self, module: &Rc<Module<'a>>, is_data: bool, kind: &str, name: &str, block: &'a Block) -> Vec<Rc<Instance<'a>>> {
        let base = module.address(is_data, kind, name);
        let keys = self.instance_keys_at(&base, block, module);
        keys.iter()
            .map(|key| {
                let address = format!("{base}{}", key.suffix);
                let mut instances = self.instances.borrow_mut();
                let instance = instances
                    .entry(address)
                    .or_insert_with(|| Rc::new(Instance { module: Rc::clone(module), block, key: key.clone(), is_data }));
                Rc::clone(instance)
            })
            .collect()
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
    fn resource_value(
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
            Some(Memo::Done(result)) => return result.map(|node| Node::new(node.value.clone(), span)),
            // A cycle through attributes: Terraform refuses it only between resources; an unvalued reference is true in any case.
            Some(Memo::InProgress) => return Ok(Node::new(Value::Text(Text::reference(address, name, None)), span)),
            None => {}
        }
        self.attributes.borrow_mut().insert(key.clone(), Memo::InProgress);
        let result = self.compute_attribute(&instance, address, name, span).map(Rc::new);
        self.attributes.borrow_mut().insert(key, Memo::Done(result.clone()));
        result.map(|node| (*node).clone())
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

    /// Renders a template that evaluation itself read.
    pub(crate) fn render_owned(
        &self,
        parts: Vec<TemplatePart>,
        variables: &IndexMap<String, Node>,
        span: Span,
        out: &mut Text,
    ) -> Evaluated<()> {
        let parts: &'a [TemplatePart] = self.config.templates.alloc(parts);
        self.template(parts, &Scope::template(variables), span, out)
    }

    /// Keeps the tree that a JSON text was made of, so that statements keep their lines.
    pub(crate) fn remember_document(&self, text: &Text, tree: Node) {
        let mut documents = self.documents.borrow_mut();
        let known = documents.entry(text.clone()).or_default();
        if !known.iter().any(|other| other.span == tree.span) {
            known.push(tree);
        }
    }

    /// The stack whose state a `terraform_remote_state` reads, by its backend's settings.
    pub(crate) fn stack_of_state(&self, backend: &str, settings: &Node, from: &Module<'a>) -> Option<Rc<Module<'a>>> {
        let asked = |name: &str| settings.get(name).and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned));
        self.roots
            .borrow()
            .iter()
            .find(|root| match (backend, &root.directory.backend) {
                ("local", _) => asked("path")
                    .and_then(|path| tree::join(&from.stack.path, &path))
                    .is_some_and(|path| tree::directory(&path) == root.directory.path),
                (_, Some(block)) if block.label(0) == Some(backend) => {
                    let same = |name: &str| match (literal(block, name), asked(name)) {
                        (Some(a), Some(b)) => a == b,
                        // What is handed to `init` on the command line is not in the files.
                        (None, _) | (_, None) => true,
                    };
                    literal(block, "key").or_else(|| literal(block, "prefix")).is_some() && same("key") && same("bucket") && same("prefix")
                }
                _ => false,
            })
            .cloned()
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
fn instance_keys(expansion: &Expansion, span: Span) -> Vec<InstanceKey> {
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

/// Reads `.terraform/modules/modules.json` of every directory that has one.
fn installed_modules(config: &Config, tree: &Tree) -> BTreeMap<(String, String), String> {
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
                && let Some(dir) = tree::join(directory, &dir)
            {
                out.insert((directory.clone(), key), dir);
            }
        }
    }
    out
}
