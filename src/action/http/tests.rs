#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

use serde_json::json;

use super::*;
use crate::lang::yaml;

fn compile(settings: &str) -> (Option<Arc<dyn Effect>>, String) {
    let mut report = Report::new();
    let node = yaml::parse("r.yaml", settings, &mut report).unwrap();
    let effect = Http.compile(&node, &mut report);
    let said: Vec<_> = report.items.iter().map(|item| item.title.clone()).collect();
    (effect, said.join("; "))
}

fn render(settings: &str, values: Value) -> Result<(Value, Vec<String>), String> {
    let (effect, said) = compile(settings);
    let effect = effect.unwrap_or_else(|| panic!("{settings}: {said}"));
    match effect.render("cleaning", &Context::new(values, &["v"])) {
        Ok(Rendering::Ready(prepared)) => {
            assert_eq!(
                (prepared.kind.as_str(), prepared.connection.as_str()),
                ("http", "cleaning")
            );
            Ok((prepared.request, prepared.missing))
        }
        Ok(Rendering::Skip(why)) => Err(why),
        Err(error) => Err(error.message),
    }
}

#[test]
fn mistakes_are_found_when_the_recipe_is_read() {
    for (settings, said) in [
        ("{}", "an `http` step needs `url`"),
        (
            "{url: /x, method: TRACE}",
            "`method` is one of `GET`, `POST`, `PUT`, `PATCH` or `DELETE`",
        ),
        (
            "url: https://evil.example/x",
            "`url` is a path below the connection's `base_url`, never a complete address",
        ),
        (
            "url: //evil.example/x",
            "`url` is a path below the connection's `base_url`, never a complete address",
        ),
        ("url: /a/../b", "`url` holds `.` or `..` as a part of its path"),
        (r"url: /a\b", "`url` holds a backslash"),
        (
            "{url: /x, json: {}, text: a}",
            "a request has one body: `json`, `form` or `text`",
        ),
        ("{url: /x, content_type: text/csv}", "`content_type` goes with `text`"),
        (
            "{url: /x, headers: {Host: a}}",
            "the header `Host` is set by Stayhook itself",
        ),
        (
            "{url: /x, headers: {content-length: 1}}",
            "the header `content-length` is set by Stayhook itself",
        ),
        (
            "{url: /x, headers: {Transfer-Encoding: a}}",
            "the header `Transfer-Encoding` is set by Stayhook itself",
        ),
        (
            "{url: /x, headers: {Authorization: Bearer abc}}",
            "a recipe holds no credentials",
        ),
        ("{url: /x, headers: {'a b': c}}", "`a b` is no name of a header"),
        (
            "{url: /x, headers: {X-A: a, x-a: b}}",
            "the header `x-a` is there twice",
        ),
        ("{url: /x, bodyy: a}", "an `http` step has no setting called `bodyy`"),
        ("{url: [a]}", "`url` is a text, this is a list"),
    ] {
        let (effect, found) = compile(settings);
        assert!(effect.is_none() && found == said, "{settings}: {found}");
    }
    assert!(compile("{url: '/x/{{ a', json: 1}").1.contains("is not closed"));
}

#[test]
fn requests_keep_types_and_nothing_of_the_connection() {
    let settings = "
connection: cleaning
method: PUT
url: /tasks/{{ v.code }}
query: {at: '{{ v.at }}', none: '{{ v.none }}'}
headers: {X-Guest: 'Guest {{ v.code }}'}
json: {guests: '{{ v.guests }}', text: 'for {{ v.guests }}', fixed: 3, '{{ key }}': [true, ~, '{{ v.none }}']}
succeeds_if: {status: 2xx, body: {$.ok: true}}
output: {id: $.task.id}
";
    let (request, missing) = render(
        settings,
        json!({"v": {"code": "HM 1/2", "at": "15:00", "guests": 4, "none": null}}),
    )
    .unwrap();
    assert_eq!(
        request,
        json!({
            "method": "PUT",
            "url": "/tasks/HM%201%2F2?at=15%3A00",
            "headers": {"X-Guest": "Guest HM 1/2"},
            "json": {"guests": 4, "text": "for 4", "fixed": 3, "{{ key }}": [true, null, null]},
            "answer": {"status": ["2xx"], "body": {"$.ok": true}, "output": {"id": "$.task.id"}},
        })
    );
    assert_eq!(missing, ["v.none"]);
    let effect = compile(settings).0.unwrap();
    let names: Vec<_> = effect
        .names()
        .into_iter()
        .map(|(name, place)| format!("{} {}:{}", name.path, place.line, place.column))
        .collect();
    assert_eq!(names[0], "v.code 4:16");
    assert_eq!((names.len(), effect.connection()), (7, Some("cleaning")));
}

#[test]
fn hostile_values_stay_values() {
    for hostile in [
        "../../users/1?x=",
        "..",
        ".",
        "//evil.example",
        "a/b?c=d&e#f",
        "\"><script>",
        "{{ 7*7 }}",
        "{% raw %}",
        "a\r\nBcc: x",
        "a\\b",
        "ü😀",
        "%2e%2e",
        "\0",
    ] {
        let values = json!({"v": {"x": hostile}});
        let url = render("{url: '/t/{{ v.x }}/end'}", values.clone());
        match hostile {
            "." | ".." => assert!(url.is_err(), "{hostile}"),
            _ => {
                let url = url.unwrap().0["url"].as_str().unwrap().to_owned();
                let inner = url
                    .strip_prefix("/t/")
                    .and_then(|url| url.strip_suffix("/end"))
                    .unwrap();
                assert!(
                    inner.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%".contains(c)),
                    "{hostile:?} became {url}"
                );
            }
        }
        let query = render("{url: /t, query: {q: '{{ v.x }}'}}", values.clone()).unwrap().0;
        let query = query["url"].as_str().unwrap().strip_prefix("/t?q=").unwrap();
        assert!(
            query.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%".contains(c)),
            "{query}"
        );

        let header = render("{url: /t, headers: {X-A: '{{ v.x }}'}}", values.clone());
        match hostile {
            "\0" => assert!(header.is_err()),
            _ => {
                let line = crate::lang::line::one_line(hostile).unwrap();
                assert_eq!(header.unwrap().0["headers"]["X-A"], line, "{hostile:?}");
            }
        }

        let json = render("{url: /t, json: {a: '{{ v.x }}', b: 'x {{ v.x }}'}}", values.clone())
            .unwrap()
            .0;
        assert_eq!(json["json"], json!({"a": hostile, "b": format!("x {hostile}")}));

        let form = render("{url: /t, form: {'a[b]': '{{ v.x }}'}}", values.clone())
            .unwrap()
            .0;
        assert_eq!(form["form"], json!({"a[b]": hostile}));

        let text = render("{url: /t, text: '{{ v.x }}', content_type: text/csv}", values)
            .unwrap()
            .0;
        assert_eq!(
            (&text["text"], &text["content_type"]),
            (&json!(hostile), &json!("text/csv"))
        );
    }
}

#[test]
fn a_value_never_becomes_the_whole_address() {
    for hostile in ["https://evil.example/", "//evil.example/x", "/../x", "\\\\evil.example"] {
        let url = render("{url: '{{ v.x }}'}", json!({"v": {"x": hostile}})).unwrap().0;
        let url = url["url"].as_str().unwrap();
        let base = crate::outbound::Url::parse("https://api.example.com/v1").unwrap();
        let target = path::below(&base, url).unwrap();
        assert_eq!(target.host_str(), Some("api.example.com"), "{hostile}");
        assert!(target.path().starts_with("/v1/"), "{hostile}: {target}");
    }
}
