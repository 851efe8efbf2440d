//! Filters of texts.

use crate::lang::template::catalog::Call;
use crate::lang::template::fault::{Fault, Outcome};
use crate::lang::template::meter::OUTPUT;
use crate::lang::template::url::encoded;
use crate::lang::template::value::Value;
use crate::model::phone;

pub(in super::super) fn upper(call: &mut Call<'_>) -> Outcome<Value> {
    Ok(Value::text(call.input_text()?.to_uppercase()))
}

pub(in super::super) fn lower(call: &mut Call<'_>) -> Outcome<Value> {
    Ok(Value::text(call.input_text()?.to_lowercase()))
}

pub(in super::super) fn trim(call: &mut Call<'_>) -> Outcome<Value> {
    Ok(Value::text(call.input_text()?.trim()))
}

pub(in super::super) fn string(call: &mut Call<'_>) -> Outcome<Value> {
    Ok(Value::text(call.input.printed()))
}

pub(in super::super) fn json(call: &mut Call<'_>) -> Outcome<Value> {
    Ok(Value::text(call.input.to_json().to_string()))
}

pub(in super::super) fn urlencode(call: &mut Call<'_>) -> Outcome<Value> {
    // Nothing in it is special to HTML either, and in an address it must not be encoded twice.
    Ok(Value::ready(encoded(&call.input_text()?)))
}

pub(in super::super) fn capitalize(call: &mut Call<'_>) -> Outcome<Value> {
    let text = call.input_text()?;
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    Ok(Value::text(first + &chars.as_str().to_lowercase()))
}

pub(in super::super) fn title(call: &mut Call<'_>) -> Outcome<Value> {
    let text = call.input_text()?;
    let mut title = String::with_capacity(text.len());
    let mut starts = true;
    for c in text.chars() {
        if starts {
            title.extend(c.to_uppercase());
        } else {
            title.extend(c.to_lowercase());
        }
        starts = c.is_whitespace() || c == '-';
    }
    Ok(Value::text(title))
}

pub(in super::super) fn replace(call: &mut Call<'_>) -> Outcome<Value> {
    let text = call.input_text()?;
    let (old, new) = (
        call.text_arg(0)?.unwrap_or_default(),
        call.text_arg(1)?.unwrap_or_default(),
    );
    if old.is_empty() {
        return Ok(Value::text(text));
    }
    let places = text.matches(old.as_str()).count();
    if places.saturating_mul(new.len()).saturating_add(text.len()) > OUTPUT {
        return Err(Fault::new("This template makes a text of more than 1 MiB"));
    }
    Ok(Value::text(text.replace(&old, &new)))
}

pub(in super::super) fn split(call: &mut Call<'_>) -> Outcome<Value> {
    let text = call.input_text()?;
    // As many entries as characters, at the worst.
    call.meter.charge(text.len().saturating_mul(16))?;
    let parts = match call.text_arg(0)?.filter(|separator| !separator.is_empty()) {
        Some(separator) => text.split(separator.as_str()).map(Value::text).collect(),
        None => text.split_whitespace().map(Value::text).collect(),
    };
    Value::list(parts)
}

pub(in super::super) fn truncate(call: &mut Call<'_>) -> Outcome<Value> {
    let text = call.input_text()?;
    let most = call.count_arg(0)?.unwrap_or(0);
    if text.chars().count() <= most {
        return Ok(Value::text(text));
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    if most > 0 {
        cut.push('…');
    }
    Ok(Value::text(cut))
}

pub(in super::super) fn last4(call: &mut Call<'_>) -> Outcome<Value> {
    let text = call.input_text()?;
    // A door code of two digits would be no code: as if no number had been sent.
    let missing = || Value::Missing(Some("four digits for last4".into()));
    Ok(phone::last4(&text).map_or_else(missing, Value::text))
}

pub(in super::super) fn slug(call: &mut Call<'_>) -> Outcome<Value> {
    let mut slug = String::new();
    for c in call.input_text()?.to_lowercase().chars() {
        let plain = unaccented(c);
        if !plain.is_empty() {
            slug.push_str(plain);
        } else if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    Ok(Value::text(slug.trim_end_matches('-')))
}

/// The plain letters for an accented small letter of the Latin alphabet; empty for all others.
fn unaccented(c: char) -> &'static str {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}
