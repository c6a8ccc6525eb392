//! Where the modules of a plan come from: one resource for each call of a module from elsewhere, whether its code is at hand or not.

use std::rc::Rc;

use bartizan_model::{Node, Value};
use indexmap::IndexMap;

use super::config::{literal, local_source};
use super::module::Module;
use super::resolve::Resolver;
use crate::resource::{Mode, Resource};

impl<'a> Resolver<'a> {
    /// The source of a module call; none for a module of the same repository, or for calls in code that was fetched and is not ours to edit.
    pub(super) fn module_source(&self, module: &Rc<Module<'a>>, name: &str, out: &mut Vec<Resource>) {
        let Some(block) = module.directory.modules.get(name) else { return };
        let fetched = module.directory.path.split('/').any(|part| part == ".terraform");
        let Some(source) = literal(block, "source").filter(|_| !fetched && local_source(block).is_none()) else { return };
        let text = |value: &str, span| Node::new(Value::Text(bartizan_model::Text::literal(value)), span);
        let span = block.body.attribute("source").map_or(block.header, |attribute| attribute.span);
        let mut members = IndexMap::new();
        members.insert("source".to_owned(), text(source, span));
        members.insert("origin".to_owned(), text(origin(source), span));
        if let Some(name) = reference(source) {
            members.insert("ref".to_owned(), text(name, span));
        }
        if let Some(version) = block.body.attribute("version") {
            let value = literal(block, "version").map(|value| text(value, version.span));
            members.insert(
                "version".to_owned(),
                value.unwrap_or_else(|| Node::new(Value::unresolved("the version is no plain text"), version.span)),
            );
        }
        out.push(Resource {
            address: format!("{}module.{name}.source", module.prefix),
            mode: Mode::Managed,
            source_type: "module_source".to_owned(),
            label: name.to_owned(),
            body: Node::new(Value::Map(members), block.span),
            span: block.header,
            stack: module.stack.path.clone(),
            account: None,
            region: None,
        });
    }
}

/// `registry`, `git` or `archive`.
/// Source: Terraform language, "Module sources".
fn origin(source: &str) -> &'static str {
    const HOSTS_OF_GIT: &[&str] = &["git::", "git@", "github.com/", "bitbucket.org/", "ssh://", "hg::"];
    let place = source.split(['?']).next().unwrap_or(source);
    let address = place.trim_start_matches("https://");
    if HOSTS_OF_GIT.iter().any(|host| place.starts_with(host) || address.starts_with(host))
        || address.split("//").any(|part| part.ends_with(".git"))
    {
        return "git";
    }
    // `namespace/name/provider`, with a host before it for a registry of one's own.
    let parts: Vec<&str> = place.split("//").next().unwrap_or(place).split('/').collect();
    let is_host = |part: &str| part.contains('.') || part.contains(':');
    match parts.as_slice() {
        [namespace, _, _] if !is_host(namespace) => "registry",
        [host, _, _, _] if is_host(host) && !host.contains("::") => "registry",
        _ => "archive",
    }
}

/// The branch, tag or commit that a source asks for.
fn reference(source: &str) -> Option<&str> {
    let (_, query) = source.split_once('?')?;
    query.split('&').find_map(|part| part.strip_prefix("ref="))
}

#[cfg(test)]
mod tests {
    use super::{origin, reference};

    #[test]
    fn a_source_tells_where_it_comes_from() {
        for (source, expected) in [
            ("terraform-aws-modules/vpc/aws", "registry"),
            ("terraform-aws-modules/iam/aws//modules/iam-user", "registry"),
            ("app.terraform.io/acme/vpc/aws", "registry"),
            ("github.com/acme/vpc", "git"),
            ("git@github.com:acme/vpc.git", "git"),
            ("git::https://git.acme.example/vpc.git//modules/a?ref=v1", "git"),
            ("https://git.acme.example/vpc.git", "git"),
            ("https://acme.example/vpc-1.2.zip", "archive"),
            ("s3::https://s3-eu-west-1.amazonaws.com/acme/vpc.zip", "archive"),
        ] {
            assert_eq!(origin(source), expected, "{source}");
        }
    }

    #[test]
    fn a_reference_is_one_part_of_the_query() {
        assert_eq!(reference("git::https://git.acme.example/vpc.git?depth=1&ref=v1.2"), Some("v1.2"));
        assert_eq!(reference("github.com/acme/vpc"), None);
    }
}
