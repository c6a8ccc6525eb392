//! Names → values: variables, locals, modules, resources, data sources, over all instances of all stacks.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bartizan_model::{Address, Diagnostic, Moved, Node, Severity, Sources, Span, SwitchedOff, Text, Value, path};
use indexmap::IndexMap;

use super::budget;
use super::call::installed_modules;
use super::config::{Config, literal};
use super::convert;
use super::evaluate::{Evaluated, Failure, Scope, unknown_of};
use super::instance::instance_keys;
use super::module::{Expansion, Instance, Memo, Module, Namespace, Stack};
use super::syntax::{Accessor, Block, Body, ExprKind, TemplatePart};
use crate::built::Built;
use crate::resource::{Mode, Resource};
use crate::tree::Tree;

/// Where the S3 backend keeps the states of workspaces other than the default one.
const DEFAULT_WORKSPACE_PREFIX: &str = "env:";

/// True where `key` names the state of a backend with the key `own`: the default workspace's, or `PREFIX/WORKSPACE/own`.
fn is_state_key(key: &str, own: &str, prefix: &str) -> bool {
    let of_workspace = |key: &str| {
        let workspace = key.strip_prefix(prefix)?.strip_prefix('/')?.strip_suffix(own)?.strip_suffix('/')?;
        Some(!workspace.is_empty() && !workspace.contains('/'))
    };
    key == own || of_workspace(key) == Some(true)
}

