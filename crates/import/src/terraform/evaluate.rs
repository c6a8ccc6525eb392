//! Expressions → values, with Terraform's semantics over values that may not be known.
//!
//! A failure is what Terraform would refuse (an index out of range, a missing attribute); `try` and `can` catch it.
//! What only the apply knows is a value, not a failure.

use std::rc::Rc;

use bartizan_model::{Node, Span, Text, Value};
use indexmap::IndexMap;

use super::budget::{MAX_TEXT, size};
use super::functions;
use super::module::Module;
use super::number_text;
use super::resolve::Resolver;
use super::syntax::{Accessor, Call, Expr, ExprKind, For, Operator, TemplatePart};

/// Expressions nested deeper than this, through all locals and modules, are refused.
const MAX_DEPTH: u32 = 1500;

/// Values of a collection beyond this many elements are refused in one `for` or `range`.
pub(crate) const MAX_ELEMENTS: usize = 100_000;

/// Why an expression has no value: what Terraform would refuse.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Lower case, no full stop.
    pub(crate) why: String,
    pub(crate) span: Span,
}

impl Failure {
    pub(crate) fn new(why: impl Into<String>, span: Span) -> Self {
        Self { why: why.into(), span }
    }
}

pub(crate) type Evaluated<T> = Result<T, Failure>;

/// What names mean at a place.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    /// The module; `None` inside a template file, which sees only its variables.
    pub(crate) module: Option<Rc<Module<'a>>>,
    pub(crate) each: Option<Rc<(Node, Node)>>,
    pub(crate) count: Option<Node>,
    /// Variables of `for`, `dynamic` and template files, innermost first.
    pub(crate) variables: Option<Rc<Variable>>,
}

pub(crate) struct Variable {
    name: Box<str>,
    value: Rc<Node>,
    outer: Option<Rc<Variable>>,
}

impl<'a> Scope<'a> {
    /// The scope of a module's own expressions.
    pub(crate) fn of(module: &Rc<Module<'a>>) -> Self {
        Self { module: Some(Rc::clone(module)), each: None, count: None, variables: None }
    }

    /// A scope that sees nothing but the given variables.
    pub(crate) fn template(variables: &IndexMap<String, Node>) -> Self {
        let mut scope = Self { module: None, each: None, count: None, variables: None };
        for (name, value) in variables {
            scope = scope.with(name, value.clone());
        }
        scope
    }

    /// This scope and one more variable.
    pub(crate) fn with(&self, name: &str, value: Node) -> Self {
        let variable = Variable { name: name.into(), value: Rc::new(value), outer: self.variables.clone() };
        Self { variables: Some(Rc::new(variable)), ..self.clone() }
    }

    fn variable(&self, name: &str) -> Option<Rc<Node>> {
        let mut current = self.variables.as_ref();
        while let Some(variable) = current {
            if &*variable.name == name {
                return Some(Rc::clone(&variable.value));
            }
            current = variable.outer.as_ref();
        }
        None
    }
}

impl<'a> Resolver<'a> {
    /// The value of an expression.
    pub(crate) fn eval(&self, expr: &'a Expr, scope: &Scope<'a>) -> Evaluated<Node> {
        let depth = self.depth.get();
        if depth > MAX_DEPTH {
            return Err(Failure::new("expressions refer to each other too deeply", expr.span));
        }
        self.spend(1, expr.span)?;
        self.depth.set(depth + 1);
        let result = self.eval_inner(expr, scope);
        self.depth.set(depth);
        result
    }

    fn eval_inner(&self, expr: &'a Expr, scope: &Scope<'a>) -> Evaluated<Node> {
        let span = expr.span;
        let value = match &expr.kind {
            ExprKind::Null => Value::Null,
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Number(number) => Value::Number(*number),
            ExprKind::Text(text) => Value::Text(text.clone()),
            ExprKind::Tuple(items) => Value::List(items.iter().map(|item| self.eval(item, scope)).collect::<Evaluated<_>>()?),
            ExprKind::Object(members) => return self.object(members, scope, span),
            ExprKind::Template(parts) => self.template_value(parts, scope, span)?,
            ExprKind::Name(_) | ExprKind::Traversal(..) => return self.traversal(expr, scope),
            ExprKind::Conditional(parts) => return self.conditional(&parts.0, &parts.1, &parts.2, scope, span),
            ExprKind::Call(call) => return self.call(call, scope, span),
            ExprKind::Not(inner) => {
                let inner = self.eval(inner, scope)?;
                match truth(&inner)? {
                    Some(value) => Value::Bool(!value),
                    None => unknown_of(&inner),
                }
            }
            ExprKind::Negate(inner) => {
                let inner = self.eval(inner, scope)?;
                match number(&inner)? {
                    Some(number) => Value::Number(-number),
                    None => unknown_of(&inner),
                }
            }
            ExprKind::Binary(operator, sides) => self.binary(*operator, &sides.0, &sides.1, scope)?,
            ExprKind::For(for_expr) => return self.for_expr(for_expr, scope, span),
        };
        Ok(Node::new(value, span))
    }

