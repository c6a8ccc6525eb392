//! Alarms that components need, as `catalogue/monitoring/*.yaml` states them.

use indexmap::IndexMap;
use serde::Deserialize;

use super::{Catalogue, On, Problems, Selector, vocabularies};
use crate::expression::Expression;

/// An alarm on a metric that components of some types need.
#[derive(Clone, Debug)]
pub struct AlarmRule {
    /// What the file says.
    pub text: AlarmText,
    /// Compiled [`AlarmText::given`].
    pub given: Option<Expression>,
}

/// An alarm as the file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmText {
    /// Unique id, part of the alarm's name.
    pub id: String,
    /// Component types that need it.
    pub types: Vec<String>,
    /// Condition (CEL) on the component; where it is false the alarm is not needed.
    #[serde(default)]
    pub given: Option<String>,
    /// `true`: only for what receives dead letters; `false`: only for what does not.
    #[serde(default)]
    pub dead_letter: Option<bool>,
    /// CloudWatch namespace.
    pub namespace: String,
    /// Metric.
    pub metric: String,
    /// Metrics that tell the same; an alarm on one of them covers it.
    #[serde(default)]
    pub alike: Vec<String>,
    /// Dimensions with the HCL that gives their value; `{address}` is a reference to the component.
    pub dimensions: IndexMap<String, String>,
    /// `Sum`, `Average`, `Maximum`, `p99`, ….
    pub statistic: String,
    /// Seconds of one period.
    pub period: u32,
    /// Periods that must be over the threshold.
    pub evaluation_periods: u32,
    /// CloudWatch's comparison operator.
    pub comparison: String,
    /// When to wake someone.
    pub threshold: Threshold,
    /// The threshold in words.
    pub condition: String,
    /// What it tells.
    pub why: String,
}

/// A threshold: a number, or a part of a setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// The same for every component.
    Number(f64),
    /// A setting of the component times a factor; `or` where the setting is not set.
    OfSetting(OfSetting),
}

/// Part of a setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfSetting {
    /// The setting, a number.
    pub of: String,
    /// The factor.
    pub times: f64,
    /// The threshold where the setting has no value above zero.
    #[serde(default)]
    pub or: Option<f64>,
}

/// An event of the audit trail that someone should hear of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailAlarm {
    /// Unique id, part of the filter's name.
    pub id: String,
    /// CloudWatch Logs filter pattern over the trail's events.
    pub pattern: String,
    /// What happened, in words.
    pub condition: String,
    /// What it tells.
    pub why: String,
    /// Component types one of which must be there for the event to matter; empty: always.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Where a standard asks for it.
    #[serde(default)]
    pub standard: Option<String>,
}

/// Everything that is to be watched.
#[derive(Clone, Debug, Default)]
pub struct Monitoring {
    /// Alarms on metrics, by id.
    pub alarms: Vec<AlarmRule>,
    /// Events of the audit trail, in the files' order.
    pub trail: Vec<TrailAlarm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MonitoringFile {
    #[serde(default)]
    alarms: Vec<AlarmText>,
    #[serde(default)]
    trail: Vec<TrailAlarm>,
}

pub(super) fn load(path: &str, text: &str, catalogue: &mut Catalogue, problems: &mut Problems) {
    let Some(file) = problems.parse::<MonitoringFile>(path, text) else { return };
    for alarm in file.alarms {
        if catalogue.monitoring.alarms.iter().any(|known| known.text.id == alarm.id) {
            problems.push(path, None, format!("the alarm `{}` is there twice", alarm.id));
            continue;
        }
        for wanted in alarm.types.iter().filter(|wanted| !catalogue.types.contains_key(*wanted)) {
            problems.push(path, None, format!("the alarm `{}`: there is no component type `{wanted}`", alarm.id));
        }
        if let Threshold::OfSetting(threshold) = &alarm.threshold {
            let settings = alarm.types.iter().filter_map(|name| catalogue.types.get(name)).map(|known| &known.settings);
            if settings.into_iter().any(|settings| !settings.contains_key(&threshold.of)) {
                problems.push(path, None, format!("the alarm `{}`: its types have no setting `{}`", alarm.id, threshold.of));
            }
        }
        let given = alarm.given.as_deref().map(|source| condition(catalogue, &alarm.types, source)).transpose();
        match given {
            Ok(given) => catalogue.monitoring.alarms.push(AlarmRule { text: alarm, given }),
            Err(message) => problems.push(path, None, format!("the alarm `{}`: {message}", alarm.id)),
        }
    }
    catalogue.monitoring.trail.extend(file.trail);
}

/// Compiles a condition on components of some types.
pub(super) fn condition(catalogue: &Catalogue, types: &[String], source: &str) -> Result<Expression, String> {
    let target = Selector { types: types.to_vec(), traits: Vec::new() };
    let vocabulary = vocabularies::of_rule(catalogue, On::Component, &target, &Selector::default());
    Expression::compile_condition(source, &vocabulary).map_err(|error| error.message)
}
