//! JSON Schema (draft-07, which the YAML servers of editors know best) from a declared shape.
//!
//! A schema takes what the reader takes: a text may look like a number, a key may be left empty, and where variables are
//! filled in, `${NAME}` may stand for any value. What follows from more than one value it does not see.

use serde_json::{Map, Value, json};

use super::{Entry, Form, Like, More, Own, Rule, Shape, Standing, reachable};
use crate::lang::diag::Report;
use crate::lang::fields::quoted;
use crate::lang::yaml;

/// What a schema is made for.
#[derive(Clone, Copy, Debug)]
pub struct Language<'k> {
    /// The kinds of actions, each with the settings below its name.
    pub actions: &'k [(&'static str, &'static Shape)],
    /// Whether `${NAME}` is filled in where values stand.
    pub variables: bool,
}

/// The schema of files that hold what `root` declares.
pub fn schema(root: &'static Shape, title: &str, language: Language<'_>) -> Value {
    let actions: Vec<&'static Shape> = language.actions.iter().map(|(_, shape)| *shape).collect();
    let writer = Writer {
        shapes: reachable(root, &actions),
        language,
    };
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
    });
    let definitions: Map<String, Value> = writer
        .shapes
        .iter()
        .skip(1)
        .map(|shape| (writer.name(shape), writer.shape(shape)))
        .collect();
    for (key, value) in writer.shape(root).as_object().into_iter().flatten() {
        // A file without anything in it is no recipe.
        let value = if key == "type" { "object".into() } else { value.clone() };
        schema[key] = value;
    }
    schema["definitions"] = Value::Object(definitions);
    schema
}

struct Writer<'k> {
    shapes: Vec<&'static Shape>,
    language: Language<'k>,
}

