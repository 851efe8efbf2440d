//! A YAML tree with templates at its leaves, rendered to JSON that keeps the types of its values.

use serde_json::{Map, Value};

use super::diag::{Place, Report};
use super::template::{Context, Format, Name, Rendered, Template, TemplateError};
use super::yaml::{Kind, Node};

/// Settings, lists and values as an author wrote them; every text in it is a template.
#[derive(Clone, Debug)]
pub struct Tree(Branch);

#[derive(Clone, Debug)]
enum Branch {
    /// A number, `true`, `false`, nothing, or a text without anything to fill in.
    Constant(Value),
    /// A text to be filled in; the place is that of the node, for the names in it.
    Leaf(Box<Template>, Node),
    List(Vec<Branch>),
    Map(Vec<(String, Branch)>),
}

impl Tree {
    /// Reads the tree; every template that is not one is reported at its place. Keys are never templates.
    pub fn compile(node: &Node, format: Format, report: &mut Report) -> Option<Tree> {
        branch(node, format, report).map(Tree)
    }

    /// Fills it in. A text that is one single expression keeps the type of its value.
    pub fn value(&self, values: &Context) -> Result<Rendered<Value>, TemplateError> {
        let mut missing = Vec::new();
        let value = self.0.value(values, &mut missing)?;
        Ok(Rendered { value, missing })
    }

    /// Every name its templates read, with the place in the file.
    pub fn names(&self) -> Vec<(Name, Place)> {
        let mut names = Vec::new();
        self.0.names(&mut names);
        names
    }
}

/// Reads one text as a template; a mistake in it is reported at its place in the file.
pub fn template(node: &Node, text: &str, format: Format, report: &mut Report) -> Option<Template> {
    match Template::compile(text, format) {
        Ok(template) => {
            doubts(node, text, template.doubts(), report);
            variables(node, text, report);
            Some(template)
        }
        Err(error) => {
            mistake(node, error, report);
            None
        }
    }
}

/// Warns of `${API_KEY}`, which only the configuration fills in.
fn variables(node: &Node, text: &str, report: &mut Report) {
    for (at, _) in text.match_indices("${") {
        let Some((name, _)) = text[at + 2..].split_once('}') else {
            continue;
        };
        let is_name = name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !name.is_empty() && (is_name || name.starts_with("file:")) {
            let before = &text[..at];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            report
                .warning(
                    "variable",
                    &node.place_inside(line, column),
                    format!("`${{{name}}}` goes out as it stands here"),
                )
                .help("only the configuration fills variables in; credentials stand there, with the connection");
        }
    }
}

/// Warns of what is right and probably not meant, `{property.name}` among it, which is printed as it stands.
pub fn doubts(node: &Node, text: &str, doubts: &[TemplateError], report: &mut Report) {
    for doubt in doubts {
        let place = node.place_inside(doubt.line, doubt.column);
        report
            .warning("doubtful", &place, doubt.message.clone())
            .help(doubt.help.clone().unwrap_or_default());
    }
    const ROOTS: &[&str] = &[
        "reservation.",
        "property.",
        "event.",
        "stay.",
        "vars.",
        "payment.",
        "message.",
        "steps.",
        "changes.",
        "previous.",
    ];
    for (at, _) in text.match_indices('{') {
        let whole = text[at + 1..].split('}').next().unwrap_or_default();
        let inner = whole.trim();
        let alone = !text[..at].ends_with('{') && !text[at + 1 + whole.len()..].starts_with("}}");
        let name = inner
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        if alone
            && name
            && ROOTS
                .iter()
                .any(|root| inner.len() > root.len() && inner.starts_with(root))
        {
            let before = &text[..at];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            report
                .warning(
                    "single-braces",
                    &node.place_inside(line, column),
                    format!("`{{{whole}}}` is printed as it stands here"),
                )
                .help(format!("its value is put in with two of them: `{{{{ {inner} }}}}`"));
        }
    }
}

/// Names that a template in this node reads, with their places in the file.
pub fn places(names: &[Name], node: &Node) -> Vec<(Name, Place)> {
    let place = |name: &Name| node.place_inside(name.line, name.column);
    names.iter().map(|name| (name.clone(), place(name))).collect()
}

/// Keeps the names without a value for the warning on the step, each once.
pub fn note<T>(found: Rendered<T>, missing: &mut Vec<String>) -> T {
    for name in found.missing {
        if !missing.contains(&name) {
            missing.push(name);
        }
    }
    found.value
}