    fn object(&self, members: &'a [(Expr, Expr)], scope: &Scope<'a>, span: Span) -> Evaluated<Node> {
        let mut map = IndexMap::with_capacity(members.len());
        for (key, value) in members {
            let key_node = self.eval(key, scope)?;
            let value = self.eval(value, scope)?;
            match map_key(&key_node)? {
                Some(key) => {
                    map.insert(key, value);
                }
                None => return Ok(Node::new(unknown_of(&key_node), span)),
            }
        }
        Ok(Node::new(Value::Map(map), span))
    }

    fn conditional(&self, condition: &'a Expr, then: &'a Expr, otherwise: &'a Expr, scope: &Scope<'a>, span: Span) -> Evaluated<Node> {
        let condition = self.eval(condition, scope)?;
        match truth(&condition)? {
            Some(true) => self.eval(then, scope),
            Some(false) => self.eval(otherwise, scope),
            None => {
                // Both sides alike, or one of them impossible: then the condition does not matter.
                match (self.eval(then, scope), self.eval(otherwise, scope)) {
                    (Ok(a), Ok(b)) if equal(&a, &b) == Some(true) => Ok(a),
                    (Ok(_), Ok(_)) => Ok(Node::new(unknown_of(&condition), span)),
                    (Ok(one), Err(_)) | (Err(_), Ok(one)) => Ok(one),
                    (Err(failure), Err(_)) => Err(failure),
                }
            }
        }
    }

    fn binary(&self, operator: Operator, left: &'a Expr, right: &'a Expr, scope: &Scope<'a>) -> Evaluated<Value> {
        let left = self.eval(left, scope)?;
        match operator {
            Operator::And | Operator::Or => {
                // Terraform evaluates both sides; a failing right side behind a deciding left one is still its error, but ours to forgive.
                let decides = operator == Operator::Or;
                let a = truth(&left)?;
                if a == Some(decides) {
                    return Ok(Value::Bool(decides));
                }
                let right = self.eval(right, scope)?;
                return Ok(match (a, truth(&right)?) {
                    (_, Some(b)) if b == decides => Value::Bool(decides),
                    (Some(_), Some(b)) => Value::Bool(b),
                    (None, _) => unknown_of(&left),
                    (_, None) => unknown_of(&right),
                });
            }
            Operator::Equal | Operator::NotEqual => {
                let right = self.eval(right, scope)?;
                return Ok(match equal(&left, &right) {
                    Some(same) => Value::Bool(same == (operator == Operator::Equal)),
                    None if is_unknown(&left) => unknown_of(&left),
                    None => unknown_of(&right),
                });
            }
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual
            | Operator::Plus
            | Operator::Minus
            | Operator::Multiply
            | Operator::Divide
            | Operator::Modulo => {}
        }
        let right = self.eval(right, scope)?;
        let (a, b) = match (number(&left)?, number(&right)?) {
            (Some(a), Some(b)) => (a, b),
            (None, _) => return Ok(unknown_of(&left)),
            (_, None) => return Ok(unknown_of(&right)),
        };
        Ok(match operator {
            Operator::Less => Value::Bool(a < b),
            Operator::LessOrEqual => Value::Bool(a <= b),
            Operator::Greater => Value::Bool(a > b),
            Operator::GreaterOrEqual => Value::Bool(a >= b),
            Operator::Plus => Value::Number(a + b),
            Operator::Minus => Value::Number(a - b),
            Operator::Multiply => Value::Number(a * b),
            Operator::Divide | Operator::Modulo if b == 0.0 => return Err(Failure::new("division by zero", right.span)),
            Operator::Divide => Value::Number(a / b),
            Operator::Modulo => Value::Number(a % b),
            Operator::And | Operator::Or | Operator::Equal | Operator::NotEqual => Value::Null,
        })
    }

