//! One source as text, value, HTML, address and condition, and the names it reads.

use serde_json::json;

use super::stay;
use crate::lang::template::{Condition, Format, Template};

#[test]
fn a_single_expression_keeps_its_type() {
    let value = |source: &str| Template::compile(source, Format::Text).unwrap().value(&stay()).unwrap();
    assert_eq!(value(" {{ reservation.guests }}\n").value, json!(3));
    assert_eq!(value("{{ reservation.total }}").value.to_string(), "1003.20");
    assert_eq!(value("{{ amounts.huge }}").value.to_string(), "1e+400");
    assert_eq!(value("{{ reservation.labels }}").value, json!(["vip", "late"]));
    assert_eq!(value("{{ reservation.pets }}").value, json!(null));
    assert_eq!(value("{{ reservation.pets }}").missing, ["reservation.pets"]);
    assert_eq!(value("{{ reservation.guests > 2 }}").value, json!(true));
    assert_eq!(value("{{ reservation.guests }}x").value, json!("3x"));
    assert_eq!(value("3").value, json!("3"));
}

#[test]
fn html_is_escaped_once() {
    let html = |source: &str| {
        Template::compile(source, Format::Html)
            .unwrap()
            .text(&stay())
            .unwrap()
            .value
    };
    assert_eq!(html("<p>{{ property.vars.html }}</p>"), "<p>&lt;b&gt;</p>");
    assert_eq!(
        html("{% set x %}<i>{{ property.vars.html }}</i>{% endset %}{{ x }}"),
        "<i>&lt;b&gt;</i>"
    );
}

#[test]
fn an_address_takes_values_as_segments() {
    let url = |source: &str| {
        let rendered = Template::compile(source, Format::Text).unwrap().url(&stay());
        rendered.map_or_else(|error| format!("! {}", error.message), |rendered| rendered.value)
    };
    assert_eq!(
        url("/t/{{ reservation.guest.name }}?q={{ 'a/b?c&d' }}"),
        "/t/Zo%C3%AB%20M%C3%BCller?q=a%2Fb%3Fc%26d"
    );
    assert_eq!(
        url("{% set x %}{{ 'a b' }}{% endset %}/{{ x }}/{{ 'a b' | urlencode }}"),
        "/a%20b/a%20b"
    );
    for bad in [
        "/{{ '..' }}",
        "/a/../b",
        "/%2e%2E/x",
        "/.{{ '.' }}/",
        "/a\\..\\b",
        "/.\t./",
        "/%2{{ 'e' }}/b",
    ] {
        assert!(url(bad).starts_with('!'), "{bad} {}", url(bad));
    }
    assert_eq!(url("/a?x=.."), "/a?x=..");
    assert_eq!(url("/{{ '...' }}"), "/...");
}

#[test]
fn names_are_found_wherever_they_are_read() {
    let names = |source: &str| {
        let template = Template::compile(source, Format::Text).unwrap();
        template
            .names()
            .iter()
            .map(|n| format!("{}@{}:{}", n.path, n.line, n.column))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names("a {{ reservation.guest.email }}"), "reservation.guest.email@1:6");
    assert_eq!(
        names(
            "{{ a.b | default(c.d) }}\n{% for p in e.list if p.x == f %}{{ p.y ~ loop.index }}{{ g[h.i].j }}{% endfor %}"
        ),
        "a.b@1:4 c.d@1:18 e.list@2:13 f@2:30 h.i@2:61 g@2:59"
    );
    assert_eq!(
        names("{% set x = a %}{{ x }}{{ b['c d'][0].e }}"),
        "a@1:12 b[\"c d\"][0].e@1:26"
    );
    let constant = |source: &str| Template::compile(source, Format::Text).unwrap().is_constant();
    assert!(constant("") && constant("a\n{ } %") && !constant("{{ 1 }}") && !constant("{% if 1 %}{% endif %}"));
}

#[test]
fn a_condition_says_what_it_saw() {
    let holds = |source: &str| Condition::compile(source).unwrap().holds(&stay()).unwrap();
    let verdict = holds("reservation.guests > 2 and not property.vars.self_clean and reservation.pets > 0");
    assert!(!verdict.held);
    let saw: Vec<_> = verdict
        .saw
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        saw,
        [
            ("reservation.guests", "3"),
            ("property.vars.self_clean", "false"),
            ("reservation.pets", "not sent")
        ]
    );
    assert!(holds("{{ reservation.guests > 2 }}").held);
    assert!(holds(" {{- reservation.guests > 2 -}} ").held);
    assert!(holds("property.vars.cleaner is not known").held);
    let condition = Condition::compile("{{ reservation.gest }}").unwrap();
    assert_eq!((condition.names()[0].line, condition.names()[0].column), (1, 4));
    assert_eq!(condition.holds(&stay()).unwrap_err().column, 4);
    let help = Condition::compile("{{ reservation.pets }} and {{ reservation.guests }}")
        .unwrap_err()
        .help;
    assert_eq!(help.as_deref(), Some("a condition is written without `{{ }}`"));
    assert!(Condition::compile("").is_err() && Condition::compile("a b").is_err());
}

#[test]
fn templates_are_shared_between_tasks() {
    fn shared<T: Clone + Send + Sync>() {}
    shared::<Template>();
    shared::<Condition>();
    shared::<crate::lang::template::Context>();
}
