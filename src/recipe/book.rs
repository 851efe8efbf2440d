//! All recipes by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lang::diag::{Diagnostic, Report, Severity, Texts};
use crate::lang::effect::EffectKind;
use crate::lang::yaml;

use super::Recipe;
use super::read::draft;

/// A recipe that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name, where that much could be read.
    pub name: Option<String>,
    /// Its file.
    pub file: String,
    /// Its first mistake, with its line.
    pub because: String,
    /// Every mistake and warning of it, each as `check` prints it.
    pub told: Vec<String>,
}

impl Broken {
    /// Whether it is this file, or a folder that this file is in.
    pub fn holds(&self, file: &str) -> bool {
        let inside = file.strip_prefix(self.file.as_str());
        inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// All recipes.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// By name.
    all: Vec<Arc<Recipe>>,
    broken: Vec<Broken>,
    /// What could be read of those with a mistake.
    drafts: Vec<Recipe>,
}

impl Book {
    /// Reads every `(path, text)`. One bad file never stops the others; two files with one name are both broken.
    pub fn load(files: &[(String, String)], kinds: &[&dyn EffectKind], report: &mut Report) -> Book {
        let mut read = Vec::new();
        for (file, text) in files {
            let (from, before) = (report.items.len(), report.mistakes());
            let recipe = draft(file, text, kinds, report);
            let fine = recipe.is_some() && report.mistakes() == before;
            let because = (!fine).then(|| first_mistake(&report.items[from..]));
            let name = match &recipe {
                Some(recipe) if fine => Some(recipe.name.clone()),
                _ => name_in(file, text),
            };
            read.push((file, name, recipe, because));
        }
        let mut book = Book::default();
        let mut files_of: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for (file, name, ..) in &read {
            if let Some(name) = name {
                files_of.entry(name.clone()).or_default().push(file);
            }
        }
        for (file, name, recipe, mut because) in read {
            let others = name.as_ref().and_then(|name| files_of.get(name));
            let other = others.and_then(|others| others.iter().find(|other| **other != file));
            if let (Some(name), Some(other)) = (&name, other) {
                let title = format!("another recipe is called `{name}` too: {other}");
                if let Some(recipe) = &recipe {
                    report
                        .mistake("duplicate-name", &recipe.named_at, title.clone())
                        .help("a recipe is its name: give one of them another");
                }
                because.get_or_insert(title);
            }
            match (recipe, because) {
                (Some(recipe), None) => book.all.push(Arc::new(recipe)),
                (recipe, because) => {
                    book.drafts.extend(recipe);
                    book.add_broken(name, file, because.unwrap_or_else(|| "it cannot be read".to_owned()));
                }
            }
        }
        book.all.sort_by(|a, b| a.name.cmp(&b.name));
        let sorted = report.sorted();
        for broken in &mut book.broken {
            let text_of = |file: &str| {
                let found = files.iter().find(|(known, _)| known == file);
                found.map(|(_, text)| text.clone())
            };
            let mut texts = Texts::new(report, &text_of);
            let own = sorted
                .iter()
                .filter(|item| item.place.as_ref().is_some_and(|place| *place.file == *broken.file));
            broken.told = own.map(|item| item.text(&mut texts)).collect();
        }
        book
    }

    /// Adds a recipe that cannot be used, by what is known of it.
    pub fn add_broken(&mut self, name: Option<String>, file: &str, because: String) {
        self.broken.push(Broken {
            name,
            file: file.to_owned(),
            told: vec![because.clone()],
            because,
        });
    }

    /// Every recipe that runs, by name.
    pub fn all(&self) -> &[Arc<Recipe>] {
        &self.all
    }

    /// The recipe with this name, where it is at this revision or any will do.
    pub fn get(&self, name: &str, revision: Option<&str>) -> Option<&Arc<Recipe>> {
        let found = self.all.iter().find(|recipe| recipe.name == name);
        found.filter(|recipe| revision.is_none_or(|revision| recipe.revision == revision))
    }

    /// What could be read of recipes with a mistake: for looking at, never for running.
    pub fn drafts(&self) -> &[Recipe] {
        &self.drafts
    }

    /// The recipes that cannot be used as they stand in their files.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// Whether the recipe with this name stands in its file with a mistake.
    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.iter().any(|broken| broken.name.as_deref() == Some(name))
    }

    /// Whether it knows a recipe that was called so and stood in this file: by its name, or as what stands there now.
    pub fn has(&self, name: &str, file: &str) -> bool {
        let here = self.all.iter().any(|recipe| recipe.name == name || recipe.file == file);
        let broken = |broken: &Broken| broken.name.as_deref() == Some(name) || broken.holds(file);
        here || self.broken.iter().any(broken)
    }

    /// Says what the recipe was called that stood in `file`, which a broken file or folder is that does not say its name;
    /// not where another file has that recipe now.
    pub fn was_called(&mut self, nameless: &Broken, name: &str, file: &str) {
        if self.get(name, None).is_some() || self.is_broken(name) {
            return;
        }
        let mut broken = self.broken.iter_mut();
        if let Some(broken) = broken.find(|broken| broken.file == file && broken.name.is_none()) {
            broken.name = Some(name.to_owned());
        } else {
            self.broken.push(Broken {
                name: Some(name.to_owned()),
                file: file.to_owned(),
                ..nameless.clone()
            });
        }
    }

    /// Lets the last good revision of a broken recipe run on. Returns whether it does: the name has to be that of a
    /// broken recipe that nothing stands in for yet.
    pub fn run_on(&mut self, recipe: Arc<Recipe>) -> bool {
        if !self.is_broken(&recipe.name) || self.get(&recipe.name, None).is_some() {
            return false;
        }
        let at = self.all.partition_point(|known| known.name < recipe.name);
        self.all.insert(at, recipe);
        true
    }
}

fn first_mistake(items: &[Diagnostic]) -> String {
    let first = items.iter().find(|item| item.severity == Severity::Mistake);
    match first {
        Some(Diagnostic {
            title,
            place: Some(place),
            ..
        }) => format!("line {}: {title}", place.line),
        Some(item) => item.title.clone(),
        None => "it cannot be read".to_owned(),
    }
}

/// The name in a file that is no recipe, so that its last good revision can be found: also from text that is no YAML.
fn name_in(file: &str, text: &str) -> Option<String> {
    let mut nobody = Report::new();
    let name_of = |text: &str, report: &mut Report| {
        let root = yaml::parse(file, text, report)?;
        let name = root.at("name")?.scalar()?.trim();
        (!name.is_empty()).then(|| name.to_owned())
    };
    name_of(text, &mut nobody).or_else(|| {
        let line = text.lines().find(|line| line.starts_with("name:"))?;
        name_of(line, &mut nobody)
    })
}
