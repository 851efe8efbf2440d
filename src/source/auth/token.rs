//! Reading where a token stands.

use super::credentials::Credentials;
use super::schemes::TOKEN;
use super::{header, words};
use crate::lang::diag::Report;
use crate::lang::fields::{Fields, text};
use crate::lang::yaml::Node;
use crate::source::authenticate::{Place, Scheme};
use crate::source::path::Path;

pub(super) fn token(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Option<Scheme> {
    let place = place(node, report);
    credentials.used.token = true;
    let Some(tokens) = credentials.token.clone() else {
        credentials.lacks("token");
        return None;
    };
    Some(Scheme::Token(place?, words(tokens)))
}

/// Where a token stands.
fn place(node: &Node, report: &mut Report) -> Option<Place> {
    let mut fields = Fields::of(node, &TOKEN, report)?;
    let given = ["header", "query", "body"].map(|key| fields.get(key));
    fields.finish(report);
    match given {
        [None, None, None] => Some(Place::Address),
        [Some(node), None, None] => header(node, report).map(Place::Header),
        [None, Some(node), None] => {
            let name = text(node, "query", report)?;
            if name.trim().is_empty() {
                report
                    .mistake(
                        "bad-parameter",
                        &node.place,
                        "`query` is the name of a parameter of the address",
                    )
                    .help("for example `query: key`, where the sender posts to `…?key=<token>`");
                return None;
            }
            Some(Place::Query(name.to_owned()))
        }
        [None, None, Some(node)] => body_path(node, report).map(Place::Body),
        _ => {
            report
                .mistake(
                    "one-place",
                    &node.place,
                    "a token stands in one place: `header`, `query` or `body`",
                )
                .help("where it may come in either, write `any: [{token: {header: X-Token}}, {token: {query: key}}]`");
            None
        }
    }
}

fn body_path(node: &Node, report: &mut Report) -> Option<Path> {
    let written = text(node, "body", report)?;
    let path = Path::parse(written).map_err(|why| format!("`{written}` is not readable as a JSONPath: {why}"));
    match path {
        Ok(path) if written.starts_with('$') => return Some(path),
        Err(why) if written.starts_with('$') => report.mistake("bad-path", &node.place, why),
        _ => report.mistake(
            "bad-path",
            &node.place,
            format!("`{written}` is not a path into the body"),
        ),
    }
    .help("a path begins with `$`, for example `$.token`");
    None
}
