//! What an event changed, field by field, in the words and times of the property.

use chrono::{DateTime, Datelike, NaiveDate};
use serde_json::{Value, json};

use crate::web::local::Local;

/// One field that changed.
#[derive(Clone, Debug)]
pub struct Field {
    /// `check_out`, `guest.email`.
    pub name: String,
    from: Value,
    to: Value,
}

/// The fields of `changes`, those that say the same as another one left out.
pub fn fields(changes: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    collect("", changes, &mut found);
    let has = |name: &str, found: &[Field]| found.iter().any(|field| field.name == name);
    let said = [
        ("check_in_date", "check_in"),
        ("check_out_date", "check_out"),
        ("source_status", "status"),
        ("guest.phone_last4", "guest.phone"),
    ];
    let twice: Vec<&str> = said
        .into_iter()
        .filter(|(_, by)| has(by, &found))
        .map(|(name, _)| name)
        .collect();
    found.retain(|field| !twice.contains(&field.name.as_str()));
    found
}

fn collect(name: &str, value: &Value, found: &mut Vec<Field>) {
    let Value::Object(members) = value else { return };
    if members.len() == 2
        && let (Some(from), Some(to)) = (members.get("from"), members.get("to"))
    {
        found.push(Field {
            name: name.to_owned(),
            from: from.clone(),
            to: to.clone(),
        });
        return;
    }
    for (key, value) in members {
        let name = if name.is_empty() {
            key.clone()
        } else {
            format!("{name}.{key}")
        };
        collect(&name, value, found);
    }
}

impl Field {
    /// `check_out: 12 Apr 11:00 → 13 Apr 11:00`.
    pub fn line(&self, local: &Local) -> String {
        format!(
            "{}: {} → {}",
            self.name,
            plain(&self.from, local),
            plain(&self.to, local)
        )
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        json!({"field": self.name, "from": self.from, "to": self.to})
    }
}

/// A value for people: times on the property's clock, lists with commas.
pub fn plain(value: &Value, local: &Local) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => moment(text, local).unwrap_or_else(|| text.clone()),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| plain(item, local)).collect();
            items.join(", ")
        }
        value => value.to_string(),
    }
}

fn moment(text: &str, local: &Local) -> Option<String> {
    let this_year = local.now.with_timezone(&local.zone).year();
    let year = |of: i32| if of == this_year { "" } else { " %Y" };
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(day.format(&format!("%-d %b{}", year(day.year()))).to_string());
    }
    let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&local.zone);
    Some(at.format(&format!("%-d %b{} %H:%M", year(at.year()))).to_string())
}
