//! When recipes fire next for a stay, as far as the store of the configuration knows.

use std::collections::HashMap;
use std::path::Path;

use crate::config::{self, Env};
use crate::decide::view;
use crate::lang::diag::Report;
use crate::model::clock::Time;
use crate::store::Store;
use crate::web::Local;

use super::super::there_is_a_database;
use super::listed;

/// Recipe to "Brannan Street, Fri 3 Apr 10:00". Empty where there is no store yet, or it cannot be read: `check` is about
/// files.
pub async fn ahead(path: &Path, env: Env<'_>, now: Time) -> HashMap<String, String> {
    let mut report = Report::new();
    let mut found = HashMap::new();
    let Some(config) = config::load_draft(path, env, &mut report) else {
        return found;
    };
    if config.database.contains("${") || there_is_a_database(&config).is_err() {
        return found;
    }
    let Ok(store) = Store::open_to_read(&config.database).await else {
        return found;
    };
    let book = listed(std::slice::from_ref(&config.recipes), &mut report).book(&mut report);
    for recipe in book.all().iter().filter(|recipe| recipe.follows_stays()) {
        let Ok(Some((at, run))) = store.next_of(&recipe.name).await else {
            continue;
        };
        let (Some(stay), Some(code)) = (&run.stay, &run.code) else {
            continue;
        };
        let Ok(Some(row)) = store.stay_of(stay).await else {
            continue;
        };
        let stay = view(&row.stay, &config.properties);
        let at = Local { zone: stay.zone, now }.short(at);
        let place = stay.json["property"]["name"].as_str().unwrap_or(code);
        found.insert(recipe.name.clone(), format!("{place}, {at}"));
    }
    store.close().await;
    found
}
