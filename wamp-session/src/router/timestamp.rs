//! The text of an instant and back, without a clock and without a calendar of others.

use core::time::Duration;

/// The days of 400 years, after which the calendar repeats.
const CYCLE: u64 = 146_097;

/// The instant this long after 1970-01-01T00:00:00Z, as RFC 3339 has it, with milliseconds.
pub(super) fn rfc3339(since_1970: Duration) -> String {
    format!("{}.{:03}Z", to_seconds(since_1970), since_1970.subsec_millis())
}

/// The same to the nanosecond, where milliseconds are not all of it.
pub(super) fn rfc3339_nanos(since_1970: Duration) -> String {
    let nanos = since_1970.subsec_nanos();
    if nanos.is_multiple_of(1_000_000) {
        return rfc3339(since_1970);
    }
    format!("{}.{nanos:09}Z", to_seconds(since_1970))
}

fn to_seconds(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let (mut days, of_day) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970 + days / CYCLE * 400;
    days %= CYCLE;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}", days + 1)
}

/// The instant of an RFC 3339 text; `None` if it is none, or before 1970.
pub(super) fn parse_rfc3339(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.split('-');
    let (year, month, day) = (digits(date.next()?, 4)?, digits(date.next()?, 2)?, digits(date.next()?, 2)?);
    if date.next().is_some() || !(1..=12).contains(&month) || !(1..=days_of_month(year, month)).contains(&day) {
        return None;
    }
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = (time.get(..zone)?, time.get(zone..)?);
    let (time, fraction) = time.split_once('.').map_or((time, None), |(time, fraction)| (time, Some(fraction)));
    let mut time = time.split(':');
    let (hour, minute, second) = (digits(time.next()?, 2)?, digits(time.next()?, 2)?, digits(time.next()?, 2)?);
    // 60 is a leap second.
    if time.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let nanos = fraction.map_or(Some(0), nanos)?;
    let ahead = offset(zone)?;
    let years = (1970..year).map(days_of_year).sum::<u64>();
    let days = years + (1..month).map(|month| days_of_month(year, month)).sum::<u64>() + day - 1;
    let seconds = i64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()?;
    let seconds = u64::try_from(seconds.checked_sub(ahead)?).ok()?;
    (year >= 1970).then(|| Duration::new(seconds, nanos))
}

/// A number of so many digits.
fn digits(text: &str, length: usize) -> Option<u64> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A fraction of a second; what is finer than a nanosecond is left out.
fn nanos(fraction: &str) -> Option<u32> {
    digits(fraction, fraction.len()).filter(|_| !fraction.is_empty())?;
    let nanos = fraction.bytes().chain([b'0'; 9]).take(9);
    Some(nanos.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0')))
}

/// How many seconds a time zone is ahead.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let ahead = i64::try_from(hours * 3600 + minutes * 60).ok()?;
    (hours < 24 && minutes < 60).then_some(if zone.starts_with('-') { -ahead } else { ahead })
}

const fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_instants() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01t00:00:01.5z", 1_500_000_000),
            ("1970-01-01 01:00:00+01:00", 0),
            ("2000-02-29T00:00:00.000Z", 951_782_400_000_000_000),
            ("2014-06-22T16:36:25.448Z", 1_403_454_985_448_000_000),
            ("2014-06-22T16:36:25.4481234569Z", 1_403_454_985_448_123_456),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
        ] {
            assert_eq!(parse_rfc3339(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
        for wrong in [
            "",
            "2014-06-22",
            "2014-06-22T16:36:25",
            "2014-06-22T16:36Z",
            "2014-6-22T16:36:25Z",
            "2014-13-01T00:00:00Z",
            "2014-00-01T00:00:00Z",
            "2014-02-29T00:00:00Z",
            "2014-02-00T00:00:00Z",
            "2014-01-01T24:00:00Z",
            "2014-01-01T00:60:00Z",
            "2014-01-01T00:00:61Z",
            "2014-01-01T00:00:00.Z",
            "2014-01-01T00:00:00.xZ",
            "2014-01-01T00:00:00+0100",
            "2014-01-01T00:00:00+24:00",
            "2014-01-01T00:00:00Zx",
            "2014-01-01T00:00:00:00Z",
            "2014-01-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "+014-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
        for nanos in [0, 1, 999_999, 1_000_000, 1_403_454_985_448_000_000, 1_403_454_985_448_000_001, u64::MAX] {
            let instant = Duration::from_nanos(nanos);
            assert_eq!(parse_rfc3339(&rfc3339_nanos(instant)), Some(instant));
        }
    }

    #[test]
    fn instants_are_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_403_454_985, "2014-06-22T16:36:25.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (32_503_680_000, "3000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_secs(seconds)), text);
        }
        assert_eq!(rfc3339(Duration::from_millis(1_403_454_985_448)), "2014-06-22T16:36:25.448Z");
        assert!(rfc3339(Duration::MAX).ends_with('Z'));
    }
}
