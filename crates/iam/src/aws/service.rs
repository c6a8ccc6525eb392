//! What is known of one service, and the lines it is read from.
//!
//! The text of a block is one line per fact, fields separated by tabs (shown as ` | ` here), the first character saying what it is:
//!
//! ```text
//! =s3 | Amazon S3 | r                                  prefix, name, `r` where resource control policies apply
//! #s3:prefix | s                                       condition key, type (a small letter; a capital for several values)
//! @bucket | arn:${Partition}:s3:::${BucketName} | 0,3  resource type, ARN, its keys as places in the list of keys
//! rGetObject | 0*/1,2 4 | 0,4 | kms:Decrypt            level and name; resource types by place (`*` required, `/` its keys); keys;
//!                                                      dependent actions
//! ```
//!
//! A key that is not in the service's own list is written out instead of its place.

/// What an action does, in AWS's five classes (Service Authorization Reference, "access level").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Lists that something exists, without its content.
    List,
    /// Reads content.
    Read,
    /// Creates, changes or deletes.
    Write,
    /// Grants or changes permissions on resources.
    PermissionsManagement,
    /// Changes nothing but tags.
    Tagging,
}

impl AccessLevel {
    /// All five.
    pub const ALL: [Self; 5] = [Self::List, Self::Read, Self::Write, Self::PermissionsManagement, Self::Tagging];

    pub(super) fn of(letter: char) -> Option<Self> {
        match letter {
            'l' => Some(Self::List),
            'r' => Some(Self::Read),
            'w' => Some(Self::Write),
            'p' => Some(Self::PermissionsManagement),
            't' => Some(Self::Tagging),
            _ => None,
        }
    }
}

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// What stands before the colon of its actions: `s3`.
    pub prefix: String,
    /// Its name: `Amazon S3`.
    pub name: String,
    /// Whether resource control policies apply to its resources (Organizations User Guide, list of supported services).
    pub resource_controlled: bool,
    /// Its actions, sorted by their names in lower case.
    pub actions: Vec<ActionFacts>,
    /// Its resource types, sorted by name.
    pub resource_types: Vec<ResourceType>,
    /// Its condition keys, sorted by their names in lower case; with the global keys that it documents.
    pub condition_keys: Vec<ConditionKey>,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionFacts {
    /// Its name without the service: `GetObject`.
    pub name: String,
    /// What it does.
    pub level: AccessLevel,
    /// The types of resource that it works on; empty where a policy can only say `*`.
    pub resources: Vec<ActionResource>,
    /// The condition keys that it knows with every resource.
    pub condition_keys: Vec<String>,
    /// Actions that the caller needs besides, in some cases or always: `iam:PassRole`. Sorted.
    pub dependent_actions: Vec<String>,
}

/// A type of resource that an action works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionResource {
    /// Name of a [`ResourceType`] of the same service.
    pub resource_type: String,
    /// Whether a policy that grants the action must name one of this type.
    pub required: bool,
    /// The condition keys that the action knows with this type only.
    pub condition_keys: Vec<String>,
}

/// A type of resource of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Its name in the Service Authorization Reference: `bucket`.
    pub name: String,
    /// Its ARN with variables: `arn:${Partition}:s3:::${BucketName}`.
    pub arn: String,
    /// The condition keys that it carries, as `aws:ResourceTag/${TagKey}`.
    pub condition_keys: Vec<String>,
}

/// A condition key with the type of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionKey {
    /// Its name; a part that varies is a variable: `aws:ResourceTag/${TagKey}`.
    pub name: String,
    /// The type of its values.
    pub value_type: ValueType,
    /// True for a key that holds a set of values and wants `ForAllValues` or `ForAnyValue`.
    pub multivalued: bool,
}

/// The type of a condition key's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueType {
    /// Text.
    Text,
    /// An ARN.
    Arn,
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// A date.
    Date,
    /// An address or a range of addresses.
    IpAddress,
}

impl ConditionKey {
    /// Reads name and letter, separated by a tab.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (name, letter) = line.split_once('\t')?;
        let letter = letter.chars().next()?;
        let value_type = match letter.to_ascii_lowercase() {
            's' => ValueType::Text,
            'a' => ValueType::Arn,
            'b' => ValueType::Bool,
            'n' => ValueType::Number,
            'd' => ValueType::Date,
            'i' => ValueType::IpAddress,
            _ => return None,
        };
        Some(Self { name: name.to_owned(), value_type, multivalued: letter.is_ascii_uppercase() })
    }

    /// Whether a key of a policy is this one: `aws:resourcetag/team` is `aws:ResourceTag/${TagKey}`.
    pub fn is(&self, key: &str) -> bool {
        let Some((before, rest)) = self.name.split_once("${") else { return self.name.eq_ignore_ascii_case(key) };
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        let long_enough = key.len() > before.len() + after.len();
        let ends = |part: &str, found: Option<&str>| found.is_some_and(|found| found.eq_ignore_ascii_case(part));
        long_enough && ends(before, key.get(..before.len())) && ends(after, key.get(key.len() - after.len()..))
    }
}

