//! The values of one rendering.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::Value as Json;

use super::fault::{Fault, Outcome};
use super::number::Number;
use super::value::{Value, dotted, from_json};
use crate::lang::diag::did_you_mean;

/// The values a template may read. Cheap to clone; what stands behind a name is turned into values when a template reads
/// it: a plain `guest.name` alone, everything else once for all that share it.
#[derive(Clone)]
pub struct Context {
    roots: Vec<(Cow<'static, str>, Arc<Root>)>,
    loose: &'static [&'static str],
}

struct Root {
    json: LazyLock<Arc<Json>, Box<dyn FnOnce() -> Arc<Json> + Send>>,
    value: OnceLock<Value>,
}

/// What stands behind a first name.
pub enum Source {
    /// A value that others hold too.
    Shared(Arc<Json>),
    /// What is put together only when it is asked for.
    Made(Box<dyn FnOnce() -> Arc<Json> + Send>),
}

impl From<Json> for Source {
    fn from(json: Json) -> Source {
        Source::Shared(Arc::new(json))
    }
}

impl fmt::Debug for Context {
    /// Without the values: guests are in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("names", &self.root_names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// One step from a value to a value in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(Arc<str>),
    Index(i64),
}

impl Step {
    fn key(&self) -> Option<&str> {
        match self {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        }
    }
}

impl Context {
    /// `root` is an object: its keys are the names templates start with, and null stands for a known
    /// name without a value. Below the dotted names of `loose`, any key may be asked for; elsewhere a
    /// key that is not there is a mistake.
    pub fn new(root: Json, loose: &'static [&'static str]) -> Context {
        let nothing = Context {
            roots: Vec::new(),
            loose,
        };
        match root {
            Json::Object(entries) => entries
                .into_iter()
                .fold(nothing, |context, (name, value)| context.with(name, value)),
            _ => nothing,
        }
    }

    /// The same with one more name that templates start with, or with something else behind one.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, source: impl Into<Source>) -> Context {
        let (name, source) = (name.into(), source.into());
        let json: Box<dyn FnOnce() -> Arc<Json> + Send> = match source {
            Source::Shared(json) => Box::new(|| json),
            Source::Made(make) => make,
        };
        let root = Root {
            json: LazyLock::new(json),
            value: OnceLock::new(),
        };
        self.roots.retain(|(known, _)| *known != name);
        self.roots.push((name, Arc::new(root)));
        self
    }

    /// The value of the first part of a name.
    pub(super) fn root(&self, name: &str) -> Option<&Value> {
        let (name, root) = self.roots.iter().find(|(known, _)| *known == name)?;
        let make = || from_json(&root.json, name, &|path| is_below(self.loose, path));
        Some(root.value.get_or_init(make))
    }

    /// The value of a plain dotted name, where it is there and no list and no map: `keys` lead from `root` through objects.
    /// `None` says nothing: then the name is read part by part.
    pub(super) fn plain<'k>(&self, root: &str, keys: impl Iterator<Item = &'k str>) -> Option<Value> {
        let (name, root) = self.roots.iter().find(|(known, _)| *known == root)?;
        let (mut value, mut path) = (&**root.json, name.to_string());
        for key in keys {
            value = value.as_object()?.get(key)?;
            path = dotted(&path, key);
        }
        let plain = !value.is_object() && !value.is_array();
        plain.then(|| from_json(value, &path, &|_| false))
    }

    pub(super) fn root_names(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(|(name, _)| name.as_ref())
    }

    /// The value of one part of a value. `path` is the dotted name as it was written, where it has one.
    pub(super) fn part(&self, of: &Value, step: &Step, path: Option<&str>) -> Outcome<Value> {
        match (of, step) {
            (Value::Missing(name), _) => Ok(Value::Missing(
                name.as_deref().or(path).map(|name| extended(name, step).into()),
            )),
            (Value::Nothing, _) => Ok(Value::Missing(None)),
            (Value::Map(map), _) => {
                let index;
                let key = match step {
                    Step::Key(key) => key.as_ref(),
                    Step::Index(number) => {
                        index = number.to_string();
                        &index
                    }
                };
                let name = map.path.as_deref().or(path);
                if let Some(value) = map.entries.get(key) {
                    return Ok(value.clone());
                }
                let full = name.map_or_else(|| key.to_owned(), |name| dotted(name, key));
                if map.loose || is_below(self.loose, &full) {
                    return Ok(Value::Missing(Some(full.into())));
                }
                let near = did_you_mean(key, map.entries.keys().map(AsRef::as_ref));
                Err(unknown(
                    &full,
                    near.map(|near| name.map_or_else(|| near.to_owned(), |name| dotted(name, near))),
                ))
            }
            (Value::List(list), Step::Index(index)) => {
                let at = if *index < 0 {
                    list.items
                        .len()
                        .checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX))
                } else {
                    usize::try_from(*index).ok()
                };
                Ok(at.and_then(|at| list.items.get(at)).cloned().unwrap_or_else(|| {
                    Value::Missing(list.path.as_deref().or(path).map(|path| extended(path, step).into()))
                }))
            }
            // What a sender sends may have another shape today.
            (_, _) if path.is_some_and(|path| is_below(self.loose, path)) => {
                Ok(Value::Missing(path.map(|path| extended(path, step).into())))
            }
            (_, Step::Key(key)) => Err(Fault::new(format!(
                "{} is {} and has no `{key}`",
                named(path),
                of.kind()
            ))),
            (_, Step::Index(index)) => Err(Fault::new(format!(
                "{} is {} and has no entry {index}",
                named(path),
                of.kind()
            ))),
        }
    }

    /// The value a whole name has, where it can be found.
    pub(super) fn find(&self, root: &str, steps: &[Step]) -> Option<Value> {
        let keys: Option<Vec<&str>> = steps.iter().map(Step::key).collect();
        if let Some(found) = keys.and_then(|keys| self.plain(root, keys.into_iter())) {
            return Some(found);
        }
        let mut value = self.root(root)?.clone();
        let mut path = root.to_owned();
        for step in steps {
            value = self.part(&value, step, Some(&path)).ok()?;
            path = extended(&path, step);
        }
        Some(value)
    }
}

fn named(path: Option<&str>) -> String {
    path.map_or_else(|| "This".to_owned(), |path| format!("`{path}`"))
}

/// The mistake of reading a name that nothing defines.
pub(super) fn unknown(name: &str, near: Option<String>) -> Fault {
    let fault = Fault::new(format!("`{name}` is not a name Stayhook knows"));
    match near {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault,
    }
}

/// The dotted name of a part.
pub(super) fn extended(path: &str, step: &Step) -> String {
    match step {
        Step::Key(key) => dotted(path, key),
        Step::Index(index) => format!("{path}[{index}]"),
    }
}

/// A subscript as a step; anything but a text or a whole number is none.
pub(super) fn step(value: &Value) -> Option<Step> {
    match value {
        Value::Text(text) => Some(Step::Key(Arc::clone(&text.text))),
        Value::Number(Number::Int(int)) => i64::try_from(*int).ok().map(Step::Index),
        _ => None,
    }
}

fn is_below(loose: &[&str], path: &str) -> bool {
    loose.iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}
