//! Where in a delivery a value stands: a JSONPath (RFC 9535), compiled once, a header, or a part of the address.

use std::collections::BTreeSet;

use http::HeaderName;
use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use super::address;
use crate::lang::diag::Report;
use crate::lang::fields::text;
use crate::lang::yaml::Node;

/// What values are looked up in.
#[derive(Clone, Copy)]
pub(super) struct Input<'v> {
    /// The whole body; `$`.
    pub(super) body: &'v Value,
    /// The item of `items` that is being read, else the body; `@`.
    pub(super) item: &'v Value,
    /// What stands beside the body, as [`Lookup::Header`] names it.
    pub(super) headers: &'v dyn Fn(&str) -> Option<String>,
}

/// What reading a mapping collects beside the mapping itself.
pub(super) struct Compiling<'r> {
    /// Where mistakes go.
    pub(super) report: &'r mut Report,
    /// What is read beside the body, as [`Lookup::Header`] names it: it has to be kept with the delivery.
    pub(super) headers: BTreeSet<String>,
    /// What is read of the body, as [`Path::normal`] writes it, conditions aside.
    pub(super) paths: BTreeSet<String>,
    /// Whether the mapping has `items`: only then does `@` mean something.
    pub(super) items: bool,
}

/// A compiled JSONPath.
#[derive(Clone, Debug)]
pub(super) struct Path {
    text: String,
    of_item: bool,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    /// Names, indexes and `[*]` only, which nearly all paths are: walked without the machinery of a query.
    Steps(Vec<Step>),
    Query(JpQuery),
}

#[derive(Clone, Debug)]
enum Step {
    Name(String),
    Index(usize),
    /// Whatever stands in a list or an object.
    Every,
}

impl Path {
    /// Compiles `$.a.b[0]` or, of an item, `@.a`.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        let of_item = text.starts_with('@');
        let from_root = match text.strip_prefix('@') {
            Some(rest) => format!("${rest}"),
            None => text.to_owned(),
        };
        if looks_deep(&from_root) > 1 {
            return Err("`..` is there twice; what a long body costs grows with every one".to_owned());
        }
        let query = parse_json_path(&from_root).map_err(|error| first_line(&error.to_string()))?;
        let steps = query.segments.iter().map(step).collect::<Option<Vec<_>>>();
        let way = steps.map_or(Way::Query(query), Way::Steps);
        Ok(Path {
            text: text.to_owned(),
            of_item,
            way,
        })
    }

    /// The path as written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The same text for the same path, however it is quoted: `$.code` and `$['code']`.
    pub(super) fn normal(&self) -> String {
        match &self.way {
            Way::Steps(steps) => format!("{}{steps:?}", if self.of_item { "@" } else { "$" }),
            Way::Query(_) => self.text.clone(),
        }
    }

    /// Whether it is `$` or `@` alone.
    pub(super) fn is_whole(&self) -> bool {
        matches!(&self.way, Way::Steps(steps) if steps.is_empty())
    }

    /// Whether it begins with `@`.
    pub(super) fn of_item(&self) -> bool {
        self.of_item
    }

    /// Everything it finds, in the body's order.
    pub(super) fn all<'v>(&self, input: &Input<'v>) -> Vec<&'v Value> {
        self.after(usize::MAX, if self.of_item { input.item } else { input.body })
    }

    /// Whether it leads to a list at least: to one that is empty, or to one of which it chooses nothing. Asked where it
    /// finds nothing.
    pub(super) fn is_there(&self, input: &Input<'_>) -> bool {
        let root = if self.of_item { input.item } else { input.body };
        let mut before = vec![root];
        for (at, chooses) in self.chooses().into_iter().enumerate() {
            let found = self.after(at + 1, root);
            if found.is_empty() {
                let list = |value: &&Value| value.is_array() || value.is_object() || value.is_null();
                return chooses && before.iter().any(list);
            }
            before = found;
        }
        before.iter().any(|value| value.is_array() || value.is_null())
    }

    /// Of each of its steps whether it takes what there is (`[*]`, a condition) instead of naming it.
    fn chooses(&self) -> Vec<bool> {
        match &self.way {
            Way::Steps(steps) => steps.iter().map(|step| matches!(step, Step::Every)).collect(),
            Way::Query(query) => {
                let named = |segment: &Segment| {
                    matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_)))
                        || matches!(segment, Segment::Descendant(_))
                };
                query.segments.iter().map(|segment| !named(segment)).collect()
            }
        }
    }

    /// What its first `count` steps find.
    fn after<'v>(&self, count: usize, root: &'v Value) -> Vec<&'v Value> {
        match &self.way {
            Way::Steps(steps) => {
                let mut found = vec![root];
                for step in steps.iter().take(count) {
                    step.go(&mut found);
                }
                found
            }
            // A query that cannot be applied to this body finds nothing in it.
            Way::Query(query) => {
                let part = (count < query.segments.len()).then(|| JpQuery::new(query.segments[..count].to_vec()));
                js_path_process(part.as_ref().unwrap_or(query), root)
                    .map(|found| found.into_iter().map(|at| at.val).collect())
                    .unwrap_or_default()
            }
        }
    }
}

