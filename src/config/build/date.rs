//! Dates of `allow after` and `deny after` (ISC `common/parse.c:parse_date_core`).

use crate::syntax::Date;
use crate::time::{NEVER, Seconds};

/// The fields of `W YYYY/MM/DD HH:MM:SS [N]` that count, unchecked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Year, or years since 1900 when not above 1900.
    pub year: i32,
    /// Month, from 1.
    pub month: i32,
    /// Day of the month, from 1.
    pub day: i32,
    /// Hour.
    pub hour: i32,
    /// Minute.
    pub minute: i32,
    /// Second.
    pub second: i32,
    /// Seconds that are added.
    pub offset: i32,
}

/// Seconds since 1970. No field is checked; from 2038 on it is "never"; the sum wraps at 32 bits as in C.
pub fn calendar_seconds(date: Calendar) -> Seconds {
    /// Days before each month but January.
    const BEFORE: [i64; 11] = [31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let years = i64::from(if date.year > 1900 { date.year - 1900 } else { date.year });
    if years >= 138 {
        return NEVER;
    }
    let month = i64::from(date.month) - 1;
    // dhcpd reads past its table for months it does not know; such a month counts as the nearest one.
    let before = match usize::try_from(month) {
        Ok(0) | Err(_) => 0,
        Ok(month) => BEFORE.get(month - 1).copied().unwrap_or(334),
    };
    let leap_day = i64::from(month > 1 && (years - 72) & 3 == 0);
    let days = 365 * (years - 70) + (years - 69) / 4 + before + leap_day + i64::from(date.day) - 1;
    let minutes = (days * 24 + i64::from(date.hour)) * 60 + i64::from(date.minute);
    let seconds = minutes * 60 + i64::from(date.second) + i64::from(date.offset);
    Seconds::from(seconds as i32)
}

/// A date of the syntax tree as seconds since 1970.
pub(super) fn seconds(date: &Date) -> Seconds {
    match date {
        Date::Never => NEVER,
        Date::Epoch(number) => Seconds::from(number.value),
        Date::Calendar(date) => calendar_seconds(Calendar {
            year: date.year.value,
            month: date.month.value,
            day: date.day.value,
            hour: date.hour.value,
            minute: date.minute.value,
            second: date.second.value,
            offset: date.offset.as_ref().map_or(0, |offset| offset.value),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_1970() {
        let date = |year, month, day| calendar_seconds(Calendar { year, month, day, ..Calendar::default() });
        assert_eq!(date(1970, 1, 1), 0);
        assert_eq!(date(2000, 3, 1), 951_868_800);
        assert_eq!(date(2024, 2, 29), 1_709_164_800);
        assert_eq!(date(124, 2, 29), 1_709_164_800);
        assert_eq!(date(2038, 1, 1), NEVER);
        assert_eq!(date(2026, 13, 1), date(2026, 12, 1));
        let late = Calendar { year: 2026, month: 1, day: 2, hour: 25, minute: 61, second: 61, offset: -1 };
        assert_eq!(calendar_seconds(late), date(2026, 1, 3) + 2 * 3600 + 60 + 60);
    }
}
