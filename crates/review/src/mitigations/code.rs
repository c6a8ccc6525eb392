//! Fixes as code: templates of the catalogue filled with the user's own names.
//!
//! A block with `count` or `for_each` is one component per instance but one place in the source. Its companion gets the same
//! `count` or `for_each`, and references go through `count.index` or `each.value`, so that the code is right for every instance.

use std::collections::BTreeMap;

use bartizan_model::{Address, Architecture, Component, Flow, FlowStatus, Relation, Span};

use crate::Fix;
use crate::catalogue::controls::FixParts;

/// How the source writes the component, taken from its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Type of the block: `aws_s3_bucket`.
    pub(crate) source_type: String,
    /// Its label.
    pub(crate) label: String,
    /// The module it is declared in: `module.storage.module.logs`; empty for a root module.
    pub(crate) module: String,
    /// How its instances are told apart.
    pub(crate) instances: Instances,
}

/// How the instances of a block are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instances {
    /// There is one.
    One,
    /// By `count`.
    Count,
    /// By `for_each`.
    ForEach,
}

impl Place {
    /// The place of a Terraform resource; `None` for anything else (data sources, manifests, the internet).
    pub(crate) fn of(component: &Component) -> Option<Self> {
        Self::parse(component.address.as_str(), &component.source_type)
    }

    pub(crate) fn parse(address: &str, source_type: &str) -> Option<Self> {
        if source_type.is_empty() || !source_type.contains('_') {
            return None;
        }
        let plain = Address::new(address).without_instance_keys();
        let marker = format!("{source_type}.");
        let at = plain.as_str().rfind(&marker)?;
        let label = plain.as_str().get(at + marker.len()..)?.to_owned();
        let before = plain.as_str().get(..at)?;
        if before.ends_with("data.") || label.is_empty() || !label.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            return None;
        }
        let module = before.find("module.").and_then(|start| before.get(start..)).unwrap_or("").trim_end_matches('.').to_owned();
        let instances = match address.strip_suffix(']').and_then(|rest| rest.chars().last()) {
            None => Instances::One,
            Some('"') => Instances::ForEach,
            Some(_) => Instances::Count,
        };
        Some(Self { source_type: source_type.to_owned(), label, module, instances })
    }

    /// The block without an instance key: `aws_s3_bucket.logs`.
    pub(crate) fn block(&self) -> String {
        format!("{}.{}", self.source_type, self.label)
    }

    /// A reference to one instance, from inside a block that has the same instances.
    pub(crate) fn reference(&self) -> String {
        match self.instances {
            Instances::One => self.block(),
            Instances::Count => format!("{}[count.index]", self.block()),
            Instances::ForEach => "each.value".to_owned(),
        }
    }

    /// The list of the ARNs of all instances.
    fn all_arns(&self) -> String {
        match self.instances {
            Instances::One => format!("[{}.arn]", self.block()),
            Instances::Count => format!("{}[*].arn", self.block()),
            Instances::ForEach => format!("values({})[*].arn", self.block()),
        }
    }

    fn suffix(&self) -> &'static str {
        match self.instances {
            Instances::One => "",
            Instances::Count => "-${count.index}",
            Instances::ForEach => "-${each.key}",
        }
    }

    fn key(&self) -> Option<&'static str> {
        match self.instances {
            Instances::One => None,
            Instances::Count => Some("count.index"),
            Instances::ForEach => Some("each.key"),
        }
    }

    fn repetition(&self) -> Option<String> {
        match self.instances {
            Instances::One => None,
            Instances::Count => Some(format!("count = length({})", self.block())),
            Instances::ForEach => Some(format!("for_each = {}", self.block())),
        }
    }
}

/// What a template may name besides the component.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra<'a> {
    /// Values by placeholder, for what only the caller knows.
    pub(crate) values: Vec<(&'a str, String)>,
    /// The compute that runs as each role, where the caller has it.
    pub(crate) runs_as: Option<&'a RunsAs<'a>>,
}

