//! What an `http` step may say.

use crate::lang::shape::{EMPTY, Form, More, Own, Rule, Shape, key};

use super::judge;

/// The methods a step may name.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// An `http` step.
pub(super) static SHAPE: Shape = Shape {
    what: "an `http` step",
    about: "One request over an `http` connection.",
    keys: &[
        key(
            "connection",
            Form::Text,
            "The name of a connection in the configuration; may be left out where only one fits.",
            "connection: cleaning",
        ),
        key(
            "method",
            Form::Word(METHODS),
            "What kind of request it is; `POST` where nothing is said.",
            "method: PUT",
        ),
        key(
            "url",
            Form::Template,
            "The path below the connection's `base_url`. What templates fill in is encoded.",
            "url: /tasks/{{ reservation.key }}",
        )
        .needed(),
        key(
            "query",
            Form::Settings(&QUERY),
            "What stands behind the `?`.",
            "query: {notify: \"true\"}",
        ),
        key(
            "headers",
            Form::Settings(&HEADERS),
            "Headers of this request. Credentials stand with the connection, never here.",
            "headers: {X-Request: \"{{ run.key }}\"}",
        ),
        key(
            "json",
            Form::Anything,
            "A body of JSON. A text that is one single expression keeps the type of its value.",
            "json: {starts: \"{{ reservation.check_out }}\", guests: \"{{ reservation.guests }}\"}",
        ),
        key(
            "form",
            Form::Settings(&FORM),
            "A body of form fields.",
            "form: {name: \"{{ reservation.guest.name }}\"}",
        ),
        key(
            "text",
            Form::Template,
            "A body of text.",
            "text: \"{{ reservation.code }} has moved\"",
        ),
        key(
            "content_type",
            Form::Text,
            "What the `text` is; plain text where nothing is said.",
            "content_type: text/csv",
        ),
    ],
    also: &[&judge::SHAPE],
    rules: &[Rule::AtMostOne(&["json", "form", "text"])],
    ..EMPTY
};

static QUERY: Shape = Shape {
    what: "`query`",
    about: "What stands behind the `?` of an address. An entry without a value is left out.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "",
        form: Form::Template,
        about: "A value; it is encoded.",
        example: "date: \"{{ reservation.check_out_date }}\"",
    })],
    ..EMPTY
};

static HEADERS: Shape = Shape {
    what: "`headers`",
    about: "Headers of a request. An entry without a value is left out.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "",
        form: Form::Template,
        about: "The value of a header.",
        example: "X-Request: \"{{ run.key }}\"",
    })],
    ..EMPTY
};

static FORM: Shape = Shape {
    what: "`form`",
    about: "The fields of a form. An entry without a value is left out.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "",
        form: Form::Template,
        about: "The value of a field.",
        example: "name: \"{{ reservation.guest.name }}\"",
    })],
    ..EMPTY
};
