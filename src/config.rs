//! The configuration file: one file below per section. Reading gives all mistakes of the file at once.

mod admin;
mod below;
mod connections;
mod properties;
mod recipes;
mod server;
mod sources;
mod together;
mod variables;

/// What to tell where connections may have more attempts under way than there is room for.
pub fn crowded(config: &Config, room: Option<usize>) -> Option<String> {
    let wanted: usize = config.connections.iter().map(|connection| connection.concurrency).sum();
    let room = room.filter(|room| wanted > *room)?;
    Some(format!(
        "the connections may have {wanted} attempts under way at once, and the limit of open files leaves room for {room}: \
         each gets its share of those"
    ))
}

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono_tz::Tz;
use ipnet::IpNet;

use crate::action::Connection;
use crate::engine::Setup;
use crate::lang::diag::Report;
use crate::lang::fields::Fields;
use crate::lang::shape::{EMPTY, Form, Shape, key, later};
use crate::lang::yaml;
use crate::model::plan::InForce;
use crate::model::property::Properties;
use crate::model::secret::Secret;
use crate::recipe::Book;
use crate::source::Source;

pub use properties::PROPERTIES;
pub use recipes::{RecipeFiles, recipe_files, stamp as recipes_stamp};
pub(crate) use recipes::{read_bytes, recipe_file};
pub use together::{check_together, sentence, sentence_with};

/// The largest configuration file, in bytes.
const FILE_MAX: u64 = 4 << 20;

/// The configuration.
pub static CONFIG: Shape = Shape {
    what: "the configuration",
    about: "One file. `\"${NAME}\"` is filled in from the environment, `\"${NAME:-default}\"` too but may be left unset, and \
            `\"${file:PATH}\"` is the text of a file; in quotes they may stand wherever a value stands.",
    also: &[&server::SERVER, &SECTIONS],
    ..EMPTY
};

static SECTIONS: Shape = Shape {
    what: "the sections of the configuration",
    about: "Who sends, where things go, what is let.",
    keys: &[
        key(
            "admin",
            Form::Settings(&admin::ADMIN),
            "The listener of the admin API, of health and of metrics.",
            "admin: {listen: \"127.0.0.1:8081\", token: \"${STAYHOOK_ADMIN_TOKEN}\"}",
        ),
        key(
            "sources",
            Form::Settings(&sources::SOURCES),
            "Who may send.",
            "sources: {hospitable: {preset: hospitable-v1, token: \"${HOSPITABLE_TOKEN}\"}}",
        ),
        key(
            "connections",
            Form::Settings(&connections::CONNECTIONS),
            "Where actions go.",
            "connections: {cleaning: {http: {base_url: https://api.cleaning.example}}}",
        ),
        key(
            "defaults",
            Form::Settings(&properties::DEFAULTS),
            "What holds for every property that does not say otherwise.",
            "defaults: {default_check_in: \"15:00\", vars: {cleaner: ana@example.com}}",
        ),
        key(
            "properties",
            Form::Settings(&properties::PROPERTIES),
            "What you let.",
            "properties: {brannan: {match: [12346789], name: Brannan Street}}",
        ),
        later(
            "retention",
            "How long what is stored is kept.",
            "retention: {deliveries: 90d, runs: 400d}",
        )
        .idle("everything is kept"),
        later(
            "alerts",
            "Who is told when something was given up.",
            "alerts: {connection: mail, to: ops@example.com}",
        )
        .idle("`stayhook runs list --state dead` and `/metrics` tell what was given up"),
        later(
            "connectors",
            "The folder of your own connectors.",
            "connectors: connectors",
        )
        .idle("what has an API is reached by an `http` connection"),
    ],
    ..EMPTY
};

/// Reads a variable of the environment; `None` where it is not set.
pub type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// What the configuration file says, checked and compiled. Every path in it is complete or relative to where the
/// process was started.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where webhooks come in, and nothing else.
    pub listen: SocketAddr,
    /// The address under which the world reaches `listen`, without a slash at its end; for links and set-up pages.
    pub public_url: Option<String>,
    /// Proxies that are believed when they say whom a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Where a property names no zone.
    pub timezone: Tz,
    /// `sqlite://` and a path.
    pub database: String,
    /// The folder of recipes.
    pub recipes: PathBuf,
    /// Everything up to the sending, and nothing sent.
    pub dry_run: bool,
    /// All mail goes to this address; `None` for where it is meant to go.
    pub redirect_email: Option<String>,
    /// API and metrics.
    pub admin: Admin,
    /// In the order of the file.
    pub sources: Vec<Arc<Source>>,
    /// In the order of the file.
    pub connections: Vec<Arc<Connection>>,
    /// Properties and defaults.
    pub properties: Properties,
    /// What could not be read, in a draft.
    pub unread: Unread,
}

/// What of a configuration could not be read: nothing follows from its not being there.
#[derive(Clone, Debug, Default)]
pub struct Unread {
    /// Lines that YAML cannot read.
    lines: bool,
    /// These sections have mistakes, or may be written under another name.
    sections: Vec<&'static str>,
    /// The names of all sources and connections, also of those with a mistake.
    names: Vec<(&'static str, String)>,
}

impl Unread {
    fn section(&self, section: &str) -> bool {
        self.sections.contains(&section)
    }

    /// Whether a source or a connection of this name may be there and have a mistake.
    pub fn may_hold(&self, section: &str, name: &str) -> bool {
        let mut names = self.names.iter().filter(|(of, _)| *of == section).peekable();
        self.section(section) && (names.peek().is_none() || names.any(|(_, known)| known == name))
    }
}

/// The listener of API and metrics.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Its address; only a loopback one can do without a token.
    pub listen: SocketAddr,
    /// What asks for more than health has to show.
    pub token: Option<Secret>,
    /// Names in lower case that a `Host` header may have beside those of the loopback.
    pub hosts: Vec<String>,
    /// Whether `/metrics` needs no token, wherever the listener is.
    pub metrics_open: bool,
}