/// The compute that runs as each role.
pub(crate) type RunsAs<'a> = BTreeMap<&'a Address, Vec<&'a Address>>;

/// Looks up, once for all roles, what runs as them.
pub(crate) fn runs_as(architecture: &Architecture) -> RunsAs<'_> {
    let mut out = RunsAs::new();
    for link in architecture.links.iter().filter(|link| link.relation == Relation::RunsAs) {
        out.entry(&link.to).or_default().push(&link.from);
    }
    out
}

/// Fills a template for a component. `sets` names settings; where one is written in the plan already, that is the place to change.
pub(crate) fn fix(
    architecture: &Architecture,
    component: &Component,
    language: &str,
    parts: &FixParts,
    sets: &[String],
    extra: &Extra<'_>,
) -> Option<Fix> {
    if language == "yaml" {
        let code = fill(architecture, component, None, parts.beside.as_deref().or(parts.within.as_deref())?, extra);
        let complete = !has_gap(&code);
        return Some(Fix { language: language.to_owned(), code, place: component.span, complete });
    }
    let place = Place::of(component)?;
    let mut code = String::new();
    let mut complete = true;
    let written = sets.iter().find_map(|name| component.setting(name)).map(|node| node.span);
    if !place.module.is_empty() {
        code.push_str(&format!("# inside {}, where {} is declared\n", place.module, place.block()));
    }
    if downloaded(architecture, component) {
        code.push_str("# that module is downloaded: set this through its inputs, or ask its authors\n");
        complete = false;
    }
    if let Some(within) = &parts.within {
        code.push_str(&format!("resource \"{}\" \"{}\" {{\n  # keep what is there, and set:\n", place.source_type, place.label));
        for line in fill(architecture, component, Some(&place), within, extra).trim_end().lines() {
            code.push_str(if line.is_empty() { "" } else { "  " });
            code.push_str(line);
            code.push('\n');
        }
        code.push_str("}\n");
        // A block with "keep what is there" is to be merged by hand or by an editor, but nothing is left to fill in.
    }
    if let Some(beside) = &parts.beside {
        if parts.within.is_some() {
            code.push('\n');
        } else if let Some(span) = written.filter(|span| outside(component, *span)) {
            let start = architecture.sources.start(span);
            code.push_str(&format!("# it is set already at {}:{}: change it there instead\n", architecture.sources.path(span), start.line));
        }
        code.push_str(&fill(architecture, component, Some(&place), beside, extra));
    }
    let code = repeated(&place, &code);
    complete &= !has_gap(&code);
    Some(Fix { language: language.to_owned(), code, place: written.or(component.span), complete })
}

/// True when a span lies in another block than the component's own.
fn outside(component: &Component, span: Span) -> bool {
    component.span.is_none_or(|own| own.file != span.file || span.start < own.start || span.end > own.end)
}

/// True when its file came with a module that is downloaded.
fn downloaded(architecture: &Architecture, component: &Component) -> bool {
    component.span.is_some_and(|span| architecture.sources.path(span).contains(".terraform/modules/"))
}

/// True when something between `<` and `>` is left to fill in.
pub(crate) fn has_gap(code: &str) -> bool {
    code.split('<').skip(1).any(|part| part.split_once('>').is_some_and(|(gap, _)| !gap.is_empty() && !gap.contains(['\n', '='])))
}

