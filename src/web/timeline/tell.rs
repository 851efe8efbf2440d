//! From what is stored about a stay to what there is to tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::decide::view;
use crate::model::clock::{Time, from_ms};
use crate::model::id::RunId;
use crate::model::property::Properties;
use crate::recipe::entry_words;
use crate::store::{AttemptRow, ChangeRow, DeliveryRow, EventRow, History, RunRow};
use crate::web::local::Local;
use crate::web::upcoming::property;

use super::change::{fields, plain};
use super::{Entry, Kind, Told};

/// Everything about a stay, oldest first; what is ahead last.
pub fn tell(history: &History, properties: &Properties, now: Time) -> Told {
    let view = view(&history.stay.stay, properties);
    let local = Local { zone: view.zone, now };
    let stay = &view.json;
    let mut head = vec![
        history.stay.stay.code().unwrap_or_default().to_owned(),
        history.stay.stay.source.clone(),
    ];
    head.extend(property(&view));
    head.extend(stay["status"].as_str().map(|word| word.replace('_', " ")));
    if view.complete {
        head.push(between(stay, &local));
    }
    let teller = Teller { history, local };
    let mut entries: Vec<Entry> = history.deliveries.iter().map(|row| teller.delivery(row)).collect();
    entries.extend(teller.events());
    entries.extend(teller.planned());
    entries.extend(history.changes.iter().filter_map(|change| teller.change(change)));
    entries.extend(history.runs.iter().filter_map(|(run, tried)| teller.run(run, tried)));
    entries.extend(history.runs.iter().filter_map(|(run, _)| teller.ahead(run)));
    entries.sort_by_key(|entry| (entry.kind == Kind::Ahead, entry.at, entry.kind));
    if history.cut {
        let at = entries.first().map_or(now, |entry| entry.at);
        let text = "older ones are stored and left out here; the lists have them".to_owned();
        entries.insert(0, Entry::new(at, Kind::LeftOut, text, Value::Null));
    }
    Told {
        local,
        head: head.join("  "),
        entries,
    }
}

/// "9 Apr 16:00 → 12 Apr 11:00".
fn between(stay: &Value, local: &Local) -> String {
    format!(
        "{} → {}",
        plain(&stay["check_in"], local),
        plain(&stay["check_out"], local)
    )
}

struct Teller<'h> {
    history: &'h History,
    local: Local,
}

