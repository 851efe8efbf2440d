//! What a POST says: a small JSON object, only known names, each of its kind.

use serde_json::{Map, Value};

use crate::model::clock::Time;

use super::Console;
use super::problem::Problem;
use super::query::{bad_since, read_since};

/// The longest text of one member, in bytes.
const TEXT_MAX: usize = 300;

/// The body of a request.
#[derive(Clone, Debug)]
pub struct Body(Map<String, Value>);

impl Body {
    /// Reads a body; an empty one is `{}`. `members` are what the route takes; anything else is refused.
    pub fn read(bytes: &[u8], members: &[(&str, &str)]) -> Result<Body, Problem> {
        let allowed: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Body(Map::new()));
        }
        let Ok(Value::Object(members)) = serde_json::from_slice(bytes) else {
            return Err(Problem::bad("the body has to be a JSON object"));
        };
        if members.keys().any(|name| !allowed.contains(&name.as_str())) {
            let what = match allowed.as_slice() {
                [] => "the body takes no members here".to_owned(),
                _ => format!("an unknown member in the body; there is {}", allowed.join(", ")),
            };
            return Err(Problem::bad(what).allowed(&allowed));
        }
        Ok(Body(members))
    }

    fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A flag; false where it is not given.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.member(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Problem::bad(format!("`{name}` is true or false"))),
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && text.len() <= TEXT_MAX => Ok(Some(text.clone())),
            Some(_) => Err(Problem::bad(format!(
                "`{name}` is a text of 1 to {TEXT_MAX} characters"
            ))),
        }
    }

    /// One of these words.
    pub fn word(&self, name: &str, words: &[&str]) -> Result<Option<String>, Problem> {
        let text = self.text(name)?;
        match text {
            Some(word) if !words.contains(&word.as_str()) => {
                Err(Problem::bad(format!("`{name}` is one of {}", words.join(", "))).allowed(words))
            }
            text => Ok(text),
        }
    }

    /// A list of texts; empty where it is not given.
    pub fn texts(&self, name: &str, most: usize) -> Result<Vec<String>, Problem> {
        let wrong = || Problem::bad(format!("`{name}` is a list of 1 to {most} texts"));
        let Some(value) = self.member(name) else {
            return Ok(Vec::new());
        };
        let items = value.as_array().filter(|items| (1..=most).contains(&items.len()));
        items
            .ok_or_else(wrong)?
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect()
    }

    /// A time, a date or a span back from now.
    pub fn since(&self, name: &str, console: &Console) -> Result<Option<Time>, Problem> {
        self.text(name)?
            .map(|text| {
                read_since(&text, console.clock.now(), &console.live.properties()).ok_or_else(|| bad_since(name))
            })
            .transpose()
    }

    /// The name of a recipe that is there.
    pub fn recipe(&self, console: &Console) -> Result<Option<String>, Problem> {
        let Some(name) = self.text("recipe")? else {
            return Ok(None);
        };
        let recipes = console.live.recipes();
        let named = |recipe: &Value| recipe["name"].as_str() == Some(name.as_str());
        match recipes.as_array().is_some_and(|recipes| recipes.iter().any(named)) {
            true => Ok(Some(name)),
            false => Err(Problem::bad(
                "no recipe has the name that `recipe` gives; /api/v1/recipes lists them",
            )),
        }
    }
}