    fn for_expr(&self, for_expr: &'a For, scope: &Scope<'a>, span: Span) -> Evaluated<Node> {
        let collection = self.eval(&for_expr.collection, scope)?;
        let Some(elements) = self.elements(&collection)? else {
            return Ok(Node::new(unknown_of(&collection), span));
        };
        let mut list = Vec::new();
        let mut map: IndexMap<String, Node> = IndexMap::new();
        for (key, value) in elements {
            let mut inner = scope.with(&for_expr.value, value);
            if let Some(name) = &for_expr.key {
                inner = inner.with(name, key);
            }
            if let Some(condition) = &for_expr.condition {
                let condition = self.eval(condition, &inner)?;
                match truth(&condition)? {
                    Some(true) => {}
                    Some(false) => continue,
                    None => return Ok(Node::new(unknown_of(&condition), span)),
                }
            }
            let Some(key_expr) = &for_expr.key_expr else {
                list.push(self.eval(&for_expr.value_expr, &inner)?);
                continue;
            };
            let key = self.eval(key_expr, &inner)?;
            let value = self.eval(&for_expr.value_expr, &inner)?;
            let Some(key) = map_key(&key)? else { return Ok(Node::new(unknown_of(&key), span)) };
            if for_expr.grouping {
                let group = map.entry(key).or_insert_with(|| Node::new(Value::List(Vec::new()), span));
                if let Value::List(items) = &mut group.value {
                    items.push(value);
                }
            } else {
                map.insert(key, value);
            }
        }
        if for_expr.key_expr.is_some() {
            map.sort_keys();
            Ok(Node::new(Value::Map(map), span))
        } else {
            Ok(Node::new(Value::List(list), span))
        }
    }

