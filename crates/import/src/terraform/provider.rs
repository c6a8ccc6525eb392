//! Which account and region a resource goes to: provider configurations and how modules hand them on.

use std::rc::Rc;

use bartizan_model::is_account_id;

use super::evaluate::Scope;
use super::module::Module;
use super::resolve::Resolver;
use super::syntax::{Accessor, Block, Expr, ExprKind};
use crate::resource::{Mode, Resource};

/// Where a provider configuration points.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProviderInfo {
    /// Account id, or the role that is taken and the stack where the id in it is not known; `None`: the account of the stack, which nothing names.
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
}

impl<'a> Resolver<'a> {
    /// The provider of a resource.
    pub(crate) fn provider_of(&self, module: &Rc<Module<'a>>, block: &'a Block, kind: &str) -> ProviderInfo {
        let (name, alias) = block
            .body
            .attribute("provider")
            .and_then(|attribute| provider_name(&attribute.expr))
            .unwrap_or_else(|| (kind.split('_').next().unwrap_or(kind).to_owned(), None));
        let key = format!("{}|{name}|{}", module.prefix, alias.as_deref().unwrap_or(""));
        if let Some(info) = self.providers.borrow().get(&key) {
            return info.clone();
        }
        let mut info = self.configuration(module, &name, alias.as_deref());
        info.account = info.account.and_then(|account| self.account(module, &name, account));
        self.providers.borrow_mut().insert(key, info.clone());
        info
    }

    /// An account, where the plan tells it: what another stack writes in the same words may be another account.
    fn account(&self, module: &Rc<Module<'a>>, name: &str, written: String) -> Option<String> {
        if is_account_id(&written) {
            return Some(written);
        }
        let mut root = module;
        while let Some(call) = &root.call {
            root = &call.caller;
        }
        // Every account of the stack is told from that of its first configuration.
        let of_stack = self.configuration(root, name, None).account;
        let stack = if root.stack.path.is_empty() { String::new() } else { format!(" from {}", root.stack.path) };
        (of_stack.as_ref() != Some(&written)).then(|| format!("of {written}{stack}"))
    }

    fn configuration(&self, module: &Rc<Module<'a>>, name: &str, alias: Option<&str>) -> ProviderInfo {
        let own = module.directory.providers.iter().find(|block| {
            block.label(0) == Some(name)
                && super::config::literal(block, "alias") == alias
                && !(block.body.attributes.is_empty() && block.body.blocks.is_empty())
        });
        if let Some(block) = own {
            return self.info(module, block);
        }
        let Some(call) = &module.call else { return ProviderInfo::default() };
        if let Some(ExprKind::Object(members)) = call.block.body.attribute("providers").map(|attribute| &attribute.expr.kind) {
            for (inner, outer) in members {
                let Some((outer_name, outer_alias)) = provider_name(outer) else { continue };
                if provider_name(inner).is_some_and(|(n, a)| n == name && a.as_deref() == alias) {
                    return self.configuration(&call.caller, &outer_name, outer_alias.as_deref());
                }
            }
        }
        if alias.is_none() { self.configuration(&call.caller, name, None) } else { ProviderInfo::default() }
    }

    /// Provider configurations that hold a credential stand for what it opens; all others are no part of the system.
    pub(crate) fn providers_with_credentials(&self, module: &Rc<Module<'a>>, out: &mut Vec<Resource>) {
        const CREDENTIALS: &[&str] = &["access_key", "secret_key", "token", "password"];
        for block in &module.directory.providers {
            if !CREDENTIALS.iter().any(|name| block.body.attribute(name).is_some()) {
                continue;
            }
            let name = block.label(0).unwrap_or("provider");
            let alias = super::config::literal(block, "alias").map_or_else(String::new, |alias| format!(".{alias}"));
            out.push(Resource {
                address: format!("{}provider.{name}{alias}", module.prefix),
                mode: Mode::Managed,
                source_type: "provider".to_owned(),
                label: format!("{name}{alias}"),
                body: self.body(&block.body, &Scope::of(module), block.span, true),
                span: block.header,
                stack: module.stack.path.clone(),
                account: None,
                region: None,
            });
        }
    }

    fn info(&self, module: &Rc<Module<'a>>, block: &'a Block) -> ProviderInfo {
        let body = self.body(&block.body, &Scope::of(module), block.span, true);
        let known = |path: &str| body.first_at(path).and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned));
        let role = body.first_at("assume_role.role_arn").and_then(|node| node.value.as_text().map(ToString::to_string));
        let of_role = role.map(|arn| match arn.split(':').nth(4) {
            Some(id) if is_account_id(id) => id.to_owned(),
            _ => arn,
        });
        ProviderInfo { account: of_role.or_else(|| known("allowed_account_ids[]")), region: known("region") }
    }
}

/// `aws`, `aws.west` as a name and an alias.
fn provider_name(expr: &Expr) -> Option<(String, Option<String>)> {
    match &expr.kind {
        ExprKind::Name(name) => Some((name.to_string(), None)),
        // Old configurations write the name in quotes.
        ExprKind::Text(text) => match text.encoded().split_once('.') {
            Some((name, alias)) => Some((name.to_owned(), Some(alias.to_owned()))),
            None => Some((text.encoded().to_owned(), None)),
        },
        ExprKind::Traversal(base, accessors) => match (&base.kind, accessors.as_slice()) {
            (ExprKind::Name(name), [Accessor::Attribute(alias)]) => Some((name.to_string(), Some(alias.to_string()))),
            _ => None,
        },
        _ => None,
    }
}