impl Teller<'_> {
    fn delivery(&self, row: &DeliveryRow) -> Entry {
        let facts = self.history.facts(row);
        let said = |name: &str| -> Vec<&str> { facts.iter().filter_map(|fact| fact[name].as_str()).collect() };
        // One delivery may be about several stays: what became of it for this one is what its facts say.
        let (outcomes, becauses) = (said("outcome"), said("because"));
        let about: Vec<String> = outcomes
            .iter()
            .zip(&becauses)
            .map(|(outcome, because)| format!("{outcome}: {because}"))
            .collect();
        let text = match about.is_empty() || row.outcome == "failed" {
            true => format!("{}: {}", row.outcome, row.because),
            false => about.join("; "),
        };
        let mut warnings: Vec<&str> = Vec::new();
        for list in std::iter::once(&row.detail["warnings"]).chain(facts.iter().map(|fact| &fact["warnings"])) {
            warnings.extend(list.as_array().into_iter().flatten().filter_map(Value::as_str));
        }
        let mut entry = Entry::new(
            from_ms(row.received_at_ms),
            Kind::Delivery,
            text,
            json!({
                "delivery": row.id,
                "source": row.source,
                "outcome": outcomes.first().unwrap_or(&row.outcome.as_str()),
                "because": becauses.first().unwrap_or(&row.because.as_str()),
                "duplicates": row.duplicates,
                "last_seen_at_ms": row.last_seen_at_ms,
                "warnings": warnings,
            }),
        );
        if row.source != self.history.stay.stay.source {
            entry.more.push(format!("from {}", row.source));
        }
        if row.duplicates > 0 {
            let times = if row.duplicates == 1 {
                "once more".to_owned()
            } else {
                format!("{} more times", row.duplicates)
            };
            let last = self.local.whole(from_ms(row.last_seen_at_ms));
            let line = match row.duplicates {
                1 => format!("came {times}, {last}"),
                _ => format!("came {times}, last {last}"),
            };
            entry.more.push(line);
        }
        entry
            .more
            .extend(warnings.iter().map(|text| format!("warning: {text}")));
        entry
    }

    /// What changed. That a run's time had come is told with the run.
    fn events(&self) -> Vec<Entry> {
        let planned = self.history.runs.iter().filter(|(run, _)| !run.entries.is_empty());
        let own: BTreeSet<String> = planned.map(|(run, _)| RunId(run.id.clone()).event().0).collect();
        let told = self.history.events.iter().filter(|row| !own.contains(&row.id));
        told.map(|row| self.event(row)).collect()
    }

    fn event(&self, row: &EventRow) -> Entry {
        let nothing = Value::Null;
        let event = row.event.as_ref().unwrap_or(&nothing);
        let changed = fields(&event["changes"]);
        let mut entry = Entry::new(
            from_ms(row.at_ms),
            Kind::Event,
            row.types.join(", "),
            json!({
                "event": row.id,
                "delivery": row.delivery,
                "types": row.types,
                "changes": changed.iter().map(|field| field.json()).collect::<Vec<_>>(),
            }),
        );
        let payment = &event["payment"];
        if let (Some(amount), Some(currency)) = (amount(&payment["amount"]), payment["currency"].as_str()) {
            entry.more.push(format!("{amount} {currency}"));
        }
        // Of a stay that is new every field has changed: what it is is enough.
        let stay = &event["reservation"];
        let is_new = event["previous"]["source"].is_null() && !stay["check_in"].is_null();
        match is_new && payment.is_null() && event["message"].is_null() {
            true => {
                let property = &stay["property"];
                let name = property["name"].as_str().or(property["ids"][0].as_str());
                let status = stay["status"].as_str().map(|word| word.replace('_', " "));
                let parts = [status, name.map(str::to_owned), Some(between(stay, &self.local))];
                entry
                    .more
                    .push(parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
            }
            false => entry.more.extend(changed.iter().map(|field| field.line(&self.local))),
        }
        entry
    }

    /// What was planned, those together that were planned at once.
    fn planned(&self) -> Vec<Entry> {
        let mut first: HashMap<&str, &ChangeRow> = HashMap::new();
        for change in &self.history.changes {
            first.entry(&change.run).or_insert(change);
        }
        let mut at_once: BTreeMap<i64, Vec<(i64, &RunRow)>> = BTreeMap::new();
        for (run, _) in self.history.runs.iter().filter(|(run, _)| !run.entries.is_empty()) {
            let change = first.get(run.id.as_str());
            let from_the_start = change.map_or(run.state.as_str(), |change| &change.from_state);
            if from_the_start != "skipped" || run.updated_at_ms != run.created_at_ms && change.is_none() {
                let due = change.map(|change| change.from_due_ms).or(run.planned_at_ms);
                let all = at_once.entry(run.created_at_ms).or_default();
                all.push((due.unwrap_or(run.due_at_ms), run));
            }
        }
        let entry = |(at, mut runs): (i64, Vec<(i64, &RunRow)>)| {
            runs.sort_by_key(|(due, run)| (*due, run.seq));
            let line = |(due, run): &(i64, &RunRow)| {
                format!(
                    "{} for {} ({})",
                    run.recipe,
                    self.local.whole(from_ms(*due)),
                    entry_words(&run.entries)
                )
            };
            let mut lines: Vec<String> = runs.iter().map(line).collect();
            let one = |(due, run): &(i64, &RunRow)| json!({"run": run.id, "recipe": run.recipe, "entry": entry_words(&run.entries), "for": self.local.json_ms(*due)});
            let members = json!({"planned": runs.iter().map(one).collect::<Vec<_>>()});
            let text = match lines.len() {
                1 => lines.remove(0),
                n => format!("{n} runs"),
            };
            let mut entry = Entry::new(from_ms(at), Kind::Planned, text, members);
            entry.more = lines;
            entry
        };
        at_once.into_iter().map(entry).collect()
    }

    fn change(&self, change: &ChangeRow) -> Option<Entry> {
        let (run, _) = self.history.runs.iter().find(|(run, _)| run.id == change.run)?;
        let (from, to) = (from_ms(change.from_due_ms), from_ms(change.to_due_ms));
        let (was, is) = (change.from_state.as_str(), change.to_state.as_str());
        let recipe = &run.recipe;
        let (kind, mut text) = match is {
            "scheduled" if matches!(was, "scheduled" | "ready") => {
                let (from, to) = (self.local.short(from), self.local.whole(to));
                (Kind::Moved, format!("{recipe} from {from} to {to}"))
            }
            "scheduled" => (
                Kind::PlannedAgain,
                format!("{recipe} again, for {}", self.local.whole(to)),
            ),
            "skipped" => (
                Kind::CalledOff,
                format!("{recipe} of {} is skipped", self.local.whole(from)),
            ),
            _ => (Kind::CalledOff, format!("{recipe} of {}", self.local.whole(from))),
        };
        if !change.because.is_empty() {
            text += &format!(": {}", change.because);
        }
        let members = json!({
            "run": change.run,
            "recipe": recipe,
            "entry": entry_words(&run.entries),
            "from": self.local.json(from),
            "to": self.local.json(to),
            "from_state": was,
            "to_state": is,
            "because": change.because,
        });
        Some(Entry::new(from_ms(change.at_ms), kind, text, members))
    }

    /// What a run did, or why it did nothing. Of one that is called off its change tells, where there is one.
    fn run(&self, run: &RunRow, tried: &[AttemptRow]) -> Option<Entry> {
        let open = matches!(run.state.as_str(), "scheduled" | "ready");
        let of_clock = !run.entries.is_empty();
        if tried.is_empty() && (open && of_clock || self.told_by_change(run)) {
            return None;
        }
        let at = match (tried.first(), of_clock) {
            (Some(attempt), true) => attempt.started_at_ms,
            (None, true) => run.updated_at_ms,
            (_, false) => run.created_at_ms,
        };
        let mut text = run.recipe.clone();
        if of_clock {
            text += &format!(" ({})", entry_words(&run.entries));
        }
        text += &format!(": {}", run.state);
        if (run.state != "succeeded" || run.failed_steps > 0) && !run.reason.is_empty() {
            text += &format!(", {}", run.reason);
        }
        let members = json!({
            "run": run.id,
            "recipe": run.recipe,
            "entry": of_clock.then(|| entry_words(&run.entries)),
            "state": run.state,
            "reason": run.reason,
            "planned_for": run.planned_at_ms.map(|ms| self.local.json_ms(ms)),
            "ended_by": run.ended_by,
            "attempts": tried,
        });
        let mut entry = Entry::new(from_ms(at), Kind::Run, text, members);
        let shown = self.local.short(entry.at);
        let several = tried.iter().any(|attempt| attempt.position > 0);
        for attempt in tried {
            let step = if several {
                format!("step {}, ", attempt.position + 1)
            } else {
                String::new()
            };
            let outcome = attempt.outcome.as_deref().unwrap_or("under way");
            let mut line = format!("{step}attempt {}: {outcome}", attempt.number);
            if let Some(summary) = attempt.summary.as_ref().filter(|summary| !summary.is_empty()) {
                line += &format!(", {summary}");
            }
            let when = self.local.short(from_ms(attempt.started_at_ms));
            if when != shown {
                line += &format!(" ({})", self.local.whole(from_ms(attempt.started_at_ms)));
            }
            entry.more.push(line);
        }
        if matches!(run.state.as_str(), "dead" | "parked") {
            entry.more.push(format!("stayhook runs retry {}", run.id));
        }
        Some(entry)
    }

    fn told_by_change(&self, run: &RunRow) -> bool {
        let mut changes = self.history.changes.iter().rev();
        let last = changes.find(|change| change.run == run.id);
        last.is_some_and(|change| change.to_state == run.state && change.because == run.reason)
    }

    fn ahead(&self, run: &RunRow) -> Option<Entry> {
        let entry = entry_words(&run.entries);
        let what = match (run.state.as_str(), entry.is_empty()) {
            ("scheduled", false) => entry,
            ("ready", false) => format!("{entry}: waits for its turn"),
            ("scheduled" | "ready", true) => "waits for its turn".to_owned(),
            ("retrying", _) => "tries again".to_owned(),
            ("running", _) => "under way".to_owned(),
            _ => return None,
        };
        let at = from_ms(run.due_at_ms);
        let members = json!({"run": run.id, "recipe": run.recipe, "entry": what, "state": run.state});
        let text = format!("{}: {what}, {}", run.recipe, self.local.distance(at));
        Some(Entry::new(at, Kind::Ahead, text, members))
    }
}

fn amount(value: &Value) -> Option<String> {
    match value {
        Value::Number(amount) => Some(amount.to_string()),
        Value::String(amount) => Some(amount.clone()),
        _ => None,
    }
}
