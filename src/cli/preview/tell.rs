//! A preview as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::model::fact::Says;
use crate::source::Reading;

use super::play::{Played, PlayedFact, PlayedRecipe, PlayedStep};

/// For people. Guest data is what was asked for here, so it is shown.
pub(super) fn table(played: &Played) -> String {
    let mut out = format!(
        "{} to the source {}, at {}\n",
        played.file,
        played.source,
        played.at.to_rfc3339()
    );
    for warning in &played.warnings {
        line(&mut out, 2, &format!("warning: {warning}"));
    }
    for note in &played.notes {
        line(&mut out, 2, &format!("note: {note}"));
    }
    if let Some(reading) = &played.reading {
        for line_of in read(reading) {
            line(&mut out, 2, &line_of);
        }
    }
    if let Some(nothing) = &played.nothing {
        line(&mut out, 2, nothing);
    }
    for fact in &played.facts {
        out.push('\n');
        tell_fact(&mut out, fact);
    }
    out
}

/// How a body was read, a line each.
fn read(reading: &Reading) -> Vec<String> {
    let mut lines = vec![
        "who sent it: not asked, a file shows no credential".to_owned(),
        format!("known again by: {}", reading.receipt_key),
    ];
    if let Some((at, because)) = &reading.ignored {
        lines.push(format!("rule {at} of `ignore` holds: {because}"));
        return lines;
    }
    let numbers: Vec<String> = reading.mappings.iter().map(usize::to_string).collect();
    lines.push(match (reading.of, numbers.as_slice()) {
        (0, _) => "mapping: the source has none".to_owned(),
        (1, [_]) => "mapping: the one there is applies".to_owned(),
        (of, []) => format!("mapping: none of {of} applies"),
        (of, numbers) => format!("mapping: {} of {of} applies", numbers.join(", ")),
    });
    if reading.partial {
        lines.push("it says only a part (`partial`): what is absent keeps its value".to_owned());
    }
    lines
}

fn tell_fact(out: &mut String, played: &PlayedFact) {
    let (what, fields) = says(&played.fact.says);
    let names: Vec<&str> = played.fact.stay.all().collect();
    line(out, 0, &format!("a {what} of the stay {}", names.join(", ")));
    let fields = fields.as_object().into_iter().flatten();
    let fields: Vec<_> = fields.filter(|(_, value)| !value.is_null()).collect();
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in fields {
        line(out, 4, &format!("{name:<width$}  {}", short_list(value)));
    }
    for warning in &played.decision.warnings {
        line(out, 2, &format!("warning: {warning}"));
    }
    let because = &played.decision.because;
    match &played.decision.event {
        Some(event) => {
            line(out, 2, &format!("event: {}", event.types.join(", ")));
            if let Some(why) = &played.decision.adopted {
                line(out, 4, &format!("taken over, not announced: {why}"));
            }
            for change in changes(&event.changes) {
                line(out, 4, &change);
            }
        }
        None => line(
            out,
            2,
            &format!("no event ({}): {because}", played.decision.outcome.word()),
        ),
    }
    for recipe in &played.recipes {
        out.push('\n');
        tell_recipe(out, recipe);
    }
}

fn tell_recipe(out: &mut String, played: &PlayedRecipe) {
    let explanation = &played.explanation;
    let says = match explanation.result.as_str() {
        "ran" if played.dry_run => "would run, and send nothing (dry run)",
        "ran" => "would run",
        "learning" => "would run if the source were not learning",
        "not_wanted" => "would not run",
        "failed" => "would fail",
        "broken" => "is broken",
        other => other,
    };
    let at = played.at.map_or_else(String::new, |at| {
        format!(" on {}", at.format("%a %-d %b %Y at %H:%M (%:z)"))
    });
    line(
        out,
        2,
        &format!("{}: {says}{at} ({})", explanation.recipe, explanation.because),
    );
    for check in &explanation.conditions {
        let mark = if check.held { "yes" } else { "NO " };
        line(out, 4, &format!("{mark} {} (saw: {})", check.condition, check.saw));
    }
    for step in &played.steps {
        tell_step(out, step);
    }
}

fn tell_step(out: &mut String, step: &PlayedStep) {
    match step {
        PlayedStep::Skipped(step) => {
            let what = if step.failed {
                "cannot be rendered"
            } else {
                "passed over"
            };
            line(out, 4, &format!("step {}: {what}: {}", step.step_id, step.reason));
        }
        PlayedStep::Failed { position, because } => {
            line(out, 4, &format!("step {}: cannot be rendered: {because}", position + 1));
        }
        PlayedStep::Sent { opening, blind } => {
            let prepared = &opening.prepared;
            let title = format!(
                "step {}: {} over `{}`",
                opening.step_id, prepared.kind, prepared.connection
            );
            line(out, 4, &title);
            if *blind {
                line(
                    out,
                    6,
                    "(what earlier steps would give is not known here; it stands as nothing)",
                );
            }
            if let Value::Object(request) = &prepared.request {
                for (name, value) in request {
                    line(out, 6, &format!("{name}: {}", plain(value)));
                }
            }
            if !prepared.missing.is_empty() {
                line(out, 6, &format!("warning: not sent: {}", prepared.missing.join(", ")));
            }
        }
    }
}