/// Evaluates a configuration. Interior mutability, because values refer to each other in any order.
pub(crate) struct Resolver<'a> {
    pub(crate) config: &'a Config,
    pub(crate) tree: &'a Tree,
    pub(crate) sources: RefCell<Sources>,
    pub(crate) depth: Cell<u32>,
    /// What evaluation may still spend.
    pub(super) purse: Cell<u64>,
    pub(crate) template_depth: Cell<u32>,
    pub(crate) roots: RefCell<Vec<Rc<Module<'a>>>>,
    pub(crate) documents: RefCell<HashMap<Text, Vec<Built>>>,
    /// Directories of installed modules: root directory and key of the call → directory.
    pub(super) installed: BTreeMap<(String, String), String>,
    pub(super) instances: RefCell<HashMap<String, Rc<Instance<'a>>>>,
    /// By address without instance key; `None` while it is being computed.
    pub(super) expansions: RefCell<HashMap<String, Option<Rc<Expansion>>>>,
    pub(super) attributes: RefCell<HashMap<(String, String), Memo>>,
    diagnostics: RefCell<Vec<Diagnostic>>,
    pub(super) n_modules: Cell<usize>,
    pub(crate) providers: RefCell<HashMap<String, super::provider::ProviderInfo>>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(config: &'a Config, tree: &'a Tree, sources: Sources) -> Self {
        let resolver = Self {
            config,
            tree,
            sources: RefCell::new(sources),
            depth: Cell::new(0),
            purse: Cell::new(budget::purse(config.n_bytes)),
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
        let roots = config.roots(tree);
        let only = roots.len() == 1;
        let modules = roots.into_iter().map(|directory| {
            let prefix = if only || tree.is_root(&directory.path) { String::new() } else { format!("{}:", directory.path) };
            let stack = Rc::new(Stack { path: directory.path.clone() });
            Rc::new(Module { directory, prefix, stack, call: None, depth: 0, values: RefCell::default(), children: RefCell::default() })
        });
        *resolver.roots.borrow_mut() = modules.collect();
        resolver
    }

    /// Every resource, looked-up data source, source of a module from elsewhere and missing module of every stack, what was moved, and what
    /// is switched off.
    pub(crate) fn resources(&self) -> (Vec<Resource>, Vec<Moved>, Vec<SwitchedOff>) {
        let (mut out, mut moved, mut switched_off) = (Vec::new(), Vec::new(), Vec::new());
        let mut pending: Vec<Rc<Module<'a>>> = self.roots.borrow().iter().rev().cloned().collect();
        while let Some(module) = pending.pop() {
            self.resources_of(&module, &mut out, &mut switched_off);
            self.moved_in(&module, &mut moved);
            for name in module.directory.modules.keys().rev() {
                let Some(children) = self.children(&module, name) else { continue };
                if !children.expansion.is_empty() {
                    self.module_source(&module, name, &mut out);
                } else if let Some(block) = module.directory.modules.get(name) {
                    let address = Address::new(format!("{}module.{name}", module.prefix));
                    switched_off.push(SwitchedOff { address, span: block.header });
                }
                if !children.available && !children.expansion.is_empty() {
                    self.missing_module(&module, name, &mut out);
                }
                pending.extend(children.modules.iter().rev().cloned());
            }
        }
        (out, moved, switched_off)
    }

    /// Diagnostics, documents and the sources with what was read on the way.
    pub(crate) fn finish(self) -> (Vec<Diagnostic>, HashMap<Text, Vec<Built>>, Sources) {
        (self.diagnostics.into_inner(), self.documents.into_inner(), self.sources.into_inner())
    }

    pub(crate) fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    fn resources_of(&self, module: &Rc<Module<'a>>, out: &mut Vec<Resource>, switched_off: &mut Vec<SwitchedOff>) {
        let directory = module.directory;
        self.providers_with_credentials(module, out);
        let managed = directory.resources.iter().map(|entry| (false, entry));
        let looked = directory.data.iter().map(|entry| (true, entry));
        for (is_data, ((kind, name), block)) in managed.chain(looked) {
            if is_data && &**kind == "aws_iam_policy_document" {
                continue;
            }
            let provider = self.provider_of(module, block, kind);
            let instances = self.instances_of(module, is_data, kind, name, block);
            if instances.is_empty() && !is_data {
                switched_off.push(SwitchedOff { address: Address::new(module.address(is_data, kind, name)), span: block.header });
            }
            for instance in instances {
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

    /// The body of a block as a map; blocks become lists of maps. `top` leaves out what Terraform itself reads (`count`, `lifecycle`, …).
    pub(crate) fn body(&self, body: &'a Body, scope: &Scope<'a>, span: Span, top: bool) -> Node {
        let mut map = IndexMap::with_capacity(body.attributes.len());
        for attribute in &body.attributes {
            if top && matches!(&*attribute.name, "count" | "for_each" | "provider" | "providers" | "depends_on") {
                continue;
            }
            let value = self.eval(&attribute.expr, scope).unwrap_or_else(|failure| self.failed(&failure));
            self.use_document(&value, attribute.span);
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
    pub(super) fn block_values(&self, block: &'a Block, scope: &Scope<'a>) -> (&'a str, Vec<Node>) {
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
            Diagnostic::new(super::UNRESOLVED, Severity::Warning, failure.why.clone(), failure.span)
                .with_help("the value counts as unknown"),
        );
        Node::new(Value::unresolved(&failure.why), failure.span)
    }

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
            ("resource", Some(kind)) if !module.directory.resources.keys().any(|(declared, _)| &**declared == "resource") => {
                match rest.first() {
                    Some(Accessor::Attribute(label)) => {
                        self.resource_value(module, false, kind, label, rest.get(1..).unwrap_or(&[]), scope, span)
                    }
                    _ => Err(Failure::new("`resource` wants a type and a name", span)),
                }
            }
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

    pub(super) fn memo(
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
            return Ok(Rc::new(self.failed(&Failure::new(format!("no local value `{name}` is declared"), span))));
        };
        self.memo(module, (Namespace::Local, name), span, || self.eval(&attribute.expr, &Scope::of(module)))
    }

    fn variable(&self, module: &Rc<Module<'a>>, name: &str, span: Span) -> Evaluated<Rc<Node>> {
        let Some((name, block)) = module.directory.variables.get_key_value(name) else {
            // What stands around it is known all the same: another folder may declare it.
            return Ok(Rc::new(self.failed(&Failure::new(format!("{}{name}` is declared", super::UNDECLARED), span))));
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

    /// Keeps the tree that a JSON text was made of, so that statements keep their lines; `used` is the expression that stands for the text.
    pub(crate) fn remember_document(&self, text: &Text, tree: Node, used: Span) {
        let mut documents = self.documents.borrow_mut();
        let known = documents.entry(text.clone()).or_default();
        match known.iter_mut().find(|other| other.tree.span == tree.span) {
            Some(built) => built.add_use(used),
            None => known.push(Built::new(tree, used)),
        }
    }

    /// Remembers that a place holds a document which came from elsewhere: a local value, a variable, an output.
    pub(crate) fn use_document(&self, from: &Node, place: Span) {
        let Value::Text(text) = &from.value else { return };
        if !text.encoded().starts_with(['{', '[']) {
            return;
        }
        if let Some(built) = self.documents.borrow_mut().get_mut(text).and_then(|all| Built::used_within(all, from.span)) {
            built.add_use(place);
        }
    }

    /// The stack whose state a `terraform_remote_state` reads, by its backend's settings.
    pub(crate) fn stack_of_state(&self, backend: &str, settings: &Node, from: &Module<'a>) -> Option<Rc<Module<'a>>> {
        let asked = |name: &str| settings.get(name).and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned));
        // What is not known of a key is mostly the workspace: one step of the path.
        let key = ["key", "prefix"].iter().find_map(|name| settings.get(name)?.value.as_text().map(ToString::to_string));
        self.roots
            .borrow()
            .iter()
            .find(|root| match (backend, &root.directory.backend) {
                ("local", _) => asked("path")
                    .and_then(|path| path::join(&from.stack.path, &path))
                    .is_some_and(|path| path::folder(&path) == root.directory.path),
                (_, Some(block)) if block.label(0) == Some(backend) => {
                    let same = |name: &str| match (literal(block, name), asked(name)) {
                        (Some(a), Some(b)) => a == b,
                        // What is handed to `init` on the command line is not in the files.
                        (None, _) | (_, None) => true,
                    };
                    let own = literal(block, "key").or_else(|| literal(block, "prefix"));
                    let prefix = literal(block, "workspace_key_prefix").unwrap_or(DEFAULT_WORKSPACE_PREFIX);
                    own.zip(key.as_deref()).is_some_and(|(own, key)| is_state_key(key, own, prefix)) && same("bucket")
                }
                _ => false,
            })
            .cloned()
    }
}
