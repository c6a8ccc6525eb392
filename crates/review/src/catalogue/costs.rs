//! Prices and figures of performance, as `catalogue/costs.yaml` states them, each with its source and date; and estimates from them.

use std::collections::BTreeMap;

use cel::{Context, Program, Value};
use serde::Deserialize;

use super::controls::Amount;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Where and in which currency the prices hold.
    #[serde(default)]
    pub basis: String,
    /// Average requests as a share of the peak that `bartizan.yaml` gives.
    #[serde(default)]
    pub average_share_of_peak: f64,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// One figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Service and name: `kms.key_month`.
    pub id: String,
    /// A number, or words where there is no single one.
    pub value: Amount,
    /// Unit: `USD/key/month`.
    pub unit: String,
    /// What to know about it.
    #[serde(default)]
    pub note: Option<String>,
    /// Where it was read.
    pub source: String,
    /// Month or year it was true: `2026-03`.
    pub as_of: String,
    /// Whether it was read in the source or is the authors' assumption.
    pub verified: Verified,
}

/// Whether a figure was read in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// Read there.
    Yes,
    /// Parts of it.
    Partly,
    /// An assumption.
    No,
}

/// Workload figures of a component, as far as they are declared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Requests per second at peak.
    pub requests_per_second: Option<f64>,
    /// Records kept.
    pub records: Option<f64>,
    /// Size in GB.
    pub gigabytes: Option<f64>,
    /// Growth, ratio per year.
    pub growth: Option<f64>,
}

const SECONDS_PER_MONTH: f64 = 2_628_000.0;

impl Costs {
    /// The figure with this id.
    pub fn figure(&self, id: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.id == id)
    }

    /// Replaces each `{price:ID}` by the figure with its source and date.
    pub fn filled(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{price:") {
            out.push_str(before);
            match after.split_once('}') {
                Some((id, tail)) => {
                    match self.figure(id) {
                        Some(figure) => out.push_str(&figure.sentence()),
                        None => out.push_str(id),
                    }
                    rest = tail;
                }
                None => {
                    out.push_str(after);
                    rest = "";
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// Ids that `{price:ID}` marks of a text name.
    pub fn named(text: &str) -> Vec<&str> {
        text.split("{price:").skip(1).filter_map(|part| part.split_once('}').map(|(id, _)| id)).collect()
    }

    /// USD per month for a component of this load; `None` where a figure that the amount needs is not declared.
    pub fn per_month(&self, amount: &Amount, load: Load) -> Option<f64> {
        let expression = match amount {
            Amount::Number(number) => return Some(*number),
            Amount::Expression(expression) => expression,
        };
        let program = Program::compile(expression).ok()?;
        let mut context = Context::default();
        context.add_variable_from_value("price", self.prices());
        context.add_variable_from_value("workload", self.workload(load));
        match program.execute(&context).ok()? {
            Value::Float(number) => Some(number),
            #[expect(clippy::cast_precision_loss, reason = "a price in whole dollars is far below 2^52")]
            Value::Int(number) => Some(number as f64),
            _ => None,
        }
        .filter(|number| number.is_finite() && *number >= 0.0)
    }

    /// Prices as a map of maps: `price.kms.key_month`.
    fn prices(&self) -> Value {
        let mut groups: BTreeMap<String, std::collections::HashMap<String, Value>> = BTreeMap::new();
        for figure in &self.figures {
            if let (Amount::Number(number), Some((group, name))) = (&figure.value, figure.id.split_once('.')) {
                groups.entry(group.to_owned()).or_default().insert(name.to_owned(), Value::Float(*number));
            }
        }
        let groups: std::collections::HashMap<String, Value> = groups.into_iter().map(|(group, names)| (group, names.into())).collect();
        groups.into()
    }

    fn workload(&self, load: Load) -> Value {
        let share = if self.average_share_of_peak > 0.0 { self.average_share_of_peak } else { 1.0 };
        let pairs = [
            ("requests_per_second", load.requests_per_second),
            ("requests_per_month", load.requests_per_second.map(|peak| peak * share * SECONDS_PER_MONTH)),
            ("records", load.records),
            ("gigabytes", load.gigabytes),
            ("growth", load.growth),
        ];
        let known: std::collections::HashMap<String, Value> =
            pairs.into_iter().filter_map(|(name, number)| Some((name.to_owned(), Value::Float(number?)))).collect();
        known.into()
    }
}

impl Figure {
    /// Value, unit, source and date in one phrase: `1 USD/key/month (aws.amazon.com/kms/pricing, 2026-03)`.
    pub fn sentence(&self) -> String {
        let value = match &self.value {
            Amount::Number(number) => format!("{number} {}", self.unit),
            Amount::Expression(words) if self.unit == "text" => words.clone(),
            Amount::Expression(words) => format!("{words} {}", self.unit),
        };
        let doubt = match self.verified {
            Verified::Yes => "",
            Verified::Partly => ", verified in part",
            Verified::No => ", an assumption",
        };
        format!("{value} ({}, {}{doubt})", self.source, self.as_of)
    }
}

/// Reads the file.
///
/// # Errors
/// When it is not YAML of this shape, or an id is there twice.
pub fn parse(text: &str) -> Result<Costs, String> {
    let costs: Costs = super::typed(text).map_err(|error| error.to_string())?;
    let mut seen = std::collections::BTreeSet::new();
    for figure in &costs.figures {
        if !seen.insert(figure.id.as_str()) {
            return Err(format!("figure `{}` is there twice", figure.id));
        }
    }
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::{Costs, Load, parse};
    use crate::catalogue::controls::Amount;

    fn costs() -> Costs {
        parse(
            "basis: us-east-1\naverage_share_of_peak: 0.5\nfigures:\n\
             - {id: ddb.pitr_gb_month, value: 0.2, unit: USD/GB-month, source: a page, as_of: 2026-06, verified: yes}\n\
             - {id: kms.latency, value: no published figure, unit: text, source: none, as_of: 2026-11, verified: no}\n",
        )
        .unwrap()
    }

    #[test]
    fn an_estimate_needs_the_figures_it_names() {
        let amount = Amount::Expression("workload.gigabytes * price.ddb.pitr_gb_month".to_owned());
        let load = Load { gigabytes: Some(50.0), ..Load::default() };
        assert_eq!(costs().per_month(&amount, load), Some(10.0));
        assert_eq!(costs().per_month(&amount, Load::default()), None);
    }

    #[test]
    fn requests_per_month_follow_the_average_not_the_peak() {
        let amount = Amount::Expression("workload.requests_per_month".to_owned());
        let load = Load { requests_per_second: Some(2.0), ..Load::default() };
        assert_eq!(costs().per_month(&amount, load), Some(2_628_000.0));
    }

    #[test]
    fn figures_in_text_carry_source_and_date() {
        assert_eq!(
            costs().filled("backup: {price:ddb.pitr_gb_month}; call: {price:kms.latency}"),
            "backup: 0.2 USD/GB-month (a page, 2026-06); call: no published figure (none, 2026-11, an assumption)"
        );
    }
}