    /// Keys and values of a collection; `None` where it is not known.
    pub(crate) fn elements(&self, collection: &Node) -> Evaluated<Option<Vec<(Node, Node)>>> {
        let span = collection.span;
        self.spend(size(collection).cost, span)?;
        match &collection.value {
            Value::List(items) if items.len() > MAX_ELEMENTS => Err(Failure::new("more elements than are sensible", span)),
            Value::List(items) => {
                let key = |index: usize, item: &Node| {
                    if is_symbolic(item) {
                        Value::unresolved("which instances there are is not known")
                    } else {
                        Value::Number(index as f64)
                    }
                };
                let indexed = items.iter().enumerate();
                Ok(Some(indexed.map(|(index, item)| (Node::new(key(index, item), item.span), item.clone())).collect()))
            }
            Value::Map(members) => {
                let mut pairs: Vec<_> = members.iter().map(|(key, value)| (Node::text(key.as_str(), value.span), value.clone())).collect();
                pairs.sort_by_key(|pair| text_key(&pair.0));
                Ok(Some(pairs))
            }
            Value::Unknown(_) => Ok(None),
            Value::Text(text) if !text.is_literal() => match text.as_reference() {
                Some((_, "")) => match self.whole_object(text) {
                    Some(node) => self.elements(&node),
                    None => Ok(None),
                },
                _ => Ok(None),
            },
            Value::Null => Err(Failure::new("a collection is `null`", span)),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) => Err(Failure::new("this is not a collection", span)),
        }
    }

    /// The text of a template; a single interpolation keeps its type.
    fn template_value(&self, parts: &'a [TemplatePart], scope: &Scope<'a>, span: Span) -> Evaluated<Value> {
        if let [TemplatePart::Interpolation(only)] = parts {
            return Ok(self.eval(only, scope)?.value);
        }
        let mut out = Text::default();
        self.template(parts, scope, span, &mut out)?;
        Ok(Value::Text(out))
    }

    /// Appends the text of a template.
    pub(crate) fn template(&self, parts: &'a [TemplatePart], scope: &Scope<'a>, span: Span, out: &mut Text) -> Evaluated<()> {
        for part in parts {
            match part {
                TemplatePart::Literal(text) => out.push(text),
                TemplatePart::Interpolation(expr) => {
                    let node = self.eval(expr, scope)?;
                    out.push(&to_text(&node)?);
                }
                TemplatePart::If { condition, then, otherwise } => {
                    let condition = self.eval(condition, scope)?;
                    match truth(&condition)? {
                        Some(true) => self.template(then, scope, span, out)?,
                        Some(false) => self.template(otherwise, scope, span, out)?,
                        None => out.push(&Text::unknown(&why_unknown(&condition))),
                    }
                }
                TemplatePart::For { key, value, collection, body } => {
                    let collection = self.eval(collection, scope)?;
                    let Some(elements) = self.elements(&collection)? else {
                        out.push(&Text::unknown(&why_unknown(&collection)));
                        continue;
                    };
                    for (element_key, element) in elements {
                        let mut inner = scope.with(value, element);
                        if let Some(name) = key {
                            inner = inner.with(name, element_key);
                        }
                        self.template(body, &inner, span, out)?;
                    }
                }
            }
            if out.encoded().len() > MAX_TEXT {
                return Err(Failure::new("the template's text grows without end", span));
            }
        }
        Ok(())
    }

    fn call(&self, call: &'a Call, scope: &Scope<'a>, span: Span) -> Evaluated<Node> {
        match &*call.name {
            "try" => {
                let mut last = Failure::new("`try` has no arguments", span);
                for arg in &call.args {
                    match self.eval(arg, scope) {
                        Ok(node) => return Ok(node),
                        Err(failure) => last = failure,
                    }
                }
                return Err(last);
            }
            "can" => {
                let arg = call.args.first().ok_or_else(|| Failure::new("`can` wants an argument", span))?;
                return Ok(Node::new(Value::Bool(self.eval(arg, scope).is_ok()), span));
            }
            _ => {}
        }
        let mut args = Vec::with_capacity(call.args.len());
        for (index, arg) in call.args.iter().enumerate() {
            let node = self.eval(arg, scope)?;
            if call.expand_final && index + 1 == call.args.len() {
                match node.value {
                    Value::List(items) => args.extend(items),
                    Value::Null => return Err(Failure::new("the expanded argument is `null`", node.span)),
                    _ => return Ok(Node::new(unknown_of(&node), span)),
                }
            } else {
                args.push(node);
            }
        }
        functions::call(self, scope, &call.name, args, span)
    }

    /// The value of `a.b[c].d`, and of a name alone.
    fn traversal(&self, expr: &'a Expr, scope: &Scope<'a>) -> Evaluated<Node> {
        let (base, accessors): (&'a Expr, &'a [Accessor]) = match &expr.kind {
            ExprKind::Traversal(base, accessors) => (base, accessors),
            _ => (expr, &[]),
        };
        let ExprKind::Name(name) = &base.kind else {
            let node = self.eval(base, scope)?;
            return self.access(&node, accessors, scope, expr.span);
        };
        if let Some(variable) = scope.variable(name) {
            return self.access(&variable, accessors, scope, expr.span);
        }
        self.named(name, accessors, scope, expr.span)
    }

    /// Follows accessors from a value.
    pub(crate) fn access(&self, node: &Node, accessors: &'a [Accessor], scope: &Scope<'a>, span: Span) -> Evaluated<Node> {
        let Some((first, rest)) = accessors.split_first() else {
            self.spend_on(node, span)?;
            return Ok(node.clone());
        };
        match first {
            Accessor::FullSplat | Accessor::AttributeSplat => {
                // `list.*.a[0]`: the index after an attribute splat applies to the result.
                let until = match first {
                    Accessor::AttributeSplat => rest.iter().take_while(|a| matches!(a, Accessor::Attribute(_))).count(),
                    _ => rest.len(),
                };
                let (each, after) = rest.split_at(until);
                let result = match &node.value {
                    Value::Null => Value::List(Vec::new()),
                    Value::List(items) => {
                        Value::List(items.iter().map(|item| self.access(item, each, scope, span)).collect::<Evaluated<_>>()?)
                    }
                    Value::Unknown(_) => return Ok(Node::new(node.value.clone(), span)),
                    _ => Value::List(vec![self.access(node, each, scope, span)?]),
                };
                self.access(&Node::new(result, span), after, scope, span)
            }
            Accessor::Attribute(name) => self.member(node, name, rest, scope, span),
            Accessor::Index(index) => {
                let index = self.eval(index, scope)?;
                if is_unknown(&index) && !matches!(node.value, Value::Text(_)) {
                    // Which element is not known; where all elements agree it does not matter.
                    return Ok(Node::new(unknown_of(&index), span));
                }
                match (&node.value, &index.value) {
                    (Value::List(items), _) if items.first().is_some_and(is_symbolic) && items.len() == 1 => match items.first() {
                        Some(any) => self.access(any, rest, scope, span),
                        None => Ok(Node::new(unknown_of(&index), span)),
                    },
                    (Value::List(items), _) => {
                        let Some(position) = number(&index)? else { return Ok(Node::new(unknown_of(&index), span)) };
                        let item = if position >= 0.0 && position.fract() == 0.0 { items.get(position as usize) } else { None };
                        match item {
                            Some(item) => self.access(item, rest, scope, span),
                            None => Err(Failure::new(
                                format!("index {} is out of range: the list has {}", number_text(position), items.len()),
                                span,
                            )),
                        }
                    }
                    _ => match map_key(&index)? {
                        Some(key) => self.member(node, &key, rest, scope, span),
                        None => Ok(Node::new(unknown_of(&index), span)),
                    },
                }
            }
        }
    }

    fn member(&self, node: &Node, name: &str, rest: &'a [Accessor], scope: &Scope<'a>, span: Span) -> Evaluated<Node> {
        match &node.value {
            Value::Map(members) => match members.get(name) {
                Some(member) => self.access(member, rest, scope, span),
                None => Err(Failure::new(format!("there is no attribute `{name}` here"), span)),
            },
            // `list.0` is the old spelling of `list[0]`; `block.attribute` of a block that may stand only once.
            Value::List(items) => match (name.parse::<usize>(), items.as_slice()) {
                (Ok(index), _) => match items.get(index) {
                    Some(item) => self.access(item, rest, scope, span),
                    None => Err(Failure::new(format!("index {index} is out of range: the list has {}", items.len()), span)),
                },
                (Err(_), [only]) => self.member(only, name, rest, scope, span),
                (Err(_), _) => Err(Failure::new(format!("a list has no attribute `{name}`"), span)),
            },
            Value::Text(text) => match text.as_reference() {
                Some((address, "")) => {
                    let value = self.attribute_at(address, name, span)?;
                    match self.access(&value, rest, scope, span) {
                        // A block has attributes that the provider computes beside those that are written.
                        Err(_) if self.is_configured_block(address, name, &value) => {
                            Ok(Node::new(Value::Text(Text::reference(address, &path(name, rest), None)), span))
                        }
                        result => result,
                    }
                }
                Some((address, attribute)) => {
                    let deeper = if name.parse::<usize>().is_ok() { format!("{attribute}[{name}]") } else { format!("{attribute}.{name}") };
                    let value = Node::new(Value::Text(Text::reference(address, &deeper, None)), span);
                    self.access(&value, rest, scope, span)
                }
                None if !text.is_literal() => Ok(Node::new(Value::after_apply("part of a text that only the apply knows"), span)),
                None => Err(Failure::new(format!("a text has no attribute `{name}`"), span)),
            },
            Value::Unknown(_) => Ok(Node::new(node.value.clone(), span)),
            Value::Null => Err(Failure::new(format!("`{name}` is asked of `null`"), span)),
            Value::Bool(_) | Value::Number(_) => Err(Failure::new(format!("a plain value has no attribute `{name}`"), span)),
        }
    }
}