impl Writer<'_> {
    fn name(&self, shape: &Shape) -> String {
        name_among(&self.shapes, shape)
    }

    fn reference(&self, shape: &Shape) -> Value {
        match self.shapes.first() {
            Some(root) if std::ptr::eq(*root, shape) => json!({"$ref": "#"}),
            _ => json!({"$ref": format!("#/definitions/{}", self.name(shape))}),
        }
    }

    fn shape(&self, shape: &'static Shape) -> Value {
        let mut properties = Map::new();
        let mut patterns = Map::new();
        let mut required = Vec::new();
        let mut more = Value::Bool(false);
        for entry in shape.entries() {
            if entry.standing != Standing::Never {
                properties.insert(entry.name.to_owned(), self.entry(&entry, shape.tight));
            }
            if entry.needed && entry.standing == Standing::Read {
                required.push(entry.name);
            }
        }
        for one in shape.more {
            match one {
                More::Each(..) => {}
                More::Own(own) if own.pattern.is_empty() => more = self.own(own),
                More::Own(own) => {
                    patterns.insert(own.pattern.to_owned(), self.own(own));
                }
                More::Rendered => {
                    for (name, below) in self.language.actions {
                        let keys = below.names().into_iter().map(|key| (key.to_owned(), json!({})));
                        let rendered = json!({
                            "type": "object",
                            "description": format!("What was rendered by {}: any of it.", plain(below.what)),
                            "properties": keys.collect::<Map<String, Value>>(),
                            "additionalProperties": false,
                        });
                        properties.insert((*name).to_owned(), rendered);
                    }
                }
                More::Actions => {
                    for (name, below) in self.language.actions {
                        let mut action = self.reference(below);
                        action["description"] = plain(below.about).into();
                        properties.insert((*name).to_owned(), action);
                    }
                }
            }
        }
        let mut schema = json!({
            "type": ["object", "null"],
            "description": plain(shape.about),
            "additionalProperties": more,
        });
        if !properties.is_empty() {
            schema["properties"] = Value::Object(properties);
        }
        if !patterns.is_empty() {
            schema["patternProperties"] = Value::Object(patterns);
        }
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        // Nothing in the place of settings has no keys to look at.
        let rules = shape
            .rules
            .iter()
            .map(|rule| json!({"if": {"type": "object"}, "then": self.rule(shape, rule)}));
        let rules: Vec<Value> = rules.collect();
        if !rules.is_empty() {
            schema["allOf"] = rules.into();
        }
        schema
    }

    fn entry(&self, entry: &Entry, tight: bool) -> Value {
        let about = plain(entry.about);
        match entry.standing {
            Standing::Later => {
                return json!({
                    "description": format!("Not in this version yet. {about}"),
                    "type": "null",
                    "errorMessage": format!("`{}` is not in this version yet", entry.name),
                    "doNotSuggest": true,
                });
            }
            Standing::Idle(meanwhile) => {
                return json!({
                    "description": format!("Has no effect in this version yet: {}. {about}", plain(meanwhile)),
                    "doNotSuggest": true,
                });
            }
            Standing::Read | Standing::Never => {}
        }
        let mut schema = self.form(&entry.form);
        if entry.needed || tight {
            refuse_null(&mut schema);
        } else {
            allow_null(&mut schema);
        }
        describe(&mut schema, entry.about, &entry.form, entry.example);
        schema
    }

    fn own(&self, own: &Own) -> Value {
        let mut schema = self.form(&own.form);
        if !own.form.takes_nothing() {
            refuse_null(&mut schema);
        }
        describe(&mut schema, own.about, &own.form, own.example);
        schema
    }

    fn form(&self, form: &Form) -> Value {
        match form {
            Form::Text | Form::Template | Form::Condition | Form::Value => json!({"type": SCALAR}),
            Form::Like(like) => self.like(like),
            Form::Flag => self.text(json!(["boolean", "string"]), "^(true|false)$"),
            Form::Count(min, max) => {
                let mut schema = self.text(json!(["integer", "string"]), r"^\+?[0-9]+$");
                schema["minimum"] = (*min).into();
                schema["maximum"] = (*max).into();
                schema
            }
            Form::Duration => self.text("string".into(), r"^\s*[0-9]+\s*[smhd]\s*$"),
            Form::Word(words) => match self.language.variables {
                true => json!({"anyOf": [{"enum": words}, {"type": "string", "pattern": VARIABLE}]}),
                false => json!({"enum": words}),
            },
            Form::AnyCase(words) => {
                let pattern = words.iter().map(|word| any_case(word)).collect::<Vec<_>>().join("|");
                json!({"anyOf": [{"enum": words}, self.text("string".into(), &format!(r"^\s*({pattern})\s*$"))]})
            }
            Form::WordOr(words, like) => json!({"anyOf": [{"enum": words}, self.like(like)]}),
            Form::Nothing => json!({"type": "null"}),
            Form::Anything => json!({}),
            Form::Settings(shape) => self.reference(shape),
            Form::List(one) => json!({"type": "array", "items": self.form(one), "minItems": 1}),
            Form::OneOrMore(one) => self.one_or_list(one, 1),
            Form::Several(one) => self.one_or_list(one, 0),
            Form::Either(forms) => self.either(forms),
        }
    }

    fn one_or_list(&self, form: &Form, least: u64) -> Value {
        let one = self.form(form);
        // An editor says more about one form than about alternatives.
        if let (Some(kinds), None) = (kinds(&one), one.get("enum")) {
            let mut both = one.clone();
            both["type"] = kinds.into_iter().chain(["array".to_owned()]).collect();
            both["items"] = one;
            if least > 0 {
                both["minItems"] = least.into();
            }
            return both;
        }
        json!({"anyOf": [one, {"type": "array", "items": one, "minItems": least}]})
    }

    fn either(&self, forms: &[Form]) -> Value {
        let mut schemas: Vec<Value> = forms.iter().map(|form| self.form(form)).collect();
        // Nothing is taken along by a form that is only a type.
        if let [one, null] = schemas.as_mut_slice()
            && *null == json!({"type": "null"})
            && let (Some(kinds), None) = (kinds(one), one.get("enum"))
        {
            one["type"] = kinds.into_iter().chain(["null".to_owned()]).collect();
            return one.take();
        }
        json!({"anyOf": schemas})
    }

    fn like(&self, like: &Like) -> Value {
        let kinds: &[&str] = if like.numbers { &SCALAR } else { &["string"] };
        self.text(json!(kinds), like.pattern)
    }

    /// Something that, where it is written as a text, has to look like `pattern` or hold a variable.
    fn text(&self, kind: Value, pattern: &str) -> Value {
        match self.language.variables {
            true => json!({"type": kind, "pattern": format!("(?:{pattern})|{VARIABLE}")}),
            false => json!({"type": kind, "pattern": pattern}),
        }
    }

    fn rule(&self, shape: &Shape, rule: &Rule) -> Value {
        let there = |name: &str| json!({"required": [name]});
        let each = |names: &[&str]| names.iter().map(|name| there(name)).collect::<Vec<Value>>();
        match rule {
            Rule::One(names) => json!({
                "oneOf": each(names), "errorMessage": format!("one of {}, and only one", quoted(&shape.read_of(names))),
            }),
            Rule::Some(names) => json!({
                "anyOf": each(names), "errorMessage": format!("at least one of {}", quoted(names)),
            }),
            Rule::AtMostOne(names) => {
                let says = format!("only one of {}", quoted(names));
                let refused = json!({"type": "null", "errorMessage": says});
                let mut pairs = Vec::new();
                for (at, one) in names.iter().enumerate() {
                    for other in &names[at + 1..] {
                        // The second of them is where an editor shows it; with nothing behind it, it is not there.
                        pairs.push(json!({
                            "if": {"required": [one, other], "properties": {*one: {"not": {"type": "null"}}}},
                            "then": {"properties": {*other: refused}},
                        }));
                    }
                }
                json!({"allOf": pairs})
            }
            Rule::Together(names) => json!({
                "anyOf": [{"required": names}, {"not": {"anyOf": each(names)}}],
                "errorMessage": format!("{} stand together or not at all", quoted(names).replace(" or ", " and ")),
            }),
            Rule::OneAction => {
                let names: Vec<&str> = self.language.actions.iter().map(|(name, _)| *name).collect();
                json!({"oneOf": each(&names), "errorMessage": format!("an action is {}", quoted(&names))})
            }
        }
    }
}

