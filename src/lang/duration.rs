//! Durations as users write them.

use chrono::TimeDelta;

/// Reads `90s`, `15m`, `2h` or `3d` (24 hours each); nothing negative, nothing above ten years.
pub fn parse(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.trim_end().parse().ok().filter(|n| *n >= 0)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    number
        .checked_mul(seconds)
        .filter(|s| *s <= 3650 * 86_400)
        .and_then(TimeDelta::try_seconds)
}

/// The shortest exact form: `90s`, `15m`, `2h`, `3d`.
pub fn text(span: TimeDelta) -> String {
    let seconds = span.num_seconds();
    for (size, unit) in [(86_400, 'd'), (3600, 'h'), (60, 'm')] {
        if seconds != 0 && seconds % size == 0 {
            return format!("{}{unit}", seconds / size);
        }
    }
    format!("{seconds}s")
}

/// The duration that was meant by `2 days` or `24 hours`.
pub fn meant(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim() {
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" | "std" => "h",
        "d" | "day" | "days" => "d",
        "w" | "week" | "weeks" => {
            let days = number.parse::<u32>().ok()?.checked_mul(7)?;
            return Some(format!("{days}d"));
        }
        _ => return None,
    };
    let found = format!("{number}{unit}");
    parse(&found).map(|_| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print() {
        for (written, printed) in [
            ("90s", "90s"),
            ("15m", "15m"),
            ("120m", "2h"),
            ("48h", "2d"),
            ("0s", "0s"),
        ] {
            assert_eq!(parse(written).map(text).as_deref(), Some(printed), "{written}");
        }
        for wrong in ["", "5", "m", "-1h", "1.5h", "1w", "99999999999d", "1 hour"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
