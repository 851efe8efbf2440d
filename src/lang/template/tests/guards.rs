//! Which names are asked for before they are used.

use super::super::{Condition, Format, Template};

#[test]
fn uses_without_a_question_are_found() {
    for (source, guarded) in [
        ("{{ v.x }}", false),
        ("{{ v.x | upper }}", false),
        ("{{ v.x | required }}", false),
        ("{{ v.x | default('') }}", true),
        ("{{ v.x | default('') | upper }}", true),
        ("{{ v.x or 'nobody' }}", true),
        ("{{ 'a' if v.x is known }}", true),
        ("{{ v.x if v.x is known else 'nobody' }}", true),
        ("{{ 'nobody' if v.x is none else v.x }}", true),
        ("{{ 'nobody' if not v.x else v.x }}", true),
        ("{{ v.x if v.y is known }}", false),
        ("{% if v.x %}{{ v.x }}{% endif %}", true),
        ("{% if v.x %}a{% else %}{{ v.x }}{% endif %}", false),
        ("{% if v.x and v.y > 2 %}{{ v.x }}{% endif %}", true),
        ("{% if v.x or v.y %}{{ v.x }}{% endif %}", false),
        ("{% if v.x > 2 %}{{ v.x }}{% endif %}", false),
        ("{% if v.x != none %}{{ v.x }}{% endif %}", true),
        ("{% if v.x == none %}{{ v.x }}{% endif %}", false),
        ("{% if v.x %}{{ v.x }}{% endif %}{{ v.x }}", false),
    ] {
        let template = Template::compile(source, Format::Text).unwrap();
        let name = template.names().iter().find(|name| name.path == "v.x").unwrap();
        assert_eq!(name.guarded, guarded, "{source}");
    }
}

#[test]
fn the_place_is_that_of_the_use_without_a_question() {
    let template = Template::compile("{% if v.x %}a{% endif %}\n{{ v.x }}", Format::Text).unwrap();
    let name = &template.names()[0];
    assert_eq!((name.line, name.column), (2, 4));
}

#[test]
fn what_is_known_where_a_condition_holds() {
    for (source, known) in [
        ("v.x", "v.x"),
        ("v.x is known and v.y > 2", "v.x v.y"),
        ("v.x is known or v.y > 2", ""),
        ("not v.x is none", "v.x"),
        ("not v.x", ""),
        ("not (v.x is none or not v.y)", "v.x v.y"),
        ("v.x is none", ""),
        ("v.x == none", ""),
    ] {
        let condition = Condition::compile(source).unwrap();
        assert_eq!(condition.known().join(" "), known, "{source}");
    }
}