/// The name of a definition or a section: what the shape is called, with a number where two are called alike.
pub fn name_among(shapes: &[&'static Shape], shape: &Shape) -> String {
    let alike = shapes.iter().filter(|other| other.what == shape.what);
    let at = alike.take_while(|other| !std::ptr::eq(**other, shape)).count();
    let letters = shape
        .what
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' });
    let letters: String = letters.collect();
    let name = letters.split_whitespace().collect::<Vec<_>>().join("-");
    let name = if name.is_empty() {
        "nothing-more".to_owned()
    } else {
        name
    };
    match at {
        0 => name,
        at => format!("{name}-{}", at + 1),
    }
}

/// The types of a schema that says nothing but a type and what a text of it looks like.
fn kinds(schema: &Value) -> Option<Vec<String>> {
    let kinds = match schema.get("type")? {
        Value::String(kind) => vec![kind.clone()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return None,
    };
    let plain = kinds.iter().all(|kind| kind != "array" && kind != "object");
    plain.then_some(kinds)
}

/// What is a text for us, whatever it looks like.
const SCALAR: [&str; 3] = ["string", "number", "boolean"];

/// A text that holds a variable.
const VARIABLE: &str = r"\$\{";

/// Adds what it does and an example to a schema.
fn describe(schema: &mut Value, about: &str, form: &Form, example: &str) {
    let mut text = plain(about);
    if let Some(words) = words(form) {
        text += &format!(" ({words})");
    }
    schema["description"] = text.into();
    if let Some(example) = value_of(example) {
        schema["examples"] = json!([example]);
    }
}

/// What a value is, where a schema cannot say it.
fn words(form: &Form) -> Option<String> {
    match form {
        Form::Like(like) => Some(plain(like.what)),
        Form::Duration => Some("a duration such as 90s, 15m, 2h or 3d".to_owned()),
        Form::Template => Some("a text with templates".to_owned()),
        Form::Condition => Some("an expression".to_owned()),
        _ => None,
    }
}

/// The value of an example, which is a line `key: value`.
pub fn value_of(example: &str) -> Option<Value> {
    let node = yaml::parse("example", example, &mut Report::new())?;
    node.entries().first().map(|(_, value)| value.value())
}

/// A text without the marks of code: editors show it as it is.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// Lets a schema take nothing as well.
fn allow_null(schema: &mut Value) {
    let takes = |schema: &Value| {
        let null = |kind: &Value| kind == "null" || kind.as_array().is_some_and(|kinds| kinds.contains(&"null".into()));
        schema.as_object().is_some_and(Map::is_empty)
            || schema.get("$ref").is_some()
            || schema.get("type").is_some_and(null)
    };
    if takes(schema) {
        return;
    }
    match schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        Some(forms) if forms.iter().any(takes) => {}
        Some(forms) => forms.push(json!({"type": "null"})),
        None => {
            if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                words.push(Value::Null);
            }
            match schema.get("type").cloned() {
                Some(Value::Array(mut kinds)) => {
                    kinds.push("null".into());
                    schema["type"] = kinds.into();
                }
                Some(kind) => schema["type"] = json!([kind, "null"]),
                None => {}
            }
        }
    }
}

/// Has a schema refuse nothing: settings take it, because `key:` with nothing behind it is what one begins with.
fn refuse_null(schema: &mut Value) {
    let settings = |schema: &Value| schema.get("$ref").is_some();
    let any = schema.get("anyOf").and_then(Value::as_array);
    if settings(schema)
        || any.is_some_and(|forms| forms.iter().any(settings))
        || schema.as_object().is_some_and(Map::is_empty)
    {
        let inner = schema.clone();
        *schema = json!({"allOf": [inner, {"not": {"type": "null"}}]});
    }
}

/// A pattern for a word in any case.
fn any_case(word: &str) -> String {
    let both = |c: char| match c.is_ascii_alphabetic() {
        true => format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase()),
        false => c.to_string(),
    };
    word.chars().map(both).collect()
}
