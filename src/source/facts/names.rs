//! Which stay a body speaks of.

use super::super::mapping::Mapping;
use super::super::path::Input;
use super::super::read;
use super::super::secrets::REPLACED;
use super::super::value::{Expr, Found, LIST_MAX};
use crate::model::fact::StayNames;

/// No sender's code or id is longer; what is longer is something else in its place.
const NAME_MAX: usize = 200;

/// Every name of the stay; an error where the mapping looks for one and none is there.
pub(super) fn names(
    mapping: &Mapping,
    source: &str,
    input: &Input<'_>,
    warnings: &mut Vec<String>,
) -> Result<StayNames, String> {
    let mut code = None;
    if let Some(expr) = &mapping.code
        && let Found::Value(value) = expr.find(input)
    {
        let value = expr.translate(&value).unwrap_or(&value);
        match read::text(value).map(|text| text.trim().to_owned()) {
            Some(text) if text.len() <= NAME_MAX => code = Some(text).filter(|text| !text.is_empty()),
            _ => warnings.push(format!(
                "`code` is not readable: {} holds no short text",
                expr.paths().join(", ")
            )),
        }
    }
    code = code.filter(|code| is_name(code));
    let mut list = |expr: &Option<Expr>, what: &str| {
        let found = expr.as_ref().map_or(Ok(None), |expr| expr.find_all(input));
        let mut names = found.unwrap_or_else(|path| {
            warnings.push(format!("`{what}` is not readable: `{path}` holds no text or number"));
            None
        });
        let names = names.get_or_insert_default();
        if names.len() > LIST_MAX {
            names.truncate(LIST_MAX);
            warnings.push(format!("`{what}`: the first {LIST_MAX} names of a stay count"));
        }
        if names.iter().any(|name| name.len() > NAME_MAX) {
            warnings.push(format!(
                "`{what}`: what is longer than {NAME_MAX} characters is no name"
            ));
        }
        names.retain(|name| name.len() <= NAME_MAX && is_name(name));
        std::mem::take(names)
    };
    let mut ids = list(&mapping.ids, "ids");
    let mut references = list(&mapping.references, "references");
    if let Some(code) = &code {
        let names = if mapping.code_is_own { &mut ids } else { &mut references };
        names.retain(|name| name != code);
        names.insert(0, code.clone());
    }
    references.retain(|name| !ids.contains(name));
    // Without any the mapping is for payments or messages that name no stay.
    if ids.is_empty() && references.is_empty() && mapping.names().next().is_some() {
        let paths: Vec<String> = mapping.names().flat_map(|(_, expr)| expr.paths()).collect();
        return Err(format!("no code or id of a stay: looked at {}", paths.join(", ")));
    }
    let scope = mapping.scope.as_ref().map(|expr| scope(expr, input)).transpose()?;
    Ok(StayNames {
        source: source.to_owned(),
        scope: scope.unwrap_or_default(),
        code,
        ids,
        references,
    })
}

/// Whether a text names something, and is not what senders write where they have no name: `n/a`, `none`, `0`, `-`.
fn is_name(text: &str) -> bool {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let word = letters.to_lowercase();
    // What stands in the place of a secret would be one name for all stays.
    text != REPLACED
        && text.chars().any(|c| !matches!(c, '0' | '-' | ' '))
        && !["na", "none", "null", "nil", "unknown", "undefined"].contains(&word.as_str())
}

/// Empty where it is not there: such names are unique within the source. One that is there and cannot be read is an error:
/// two accounts might meet in the place of it.
fn scope(expr: &Expr, input: &Input<'_>) -> Result<String, String> {
    let found = match expr.find(input) {
        Found::Value(value) => read::text(expr.translate(&value).unwrap_or(&value)).map(|text| text.trim().to_owned()),
        Found::Odd(_) => None,
        Found::Absent | Found::Null | Found::Empty => Some(String::new()),
    };
    let found = found.filter(|text| text.len() <= NAME_MAX && text != REPLACED);
    found.ok_or_else(|| {
        format!(
            "`scope` is not readable: {} holds no short text",
            expr.paths().join(", ")
        )
    })
}