/// Gives each block that speaks of one instance the component's own `count` or `for_each`, and references to such blocks their key.
fn repeated(place: &Place, code: &str) -> String {
    let (Some(repetition), Some(key)) = (place.repetition(), place.key()) else { return code.to_owned() };
    let mut blocks = blocks(code);
    // The component's own block has its repetition already.
    for block in blocks.iter_mut().filter(|block| block.name.as_ref() == Some(&place.block())) {
        block.name = None;
    }
    let mut done: Vec<String> = Vec::new();
    // A block that refers to a repeated one is repeated itself; each round finds one more, so it ends.
    while let Some(name) =
        blocks.iter().filter(|block| block.speaks_of_instance()).find_map(|block| block.name.clone().filter(|name| !done.contains(name)))
    {
        for block in &mut blocks {
            block.text = block.text.replace(&format!("{name}."), &format!("{name}[{key}]."));
        }
        done.push(name);
    }
    let mut out = String::with_capacity(code.len() + 64);
    for block in &blocks {
        match block.text.split_once('\n') {
            Some((head, body)) if block.name.as_ref().is_some_and(|name| done.contains(name)) => {
                out.push_str(&format!("{head}\n  {repetition}\n{body}"));
            }
            _ => out.push_str(&block.text),
        }
    }
    out
}

/// A top-level block, or what stands between two.
struct Block {
    /// `aws_kms_key.logs`, `data.aws_iam_policy_document.logs`; none for what stands between blocks and for the component's own block.
    name: Option<String>,
    text: String,
}

impl Block {
    fn speaks_of_instance(&self) -> bool {
        // A block with a repetition of its own speaks of its own elements.
        if self.text.contains("\n  for_each ") || self.text.contains("\n  count ") {
            return false;
        }
        ["each.value", "each.key", "[count.index]", "${count.index}"].iter().any(|word| self.text.contains(word))
    }
}

fn blocks(code: &str) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in code.split_inclusive('\n') {
        let plain = line.trim_end();
        let words: Vec<&str> = plain.split(['"']).collect();
        let name = match words.as_slice() {
            ["resource ", kind, " ", label, " {"] => Some(format!("{kind}.{label}")),
            ["data ", kind, " ", label, " {"] => Some(format!("data.{kind}.{label}")),
            _ => None,
        };
        match out.last_mut() {
            Some(block) if inside || (name.is_none() && block.name.is_none()) => block.text.push_str(line),
            _ => out.push(Block { name: name.clone(), text: line.to_owned() }),
        }
        inside = (inside || name.is_some()) && plain != "}";
        if !inside && plain == "}" {
            out.push(Block { name: None, text: String::new() });
        }
    }
    out
}

/// Replaces the placeholders of a template. What is no placeholder stays: HCL is full of braces.
pub(crate) fn fill(architecture: &Architecture, component: &Component, place: Option<&Place>, template: &str, extra: &Extra<'_>) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, after) = rest.split_at(open);
        out.push_str(before);
        let inside = after.get(1..).unwrap_or("");
        let value = inside.split_once('}').and_then(|(word, tail)| Some((value(architecture, component, place, word, extra)?, tail)));
        match value {
            Some((value, tail)) => {
                out.push_str(&value);
                rest = tail;
            }
            None => {
                out.push('{');
                rest = inside;
            }
        }
    }
    out.push_str(rest);
    out
}

fn value(architecture: &Architecture, component: &Component, place: Option<&Place>, word: &str, extra: &Extra<'_>) -> Option<String> {
    if let Some((_, value)) = extra.values.iter().find(|(name, _)| *name == word) {
        return Some(value.clone());
    }
    let known = match word.split_once(':') {
        Some(("ref", path)) if path.contains('.') => {
            let (relation, attribute) = path.split_once('.').unwrap_or((path, ""));
            match linked(architecture, component, relation).filter(|found| !found.starts_with('<')) {
                Some(found) => format!("{found}.{attribute}"),
                None => format!("\"{}\"", gap(&format!("{attribute} of {relation}"))),
            }
        }
        Some(("ref", relation)) => linked(architecture, component, relation).unwrap_or_else(|| gap(&format!("address of {relation}"))),
        Some(("expr", name)) => {
            component.setting(name).and_then(|node| expression(&node.value)).unwrap_or_else(|| format!("\"{}\"", gap(name)))
        }
        Some(("setting", name)) => component.text(name).or_else(|| number(component, name)).unwrap_or_else(|| gap(name)),
        Some(_) => return None,
        None => match word {
            "address" => place.map_or_else(|| component.address.as_str().to_owned(), Place::reference),
            "block" => place.map_or_else(|| component.address.as_str().to_owned(), Place::block),
            "all_arns" => place.map_or_else(|| "[]".to_owned(), Place::all_arns),
            "reached" => reached(architecture, component, extra),
            "label" => place.map_or_else(|| slug(&component.name), |place| place.label.clone()),
            "slug" => place.map_or_else(|| slug(&component.name), |place| slug(&place.label)),
            "instance" => place.map_or("", Place::suffix).to_owned(),
            "name" => known_name(architecture, component).unwrap_or_else(|| gap(&format!("name of {}", component.address))),
            "region" => component.region.clone().unwrap_or_else(|| gap("region")),
            "account" => component.account.clone().unwrap_or_else(|| gap("account id")),
            _ => return None,
        },
    };
    Some(known)
}

