//! The architecture: what import finds and the review completes.

use indexmap::IndexMap;

use crate::{Address, Asset, Boundary, Component, Declarations, Diagnostic, Flow, Link, Recipe, Software, Sources, Span};

/// One system under review, of one or several stacks.
#[derive(Clone, Debug, Default)]
pub struct Architecture {
    /// Every file that was read.
    pub sources: Sources,
    /// Components by address, sorted by address.
    pub components: IndexMap<Address, Component>,
    /// Joins between components, sorted.
    pub links: Vec<Link>,
    /// What people declared.
    pub declarations: Declarations,
    /// Data flows; filled by the review, sorted by from, to, protocol, port.
    pub flows: Vec<Flow>,
    /// Trust boundaries; filled by the review, parents before children.
    pub boundaries: Vec<Boundary>,
    /// Assets; filled by the review, sorted by name.
    pub assets: Vec<Asset>,
    /// Packages of the system and their known flaws; filled by a scan before the review, `None` where nobody scanned.
    pub software: Option<Software>,
    /// What container images are built from; filled by a scan before the review, sorted by path.
    pub recipes: Vec<Recipe>,
    /// Addresses that the configuration says were others before.
    pub moved: Vec<Moved>,
    /// Resources and modules of which the configuration makes none, sorted by address.
    pub switched_off: Vec<SwitchedOff>,
    /// Source types that the catalogue does not know, with how many there are; of a cluster's objects as `group/Kind`.
    pub unknown_types: IndexMap<String, usize>,
    /// Places in the sources whose reference or expression could not be resolved; [`Self::diagnostics`] say which.
    pub unresolved_references: usize,
    /// Problems met on the way, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is declared to be the same object under a new address: a resource, all instances of one, or a module with all that is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moved {
    /// The address of before, or the start of several: `aws_sqs_queue.a`, `module.m`.
    pub from: Address,
    /// What stands in its place.
    pub to: Address,
}

/// A block that makes nothing, because its `count` is zero or its `for_each` empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SwitchedOff {
    /// Where its instances would stand, without their key: `module.m.aws_sqs_queue.q`, or `module.m` for all of a module.
    pub address: Address,
    /// The block.
    pub span: Span,
}

impl Architecture {
    /// The component at an address.
    pub fn component(&self, address: &Address) -> Option<&Component> {
        self.components.get(address)
    }

    /// Links that start at an address.
    pub fn links_from<'a>(&'a self, address: &'a Address) -> impl Iterator<Item = &'a Link> {
        // INVARIANT: links are sorted by `from` first.
        let start = self.links.partition_point(|link| link.from < *address);
        self.links.get(start..).unwrap_or(&[]).iter().take_while(move |link| link.from == *address)
    }

    /// Links that end at an address. Linear in the number of links; build an index for repeated use.
    pub fn links_to<'a>(&'a self, address: &'a Address) -> impl Iterator<Item = &'a Link> {
        self.links.iter().filter(move |link| link.to == *address)
    }

    /// Sorts components, links, moves and diagnostics, and drops doubles; import calls it once at its end.
    pub fn normalise(&mut self) {
        self.components.sort_keys();
        self.moved.sort();
        self.moved.dedup();
        self.switched_off.sort();
        self.switched_off.dedup();
        self.links.sort();
        self.links.dedup();
        self.unknown_types.sort_keys();
        self.diagnostics.sort_by(|a, b| (a.span, a).cmp(&(b.span, b)));
        self.diagnostics.dedup();
    }
}