impl Step {
    /// From values to what stands there in each of them.
    fn go(&self, values: &mut Vec<&Value>) {
        match self {
            Step::Name(name) => follow(values, |value| value.as_object()?.get(name)),
            Step::Index(index) => follow(values, |value| value.as_array()?.get(*index)),
            Step::Every => {
                let inside = values.iter().flat_map(|value| match value {
                    Value::Array(items) => items.iter().collect(),
                    Value::Object(entries) => entries.values().collect(),
                    _ => Vec::new(),
                });
                *values = inside.collect();
            }
        }
    }
}

/// Puts what `next` finds in each value into its place; where it finds nothing, the value goes.
fn follow<'v>(values: &mut Vec<&'v Value>, next: impl Fn(&'v Value) -> Option<&'v Value>) {
    values.retain_mut(|value| match next(value) {
        Some(found) => {
            *value = found;
            true
        }
        None => false,
    });
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Selector(Selector::Name(name)) => Some(Step::Name(name.clone())),
        Segment::Selector(Selector::Wildcard) => Some(Step::Every),
        Segment::Selector(Selector::Index(index)) => usize::try_from(*index).ok().map(Step::Index),
        _ => None,
    }
}

/// How often a path looks at any depth (`..`), names in quotes aside.
fn looks_deep(text: &str) -> usize {
    let (mut found, mut quote, mut escaped, mut dots) = (0, None, false, 0);
    for c in text.chars() {
        match quote {
            _ if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None => {}
        }
        dots = if c == '.' && quote.is_none() { dots + 1 } else { 0 };
        found += usize::from(dots == 2);
    }
    found
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// A path, or what stands beside the body.
#[derive(Clone, Debug)]
pub(super) enum Lookup {
    /// In the body.
    Path(Path),
    /// The header of this name, in lower case; `?NAME` for a parameter of the query and `/` for `path`, neither of which
    /// can be the name of a header.
    Header(String),
}

impl Lookup {
    /// Reads `$.a.b`, `@.a`, `header.X-Name`, `query.NAME` or `path`; anything else is a mistake at its place.
    pub(super) fn compile(node: &Node, cx: &mut Compiling<'_>) -> Option<Lookup> {
        let written = text(node, "a path", cx.report)?;
        let found = Lookup::of_text(written, node, cx);
        if let Some(Lookup::Path(path)) = &found {
            cx.paths.insert(path.normal());
        }
        found
    }

    /// The same for a text that is not a node of its own (a key); `node` is where to complain.
    pub(super) fn of_text(written: &str, node: &Node, cx: &mut Compiling<'_>) -> Option<Lookup> {
        if let Some(name) = written.strip_prefix("header.") {
            return header(name, node, cx);
        }
        if let Some(name) = written.strip_prefix("query.") {
            return parameter(name, node, cx);
        }
        if written == "path" {
            cx.headers.insert(address::PATH.to_owned());
            return Some(Lookup::Header(address::PATH.to_owned()));
        }
        if !written.starts_with(['$', '@']) {
            cx.report
                .mistake(
                    "bad-path",
                    &node.place,
                    format!("`{written}` is not a path into the body"),
                )
                .help(format!(
                    "a path begins with `$`, for example `$.{}`; a fixed value is written `{{value: …}}`",
                    if written.is_empty() { "code" } else { written }
                ));
            return None;
        }
        if written.starts_with('@') && !cx.items {
            cx.report
                .mistake(
                    "bad-path",
                    &node.place,
                    format!("`{written}`: there is no `items` here, so `@` means nothing"),
                )
                .help("`$` is the body; `@` is one of the items where the mapping has `items:`");
            return None;
        }
        match Path::parse(written) {
            Ok(path) => Some(Lookup::Path(path)),
            Err(why) => {
                cx.report
                    .mistake(
                        "bad-path",
                        &node.place,
                        format!("`{written}` is not readable as a JSONPath: {why}"),
                    )
                    .help("names that hold anything but letters, digits and `_` are written `$['guest-name']`");
                None
            }
        }
    }

    /// As written.
    pub(super) fn text(&self) -> String {
        match self {
            Lookup::Path(path) => path.text().to_owned(),
            Lookup::Header(name) if name == address::PATH => "path".to_owned(),
            Lookup::Header(name) => match name.strip_prefix(address::PARAMETER) {
                Some(parameter) => format!("query.{parameter}"),
                None => format!("header.{name}"),
            },
        }
    }
}

fn header(name: &str, node: &Node, cx: &mut Compiling<'_>) -> Option<Lookup> {
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
        cx.report.mistake(
            "bad-header",
            &node.place,
            format!("`{name}` is not the name of a header"),
        );
        return None;
    };
    if is_credential(header.as_str()) {
        cx.report
            .mistake(
                "credential-header",
                &node.place,
                format!("the header `{name}` holds a credential and is never kept"),
            )
            .help("the body may say the same; `stayhook map FILE` shows where");
        return None;
    }
    cx.headers.insert(header.as_str().to_owned());
    Some(Lookup::Header(header.as_str().to_owned()))
}