/// True for what stands for all instances of a resource of which it is not known how many there are.
pub(crate) fn is_symbolic(node: &Node) -> bool {
    let reference = node.value.as_text().and_then(Text::as_reference);
    reference.is_some_and(|(address, attribute)| attribute.is_empty() && address.ends_with("[*]"))
}

/// An attribute and what is accessed of it, as references write it.
fn path(name: &str, accessors: &[Accessor]) -> String {
    accessors.iter().fold(name.to_owned(), |path, accessor| match accessor {
        Accessor::Attribute(name) => format!("{path}.{name}"),
        Accessor::Index(index) => match &index.kind {
            ExprKind::Number(number) => format!("{path}[{}]", number_text(*number)),
            ExprKind::Text(text) => format!("{path}[\"{}\"]", text.encoded()),
            _ => format!("{path}[*]"),
        },
        Accessor::AttributeSplat | Accessor::FullSplat => format!("{path}[*]"),
    })
}

/// True for an unknown, and for a text whose value is not known.
pub(crate) fn is_unknown(node: &Node) -> bool {
    match &node.value {
        Value::Unknown(_) => true,
        Value::Text(text) => text.known().is_none(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => false,
    }
}

/// The unknown that an operation on this value gives.
pub(crate) fn unknown_of(node: &Node) -> Value {
    match &node.value {
        Value::Unknown(unknown) => Value::Unknown(unknown.clone()),
        _ => Value::after_apply(why_unknown(node)),
    }
}

/// In words why a value is not known.
pub(crate) fn why_unknown(node: &Node) -> String {
    match &node.value {
        Value::Unknown(unknown) => unknown.why.to_string(),
        Value::Text(text) => match text.references().next() {
            Some((address, attribute)) => format!("`{address}.{attribute}` is known only after the apply"),
            None => "it is known only after the apply".to_owned(),
        },
        _ => "it is known only after the apply".to_owned(),
    }
}

/// Truth value; `None` where it is not known.
pub(crate) fn truth(node: &Node) -> Evaluated<Option<bool>> {
    if is_unknown(node) {
        return Ok(None);
    }
    node.value.as_bool().map(Some).ok_or_else(|| Failure::new("expected `true` or `false`", node.span))
}

/// Number; `None` where it is not known.
pub(crate) fn number(node: &Node) -> Evaluated<Option<f64>> {
    if is_unknown(node) {
        return Ok(None);
    }
    node.value.as_number().map(Some).ok_or_else(|| Failure::new("expected a number", node.span))
}

/// The text of a primitive value.
pub(crate) fn to_text(node: &Node) -> Evaluated<Text> {
    match &node.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Number(number) => Ok(Text::literal(number_text(*number))),
        Value::Bool(value) => Ok(Text::literal(if *value { "true" } else { "false" })),
        Value::Unknown(unknown) => Ok(Text::unknown(&unknown.why)),
        Value::Null => Err(Failure::new("`null` stands where a text is needed", node.span)),
        Value::List(_) | Value::Map(_) => Err(Failure::new("a collection stands where a text is needed", node.span)),
    }
}

