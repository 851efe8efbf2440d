//! Filters of numbers.

use crate::lang::template::catalog::Call;
use crate::lang::template::fault::{Fault, Outcome};
use crate::lang::template::number::{Number, Sum};
use crate::lang::template::value::Value;

pub(in super::super) fn number(call: &mut Call<'_>) -> Outcome<Value> {
    call.input_number().map(Value::Number)
}

pub(in super::super) fn int(call: &mut Call<'_>) -> Outcome<Value> {
    let number = match call.input_number()? {
        Number::Decimal(decimal) => Number::Int(decimal.trunc().mantissa()),
        Number::Int(int) => Number::Int(int),
        // Without a point or an exponent, the digits are a whole number already.
        Number::Digits(digits) if !digits.contains(['.', 'e', 'E']) => Number::Digits(digits),
        digits => digits.sum(Sum::FloorDiv, &Number::Int(1))?,
    };
    Ok(Value::Number(number))
}

pub(in super::super) fn round(call: &mut Call<'_>) -> Outcome<Value> {
    let places = u32::try_from(call.count_arg(0)?.unwrap_or(0)).unwrap_or(u32::MAX);
    call.input_number()?.rounded(places).map(Value::Number)
}

pub(in super::super) fn abs(call: &mut Call<'_>) -> Outcome<Value> {
    call.input_number()?.absolute().map(Value::Number)
}

pub(in super::super) fn money(call: &mut Call<'_>) -> Outcome<Value> {
    let currency = call.text_arg(0)?.unwrap_or_default().trim().to_uppercase();
    if !currency.is_empty() && (currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase())) {
        return Err(Fault::new("This is not a currency").help("write its three letters, as in `money('EUR')`"));
    }
    let places = places(&currency);
    let amount = call.input_number()?.rounded(places)?.decimal()?;
    let digits = usize::try_from(places).unwrap_or(2);
    Ok(Value::text(format!("{amount:.digits$} {currency}").trim_end()))
}

/// Digits after the point, as ISO 4217 has them; two where it does not say otherwise.
fn places(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}
