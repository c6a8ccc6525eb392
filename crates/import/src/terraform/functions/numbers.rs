//! Functions of numbers.

use bartizan_model::Value;

use super::{Args, Called, Stop};

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Called> {
    let number = match name {
        "abs" => args.number(0).map(f64::abs),
        "ceil" => args.number(0).map(f64::ceil),
        "floor" => args.number(0).map(f64::floor),
        "signum" => args.number(0).map(|n| if n == 0.0 { 0.0 } else { n.signum() }),
        "log" => args.number(0).and_then(|n| Ok(n.log(args.number(1)?))),
        "pow" => args.number(0).and_then(|n| Ok(n.powf(args.number(1)?))),
        "max" => fold(args, f64::max),
        "min" => fold(args, f64::min),
        "parseint" => parse_int(args),
        _ => return None,
    };
    Some(number.and_then(|n| if n.is_finite() { Ok(Value::Number(n)) } else { Err(Stop::Fail("the result is not a number".to_owned())) }))
}

fn fold(args: &Args<'_>, pick: fn(f64, f64) -> f64) -> Result<f64, Stop> {
    let mut best = args.number(0)?;
    for index in 1..args.len() {
        best = pick(best, args.number(index)?);
    }
    Ok(best)
}

fn parse_int(args: &Args<'_>) -> Result<f64, Stop> {
    let text = args.string(0)?;
    let base = u32::try_from(args.integer(1)?).ok().filter(|base| (2..=36).contains(base));
    let base = base.ok_or_else(|| Stop::Fail("the base is 2 to 36".to_owned()))?;
    i64::from_str_radix(&text, base).map(|n| n as f64).map_err(|_| Stop::Fail(format!("`{text}` is not a number to base {base}")))
}
