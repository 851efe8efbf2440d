//! Numbers that keep the digits the sender wrote and calculate without rounding surprises.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use rust_decimal::{Decimal, RoundingStrategy};

use super::fault::{Fault, Outcome};

/// A number of a template.
#[derive(Debug, Clone)]
pub(super) enum Number {
    Int(i128),
    Decimal(Decimal),
    /// More digits than can be calculated with: printed and compared, nothing else.
    Digits(Arc<str>),
}

/// What `+ - * / // % **` stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(int) => int.fmt(f),
            Number::Decimal(decimal) => decimal.fmt(f),
            Number::Digits(digits) => f.write_str(digits),
        }
    }
}

impl Number {
    /// Reads a number as JSON writes it; `None` for any other text.
    pub(super) fn parse(text: &str) -> Option<Number> {
        let parts = Parts::read(text)?;
        if !text.contains(['.', 'e', 'E']) {
            return Some(text.parse().map_or_else(|_| Number::Digits(text.into()), Number::Int));
        }
        let decimal = if text.contains(['e', 'E']) {
            // The reader rounds what it cannot hold; only an exact result may replace the digits.
            let read = Decimal::from_scientific(text).ok();
            read.filter(|decimal| Parts::read(&decimal.to_string()).is_some_and(|p| p.cmp(&parts) == Ordering::Equal))
        } else {
            Decimal::from_str_exact(text).ok()
        };
        Some(decimal.map_or_else(|| Number::Digits(text.into()), Number::Decimal))
    }

    pub(super) fn is_zero(&self) -> bool {
        self.compare(&Number::Int(0)) == Ordering::Equal
    }

