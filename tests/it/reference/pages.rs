//! The pages of `docs/reference` and the schemas beside them, made from the same declarations that files are read
//! against. A test holds the files against this, and writes them when it is told to.

use std::fmt::Write as _;

use stayhook::config::CONFIG;
use stayhook::lang::shape::Shape;
use stayhook::lang::shape::schema::Language;
use stayhook::lang::template::{FILTERS, FilterKind};
use stayhook::model::event::EVENTS;
use stayhook::model::field::{DERIVED, FIELDS, Field, MESSAGE, PAYMENT};
use stayhook::recipe::{EVENT_WORDS, RECIPE, ROOT_WORDS, RUN_WORDS, STAY_WORDS, Word};
use stayhook::source::SOURCE;

use stayhook::cli::schema::{self, File};
use stayhook::cli::test::TEST;

use super::senders;
use super::shapes::{cell, sections};

/// Every page: its path below `docs/reference`, and its text.
pub fn all() -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = vec![
        ("recipe.md".to_owned(), recipe()),
        ("configuration.md".to_owned(), configuration()),
        ("source.md".to_owned(), source()),
        ("test.md".to_owned(), test()),
        ("words.md".to_owned(), words()),
        ("filters.md".to_owned(), filters()),
        ("events.md".to_owned(), events()),
    ];
    pages.extend(senders::pages());
    for file in File::ALL {
        pages.push((format!("schema/{}.json", file.word()), schema::text(file)));
    }
    pages
}

fn page(title: &str, about: &str, root: &'static Shape, elsewhere: &[(&'static Shape, &str)]) -> String {
    let actions = schema::actions();
    let language = Language {
        actions: &actions,
        variables: false,
    };
    format!("# {title}\n\n{about}\n{}", sections(root, language, elsewhere))
}

fn recipe() -> String {
    page(
        "Recipes",
        "Every key of a recipe. A text in an action is a template: `{{ … }}` is filled in with the [words](words.md) of the \
         stay, through [filters](filters.md) where you like. `stayhook check` says what is wrong with a recipe, and \
         `stayhook schema recipe` prints a schema by which an editor completes and checks it.",
        &RECIPE,
        &[],
    )
}

fn configuration() -> String {
    page(
        "The configuration",
        "Every key of the configuration. `config.example.yaml` has all of them in one file. `stayhook check` says what is \
         wrong, and `stayhook schema config` prints a schema for editors.",
        &CONFIG,
        &[(&SOURCE, "source.md")],
    )
}

fn source() -> String {
    page(
        "Sources and presets",
        "Every key of an entry of `sources` and of the file of a preset. `$` is the body, `$.guest.email` a place in it \
         (JSONPath), `header.X-Name` a header. `stayhook preview` shows what is read from a payload, and `stayhook schema \
         source` prints a schema for presets.",
        &SOURCE,
        &[],
    )
}

fn test() -> String {
    page(
        "Recipe tests",
        "Every key of a recipe test. The command that runs them is not in this version yet; `stayhook schema test` prints a \
         schema for editors.",
        &TEST,
        &[(&stayhook::config::PROPERTIES, "configuration.md#properties")],
    )
}

fn words() -> String {
    let mut out =
        "# The words of templates\n\nWhat `{{ … }}` and `when` may name. What was not sent has no value: in a \
                   text it is empty, comparisons with it are false, and `is known` asks for it.\n"
            .to_owned();
    named(&mut out, "What names begin with", "", ROOT_WORDS);
    let how = "as `reservation.…`, `previous.…` and `stay.…`; `property.…` alone too, and in `match` without anything before it";
    fields(&mut out, "reservation", "The stay", how, DERIVED.iter().chain(FIELDS));
    let _ = writeln!(
        out,
        "\n`property.vars.…` are the property's own values from the configuration. `changes.FIELD.from` and \
         `changes.FIELD.to` are what a field was and is, for every field above."
    );
    named(&mut out, "The stay's neighbours", "stay.", STAY_WORDS);
    let how = "where the event is about one";
    fields(&mut out, "payment", "The payment", how, PAYMENT);
    fields(&mut out, "message", "The message", how, MESSAGE);
    named(&mut out, "The event", "event.", EVENT_WORDS);
    named(&mut out, "The run", "run.", RUN_WORDS);
    out
}

fn named(out: &mut String, title: &str, before: &str, words: &[Word]) {
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        "\n## {title}\n\n| word | what it is | example |\n| --- | --- | --- |"
    );
    for word in words {
        let example = match word.later {
            true => "not in this version yet".to_owned(),
            false => format!("`{}`", cell(word.example)),
        };
        let _ = writeln!(out, "| `{before}{}` | {} | {example} |", word.name, cell(word.about));
    }
}

fn fields<'f>(out: &mut String, anchor: &str, title: &str, how: &str, fields: impl IntoIterator<Item = &'f Field>) {
    let _ = writeln!(
        out,
        "\n<a id=\"{anchor}\"></a>\n\n## {title}\n\nWritten {how}.\n\n| name | holds | what it is | such as |\n| --- | --- | --- | --- |"
    );
    for field in fields {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | `{}` |",
            field.name,
            field.kind.words(),
            cell(field.about),
            cell(field.example)
        );
    }
}

fn filters() -> String {
    let mut out =
        "# Filters, functions and tests\n\nAll that templates can do with a value; there are no others. A value \
                   that was not sent goes through a filter as it is, unless the filter is for that.\n"
            .to_owned();
    for (kind, title, about) in [
        (
            FilterKind::Filter,
            "Filters",
            "Written `{{ value | filter }}`, one after the other where you like.",
        ),
        (FilterKind::Function, "Functions", "Written `{{ function(…) }}`."),
        (
            FilterKind::Test,
            "Tests",
            "Written `value is test` or `value is not test`, in `when` and in `{% if … %}`.",
        ),
    ] {
        let _ = writeln!(
            out,
            "\n## {title}\n\n{about}\n\n| name | what it does | example | gives |\n| --- | --- | --- | --- |"
        );
        for doc in FILTERS.iter().filter(|doc| doc.kind == kind) {
            let _ = writeln!(
                out,
                "| `{}` | {} | `{}` | `{}` |",
                doc.name,
                cell(doc.summary),
                cell(doc.example),
                cell(doc.gives)
            );
        }
    }
    out
}

fn events() -> String {
    let mut out =
        "# Events\n\nWhat a recipe can wait for: `on: {event: reservation.confirmed}`. Several types may hold for \
                   one event; it starts a recipe once at the most. What each sender can cause is the `emits` of its \
                   preset.\n\n| type | when |\n| --- | --- |\n"
            .to_owned();
    for event in EVENTS {
        let _ = writeln!(out, "| `{}` | {} |", event.name, cell(event.about));
    }
    let _ = writeln!(
        out,
        "| `other.…` | The sender names a type of its own; the rest is the sender's word. |"
    );
    out += "\nWhat a clock starts is no event of a sender; `event.type` says which clock it was:\n\n\
            | `event.type` | of an entry of `on` |\n| --- | --- |\n\
            | `stay.check_in`, `stay.check_out`, `stay.created` | `{stay: check_in, …}`, `{stay: check_out, …}`, `{stay: created, …}` |\n\
            | `stay.status` | `{status: …, for: …}` |\n\
            | `schedule` | `{schedule: …}` |\n";
    out
}
