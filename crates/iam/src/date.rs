//! Dates as conditions write them: ISO 8601 (the W3C profile) or seconds since 1970.
//!
//! Source: IAM User Guide, date condition operators.

/// Seconds since 1970-01-01T00:00:00Z; `None` for what is no date.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(epoch) = text.parse::<f64>() {
        return epoch.is_finite().then_some(epoch);
    }
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut fields = date.split('-').map(|field| field.parse::<i64>().ok());
    let year = fields.next()??;
    let month = fields.next().unwrap_or(Some(1))?;
    let day = fields.next().unwrap_or(Some(1))?;
    if fields.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(0..=9999).contains(&year) {
        return None;
    }
    let days = days_since_epoch(year, month, day);
    #[allow(clippy::cast_precision_loss, reason = "days of four-digit years are far below 2^52")]
    let midnight = days as f64 * 86_400.0;
    Some(midnight + time.map_or(Some(0.0), of_day)?)
}

/// Seconds from midnight UTC of `10:00:00.5+02:00`.
fn of_day(text: &str) -> Option<f64> {
    let (clock, offset) = if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        (clock, 0.0)
    } else if let Some(at) = text.rfind(['+', '-']) {
        let (clock, zone) = text.split_at(at);
        let sign = if zone.starts_with('-') { -1.0 } else { 1.0 };
        (clock, sign * of_clock(zone.get(1..)?)?)
    } else {
        (text, 0.0)
    };
    Some(of_clock(clock)? - offset)
}

fn of_clock(text: &str) -> Option<f64> {
    let mut out = 0.0;
    let mut unit = 3600.0;
    for field in text.split(':') {
        let value: f64 = field.parse().ok()?;
        if !(0.0..=60.0).contains(&value) || unit < 1.0 {
            return None;
        }
        out += value * unit;
        unit /= 60.0;
    }
    Some(out)
}

/// Days of the proleptic Gregorian calendar, by counting years that start in March, so that the leap day is the last one.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn dates_are_seconds_since_1970() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0.0));
        assert_eq!(seconds("2020-01-01"), Some(1_577_836_800.0));
        assert_eq!(seconds("2024-02-29T12:30:00+02:00"), Some(1_709_202_600.0));
        assert_eq!(seconds("1577836800"), Some(1_577_836_800.0));
        assert_eq!(seconds("1999-12-31T23:59:59.5Z"), Some(946_684_799.5));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("2020-13-01"), None);
    }
}
