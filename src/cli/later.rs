//! Commands that later versions bring: asked for now, they are refused as such and not as misspelt.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Below which command, the word, and what does a part of it today.
const LATER: &[(&str, &str, &str)] = &[
    (
        "",
        "test",
        "`stayhook preview` shows what a recipe would do with a payload",
    ),
    (
        "",
        "explain",
        "`stayhook events show ID` says why each recipe did or did not run",
    ),
    ("plan", "--since", "`stayhook plan` shows what lies ahead"),
    ("", "backup", ""),
    ("", "restore", ""),
    ("", "selftest", ""),
    ("reservations", "label", ""),
    ("reservations", "erase", ""),
    ("", "connector", "what has an API is reached by an `http` connection"),
];

/// What to say where the command line asks for something that is not there yet.
pub(super) fn refusal(error: &clap::Error) -> Option<String> {
    let kind = match error.kind() {
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidValue => ContextKind::InvalidValue,
        _ => return None,
    };
    let Some(ContextValue::String(asked)) = error.get(kind) else {
        return None;
    };
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => String::new(),
    };
    let (_, word, instead) = LATER
        .iter()
        .find(|(below, word, _)| word == asked && (below.is_empty() || usage.contains(&format!("stayhook {below}"))))?;
    let first = format!("`{word}` is not in this version yet");
    Some(match *instead {
        "" => first,
        instead => format!("{first}; {instead}"),
    })
}