impl Service {
    /// One of its actions, by its name in any case and without the prefix.
    pub fn action(&self, name: &str) -> Option<&ActionFacts> {
        let name = name.to_ascii_lowercase();
        let at = self.actions.binary_search_by(|action| action.name.to_ascii_lowercase().cmp(&name)).ok()?;
        self.actions.get(at)
    }

    /// One of its resource types.
    pub fn resource_type(&self, name: &str) -> Option<&ResourceType> {
        self.resource_types.iter().find(|resource_type| resource_type.name == name)
    }

    /// Reads the services of a block.
    pub(super) fn parse_all(text: &str) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        for line in text.lines() {
            let mut characters = line.chars();
            let (Some(kind), rest) = (characters.next(), characters.as_str()) else { continue };
            if kind == '=' {
                let mut fields = rest.split('\t').map(str::to_owned);
                let (prefix, name) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
                let resource_controlled = fields.next().as_deref() == Some("r");
                out.push(Self { prefix, name, resource_controlled, ..Self::default() });
            } else if let Some(service) = out.last_mut() {
                service.push(kind, rest);
            }
        }
        out
    }

    fn push(&mut self, kind: char, line: &str) {
        let mut fields = line.split('\t');
        let mut field = || fields.next().unwrap_or_default();
        match kind {
            '#' => self.condition_keys.extend(ConditionKey::parse(line)),
            '@' => {
                let (name, arn) = (field().to_owned(), field().to_owned());
                let condition_keys = self.keys(field());
                self.resource_types.push(ResourceType { name, arn, condition_keys });
            }
            letter => {
                let Some(level) = AccessLevel::of(letter) else { return };
                let name = field().to_owned();
                let resources = list(field(), ' ').filter_map(|text| self.resource(text)).collect();
                let condition_keys = self.keys(field());
                let dependent_actions = list(field(), ',').map(str::to_owned).collect();
                self.actions.push(ActionFacts { name, level, resources, condition_keys, dependent_actions });
            }
        }
    }

    fn resource(&self, text: &str) -> Option<ActionResource> {
        let (place, keys) = text.split_once('/').unwrap_or((text, ""));
        let (place, required) = place.strip_suffix('*').map_or((place, false), |place| (place, true));
        let resource_type = self.resource_types.get(place.parse::<usize>().ok()?)?.name.clone();
        Some(ActionResource { resource_type, required, condition_keys: self.keys(keys) })
    }

    fn keys(&self, text: &str) -> Vec<String> {
        let key = |text: &str| match text.parse::<usize>() {
            Ok(place) => self.condition_keys.get(place).map(|key| key.name.clone()),
            Err(_) => Some(text.to_owned()),
        };
        list(text, ',').filter_map(key).collect()
    }
}

fn list(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.split(separator).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{AccessLevel, ConditionKey, Service, ValueType};

    #[test]
    fn the_lines_of_a_service_are_read() {
        let text =
            "=a\tA\tr\n#a:one\ts\n#a:Two\tS\n@thing\tarn:${Partition}:a:::${T}\t1\nrGet\t0*/0\t1,aws:x\tiam:PassRole,b:C\nwPut\n=b\tB";
        let services = Service::parse_all(text);
        let [a, b] = services.as_slice() else { panic!("two services: {services:?}") };
        assert_eq!((a.prefix.as_str(), a.resource_controlled, b.resource_controlled), ("a", true, false));
        let get = a.action("GET").unwrap();
        assert_eq!((get.level, get.resources[0].resource_type.as_str(), get.resources[0].required), (AccessLevel::Read, "thing", true));
        assert_eq!(get.resources[0].condition_keys, ["a:one"]);
        assert_eq!((get.condition_keys.join(" "), get.dependent_actions.join(" ")), ("a:Two aws:x".into(), "iam:PassRole b:C".into()));
        assert!(a.action("Put").unwrap().resources.is_empty());
        assert_eq!(a.resource_type("thing").unwrap().condition_keys, ["a:Two"]);
        assert!(a.condition_keys[1].multivalued);
    }

    #[test]
    fn a_key_with_a_variable_is_any_key_of_that_form() {
        let tag = ConditionKey::parse("aws:ResourceTag/${TagKey}\ts").unwrap();
        assert_eq!((tag.value_type, tag.multivalued), (ValueType::Text, false));
        assert!(tag.is("aws:resourcetag/Team"));
        assert!(!tag.is("aws:ResourceTag/") && !tag.is("aws:RequestTag/Team"));
        let inner = ConditionKey::parse("codebuild:vpc/${name}.value\ts").unwrap();
        assert!(inner.is("codebuild:vpc/x.value") && !inner.is("codebuild:vpc/x.other"));
    }
}
