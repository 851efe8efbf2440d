//! `init`: a folder to start from, with everything that is needed until a first e-mail arrives. It asks nothing and
//! overwrites nothing.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, TimeDelta};
use chrono_tz::Tz;

use crate::config::{self, Env};
use crate::model::clock::Time;
use crate::model::id::Ids;

use super::print::sayln;
use super::schema;
use super::{FINDINGS, FINE, Failure, USAGE};

const CONFIG: &str = include_str!("init/config.yaml");
const RECIPE: &str = include_str!("init/recipe.yaml");
const EXAMPLE: &str = include_str!("init/example.json");
const GITIGNORE: &str = "# Secrets and the database stay on this machine.\nsecrets/\n*.db*\n";
/// What stands in the file of the mail password until somebody writes the real one.
const PASSWORD: &str = "write-the-password-of-the-mail-account-here\n";

/// Where the machine says which time zone it is in: a link into the zones' folder.
const LOCALTIME: &str = "/etc/localtime";

/// What `init` is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The folder; made where it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// A file that is written where there is none.
struct File {
    /// Below the folder.
    name: String,
    what: &'static str,
    text: String,
    secret: bool,
}

pub fn run(args: &Args, env: Env<'_>, now: Time, ids: &Ids) -> Result<u8, Failure> {
    let dir = &args.dir;
    let config = dir.join("config.yaml");
    if config.symlink_metadata().is_ok() {
        return Err(Failure::new(
            FINDINGS,
            format!(
                "{} is there already, so nothing was written; `stayhook init ANOTHER-FOLDER` begins beside it",
                config.display()
            ),
        ));
    }
    let mut written = Vec::new();
    let mut kept = Vec::new();
    // The database in it will hold guests' names.
    folder(dir, 0o700)?;
    folder(&dir.join("recipes"), 0o755)?;
    folder(&dir.join("secrets"), 0o700)?;
    let cooks =
        config::recipe_files(&dir.join("recipes")).is_ok_and(|files| files.texts.is_empty() && files.unread.is_empty());
    for file in files(now, zone(env), ids) {
        // Recipes of somebody's own are not joined by one that they have not asked for.
        let wanted = cooks || !file.name.starts_with("recipes/");
        if wanted && create(&dir.join(&file.name), &file)? {
            written.push(file);
        } else {
            kept.push(file.name);
        }
    }
    tell(dir, &written, &kept);
    Ok(FINE)
}

/// Everything there is to write. The configuration comes last: an `init` that broke off can be called again.
fn files(now: Time, zone: Tz, ids: &Ids) -> Vec<File> {
    let file = |name: &str, what, text: String| File {
        name: name.to_owned(),
        what,
        text,
        secret: false,
    };
    let secret = |name: &str, what, text| File {
        secret: true,
        ..file(name, what, text)
    };
    let day = |days| (now + TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    let example = EXAMPLE
        .replace("@CHECK_IN@", &day(14))
        .replace("@CHECK_OUT@", &day(17))
        .replace("@SECONDS@", &now.timestamp().to_string());
    let config = CONFIG
        .replace("@TIMEZONE@", zone.name())
        .replace("@LIVE_FROM@", &now.to_rfc3339_opts(SecondsFormat::Secs, true));
    vec![
        secret(
            "secrets/hooks-token",
            "the end of the address that you give to your PMS; made at random",
            format!("{}\n", ids.secret()),
        ),
        secret(
            "secrets/mail-password",
            "write the password of your mail account into it",
            PASSWORD.to_owned(),
        ),
        file(
            "recipes/confirmed.yaml",
            "a first recipe: a mail to you when a stay is confirmed",
            RECIPE.to_owned(),
        ),
        file("example.json", "a stay to try it with", example),
        file(
            &schema::File::Recipe.schema_name(),
            "lets your editor complete and check recipes",
            schema::text(schema::File::Recipe),
        ),
        file(
            &schema::File::Config.schema_name(),
            "the same for config.yaml",
            schema::text(schema::File::Config),
        ),
        file(".gitignore", "keeps secrets out of a repository", GITIGNORE.to_owned()),
        file("config.yaml", "the settings, explained", config),
    ]
}

/// The machine's time zone, UTC where it does not say.
fn zone(env: Env<'_>) -> Tz {
    let linked = std::fs::read_link(LOCALTIME).ok().and_then(|link| {
        let link = link.to_string_lossy().into_owned();
        link.split_once("zoneinfo/").map(|(_, name)| name.to_owned())
    });
    let named = env("TZ").into_iter().chain(linked);
    named.filter_map(|name| name.parse().ok()).next().unwrap_or(Tz::UTC)
}

fn folder(path: &Path, mode: u32) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(|error| refused(path, &error))
}

/// Writes a file where there is none; false where there is one.
fn create(path: &Path, file: &File) -> Result<bool, Failure> {
    let mode = if file.secret { 0o600 } else { 0o644 };
    let mut open = match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Ok(open) => open,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(refused(path, &error)),
    };
    if let Err(error) = open.write_all(file.text.as_bytes()).and_then(|()| open.sync_all()) {
        // Half a file would be left alone the next time.
        let _ = std::fs::remove_file(path);
        return Err(refused(path, &error));
    }
    Ok(true)
}

fn refused(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(USAGE, format!("{}: {error}", path.display()))
}

fn tell(dir: &Path, written: &[File], kept: &[String]) {
    sayln!("Written in {}:", dir.display());
    let width = written.iter().map(|file| file.name.len()).max().unwrap_or_default();
    for file in written {
        sayln!("  {:width$}  {}", file.name, file.what);
    }
    if !kept.is_empty() {
        sayln!("There before, and left alone: {}", kept.join(", "));
    }
    sayln!("\nWhat to do now:");
    if dir != Path::new(".") {
        sayln!("  cd {}", dir.display());
    }
    sayln!("  in config.yaml fill in `mail` and `office`, and write the password into secrets/mail-password");
    sayln!("  stayhook check");
    sayln!("  stayhook serve");
    sayln!("  stayhook send hospitable example.json     in another window: the e-mail arrives");
    sayln!(
        "The address for your PMS: https://YOUR-HOST/hooks/hospitable/ and behind it the text of secrets/hooks-token"
    );
}
