//! Instances of modules and resources.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use bartizan_model::Node;

use super::config::Directory;
use super::evaluate::Scope;
use super::syntax::Block;

/// One root module.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Its directory.
    pub(crate) path: String,
}

/// A module instance: a directory, called from somewhere, with its arguments.
pub(crate) struct Module<'a> {
    pub(crate) directory: &'a Directory,
    /// Address with a trailing dot, ready to put before a resource's: `module.a[0].`; with the stack's prefix.
    pub(crate) prefix: String,
    pub(crate) stack: Rc<Stack>,
    pub(crate) call: Option<ModuleCall<'a>>,
    /// How many calls deep.
    pub(crate) depth: usize,
    /// Values of variables and locals.
    pub(crate) values: RefCell<HashMap<(Namespace, &'a str), Memo>>,
    /// Instances of the modules it calls, by name of the call.
    pub(crate) children: RefCell<HashMap<&'a str, Rc<Children<'a>>>>,
}

/// From where a module is called.
pub(crate) struct ModuleCall<'a> {
    pub(crate) caller: Rc<Module<'a>>,
    pub(crate) block: &'a Block,
    pub(crate) instance: InstanceKey,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Namespace {
    Variable,
    Local,
    Output,
}

/// A value that is being computed or was.
#[derive(Clone)]
pub(crate) enum Memo {
    InProgress,
    Done(Result<Rc<Node>, super::evaluate::Failure>),
}

/// How often a block stands: `count` and `for_each`.
#[derive(Clone, Debug)]
pub(crate) enum Expansion {
    Single,
    Count(usize),
    Each(Vec<(String, Node)>),
    /// How often is not known; it is taken as one symbolic instance.
    Symbolic(Node),
}

impl Expansion {
    /// True where there surely is no instance.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Expansion::Count(n) => *n == 0,
            Expansion::Each(keys) => keys.is_empty(),
            Expansion::Single | Expansion::Symbolic(_) => false,
        }
    }
}

/// One instance of a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct InstanceKey {
    /// `[0]`, `["a"]`, `[*]` or nothing.
    pub(crate) suffix: String,
    pub(crate) each: Option<Rc<(Node, Node)>>,
    pub(crate) count: Option<Node>,
}

impl InstanceKey {
    /// The scope of the instance's own expressions.
    pub(crate) fn scope<'a>(&self, module: &Rc<Module<'a>>) -> Scope<'a> {
        Scope { module: Some(Rc::clone(module)), each: self.each.clone(), count: self.count.clone(), variables: None }
    }
}

/// The instances of one module call.
pub(crate) struct Children<'a> {
    pub(crate) expansion: Expansion,
    /// One per instance, in the order of the expansion; empty where the module's source is not at hand.
    pub(crate) modules: Vec<Rc<Module<'a>>>,
    /// Whether the source is at hand.
    pub(crate) available: bool,
}

/// A resource or data source instance, found by its address.
pub(crate) struct Instance<'a> {
    pub(crate) module: Rc<Module<'a>>,
    pub(crate) block: &'a Block,
    pub(crate) key: InstanceKey,
    pub(crate) is_data: bool,
}

impl<'a> Module<'a> {
    /// True where a directory is this module's, or that of a module on the way to it: a call of it would never end.
    pub(crate) fn is_inside(&self, directory: &Directory) -> bool {
        self.directory.path == directory.path || self.call.as_ref().is_some_and(|call| call.caller.is_inside(directory))
    }

    /// Address of a resource of this module without its instance key.
    pub(crate) fn address(&self, is_data: bool, kind: &str, name: &str) -> String {
        let data = if is_data { "data." } else { "" };
        format!("{}{data}{kind}.{name}", self.prefix)
    }
}

/// The key of a `for_each` instance as addresses write it.
pub(crate) fn each_suffix(key: &str) -> String {
    format!("[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\""))
}
