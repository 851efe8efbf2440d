//! `stayhook schema`: JSON Schema for editors, made from what the readers are held against.

use std::io::Write;
use std::process::ExitCode;

use crate::action::KINDS;
use crate::config::CONFIG;
use crate::lang::shape::Shape;
use crate::lang::shape::schema::{Language, schema};
use crate::recipe::RECIPE;
use crate::source::PRESET_FILE;

use super::USAGE;
use super::output::say;
use super::test::TEST;

#[cfg(test)]
mod tests;

/// A sort of file that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// A recipe.
    Recipe,
    /// The configuration.
    Config,
    /// A preset: the mapping of one sender.
    Source,
    /// A recipe test.
    Test,
}

impl File {
    /// Every sort.
    pub const ALL: [File; 4] = [File::Recipe, File::Config, File::Source, File::Test];

    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            File::Recipe => "recipe",
            File::Config => "config",
            File::Source => "source",
            File::Test => "test",
        }
    }

    /// What its schema is called where it lies beside the configuration: the first line of a file names it, as in
    /// `# yaml-language-server: $schema=config.schema.json`.
    pub fn schema_name(self) -> &'static str {
        match self {
            File::Recipe => "recipe.schema.json",
            File::Config => "config.schema.json",
            File::Source => "source.schema.json",
            File::Test => "test.schema.json",
        }
    }

    /// What is declared of it.
    pub fn shape(self) -> &'static Shape {
        match self {
            File::Recipe => &RECIPE,
            File::Config => &CONFIG,
            File::Source => &PRESET_FILE,
            File::Test => &TEST,
        }
    }

    fn title(self) -> &'static str {
        match self {
            File::Recipe => "A recipe of Stayhook",
            File::Config => "The configuration of Stayhook",
            File::Source => "A preset of Stayhook: the mapping of one sender",
            File::Test => "Recipe tests of Stayhook",
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
    format!("{:#}\n", schema(file.shape(), file.title(), language))
}

/// What `schema` is asked.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Args {
    /// What the files are that it is for.
    #[arg(value_enum, value_name = "FILE")]
    pub file: Asked,
}

/// The words that `schema` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Asked {
    /// Recipes.
    Recipe,
    /// The configuration.
    Config,
    /// Presets, as in `presets/sources`.
    Source,
    /// Recipe tests.
    Test,
    /// Connectors.
    #[value(hide = true)]
    Connector,
}

/// Prints the schema.
pub fn run(args: Args, out: &mut dyn Write) -> ExitCode {
    let file = match args.file {
        Asked::Recipe => File::Recipe,
        Asked::Config => File::Config,
        Asked::Source => File::Source,
        Asked::Test => File::Test,
        Asked::Connector => {
            eprintln!("`connector` is not in this version yet; what has an API is reached by an `http` connection");
            return ExitCode::from(USAGE);
        }
    };
    say(out, &text(file), 0)
}
