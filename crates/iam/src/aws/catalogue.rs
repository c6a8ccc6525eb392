//! Services, their actions, resource types and condition keys, read block by block.

use std::sync::OnceLock;

use super::blocks::Blocks;
use super::service::{AccessLevel, ActionFacts, ConditionKey, ResourceType, Service};
use crate::{ActionSet, ActionTable};

/// The file of services with what has been read of it.
struct Catalogue {
    blocks: Blocks,
    /// INVARIANT: as long as `blocks`.
    read: Vec<OnceLock<Vec<Service>>>,
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let blocks = Blocks::open(include_bytes!("../../data/aws/services.bin"));
        let read = (0..blocks.len()).map(|_| OnceLock::new()).collect();
        Catalogue { blocks, read }
    })
}

/// What is known of a service, by its prefix in any case: `s3`.
pub fn service(prefix: &str) -> Option<&'static Service> {
    let prefix = prefix.to_ascii_lowercase();
    let catalogue = catalogue();
    let at = catalogue.blocks.holding(&prefix)?;
    let services = catalogue.read.get(at)?.get_or_init(|| Service::parse_all(&catalogue.blocks.text(at)));
    services.iter().find(|service| service.prefix == prefix)
}

/// What is known of an action, in any case: `s3:getobject`.
pub fn action(action: &str) -> Option<&'static ActionFacts> {
    let (prefix, name) = action.split_once(':')?;
    service(prefix)?.action(name)
}

/// The resource types of a service; empty for a service that has none or is not known.
pub fn resource_types(prefix: &str) -> &'static [ResourceType] {
    service(prefix).map_or(&[], |service| service.resource_types.as_slice())
}

/// A condition key, by its name in any case; a key of a service (`s3:prefix`) or a global one (`aws:SourceIp`).
pub fn condition_key(key: &str) -> Option<&'static ConditionKey> {
    let (prefix, _) = key.split_once(':')?;
    let keys = if prefix.eq_ignore_ascii_case("aws") { global_keys() } else { &service(prefix)?.condition_keys };
    keys.iter().find(|known| known.is(key))
}

/// Whether resource control policies apply to the resources of a service (Organizations User Guide, list of supported services).
pub fn is_resource_controlled(prefix: &str) -> bool {
    service(prefix).is_some_and(|service| service.resource_controlled)
}

/// The keys that every service may have in its requests (IAM User Guide, global condition keys).
fn global_keys() -> &'static [ConditionKey] {
    static KEYS: OnceLock<Vec<ConditionKey>> = OnceLock::new();
    KEYS.get_or_init(|| include_str!("../../data/aws/global-keys.txt").lines().filter_map(ConditionKey::parse).collect())
}

/// All actions with their levels, in the order of the file: by service, then by name in lower case.
struct Everything {
    table: ActionTable,
    /// One set per [`AccessLevel`], in its order.
    levels: [ActionSet; 5],
    prefixes: Vec<String>,
}

fn everything() -> &'static Everything {
    static EVERYTHING: OnceLock<Everything> = OnceLock::new();
    EVERYTHING.get_or_init(|| {
        let blocks = &catalogue().blocks;
        let (mut names, mut levels, mut prefixes) = (Vec::new(), AccessLevel::ALL.map(|_| Vec::new()), Vec::new());
        for at in 0..blocks.len() {
            let text = blocks.text(at);
            let mut prefix = "";
            for line in text.lines() {
                let mut characters = line.chars();
                let (kind, rest) = (characters.next().unwrap_or_default(), characters.as_str());
                let name = rest.split('\t').next().unwrap_or_default();
                if kind == '=' {
                    prefix = name;
                    prefixes.push(prefix.to_owned());
                } else if let Some(level) = AccessLevel::of(kind) {
                    let name = format!("{prefix}:{}", name.to_ascii_lowercase());
                    if let Some(level) = levels.get_mut(level as usize) {
                        level.push(name.clone());
                    }
                    names.push(name);
                }
            }
        }
        let table = ActionTable::new(names);
        let levels = levels.map(|names| table.set_of(names.iter().map(String::as_str)));
        Everything { table, levels, prefixes }
    })
}

/// Every action of every service.
pub fn action_table() -> &'static ActionTable {
    &everything().table
}

/// The actions of one level, as a set of [`action_table`].
pub fn at_level(level: AccessLevel) -> &'static ActionSet {
    static NONE: ActionSet = ActionSet::EMPTY;
    everything().levels.get(level as usize).unwrap_or(&NONE)
}

/// The prefixes of all services, sorted.
pub fn service_prefixes() -> impl Iterator<Item = &'static str> {
    everything().prefixes.iter().map(String::as_str)
}
