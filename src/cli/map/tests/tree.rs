//! Places and their paths.

use serde_json::{Value, json};

use crate::cli::map::tree::{Tree, shown};

fn paths(body: &Value) -> Vec<(String, String)> {
    let tree = Tree::of([body]);
    tree.places.iter().map(|place| (place.path(), place.shown())).collect()
}

#[test]
fn every_place_has_its_path() {
    let body = json!({
        "a": 1, "guest-name": "Ana", "it's": [], "n": null, "é": 2,
        "nights": [{"date": "x", "p": 1}, {"date": "y", "p": 1}, {"date": "z", "q": 1}],
        "unlike": [{"a": 1}, {"b": 2}], "texts": ["x", "x"],
    });
    let expected = [
        ("$.a", "1"),
        ("$['guest-name']", "\"Ana\""),
        ("$['it\\'s']", "[]"),
        ("$.n", "null"),
        ("$.nights[*].date", "\"x\", \"y\", \"z\"  (3 times)"),
        ("$.nights[*].p", "1  (2 times)"),
        ("$.nights[*].q", "1"),
        ("$.texts[*]", "\"x\"  (2 times)"),
        ("$.unlike[*].a", "1"),
        ("$.unlike[*].b", "2"),
        ("$['é']", "2"),
    ];
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    assert_eq!(paths(&body), expected);
}

#[test]
fn what_is_large_is_bounded_and_said() {
    let wide: Value = (0..1000)
        .map(|n| (format!("k{n:04}"), json!(n)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let tree = Tree::of([&wide]);
    assert_eq!((tree.places.len(), tree.left_out), (60, 940));
    let mut deep = json!("x");
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    assert_eq!(Tree::of([&deep]).places.len(), 1);
    let long = shown(&json!("é".repeat(500)));
    assert!(long.contains("… (502 characters)"), "{long}");
}
