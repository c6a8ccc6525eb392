//! Points in time as documents write them (RFC 3339), without a clock.

use bartizan_model::calendar::{self, civil};

/// Seconds since 1970-01-01T00:00:00Z and nanoseconds; `None` where the text is neither a time nor a day.
pub(crate) fn instant(text: &str) -> Option<(i64, u32)> {
    let day = days(text.get(..10)?)?;
    let Some(time) = text.get(10..).filter(|time| !time.is_empty()) else { return Some((day * 86_400, 0)) };
    let (time, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at_checked(at)?,
        None => (time, "Z"),
    };
    let (clock, fraction) = time.get(1..)?.split_once('.').unwrap_or((time.get(1..)?, ""));
    let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let ahead = match offset.split_once(':') {
        Some((hours, minutes)) => {
            let hours: i64 = hours.parse().ok()?;
            let minutes: i64 = minutes.parse().ok()?;
            hours * 3600 + if offset.starts_with('-') { -minutes * 60 } else { minutes * 60 }
        }
        None => 0,
    };
    Some((day * 86_400 + hours * 3600 + minutes * 60 + seconds - ahead, nanoseconds))
}

/// RFC 3339 in UTC of seconds since 1970-01-01T00:00:00Z.
pub fn rfc3339(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// RFC 3339 in UTC, whole seconds, of a time or a day; `None` where the text is neither.
pub fn normalised(text: &str) -> Option<String> {
    instant(text).map(|(seconds, _)| rfc3339(seconds))
}

/// Number of a day since 1970-01-01; `None` where the text is none.
fn days(text: &str) -> Option<i64> {
    let mut parts = text.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(0..=9999).contains(&year) {
        return None;
    }
    Some(calendar::days(year, month, day))
}

#[cfg(test)]
mod tests {
    use super::{instant, normalised};

    #[test]
    fn times_are_compared_across_zones_and_written_in_utc() {
        assert_eq!(normalised("2023-01-16T19:07:16.853479631-06:00").as_deref(), Some("2023-01-17T01:07:16Z"));
        assert_eq!(normalised("2026-11-28").as_deref(), Some("2026-11-28T00:00:00Z"));
        assert_eq!(normalised("2000-02-29T23:59:59+05:30").as_deref(), Some("2000-02-29T18:29:59Z"));
        assert!(instant("2024-01-01T00:00:00.5Z") > instant("2024-01-01T01:00:00.25+01:00"));
        for wrong in ["", "yesterday", "2024-13-01", "2024-01-01T", "2024-01-01Tx:y"] {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }
}