/// Reports what is wrong with a template or a condition that stands in this node.
pub fn mistake(node: &Node, error: TemplateError, report: &mut Report) {
    let place = node.place_inside(error.line, error.column);
    let diagnostic = report.mistake("template", &place, error.message);
    if let Some(help) = error.help {
        diagnostic.help(help);
    }
}

fn branch(node: &Node, format: Format, report: &mut Report) -> Option<Branch> {
    // Mistakes are collected from every branch before any of them makes the whole unusable.
    match &node.kind {
        Kind::List(items) => {
            let read: Vec<_> = items.iter().map(|item| branch(item, format, report)).collect();
            Some(Branch::List(read.into_iter().collect::<Option<_>>()?))
        }
        Kind::Map(entries) => {
            let read: Vec<_> = entries
                .iter()
                .map(|(key, value)| branch(value, format, report).map(|value| (key.text.clone(), value)))
                .collect();
            Some(Branch::Map(read.into_iter().collect::<Option<_>>()?))
        }
        Kind::Scalar(_) => match node.value() {
            Value::String(text) => {
                let template = template(node, &text, format, report)?;
                Some(if template.is_constant() && !text.contains(['{', '}']) {
                    Branch::Constant(Value::String(text))
                } else {
                    Branch::Leaf(Box::new(template), node.clone())
                })
            }
            constant => Some(Branch::Constant(constant)),
        },
    }
}

impl Branch {
    fn value(&self, values: &Context, missing: &mut Vec<String>) -> Result<Value, TemplateError> {
        Ok(match self {
            Branch::Constant(value) => value.clone(),
            Branch::Leaf(template, _) => note(template.value(values)?, missing),
            Branch::List(items) => Value::Array(
                items
                    .iter()
                    .map(|item| item.value(values, missing))
                    .collect::<Result<_, _>>()?,
            ),
            Branch::Map(entries) => {
                let mut map = Map::new();
                for (key, branch) in entries {
                    map.insert(key.clone(), branch.value(values, missing)?);
                }
                Value::Object(map)
            }
        })
    }

    fn names(&self, into: &mut Vec<(Name, Place)>) {
        match self {
            Branch::Constant(_) => {}
            Branch::Leaf(template, node) => into.extend(places(template.names(), node)),
            Branch::List(items) => items.iter().for_each(|item| item.names(into)),
            Branch::Map(entries) => entries.iter().for_each(|(_, branch)| branch.names(into)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lang::yaml;

    fn read(text: &str) -> (Option<Tree>, Report) {
        let mut report = Report::new();
        let tree =
            yaml::parse("f.yaml", text, &mut report).and_then(|node| Tree::compile(&node, Format::Text, &mut report));
        (tree, report)
    }

    #[test]
    fn values_keep_their_types_and_missing_ones_are_noted() -> Result<(), TemplateError> {
        let (tree, _) =
            read("a: '{{ n }}'\nb: [1.50, ~, 'x {{ n }}', '{{ gone }}', \"{{ '{}' }}\"]\nc: {'{{ n }}': 0042}\n");
        let values = Context::new(json!({"n": 7, "gone": null}), &[]);
        let rendered = tree
            .as_ref()
            .map(|tree| tree.value(&values))
            .transpose()?
            .expect("it is a tree");
        let expected = r#"{"a":7,"b":[1.50,null,"x 7",null,"{}"],"c":{"{{ n }}":"0042"}}"#;
        assert_eq!(rendered.value.to_string(), expected);
        assert_eq!(rendered.missing, ["gone"]);
        Ok(())
    }

    #[test]
    fn every_mistake_has_its_place() {
        let (tree, report) = read("a: '{{ }}'\nb:\n  - |\n    one\n    {{ two | nothing }}\n");
        assert!(tree.is_none());
        let lines: Vec<usize> = report
            .items
            .iter()
            .filter_map(|item| item.place.as_ref())
            .map(|place| place.line)
            .collect();
        assert_eq!(lines, [1, 5]);
    }

    #[test]
    fn names_stand_where_they_are_read() {
        let (tree, _) = read("a: 'x {{ n.m }}'\nb: ['{{ o }}']\n");
        let names: Vec<(String, usize, usize)> = tree
            .iter()
            .flat_map(Tree::names)
            .map(|(name, place)| (name.path, place.line, place.column))
            .collect();
        assert_eq!(names, [("n.m".to_owned(), 1, 10), ("o".to_owned(), 2, 9)]);
    }
}