fn parameter(name: &str, node: &Node, cx: &mut Compiling<'_>) -> Option<Lookup> {
    if !address::is_parameter(name) {
        cx.report
            .mistake(
                "bad-parameter",
                &node.place,
                format!("`{name}` is not the name of a parameter in an address"),
            )
            .help("in `/hooks/pms?event=created` the parameter is `event`: `query.event`");
        return None;
    }
    if is_credential(&name.to_ascii_lowercase()) {
        cx.report
            .mistake(
                "credential-header",
                &node.place,
                format!("the parameter `{name}` holds a credential and is never kept"),
            )
            .help("the body may say the same; `stayhook map FILE` shows where");
        return None;
    }
    let name = format!("{}{name}", address::PARAMETER);
    cx.headers.insert(name.clone());
    Some(Lookup::Header(name))
}

/// Whether a header (in lower case) may hold a credential or a signature; these are never stored.
pub(super) fn is_credential(name: &str) -> bool {
    [
        "authorization",
        "cookie",
        "token",
        "signature",
        "secret",
        "password",
        "api-key",
        "api_key",
        "apikey",
        "access_key",
        "credential",
    ]
    .iter()
    .any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_find_what_they_name() {
        let body = json!({"a": {"b-c": [10, {"d": 1}, {"d": null}], "e'f": 2}, "é": 3});
        let item = json!({"x": 5});
        for (path, found) in [
            ("$", json!([body])),
            ("$['a']['b-c'][0]", json!([10])),
            ("$.a['b-c'][*].d", json!([1, null])),
            ("$.a[*][*].d", json!([1, null])),
            ("$.a[*]", json!([body["a"]["b-c"], 2])),
            ("$.é[*]", json!([])),
            ("$.a['b-c'][-1].d", json!([null])),
            ("$.a['b-c'][?@.d == 1].d", json!([1])),
            ("$..d", json!([1, null])),
            ("$.é", json!([3])),
            ("$['a', 'é']", json!([body["a"], 3])),
            ("$.a[0]", json!([])),
            ("$.nope.x", json!([])),
            ("@.x", json!([5])),
            ("@", json!([item])),
        ] {
            let input = Input {
                body: &body,
                item: &item,
                headers: &|_| None,
            };
            let all = Path::parse(path).unwrap();
            assert_eq!(json!(all.all(&input)), found, "{path}");
        }
        assert!(Path::parse("$..a[?@['x..y'] == '..']").is_ok());
        for wrong in [
            "$..a..b",
            "$.a[?$..b == @..c]",
            "$.",
            "$.a-b",
            "$[",
            "$.a..",
            "$.a b c]",
            "@@",
        ] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }
}