/// Key of a map; a reference keeps its mark so that it stays distinct. `None` where it is not known at all.
pub(crate) fn map_key(node: &Node) -> Evaluated<Option<String>> {
    match &node.value {
        Value::Unknown(_) => Ok(None),
        Value::Text(text) => Ok(Some(text.known().map_or_else(|| text.to_string(), std::borrow::Cow::into_owned))),
        _ => Ok(Some(to_text(node)?.to_string())),
    }
}

fn text_key(node: &Node) -> Option<String> {
    node.value.as_str().map(std::borrow::Cow::into_owned)
}

/// Whether two values are equal; `None` where that is not known.
pub(crate) fn equal(a: &Node, b: &Node) -> Option<bool> {
    match (&a.value, &b.value) {
        (Value::Text(x), Value::Text(y)) => match (x.known(), y.known()) {
            (Some(x), Some(y)) => Some(x == y),
            _ if x == y => Some(true),
            // An attribute that the provider computes is never empty.
            (Some(known), None) if known.is_empty() => y.as_reference().map(|_| false),
            (None, Some(known)) if known.is_empty() => x.as_reference().map(|_| false),
            _ => None,
        },
        (Value::Unknown(_), _) | (_, Value::Unknown(_)) => None,
        (Value::Null, Value::Null) => Some(true),
        (Value::Null, _) | (_, Value::Null) => Some(false),
        (Value::Bool(x), Value::Bool(y)) => Some(x == y),
        (Value::Number(x), Value::Number(y)) => Some(x == y),
        (Value::List(x), Value::List(y)) => {
            if x.len() != y.len() {
                return Some(false);
            }
            all_equal(x.iter().zip(y))
        }
        (Value::Map(x), Value::Map(y)) => {
            if x.len() != y.len() || x.keys().any(|key| !y.contains_key(key)) {
                return Some(false);
            }
            all_equal(x.iter().filter_map(|(key, value)| Some((value, y.get(key)?))))
        }
        // Terraform converts primitives to a common type.
        (Value::Text(text), other) | (other, Value::Text(text)) => match other {
            Value::Bool(_) | Value::Number(_) => {
                let known = text.known()?;
                let other = to_text(&Node::new(other.clone(), a.span)).ok()?;
                Some(known == other.encoded())
            }
            _ => text.known().map(|_| false),
        },
        _ => Some(false),
    }
}

fn all_equal<'n>(mut pairs: impl Iterator<Item = (&'n Node, &'n Node)>) -> Option<bool> {
    let mut sure = true;
    let different = pairs.any(|(a, b)| match equal(a, b) {
        Some(same) => !same,
        None => {
            sure = false;
            false
        }
    });
    if different { Some(false) } else { sure.then_some(true) }
}
