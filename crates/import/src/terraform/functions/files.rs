//! Functions that read files: only those under review.

use bartizan_model::{Node, Span, Text, Value, path};

use super::super::evaluate::{Scope, to_text};
use super::super::parse::parse_template_at;
use super::super::resolve::Resolver;
use super::encoding::hash_bytes;
use super::{Args, Called, Stop, text_value};

/// Templates that render templates deeper than this are refused.
const MAX_TEMPLATE_DEPTH: u32 = 8;

pub(super) fn call<'a>(resolver: &Resolver<'a>, scope: &Scope<'a>, name: &str, args: &Args<'_>, span: Span) -> Option<Called> {
    Some(match name {
        "file" => path(scope, args).and_then(|path| read(resolver, &path)).map(text_value),
        "fileexists" => path(scope, args).map(|path| Value::Bool(resolver.tree.contains(&path))),
        "fileset" => file_set(resolver, scope, args, span),
        "templatefile" => template_file(resolver, scope, args, span),
        "templatestring" => args.get(0).and_then(|node| match to_text(node)?.known() {
            Some(text) => render(resolver, &text, args, node.span),
            None => Err(Stop::Unknown(node.clone())),
        }),
        "basename" => args.string(0).map(|s| text_value(s.rsplit('/').next().unwrap_or(""))),
        "dirname" => args.string(0).map(|s| text_value(s.rsplit_once('/').map_or(".", |(directory, _)| directory))),
        "abspath" | "pathexpand" => args.string(0).map(text_value),
        _ if name.starts_with("file") => path(scope, args).and_then(|path| {
            let bytes = resolver.tree.bytes(&path).map_err(Stop::Fail);
            match bytes {
                Ok(bytes) => hash_bytes(name, &bytes).map(Value::Text).ok_or_else(|| Stop::Fail("there is no such function".to_owned())),
                // The hash of a build artefact says nothing about the architecture.
                Err(_) => Ok(Value::after_apply(format!("`{path}` is built before the apply"))),
            }
        }),
        _ => return None,
    })
}

/// Path of a file in the tree: relative ones count from the root module, as in Terraform.
fn path(scope: &Scope<'_>, args: &Args<'_>) -> Result<String, Stop> {
    let text = args.string(0)?;
    let directory = scope.module.as_ref().map_or("", |module| module.stack.path.as_str());
    path::join(directory, &text).ok_or_else(|| Stop::Fail(format!("`{text}` lies outside of the files under review")))
}

fn read(resolver: &Resolver<'_>, path: &str) -> Result<String, Stop> {
    resolver.tree.text(path).map_err(Stop::Fail)
}

fn template_file<'a>(resolver: &Resolver<'a>, scope: &Scope<'a>, args: &Args<'_>, span: Span) -> Called {
    let path = path(scope, args)?;
    let text = read(resolver, &path)?;
    render(resolver, &text, args, span)
}

/// Renders a template with the variables of argument 1. Spans of what it holds are the call's.
fn render(resolver: &Resolver<'_>, text: &str, args: &Args<'_>, span: Span) -> Called {
    let variables = args.map(1)?;
    let depth = resolver.template_depth.get();
    if depth >= MAX_TEMPLATE_DEPTH {
        return Err(Stop::Fail("templates render each other too deeply".to_owned()));
    }
    let parts = parse_template_at(span, text).map_err(|why| Stop::Fail(format!("the template cannot be read: {why}")))?;
    resolver.template_depth.set(depth + 1);
    let mut out = Text::default();
    let result = resolver.render_owned(parts, variables, span, &mut out);
    resolver.template_depth.set(depth);
    result?;
    Ok(Value::Text(out))
}

fn file_set(resolver: &Resolver<'_>, scope: &Scope<'_>, args: &Args<'_>, span: Span) -> Called {
    let directory = path(scope, args)?;
    let pattern = args.string(1)?;
    let regex = glob(&pattern).ok_or_else(|| Stop::Fail(format!("`{pattern}` is not a pattern")))?;
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    let found = resolver.tree.paths().filter_map(|path| path.strip_prefix(&prefix)).filter(|path| regex.is_match(path));
    Ok(Value::List(found.map(|path| Node::text(path, span)).collect()))
}

/// Terraform's file patterns: `*`, `**`, `?`, `{a,b}`, `[abc]`.
fn glob(pattern: &str) -> Option<regex::Regex> {
    let mut out = String::from("^");
    let mut characters = pattern.chars().peekable();
    let mut braces = 0usize;
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.peek() == Some(&'*') => {
                characters.next();
                if characters.peek() == Some(&'/') {
                    characters.next();
                    out.push_str("(?:.*/)?");
                } else {
                    out.push_str(".*");
                }
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '{' => {
                braces += 1;
                out.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                out.push(')');
            }
            ',' if braces > 0 => out.push('|'),
            '[' | ']' => out.push(character),
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    out.push('$');
    regex::RegexBuilder::new(&out).size_limit(1 << 18).build().ok()
}
