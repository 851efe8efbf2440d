//! `deliveries show ID --save FILE`: a delivery as a file for tests, without anybody in it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::anonymous::anonymous;
use crate::cli::map::read_body;
use crate::cli::print::sayln;
use crate::cli::{FINDINGS, FINE, Failure, USAGE};
use crate::config::Config;
use crate::store::DeliveryRow;

/// Writes the body to `file`, and to a file beside it the headers that the mapping reads. A source that is not configured
/// any more is no hindrance: then nothing is known, and every value becomes a placeholder.
pub(super) fn save(config: &Config, delivery: &DeliveryRow, file: &Path, force: bool) -> Result<u8, Failure> {
    let Some(text) = &delivery.body else {
        return Err(Failure::new(FINDINGS, format!("{} has no body", delivery.id)));
    };
    let body = read_body(text.as_bytes())
        .map_err(|why| Failure::new(FINDINGS, format!("the body of {}: {why}", delivery.id)))?;
    let source = config.sources.iter().find(|source| source.name() == delivery.source);
    let all = delivery
        .headers
        .as_ref()
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let kept: BTreeMap<String, String> = all
        .filter(|(name, _)| match source {
            Some(source) => source.read_headers().any(|read| read == name.as_str()),
            None => !matches!(name.as_str(), "content-type" | "user-agent"),
        })
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let (body, headers) = anonymous(&body, &kept, source.map(AsRef::as_ref));
    let beside = headers_file(file);
    if let (false, true) = (force, !headers.is_empty() && beside.symlink_metadata().is_ok()) {
        return Err(there(&beside));
    }
    write(file, &format!("{body:#}\n"), force)?;
    sayln!(
        "{}: written; only statuses, dates, amounts, currencies and counts are as they came",
        file.display()
    );
    if !headers.is_empty() {
        write(&beside, &format!("{:#}\n", serde_json::json!(headers)), force)?;
        sayln!("{}: the headers that the mapping reads", beside.display());
    }
    Ok(FINE)
}

/// Where the headers of a saved body stand: `FILE.headers.json`.
pub fn headers_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".headers.json");
    PathBuf::from(name)
}

fn there(file: &Path) -> Failure {
    Failure::new(
        FINDINGS,
        format!("{} is there already; `--force` overwrites it", file.display()),
    )
}

fn write(file: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let mut open = OpenOptions::new();
    open.write(true).mode(0o600);
    match force {
        true => open.create(true).truncate(true),
        false => open.create_new(true),
    };
    let mut open = open.open(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => there(file),
        _ => Failure::new(USAGE, format!("{}: {error}", file.display())),
    })?;
    let written = open.write_all(text.as_bytes()).and_then(|()| open.sync_all());
    written.map_err(|error| Failure::new(USAGE, format!("{}: {error}", file.display())))
}
