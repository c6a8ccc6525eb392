//! Functions of time that need no clock, and those that do.

use bartizan_model::Value;

use super::{Args, Called};

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Called> {
    Some(match name {
        "timestamp" | "plantimestamp" => Ok(Value::after_apply("the time of the run is not known")),
        "formatdate" => args.string(1).map(|_| Value::after_apply("dates are not formatted here")),
        "timeadd" => args.string(0).map(|_| Value::after_apply("dates are not computed here")),
        // RFC 3339 in UTC sorts as text; other zones are not compared.
        "timecmp" => args.string(0).and_then(|a| {
            let b = args.string(1)?;
            Ok(if a.ends_with('Z') && b.ends_with('Z') {
                Value::Number(f64::from(a.cmp(&b) as i8))
            } else {
                Value::after_apply("times in different zones are not compared here")
            })
        }),
        _ => return None,
    })
}