    /// Exact, for any number of digits.
    pub(super) fn compare(&self, other: &Number) -> Ordering {
        if let (Number::Int(a), Number::Int(b)) = (self, other) {
            return a.cmp(b);
        }
        let (a, b) = (self.to_string(), other.to_string());
        match (Parts::read(&a), Parts::read(&b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.cmp(&b),
        }
    }

    pub(super) fn decimal(&self) -> Outcome<Decimal> {
        match self {
            Number::Int(int) => Decimal::try_from_i128_with_scale(*int, 0).ok(),
            Number::Decimal(decimal) => Some(*decimal),
            Number::Digits(_) => None,
        }
        .ok_or_else(|| Fault::new("A number here has too many digits to calculate with"))
    }

    pub(super) fn negated(&self) -> Outcome<Number> {
        Number::Int(0).sum(Sum::Sub, self)
    }

    pub(super) fn absolute(&self) -> Outcome<Number> {
        if self.compare(&Number::Int(0)) == Ordering::Less {
            self.negated()
        } else {
            Ok(self.clone())
        }
    }

    /// Half away from zero, as on an invoice.
    pub(super) fn rounded(&self, places: u32) -> Outcome<Number> {
        match self {
            Number::Decimal(decimal) => {
                let rounded = decimal.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
                Ok(from_decimal(rounded))
            }
            Number::Int(_) => Ok(self.clone()),
            Number::Digits(_) => self.decimal().map(from_decimal),
        }
    }

    pub(super) fn sum(&self, op: Sum, other: &Number) -> Outcome<Number> {
        if matches!(op, Sum::Div | Sum::FloorDiv | Sum::Rem) && other.is_zero() {
            return Err(
                Fault::new("A number cannot be divided by 0").help("test it first, as in `{% if nights > 0 %}`")
            );
        }
        let exact = match (self, other) {
            (Number::Int(a), Number::Int(b)) => int_sum(op, *a, *b),
            _ => None,
        };
        let result = match exact {
            Some(int) => Some(Number::Int(int)),
            None => decimal_sum(op, self.decimal()?, other.decimal()?).map(from_decimal),
        };
        result.ok_or_else(|| Fault::new("The result of this calculation has too many digits"))
    }
}

/// A decimal without places is an integer: `6 / 2` prints `3`.
pub(super) fn from_decimal(decimal: Decimal) -> Number {
    if decimal.scale() == 0 {
        Number::Int(decimal.mantissa())
    } else {
        Number::Decimal(decimal)
    }
}

/// The result where it is an integer; `None` leaves it to the decimals.
fn int_sum(op: Sum, a: i128, b: i128) -> Option<i128> {
    match op {
        Sum::Add => a.checked_add(b),
        Sum::Sub => a.checked_sub(b),
        Sum::Mul => a.checked_mul(b),
        Sum::Div => (a.checked_rem(b)? == 0).then(|| a.checked_div(b)).flatten(),
        // Rounds down, and the rest has the sign of the divisor.
        Sum::FloorDiv => {
            let quotient = a.checked_div(b)?;
            if a.checked_rem(b)? != 0 && (a < 0) != (b < 0) {
                quotient.checked_sub(1)
            } else {
                Some(quotient)
            }
        }
        Sum::Rem => {
            let rest = a.checked_rem(b)?;
            if rest != 0 && (rest < 0) != (b < 0) {
                rest.checked_add(b)
            } else {
                Some(rest)
            }
        }
        Sum::Pow => a.checked_pow(u32::try_from(b).ok()?),
    }
}

fn decimal_sum(op: Sum, a: Decimal, b: Decimal) -> Option<Decimal> {
    let rest = || {
        let rest = a.checked_rem(b)?;
        let turned = !rest.is_zero() && rest.is_sign_negative() != b.is_sign_negative();
        if turned { rest.checked_add(b) } else { Some(rest) }
    };
    match op {
        Sum::Add => a.checked_add(b),
        Sum::Sub => a.checked_sub(b),
        Sum::Mul => a.checked_mul(b),
        Sum::Div => a.checked_div(b).map(whole),
        Sum::FloorDiv => a.checked_sub(rest()?)?.checked_div(b).map(|quotient| quotient.round()),
        Sum::Rem => rest(),
        Sum::Pow => {
            let exponent = i64::try_from(whole_number(b)?)
                .ok()
                .filter(|exponent| exponent.abs() <= 1000)?;
            power(a, exponent)
        }
    }
}

fn power(base: Decimal, exponent: i64) -> Option<Decimal> {
    let size = (0..exponent.unsigned_abs()).try_fold(Decimal::ONE, |size, _| size.checked_mul(base))?;
    if exponent < 0 {
        Decimal::ONE.checked_div(size)
    } else {
        Some(size)
    }
}

fn whole(quotient: Decimal) -> Decimal {
    if quotient.is_integer() {
        quotient.trunc()
    } else {
        quotient.normalize()
    }
}

fn whole_number(decimal: Decimal) -> Option<i128> {
    decimal.is_integer().then(|| decimal.trunc().mantissa())
}

/// A number taken apart so that any two compare without being calculated with.
struct Parts<'t> {
    negative: bool,
    /// Where the first digit that is not 0 stands before the point; `i64::MIN` for zero.
    magnitude: i64,
    whole: &'t str,
    fraction: &'t str,
}

impl<'t> Parts<'t> {
    fn read(text: &'t str) -> Option<Parts<'t>> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (rest, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return None;
        }
        let exponent = match exponent {
            None => 0,
            Some(written) => {
                let unsigned = written.strip_prefix(['+', '-']).unwrap_or(written);
                if unsigned.is_empty() || !digits(unsigned) {
                    return None;
                }
                let size = unsigned.parse().unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX));
                if written.starts_with('-') { -size } else { size }
            }
        };
        let all = whole.bytes().chain(fraction.bytes());
        let leading = all.take_while(|byte| *byte == b'0').count();
        let magnitude = if leading == whole.len() + fraction.len() {
            i64::MIN
        } else {
            i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? + exponent
        };
        Some(Parts {
            negative: negative && magnitude != i64::MIN,
            magnitude,
            whole,
            fraction,
        })
    }

    fn cmp(&self, other: &Parts<'_>) -> Ordering {
        if self.negative != other.negative {
            return other.negative.cmp(&self.negative);
        }
        let size = self.magnitude.cmp(&other.magnitude).then_with(|| {
            let (mut a, mut b) = (self.digits(), other.digits());
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return Ordering::Equal,
                    (a, b) => match a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0')) {
                        Ordering::Equal => {}
                        different => return different,
                    },
                }
            }
        });
        if self.negative { size.reverse() } else { size }
    }

    fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole
            .bytes()
            .chain(self.fraction.bytes())
            .skip_while(|byte| *byte == b'0')
    }
}
