//! `stayhook schema`: JSON Schema for editors, made from what the readers are held against.

use std::io::Write;
use std::process::ExitCode;

use crate::action::KINDS;
use crate::config::CONFIG;
use crate::lang::shape::Shape;
use crate::lang::shape::schema::{Language, schema};
use crate::recipe::RECIPE;
use crate::source::PRESET_FILE;

use super::output::say;
use super::test::TEST;

#[cfg(test)]
mod tests;

/// A sort of file that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum File {
    /// Recipes.
    Recipe,
    /// The configuration.
    Config,
    /// Presets, as in `presets/sources`.
    Source,
    /// Recipe tests.
    Test,
}

impl File {
    /// Every sort.
    pub const ALL: [File; 4] = [File::Recipe, File::Config, File::Source, File::Test];

    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        self.declared().0
    }

    /// What its schema is called where it lies beside the configuration: the first line of a file names it, as in
    /// `# yaml-language-server: $schema=config.schema.json`.
    pub fn schema_name(self) -> String {
        format!("{}.schema.json", self.word())
    }

    /// What is declared of it.
    pub fn shape(self) -> &'static Shape {
        self.declared().1
    }

    /// Its word, what is declared of it, and its title.
    fn declared(self) -> (&'static str, &'static Shape, &'static str) {
        match self {
            File::Recipe => ("recipe", &RECIPE, "A recipe of Stayhook"),
            File::Config => ("config", &CONFIG, "The configuration of Stayhook"),
            File::Source => (
                "source",
                &PRESET_FILE,
                "A preset of Stayhook: the mapping of one sender",
            ),
            File::Test => ("test", &TEST, "Recipe tests of Stayhook"),
        }
    }
}

/// The kinds of actions with what is declared of each.
pub fn actions() -> Vec<(&'static str, &'static Shape)> {
    KINDS.iter().map(|kind| (kind.name(), kind.shape())).collect()
}

/// The schema of a sort of file, indented, with a line break at its end.
pub fn text(file: File) -> String {
    let actions = actions();
    let language = Language {
        actions: &actions,
        variables: file == File::Config,
    };
    let (_, shape, title) = file.declared();
    format!("{:#}\n", schema(shape, title, language))
}

/// What `schema` is asked.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Args {
    /// What the files are that it is for.
    #[arg(value_enum, value_name = "FILE")]
    pub file: File,
}

/// Prints the schema.
pub fn run(args: Args, out: &mut dyn Write) -> ExitCode {
    say(out, &text(args.file), 0)
}
