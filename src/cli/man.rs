//! `man`: manual pages, one for the program and one for every command.

use std::io::Write;

use clap::CommandFactory as _;

use super::{Failure, TEMPORARY, USAGE, completions};

/// What `man` is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The page of this command, such as `runs retry`; that of the program where nothing is named.
    command: Vec<String>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut root = super::Arguments::command();
    // Gives commands the name they are called by, and the options that hold everywhere.
    root.build();
    let mut page = root;
    for word in &args.command {
        let Some(found) = page.find_subcommand(word) else {
            return Err(Failure::new(
                USAGE,
                format!("there is no command `{}`", args.command.join(" ")),
            ));
        };
        page = found.clone();
    }
    // A page of the manual is one word: `stayhook-runs-retry`.
    let title = page.get_bin_name().unwrap_or("stayhook").replace(' ', "-");
    let mut text = Vec::new();
    let made = clap_mangen::Man::new(page)
        .title(title)
        .source(concat!("stayhook ", env!("CARGO_PKG_VERSION")))
        .render(&mut text);
    made.map_err(|error| Failure::new(TEMPORARY, error.to_string()))?;
    completions::print(&text, out)
}
