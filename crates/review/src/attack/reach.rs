//! Which components a statement may speak of: an index that keeps questions about a plan from being quadratic.
//!
//! It says more than is true, never less; `rights` decides.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use bartizan_iam::{PolicyText, ResourceName, Resources, Statement};
use bartizan_model::Address;

use super::world::World;

/// What a statement may speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anything.
    Everything,
    /// Of the plan's components only these.
    Only(BTreeSet<Address>),
}

impl Reach {
    /// Whether a component may be meant.
    pub(crate) fn holds(&self, address: &Address) -> bool {
        match self {
            Reach::Everything => true,
            Reach::Only(some) => some.contains(address),
        }
    }
}

/// Components by what their ARNs begin with.
pub(crate) struct Reaches {
    addresses: BTreeSet<Address>,
    /// By service segment: the resource segment, with the component; sorted.
    by_service: BTreeMap<String, Vec<(String, Address)>>,
    /// By statement, as it lies in memory; the world that owns the statements outlives this.
    known: RefCell<HashMap<usize, Rc<Reach>>>,
}

impl Reaches {
    pub(crate) fn new(world: &World<'_>) -> Self {
        let mut by_service: BTreeMap<String, Vec<(String, Address)>> = BTreeMap::new();
        for (address, target) in &world.targets {
            for (service, prefix) in beginnings(&target.name) {
                by_service.entry(service).or_default().push((prefix, address.clone()));
            }
        }
        by_service.values_mut().for_each(|list| list.sort());
        Self { addresses: world.targets.keys().cloned().collect(), by_service, known: RefCell::new(HashMap::new()) }
    }

    /// What a statement may speak of.
    pub(crate) fn of(&self, statement: &Statement) -> Rc<Reach> {
        let key = std::ptr::from_ref(statement).addr();
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let reach = Rc::new(self.read(statement));
        self.known.borrow_mut().insert(key, reach.clone());
        reach
    }

    fn read(&self, statement: &Statement) -> Reach {
        let Resources::Only(patterns) = &statement.resources else { return Reach::Everything };
        let mut found = BTreeSet::new();
        for pattern in patterns {
            if !self.pattern(&pattern.text, &mut found) {
                return Reach::Everything;
            }
        }
        Reach::Only(found)
    }

    /// Adds what a pattern may mean; false where that may be anything.
    fn pattern(&self, text: &PolicyText, found: &mut BTreeSet<Address>) -> bool {
        let referred: Vec<Address> = text.references().map(|(address, _)| Address::new(address)).collect();
        let known: Vec<&Address> = referred.iter().filter(|address| self.addresses.contains(*address)).collect();
        if !known.is_empty() {
            found.extend(known.into_iter().cloned());
            return true;
        }
        if text.known().is_some_and(|known| known.starts_with('*')) {
            return false;
        }
        // A resource that the plan does not name may be anything and is most likely none of these: to mean them all would be made up.
        let Some([_, _, service, _, _, resource]) = text.arn_segments() else { return true };
        let Some(service) = service.known().filter(|service| !service.contains(['*', '?', '$'])) else { return false };
        let written = resource.to_string();
        let written = written.split("${aws:").next().unwrap_or("");
        let fixed = written.split(['*', '?']).next().unwrap_or("");
        let Some(list) = self.by_service.get(&*service) else { return true };
        // Either begins with the other: `bucket/key` lies in `bucket`, `role/` is how `role/app` begins.
        let from = list.partition_point(|(prefix, _)| prefix.as_str() < fixed);
        found.extend(list.iter().skip(from).take_while(|(prefix, _)| prefix.starts_with(fixed)).map(|(_, address)| address.clone()));
        let mut shorter = fixed;
        while let Some((at, _)) = shorter.char_indices().next_back() {
            shorter = shorter.get(..at).unwrap_or("");
            let from = list.partition_point(|(prefix, _)| prefix.as_str() < shorter);
            found.extend(list.iter().skip(from).take_while(|(prefix, _)| prefix == shorter).map(|(_, address)| address.clone()));
        }
        true
    }
}

/// Service and known beginning of the resource segment of every ARN among the names of a resource.
fn beginnings(name: &ResourceName) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for text in name.texts() {
        let Some([_, _, service, _, _, resource]) = text.arn_segments() else { continue };
        // What is not known keeps its name, so that one variable in a name and in a pattern meet.
        let entry = (service.to_string(), resource.to_string());
        if !out.contains(&entry) {
            out.push(entry);
        }
    }
    out
}
