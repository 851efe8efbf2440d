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
    let mut ids = Vec::new();
    if let Some(expr) = &mapping.ids {
        match expr.find_all(input) {
            Ok(found) => ids = found.unwrap_or_default(),
            Err(path) => warnings.push(format!("`ids` is not readable: `{path}` holds no text or number")),
        }
    }
    if ids.len() > LIST_MAX {
        ids.truncate(LIST_MAX);
        warnings.push(format!("`ids`: the first {LIST_MAX} names of a stay count"));
    }
    if ids.iter().any(|id| id.len() > NAME_MAX) {
        warnings.push("`ids`: what is longer than 200 characters is no id".to_owned());
    }
    // Else one name for all stays.
    code = code.filter(|code| code != REPLACED);
    ids.retain(|id| id.len() <= NAME_MAX && id != REPLACED && code.as_ref() != Some(id));
    if mapping.code.is_none() && !ids.is_empty() {
        code = Some(ids.remove(0));
    }
    // Without either the mapping is for payments or messages that name no stay.
    let nameless = mapping.code.is_none() && mapping.ids.is_none();
    if code.is_none() && ids.is_empty() && !nameless {
        let exprs = [&mapping.code, &mapping.ids];
        let paths: Vec<String> = exprs.into_iter().flatten().flat_map(Expr::paths).collect();
        return Err(format!("no code or id of a stay: looked at {}", paths.join(", ")));
    }
    let scope = mapping.scope.as_ref().map(|expr| scope(expr, input)).transpose()?;
    Ok(StayNames {
        source: source.to_owned(),
        scope: scope.unwrap_or_default(),
        code,
        ids,
    })
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
