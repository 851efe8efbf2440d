//! What the configuration and the recipe files say, compiled.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::action::{self, Connection};
use crate::lang::effect::Effect;
use crate::model::fault::{self, Fault, guard};
use crate::model::id::hash;
use crate::model::plan::InForce;
use crate::model::property::Properties;
use crate::recipe::{Book, Recipe};
use crate::source::{Mapped, Source};

/// Sources, recipes, properties and connections.
#[derive(Clone, Debug)]
pub struct Setup {
    /// By name.
    pub sources: HashMap<String, Arc<Source>>,
    /// The recipes.
    pub book: Book,
    /// The properties.
    pub properties: Properties,
    /// By name.
    pub connections: HashMap<String, Arc<Connection>>,
    /// Everything up to the sending.
    pub dry_run: bool,
    /// All mail goes to this address instead; `None` for where it is meant to go.
    pub redirect_email: Option<String>,
    /// What it is known by in the store, as rules to plan by.
    pub in_force: InForce,
}

impl Setup {
    /// Whether any recipe looks at the neighbours of stays.
    pub fn reads_neighbours(&self) -> bool {
        self.book.all().iter().any(|recipe| recipe.reads_neighbours)
    }

    /// Whether any recipe plans ahead for stays, or waits for them to settle.
    pub fn plans_stays(&self) -> bool {
        let plans = |recipe: &Arc<Recipe>| recipe.follows_stays() || !recipe.settle.is_zero();
        self.book.all().iter().any(plans)
    }

    /// What planning reads of it, as a hash: recipes, properties, zones, which sources only learn.
    pub fn rules(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for recipe in self.book.all().iter().filter(|recipe| recipe.clock().next().is_some()) {
            parts.push(format!(
                "{}\u{1f}{}\u{1f}{}",
                recipe.name, recipe.revision, recipe.enabled
            ));
        }
        let mut learns: Vec<&String> = self
            .sources
            .iter()
            .filter(|(_, source)| source.learn())
            .map(|(name, _)| name)
            .collect();
        learns.sort();
        parts.push(format!("{learns:?}"));
        parts.push(format!("{:?}", self.properties));
        parts.push(chrono_tz::IANA_TZDB_VERSION.to_owned());
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        hex::encode(&hash(&parts)[..16])
    }

    /// The connection that an action goes over: the one it names, or the only one that fits its kind.
    pub fn connection_for(&self, kind: &str, effect: &dyn Effect) -> Result<Arc<Connection>, String> {
        self.connection_named(kind, effect.connection())
    }

    /// The connection of this name for this kind of step; without a name the only one that fits.
    pub fn connection_named(&self, kind: &str, name: Option<&str>) -> Result<Arc<Connection>, String> {
        if let Some(name) = name {
            let found = self
                .connections
                .get(name)
                .ok_or_else(|| format!("there is no connection `{name}` in the configuration"))?;
            if !action::fits(kind, found) {
                return Err(format!("the connection `{name}` is not one for `{kind}`"));
            }
            return Ok(found.clone());
        }
        let mut fitting: Vec<_> = self
            .connections
            .values()
            .filter(|connection| action::fits(kind, connection))
            .collect();
        match fitting.len() {
            1 => Ok(fitting.remove(0).clone()),
            0 => Err(format!("no connection in the configuration is one for `{kind}`")),
            _ => {
                let mut names: Vec<&str> = fitting.iter().map(|connection| connection.name.as_str()).collect();
                names.sort_unstable();
                Err(format!(
                    "several connections are for `{kind}` ({}); `connection:` has to say which",
                    names.join(", ")
                ))
            }
        }
    }
}

/// What a source makes of a stored body; a fault of ours in there is an error, not the end.
pub fn mapped(source: &Source, body: &Value, headers: &Value) -> Result<Mapped, Fault> {
    let header = |name: &str| {
        // A parameter of the address is kept as it is called.
        let lower = (!name.starts_with('?')).then(|| name.to_ascii_lowercase());
        headers
            .get(lower.as_deref().unwrap_or(name))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    guard(|| {
        fault::maybe("map", || body.to_string());
        source.map(body, &header)
    })
}
