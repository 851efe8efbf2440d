//! What recipe tests (`NAME.test.yaml` beside `NAME.yaml`) may say. Editors check them by it already; the command that
//! runs them is to read against it.

use crate::config::PROPERTIES;
use crate::lang::shape::{EMPTY, Entry, Form, Like, More, Own, Rule, Shape, key};
use crate::model::field::{DERIVED, FIELDS, STATUSES, STAY_KINDS};

/// A file of recipe tests.
pub static TEST: Shape = Shape {
    what: "a recipe test",
    about: "A file `NAME.test.yaml` beside the recipe `NAME.yaml`: what happens, and what the recipe is to do about it. \
            Times without a zone are the property's.",
    keys: &[
        key(
            "properties",
            Form::Settings(&PROPERTIES),
            "The properties that the cases speak of, as in the configuration.",
            "properties: {brannan: {match: [1], timezone: America/Los_Angeles}}",
        ),
        key(
            "cases",
            Form::List(&Form::Settings(&CASE)),
            "The cases.",
            "cases: [{name: nothing happens, given: [], expect: nothing}]",
        )
        .needed(),
    ],
    ..EMPTY
};

static CASE: Shape = Shape {
    what: "a case",
    about: "What happens, and what the recipe is to do about it.",
    keys: &[
        key(
            "name",
            Form::Text,
            "What it shows.",
            "name: moving the dates tells the cleaner once",
        )
        .needed(),
        key(
            "given",
            Form::Several(&Form::Settings(&GIVEN)),
            "What happens, in order.",
            "given: [{at: 2026-03-01 09:00, stay: {property: brannan, status: confirmed}}]",
        )
        .needed(),
        key(
            "until",
            MOMENT,
            "How long the clock runs on after that.",
            "until: 2026-05-01",
        ),
        key(
            "answer",
            Form::Several(&Form::Settings(&ANSWER)),
            "What the targets answer; where nothing is said, what `succeeds_if` asks for.",
            "answer: [{http: {url: \"*/tasks/*\", status: 200, json: {ok: true}}}]",
        ),
        key(
            "expect",
            Form::Either(&[Form::Word(&["nothing"]), Form::Several(&Form::Settings(&EXPECTED))]),
            "All that is to be sent, in order; `nothing` for nothing.",
            "expect: [{at: 2026-03-02 09:00, email: {to: ana@example.com}}]",
        )
        .needed(),
    ],
    ..EMPTY
};

const MOMENT: Form = Form::Like(&Like {
    what: "a date, perhaps with a time and a zone",
    pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}",
    numbers: false,
});

static GIVEN: Shape = Shape {
    what: "an entry of `given`",
    about: "Something that happens: a stay, a change of it, or a body as a sender sends it.",
    keys: &[
        key("at", MOMENT, "When.", "at: 2026-03-01 09:00").needed(),
        key(
            "stay",
            Form::Settings(&STAY),
            "A stay as it is then.",
            "stay: {property: brannan, status: confirmed, check_in: 2026-04-09 15:00}",
        ),
        key(
            "change",
            Form::Settings(&STAY),
            "What is another one now, of the stay before.",
            "change: {check_out: 2026-04-13 11:00}",
        ),
        key(
            "source",
            Form::Text,
            "The source that the body of `file` comes from.",
            "source: hospitable",
        ),
        key(
            "file",
            Form::Text,
            "A file with a body.",
            "file: fixtures/accepted.json",
        ),
        key(
            "with",
            Form::Settings(&WITH),
            "What is another one in that body.",
            "with: {$.checkout_time: 2026-04-13T11:00:00-07:00}",
        ),
    ],
    rules: &[
        Rule::One(&["stay", "change", "file"]),
        Rule::Together(&["source", "file"]),
    ],
    ..EMPTY
};

static WITH: Shape = Shape {
    what: "`with`",
    about: "Paths into a body and what stands there instead.",
    more: &[More::Own(&Own {
        name: "$.path",
        pattern: r"^\$",
        form: Form::Anything,
        about: "What stands there.",
        example: "$.guests: 3",
    })],
    ..EMPTY
};

static STAY: Shape = Shape {
    what: "a stay in a test",
    about: "Our names and their values.",
    keys: &[
        key("status", Form::Word(STATUSES), "The status.", "status: confirmed"),
        key("kind", Form::Word(STAY_KINDS), "Whose stay it is.", "kind: owner"),
        key("property", Form::Text, "The key of a property.", "property: brannan"),
        key(
            "guest",
            Form::Settings(&GUEST),
            "The guest.",
            "guest: {first_name: Ana}",
        ),
        key(
            "money",
            Form::Settings(&MONEY),
            "The amounts.",
            "money: {total: 812.00, currency: EUR}",
        ),
    ],
    more: &[More::Each(|| values(""), "words.md")],
    ..EMPTY
};

static GUEST: Shape = Shape {
    what: "`guest`",
    about: "The guest.",
    more: &[More::Each(|| values("guest"), "words.md")],
    ..EMPTY
};

static MONEY: Shape = Shape {
    what: "`money`",
    about: "The amounts.",
    more: &[More::Each(|| values("money"), "words.md")],
    ..EMPTY
};

static ANSWER: Shape = Shape {
    what: "an entry of `answer`",
    about: "What a target answers.",
    keys: &[key(
        "http",
        Form::Settings(&HTTP_ANSWER),
        "To an `http` step.",
        "http: {url: \"*/tasks/*\", status: 200, json: {ok: true}}",
    )
    .needed()],
    ..EMPTY
};

static HTTP_ANSWER: Shape = Shape {
    what: "an answer to an `http` step",
    about: "To which requests, and what.",
    keys: &[
        key("method", Form::Text, "Only to this method.", "method: PUT"),
        key(
            "url",
            Form::Text,
            "Only to this address; `*` stands for anything.",
            "url: \"*/tasks/*\"",
        ),
        key(
            "status",
            Form::Count(100, 599),
            "The status; 200 where nothing is said.",
            "status: 404",
        ),
        key("json", Form::Anything, "The body.", "json: {ok: true, task: {id: 7}}"),
    ],
    ..EMPTY
};

static EXPECTED: Shape = Shape {
    what: "an entry of `expect`",
    about: "Something that is to be sent: what it says has to be there, what it leaves out may be anything. `*` stands for anything.",
    keys: &[key("at", MOMENT, "When.", "at: 2026-03-02 09:00")],
    more: &[More::Rendered],
    rules: &[Rule::OneAction],
    ..EMPTY
};

fn values(group: &str) -> Vec<Entry> {
    let words = ["status", "kind"];
    let all = FIELDS.iter().chain(DERIVED).filter(|field| field.split().0 == group);
    let free = all.filter(|field| !words.contains(&field.name));
    free.map(|field| key(field.split().1, Form::Anything, field.about, ""))
        .collect()
}