/// A text as an HCL expression: a reference where it is one.
fn expression(value: &bartizan_model::Value) -> Option<String> {
    let text = value.as_text()?;
    if let Some((address, attribute)) = text.as_reference() {
        let at = address.find("aws_")?;
        return Some(format!("{}.{attribute}", address.get(at..)?));
    }
    text.known().map(|known| format!("\"{known}\""))
}

fn number(component: &Component, name: &str) -> Option<String> {
    component.setting(name)?.value.as_number().map(|number| number.to_string())
}

fn gap(what: &str) -> String {
    format!("<{what}>")
}

/// The component's name in AWS, where the plan spells it out.
///
/// Where it does not, a component is called by its label; a command with that as its name would hit something else or nothing.
pub(crate) fn known_name(architecture: &Architecture, component: &Component) -> Option<String> {
    let name = component.name.trim();
    if name.is_empty() || name.contains(['$', '?', '{', '\u{F8F0}']) {
        return None;
    }
    let is_label = Place::of(component).is_some_and(|place| place.label == name);
    (!is_label || is_spelled_out(architecture, component, name)).then(|| name.to_owned())
}

/// How far the end of a block is looked for, in bytes.
const LONGEST_BLOCK: usize = 64 << 10;

/// Whether the component's own block holds the name as a string, its header aside.
fn is_spelled_out(architecture: &Architecture, component: &Component, name: &str) -> bool {
    let Some(span) = component.span else { return false };
    let text = architecture.sources.get(span.file).and_then(|file| {
        let start = span.start as usize;
        // A plan in JSON has no block that ends, and may be a hundred megabytes.
        file.text.get(start..file.text.floor_char_boundary(start.saturating_add(LONGEST_BLOCK)))
    });
    let block = text.and_then(|text| text.split("\n}").next()).and_then(|block| block.split_once('{'));
    block.is_some_and(|(_, body)| body.contains(&format!("\"{name}\"")))
}

/// ARNs of what the compute that runs as a role sends data to or calls, as the elements of a list.
fn reached(architecture: &Architecture, role: &Component, extra: &Extra<'_>) -> String {
    let compute = match extra.runs_as {
        Some(known) => known.get(&role.address).cloned(),
        None => runs_as(architecture).remove(&role.address),
    };
    let mut arns: Vec<String> = Vec::new();
    for flow in compute.iter().flatten().flat_map(|from| flows_from(architecture, from)).filter(|flow| flow.status == FlowStatus::Active) {
        let Some(target) = architecture.component(&flow.to).filter(|target| target.stack == role.stack) else { continue };
        let Some(place) = Place::of(target).filter(|place| place.module.is_empty() && place.instances == Instances::One) else { continue };
        let arn = format!("{}.arn", place.block());
        if !arns.contains(&arn) {
            arns.push(arn);
        }
    }
    arns.sort();
    if arns.is_empty() { format!("\"{}\"", gap("ARN of each resource that it uses")) } else { arns.join(", ") }
}