/// Reads the configuration from a file. `None` only where there is a mistake; all of them are in the report.
pub fn load(path: &Path, env: Env<'_>, report: &mut Report) -> Option<Config> {
    let before = report.mistakes();
    load_draft(path, env, report).filter(|_| report.mistakes() == before)
}

/// The configuration in a file as far as it can be read, like [`draft`].
pub fn load_draft(path: &Path, env: Env<'_>, report: &mut Report) -> Option<Config> {
    let (file, text) = read(path, report)?;
    draft(&file, &text, folder(path), env, report)
}

/// The text of a file of ours for showing a line of it.
pub fn text_of(file: &str) -> Option<String> {
    let path = Path::new(file);
    // Reading from a pipe would wait for whoever writes into it.
    let is_file = std::fs::metadata(path).is_ok_and(|meta| meta.is_file());
    is_file.then(|| recipes::read_text(path, FILE_MAX).ok()).flatten()
}

/// Reads the configuration from `text`. `file` is named in places; relative paths begin at `base`.
pub fn parse(file: &str, text: &str, base: &Path, env: Env<'_>, report: &mut Report) -> Option<Config> {
    let before = report.mistakes();
    let config = draft(file, text, base, env, report);
    config.filter(|_| report.mistakes() == before)
}

/// The configuration as far as it can be read, with defaults in the place of mistakes: for looking at, never for
/// running. `None` only where the text is not settings at all.
pub fn draft(file: &str, text: &str, base: &Path, env: Env<'_>, report: &mut Report) -> Option<Config> {
    let start = report.items.len();
    report.configuration(file);
    let before = report.mistakes();
    let root = yaml::parse(file, text, report);
    let lines = report.mistakes() > before;
    let mut config = root.and_then(|mut root| {
        let filled = variables::fill(&mut root, base, env, report);
        let from = report.items.len();
        let config = sections(&root, base, report);
        filled.tidy(from, report);
        config
    });
    report.clean(start, file, text);
    config.iter_mut().for_each(|config| config.unread.lines = lines);
    config
}

/// The name and the text of a configuration file; why it cannot be read goes to the report.
pub fn read(path: &Path, report: &mut Report) -> Option<(String, String)> {
    let file = path.display().to_string();
    match recipes::read_text(path, FILE_MAX) {
        Ok(text) => Some((file, text)),
        Err(why) => {
            let missing = why.kind() == std::io::ErrorKind::NotFound;
            let diagnostic = report.general("config-file", format!("the configuration {file} cannot be read: {why}"));
            if missing {
                diagnostic.help(
                    "name it with `--config FILE` or `STAYHOOK_CONFIG`; `stayhook init` writes one to start from",
                );
            }
            None
        }
    }
}

/// The folder at which relative paths of a configuration file begin.
pub fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Everything that a worker needs, from the configuration and the recipes.
pub fn setup(config: &Config, book: Book) -> Setup {
    let sources = config.sources.iter();
    let connections = config.connections.iter();
    Setup {
        sources: sources
            .map(|source| (source.name().to_owned(), source.clone()))
            .collect(),
        book,
        properties: config.properties.clone(),
        connections: connections.map(|one| (one.name.clone(), one.clone())).collect(),
        dry_run: config.dry_run,
        redirect_email: config.redirect_email.clone(),
        in_force: InForce::default(),
    }
}

fn sections(root: &yaml::Node, base: &Path, report: &mut Report) -> Option<Config> {
    let mut fields = Fields::of(root, &CONFIG, report)?;
    let mut config = server::read(&mut fields, base, report);
    if let Some(node) = fields.get("admin") {
        config.admin = admin::read(node, config.listen, config.admin, report);
    }
    let nodes = ["sources", "connections", "properties"].map(|section| (section, fields.get(section)));
    let [(_, sources), (_, connections), (_, properties)] = nodes;
    let unread = &mut config.unread;
    let mut before = report.mistakes();
    let mut read = |section, report: &Report| {
        if report.mistakes() > std::mem::replace(&mut before, report.mistakes()) {
            unread.sections.push(section);
        }
    };
    let sources = sources::read(sources, report);
    config.sources = sources.all;
    read("sources", report);
    config.connections = connections::read(connections, base, report);
    read("connections", report);
    config.properties = properties::read(
        fields.get("defaults"),
        properties,
        config.timezone,
        &sources.names,
        report,
    );
    read("properties", report);
    let names = |(section, node): &(&'static str, Option<&yaml::Node>)| {
        let entries = node.map(yaml::Node::entries).unwrap_or_default().iter();
        entries.map(|(key, _)| (*section, key.text.clone())).collect::<Vec<_>>()
    };
    unread.names = nodes[..2].iter().flat_map(names).collect();
    if sources.names.is_empty() && !unread.section("sources") {
        report
            .warning("no-sources", &root.place, "there is no source: nothing can come in")
            .help("such as `sources: {hospitable: {preset: hospitable-v1, token: \"${HOSPITABLE_TOKEN}\"}}`");
    }
    let before = report.mistakes();
    fields.finish(report);
    if report.mistakes() > before {
        // It may be there under a misspelt name.
        let absent = nodes.iter().filter(|(_, node)| node.is_none());
        unread.sections.extend(absent.map(|(section, _)| section));
    }
    Some(config)
}

/// Removes diagnostics that say the same at the same place.
fn once(from: usize, report: &mut Report) {
    let mut items = report.items.split_off(from);
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(item.clone()));
    report.items.append(&mut items);
}