/// One entry, with everything after its first line moved in below it, and nothing in it that moves a terminal's cursor.
fn line(out: &mut String, indent: usize, text: &str) {
    let pad = " ".repeat(indent);
    for (at, line) in text.lines().enumerate() {
        let line: String = line.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        let further = if at == 0 { "" } else { "  " };
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{pad}{further}{line}");
    }
    if text.is_empty() {
        out.push('\n');
    }
}

/// A text as it is, everything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => format!("{value:#}"),
        value => value.to_string(),
    }
}

/// A list of texts in one line, as a table has room for it.
fn short_list(value: &Value) -> String {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    match texts {
        Some(texts) if value.is_array() => texts.join(", "),
        _ => plain(value),
    }
}

/// What a fact is of, and what it says, an object.
fn says(says: &Says) -> (&'static str, Value) {
    match says {
        Says::Reservation { fields } => ("reservation", json!(fields)),
        Says::Payment { payment, .. } => ("payment", payment.clone()),
        Says::Message { message, .. } => ("message", message.clone()),
    }
}

/// "check_out: 2027-04-02 -> 2027-04-03" for everything that changed.
fn changes(changes: &Value) -> Vec<String> {
    fn walk(prefix: &str, value: &Value, into: &mut Vec<String>) {
        let Some(entries) = value.as_object() else { return };
        if entries.len() == 2
            && let (Some(from), Some(to)) = (entries.get("from"), entries.get("to"))
        {
            into.push(format!("{prefix}: {} -> {}", short(from), short(to)));
            return;
        }
        for (name, value) in entries {
            let dot = if prefix.is_empty() { "" } else { "." };
            walk(&format!("{prefix}{dot}{name}"), value, into);
        }
    }
    fn short(value: &Value) -> String {
        match value {
            Value::Null => "nothing".to_owned(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }
    let mut all = Vec::new();
    walk("", changes, &mut all);
    all
}

/// For programs.
pub(super) fn json(played: &Played) -> Value {
    let mut told = json!({
        "payload": played.file,
        "source": played.source,
        "at": played.at.to_rfc3339(),
        "nothing": played.nothing,
        "warnings": played.warnings,
        "notes": played.notes,
        "facts": played.facts.iter().map(fact_json).collect::<Vec<_>>(),
    });
    if let Some(reading) = &played.reading {
        told["reading"] = json!({
            "authenticated": false,
            "receipt_key": reading.receipt_key,
            "ignored_by": reading.ignored.as_ref().map(|(at, _)| at),
            "mappings": reading.mappings,
            "of": reading.of,
            "partial": reading.partial,
        });
    }
    told
}

fn fact_json(played: &PlayedFact) -> Value {
    let (what, fields) = says(&played.fact.says);
    let decision = &played.decision;
    json!({
        "kind": what,
        "stay": played.fact.stay.all().collect::<Vec<_>>(),
        "fields": fields,
        "outcome": decision.outcome.word(),
        "because": decision.because,
        "warnings": decision.warnings,
        "event": decision.event.as_ref().map(|event| json!({
            "types": event.types,
            "reservation": event.reservation,
            "changes": event.changes,
        })),
        "recipes": played.recipes.iter().map(recipe_json).collect::<Vec<_>>(),
    })
}

fn recipe_json(played: &PlayedRecipe) -> Value {
    let explanation = &played.explanation;
    json!({
        "recipe": explanation.recipe,
        "result": explanation.result,
        "because": explanation.because,
        "conditions": explanation.conditions,
        "dry_run": played.dry_run,
        "due_at": played.at.map(|at| at.to_rfc3339()),
        "steps": played.steps.iter().map(step_json).collect::<Vec<_>>(),
    })
}

fn step_json(step: &PlayedStep) -> Value {
    match step {
        PlayedStep::Skipped(step) => {
            let state = if step.failed { "failed" } else { "skipped" };
            json!({"step": step.step_id, "state": state, "because": step.reason})
        }
        PlayedStep::Failed { position, because } => {
            json!({"step": (position + 1).to_string(), "state": "failed", "because": because})
        }
        PlayedStep::Sent { opening, blind } => json!({
            "step": opening.step_id,
            "state": "rendered",
            "kind": opening.prepared.kind,
            "connection": opening.prepared.connection,
            "request": opening.prepared.request,
            "missing": opening.prepared.missing,
            "earlier_outputs_unknown": blind,
        }),
    }
}