fn flows_from<'a>(architecture: &'a Architecture, from: &'a Address) -> impl Iterator<Item = &'a Flow> {
    // INVARIANT: flows are sorted by `from` first.
    let start = architecture.flows.partition_point(|flow| flow.from < *from);
    architecture.flows.iter().skip(start).take_while(move |flow| flow.from == *from)
}

/// The reference expression of the component that a relation links to.
fn linked(architecture: &Architecture, component: &Component, relation: &str) -> Option<String> {
    let own = Place::of(component);
    architecture.links_from(&component.address).filter(|link| relation_word(&link.relation) == Some(relation)).find_map(|link| {
        let other = architecture.component(&link.to)?;
        let place = Place::of(other)?;
        // An address in another module cannot be written here; the reader has to pass it in.
        if other.stack != component.stack || own.as_ref().is_some_and(|own| own.module != place.module) {
            return Some(gap(&format!("{} of {}", place.block(), if place.module.is_empty() { "the root module" } else { &place.module })));
        }
        Some(match place.instances {
            Instances::One => place.block(),
            Instances::Count | Instances::ForEach => {
                let address = link.to.as_str();
                address.rfind(&format!("{}.", place.source_type)).and_then(|at| address.get(at..)).unwrap_or(address).to_owned()
            }
        })
    })
}

/// The catalogue's word for a relation.
pub(crate) fn relation_word(relation: &Relation) -> Option<&str> {
    match relation {
        Relation::RunsAs => Some("runs_as"),
        Relation::InSubnet => Some("in_subnet"),
        Relation::InVpc => Some("in_vpc"),
        Relation::GuardedBy => Some("guarded_by"),
        Relation::EncryptedWith => Some("encrypted_with"),
        Relation::PartOf => Some("part_of"),
        Relation::ProtectedBy => Some("protected_by"),
        Relation::Mentions => Some("mentions"),
        Relation::Watches => Some("watches"),
        Relation::BacksUp => Some("backs_up"),
        Relation::Other(word) => Some(word),
        Relation::Flow(_) => None,
    }
}

/// Lower-case letters, digits and hyphens: fit for names in AWS.
pub(crate) fn slug(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            out.push(character.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Instances, Place, has_gap, repeated};

    #[test]
    fn places_are_read_from_addresses_of_any_depth() {
        let place = Place::parse(r#"module.a["x.y"].module.b[0].aws_s3_bucket.logs["eu"]"#, "aws_s3_bucket").unwrap();
        assert_eq!((place.module.as_str(), place.label.as_str()), ("module.a.module.b", "logs"));
        assert_eq!(place.instances, Instances::ForEach);
        assert_eq!(place.reference(), "each.value");
        let counted = Place::parse("aws_instance.web[1]", "aws_instance").unwrap();
        assert_eq!(counted.reference(), "aws_instance.web[count.index]");
        assert_eq!(Place::parse("data.aws_s3_bucket.x", "aws_s3_bucket"), None);
        assert_eq!(Place::parse("shop/Deployment/cart", "Deployment"), None);
    }

    #[test]
    fn a_companion_of_a_repeated_block_is_repeated_with_it() {
        let place = Place::parse(r#"aws_s3_bucket.logs["eu"]"#, "aws_s3_bucket").unwrap();
        let code = "resource \"aws_s3_bucket_versioning\" \"logs\" {\n  bucket = each.value.id\n}\n";
        assert_eq!(
            repeated(&place, code),
            "resource \"aws_s3_bucket_versioning\" \"logs\" {\n  for_each = aws_s3_bucket.logs\n  bucket = each.value.id\n}\n"
        );
    }

    #[test]
    fn comparisons_are_no_gaps() {
        assert!(has_gap("topic = <ARN of a topic>"));
        assert!(!has_gap("pattern = \"{ $.a <= 3 && $.b >= 4 }\""));
    }
}
