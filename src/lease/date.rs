//! Dates of the lease file: days from a civil date and back, without a calendar library.
//!
//! Reading mirrors ISC `common/parse.c:parse_date_core`, whose arithmetic ignores what a calendar would refuse; writing
//! mirrors `common/print.c:print_time`.

use crate::time::{NEVER, Seconds};

/// A date as the lexer found it, before anything is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// Since 1900.
    pub year: i32,
    /// From 0.
    pub month: i32,
    /// From 1.
    pub day: i32,
    pub hour: i32,
    pub minute: i32,
    pub second: i32,
    /// Added.
    pub offset: i32,
}

/// Seconds since 1970 as dhcpd guesses them: 32 bit, no check of ranges, every fourth year a leap year. From 2038 on
/// everything is [`NEVER`].
pub(super) fn guess(date: Fields) -> Seconds {
    /// Days before each month but January.
    const MONTHS: [i32; 11] = [31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    if date.year >= 138 {
        return NEVER;
    }
    let before = match date.month {
        0 => 0,
        // dhcpd reads beyond its table for a month that is none; nothing can depend on that.
        month => {
            usize::try_from(month.wrapping_sub(1)).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or(0)
        }
    };
    let leap_day = i32::from(date.month > 1 && date.year.wrapping_sub(72) & 3 == 0);
    let days = date.year.wrapping_sub(70).wrapping_mul(365);
    let days = days.wrapping_add(date.year.wrapping_sub(69) / 4).wrapping_add(before).wrapping_add(leap_day);
    let days = days.wrapping_add(date.day).wrapping_sub(1);
    let hours = days.wrapping_mul(24).wrapping_add(date.hour);
    let minutes = hours.wrapping_mul(60).wrapping_add(date.minute);
    Seconds::from(minutes.wrapping_mul(60).wrapping_add(date.second).wrapping_add(date.offset))
}

/// A moment in the Gregorian calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub year: i64,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
    /// From 0, Sunday.
    pub weekday: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

/// The date of a moment. Days are counted in eras of 400 years that begin on the first of March.
pub(super) fn civil(time: Seconds) -> Civil {
    let (days, rest) = (time.div_euclid(86_400), time.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    // Each of these is far below 256.
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month: month as u8,
        day: (day_of_year - (153 * march_month + 2) / 5 + 1) as u8,
        weekday: (days + 4).rem_euclid(7) as u8,
        hour: (rest / 3600) as u8,
        minute: (rest / 60 % 60) as u8,
        second: (rest % 60) as u8,
    }
}

/// Appends `%w %Y/%m/%d %H:%M:%S`.
pub(super) fn write_utc(out: &mut Vec<u8>, time: Seconds) {
    let date = civil(time);
    out.push(b'0' + date.weekday);
    out.push(b' ');
    if (0..=9999).contains(&date.year) {
        // Four digits fit.
        let year = date.year as u32;
        out.extend([year / 1000, year / 100 % 10, year / 10 % 10, year % 10].map(|digit| b'0' + digit as u8));
    } else {
        out.extend(date.year.to_string().as_bytes());
    }
    for (separator, value) in
        [(b'/', date.month), (b'/', date.day), (b' ', date.hour), (b':', date.minute), (b':', date.second)]
    {
        out.extend([separator, b'0' + value / 10, b'0' + value % 10]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Datelike, Timelike};
    use proptest::prelude::*;

    fn text(time: Seconds) -> String {
        let mut out = Vec::new();
        write_utc(&mut out, time);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_as_strftime_does() {
        assert_eq!(text(0), "4 1970/01/01 00:00:00");
        assert_eq!(text(1_767_225_600), "4 2026/01/01 00:00:00");
        assert_eq!(text(1_709_164_799), "3 2024/02/28 23:59:59");
        assert_eq!(text(1_709_164_800), "4 2024/02/29 00:00:00");
        assert_eq!(text(0x7fff_fffe), "2 2038/01/19 03:14:06");
    }

    #[test]
    fn guesses_as_dhcpd_does() {
        let date = Fields { year: 126, month: 0, day: 1, ..Fields::default() };
        assert_eq!(guess(date), 1_767_225_600);
        assert_eq!(guess(Fields { offset: -3600, ..date }), 1_767_222_000);
        assert_eq!(guess(Fields { year: 138, ..date }), NEVER);
        // The thirtieth of February is the second of March, or the first.
        assert_eq!(guess(Fields { month: 1, day: 30, ..date }), guess(Fields { month: 2, day: 2, ..date }));
        guess(Fields { year: i32::MIN, month: i32::MIN, day: i32::MAX, hour: i32::MAX, ..date });
    }

    proptest! {
        #[test]
        fn equals_chrono(time in 0i64..0x7fff_ffff) {
            let there = DateTime::from_timestamp(time, 0).unwrap();
            let here = civil(time);
            prop_assert_eq!(
                (here.year, here.month, here.day, here.weekday, here.hour, here.minute, here.second),
                (
                    i64::from(there.year()), there.month() as u8, there.day() as u8,
                    there.weekday().num_days_from_sunday() as u8,
                    there.hour() as u8, there.minute() as u8, there.second() as u8
                )
            );
            let fields = Fields {
                year: there.year() - 1900, month: there.month0() as i32, day: there.day() as i32,
                hour: there.hour() as i32, minute: there.minute() as i32, second: there.second() as i32, offset: 0,
            };
            // 2038 is too late for dhcpd from its first second.
            prop_assert_eq!(guess(fields), if there.year() < 2038 { time } else { NEVER });
        }
    }
}
