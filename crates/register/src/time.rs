//! Times as the register keeps them: RFC 3339 in UTC, to the second. Nothing here reads a clock.

use std::fmt;

use bartizan_model::calendar::{civil, days};

use crate::error::RegisterError;

const DAY_SECONDS: i64 = 86_400;

/// A moment, in seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// Reads a day, or RFC 3339 with `Z` or an offset; parts of a second are dropped.
    ///
    /// # Errors
    /// The text is neither.
    pub fn parse(text: &str) -> Result<Self, RegisterError> {
        read(text).map(Self).ok_or_else(|| RegisterError::Time(text.to_owned()))
    }

    /// The day, ISO 8601.
    pub fn day(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(DAY_SECONDS));
        format!("{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.rem_euclid(DAY_SECONDS);
        write!(f, "{}T{:02}:{:02}:{:02}Z", self.day(), seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

fn read(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let is = |at: usize, allowed: &[u8]| text.as_bytes().get(at).is_some_and(|byte| allowed.contains(byte));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let days = days(year, month, day);
    // A day that does not exist comes back as another one.
    if !is(4, b"-") || !is(7, b"-") || civil(days) != (year, month, day) {
        return None;
    }
    if text.len() == 10 {
        return Some(days * DAY_SECONDS);
    }
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !is(10, b"Tt ") || !is(13, b":") || !is(16, b":") || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    if is(at, b".") {
        let n_digits = text.get(at + 1..)?.bytes().take_while(u8::is_ascii_digit).count();
        if n_digits == 0 {
            return None;
        }
        at += 1 + n_digits;
    }
    let sign = match text.get(at..)? {
        "Z" | "z" => return Some(days * DAY_SECONDS + hour * 3600 + minute * 60 + second),
        zone if zone.len() == 6 && is(at + 3, b":") => match zone.as_bytes().first()? {
            b'+' => -1,
            b'-' => 1,
            _ => return None,
        },
        _ => return None,
    };
    let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
    Some(days * DAY_SECONDS + hour * 3600 + minute * 60 + second + sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn days_and_moments_are_read_and_written() {
        let shown = |text: &str| Time::parse(text).map(|time| time.to_string()).ok();
        assert_eq!(shown("2024-02-29").as_deref(), Some("2024-02-29T00:00:00Z"));
        assert_eq!(shown("2026-11-28T04:05:06Z").as_deref(), Some("2026-11-28T04:05:06Z"));
        assert_eq!(shown("2026-11-28T04:05:06.789+02:30").as_deref(), Some("2026-11-28T01:35:06Z"));
        assert_eq!(shown("1969-12-31T23:59:59-00:01").as_deref(), Some("1970-01-01T00:00:59Z"));
        for wrong in
            ["", "soon", "2023-02-29", "2026-13-01", "2026-11-28T25:00:00Z", "2026-11-28T04:05:06", "2026-11-28T04:05:06.Z", "2026-11-2é"]
        {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
