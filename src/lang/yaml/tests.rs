//! What YAML means here, and what is said about what it cannot mean.

use super::*;

fn read(text: &str) -> Value {
    let mut report = Report::new();
    let node = parse("f.yaml", text, &mut report);
    assert!(!report.has_mistakes(), "{}", report.render(|_| None));
    node.map(|node| node.value()).unwrap_or_default()
}

fn mistakes(text: &str) -> String {
    let mut report = Report::new();
    parse("f.yaml", text, &mut report);
    report
        .items
        .iter()
        .map(|item| item.title.clone())
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn what_looks_like_a_number_is_one_only_if_nothing_is_lost() {
    assert_eq!(
        read("[1, -2, 1.50, 0042, +1555, NO, 10:00, true, \"1\", ~, 1e3]").to_string(),
        r#"[1,-2,1.50,"0042","+1555","NO","10:00",true,"1",null,"1e3"]"#
    );
}

#[test]
fn places_are_those_of_keys_and_values() {
    let node = parse("f.yaml", "a:\n  bc: |\n    one\n    {{ two }}\n", &mut Report::new()).unwrap();
    let (key, inner) = &node.entries()[0].1.entries()[0];
    assert_eq!((key.place.line, key.place.column), (2, 3));
    let place = inner.place_inside(2, 4);
    assert_eq!((place.line, place.column), (4, 8));
}

#[test]
fn a_place_in_a_block_is_that_of_its_line_in_the_file() {
    let place = |text: &str, line: usize, column: usize| {
        let node = parse("f.yaml", text, &mut Report::new()).unwrap();
        let place = node.entries()[0].1.place_inside(line, column);
        (place.line, place.column)
    };
    for (text, line, column, there) in [
        ("a: |\n  one\n  two\n", 1, 2, (2, 4)),
        ("a: |\n  one\n  two\n", 2, 1, (3, 3)),
        ("a: |\n\n  one\n  two\n", 2, 1, (3, 3)),
        ("a: |\n\n  one\n  two\n", 3, 3, (4, 5)),
        ("a: |\n\n\n  one\n", 1, 1, (2, 1)),
        ("a: |\n\n  one", 9, 9, (3, 6)),
    ] {
        assert_eq!(place(text, line, column), there, "{text:?}");
    }
}

#[test]
fn duplicate_keys_and_bombs_are_mistakes() {
    assert!(mistakes("a: 1\nb: 2\na: 3").contains("`a` is there twice, first in line 1"));
    let mut bomb = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
    for n in 1..9 {
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(","));
    }
    assert!(mistakes(&bomb).contains("too large"));
    assert!(mistakes(&"[".repeat(5000)).contains("too deeply nested"));
}

/// The place and the words of everything that is said about a text.
fn said(text: &str) -> Vec<String> {
    let mut report = Report::new();
    parse("f.yaml", text, &mut report);
    let items = report.items.iter().map(|item| {
        let place = item.place.clone().unwrap();
        let help = item.help.clone().unwrap_or_default();
        format!("{}:{} {} | {help}", place.line, place.column, item.title)
    });
    items.collect()
}

/// What property managers type by mistake, one or two a text.
const SLIPS: &[&str] = &[
    "to: {{ x }}\nb: 1\n",
    "a:\n  to: {{ x }}: moved\nb: 1\n",
    "a: {b: ${X}}\nb: 1\n",
    "a: [${X}]\nb: 1\n",
    "match:\n  nights: >= 2\nb: 1\n",
    "channel: *\nb: 1\n",
    "channel: *bnb\n",
    "subject: Moved: x\nb: 1\n",
    "a: [$.items[0].x]\nb: 1\n",
    "a: {$.x[0]: 1}\nb: 1\n",
    "a:\n\tb: 1\nc: 1\n",
    "a:\n  b: 1\n\tc: 2\nd: 1\n",
    "a: {b: 1\nc: 2\nd: 3\n",
    "a: [b, c\nd: 1\ne: 1\n",
    "a: b]\nc: 1\n",
    "a: {b: 1}}\nc: 1\n",
    "name: \"Tell\non: x\nb: 1\n",
    "name: 'Tell\non: x\n",
    "subject: 'Guest's name'\nb: 1\n",
    "subject: \"Moved\" {{ x }}\nb: 1\n",
    "text: \"He said \"hi\"\"\nb: 1\n",
    "a: \"b\", \"c\"\nb: 1\n",
    "name:Tell\non: x\n",
    "name: Tell\non:{a: b}\nb: 1\n",
    "name Tell\non: x\n",
    "name: Tell\non\nb: 1\n",
    "name: x\n  on: y\nb: 1\n",
    "a:\n  b: 1\n c: 2\nd: 1\n",
    "a:\n  b: 1\n   c: 2\nd: 1\n",
    "actions:\n  -email: 1\n",
    "actions:\n  - email:\n      to: x\n     cc: y\nb: 1\n",
    "actions:\n  - a: 1\n - b: 2\nc: 1\n",
    "actions:\n- a: 1\n  - b: 2\nc: 1\n",
    "to: @ana\nb: 1\n",
    "to: `x`\nb: 1\n",
    "to: %x\nb: 1\n",
    "%x: 1\nb: 1\n",
    "status: != cancelled\nb: 1\n",
    "status: !cancelled\nb: 1\n",
    "text: | hello\nb: 1\n",
    "text: |\nHello\nb: 1\n",
    "text: |\n    a\n  b\nc: 1\n",
    "text: |\n  Hello\nworld\nc: 1\n",
    "when: \"a\" == x\nb: 1\n",
    "when: 'a' in x\nb: 1\n",
    "subject: [Stayhook] New\nb: 1\n",
    "text: - first\nb: 1\n",
    "match: {status: booked} and x\nb: 1\n",
    "a: {nights: >= 2}\nb: 1\n",
    "a: {channel: *}\nb: 1\n",
    "a: {x: !b}\nb: 1\n",
    "a: \"C:\\path\\d\"\nb: 1\n",
    "? x\n: y\n",
    "a: {b: 1,, c: 2}\nb: 1\n",
    "a: [,b]\nb: 1\n",
    "---\na: 1\n---\nb: 1\n",
    "\u{feff}a: 1\n",
    "a: 1\n\u{a0}\u{a0}b: 2\nc: 1\n",
    "a: \u{201c}x\u{201d}\nb: 1\n",
    "a: x\n...\nb: 1\n",
    "a: b: c: d\ne: 1\n",
    "on: event: reservation.created\nb: 1\n",
    "a: &x\nb: *x\n",
    "a: {b:1, c: 2}\n",
    "a: {\"b\":1}\n",
    "- a\nb: 1\n",
    "a: 1\n- b\nc: 1\n",
    "a:\n  - b\n  c: 1\nd: 1\n",
    "a: [b: c, d]\n",
    "a: {b c}\n",
    "to: {{ x }}, {{ y }}\nb: 1\n",
    "subject: {% if x %}a{% endif %}\nb: 1\n",
    "a: \u{7}x\nb: 1\n",
    "a: x\u{0}y\nb: 1\n",
    "a: \"x\n  y\nb: 1\n",
    "a: {b: \"x}\nc: 1\n",
    "key with: x: y\nb: 1\n",
    "a: >\n  x\n y\nb: 1\n",
    "a: # c\n",
    "a: {b: x #{{ y }}\n}\n",
    "a: ,x\nb: 1\n",
    "a: ]x\nb: 1\n",
    "a: }\nb: 1\n",
    "a: 'x''\nb: 1\n",
    "a: ''x'\nb: 1\n",
    "a: ?x\nb: 1\n",
    "a: -\nb: 1\n",
    "a: {b: {{ x }}, c: 1}\nb: 1\n",
    "json: {\n  a: 1,\n  b: {{ x }}\n}\nb: 1\n",
    "a: [{{ x }}]\nb: 1\n",
    "a:\n  - {{ x }}\n  - y\nb: 1\n",
    "a\u{a0}: x\nb: 1\n",
    "a: x \t# c\n",
    "a:\tx\n",
    "text: |\n\thello\nb: 1\n",
    "“a”: 1\n",
    "a: 1\nb\nc\n",
    "a: 1\n  b\n  c: 1\n",
    "text: |\n  a\n to: b\n",
    "subject: Cleaning #{{ x }}\nb: 1\n",
    "subject: Room #12 free\nb: 1\n",
    "channel: #general\nb: 1\n",
    "a: \"x\" #y\nb: 1\n",
    "a: b # a comment\nc: d #\n",
    "on:\n  event: {{ x }\nb: 1\n",
    "a: {b: [c, d}\nb: 1\n",
    "a:\n  b: {{ x }}\n  c: {{ y }}\n  d: >= 2\nb: *\n",
    "to: \"a\n  cc: \"b\"\nb: 1\n",
    "a: 'It's'\nb: 'It's'\n",
    "a:\n    b: 1\n  c: 2\nd: 1\n",
    "a: [\n  b,\n  {{ c }},\n]\nd: 1\n",
    "url: https://x.example/{{ y }}\nb: {{ z }}\n",
    "a: yes\nb: NO\nc: 0042\nd: +15550100\ne: 10:00\n",
    "a: x\na: y\n",
    "a: 1\n \u{a0}n words: x\nb: 1\n",
];

/// Every slip, what is said about it, and what is read on with. Nothing of the parser's own words is among it.
#[test]
fn slips() {
    let mut all = String::new();
    for text in SLIPS {
        all += text;
        for line in said(text) {
            assert!(
                !["while parsing", "while scanning", "did not find", "not allowed"]
                    .iter()
                    .any(|words| line.contains(words)),
                "{line}"
            );
            all += &format!("    {line}\n");
        }
        let read = parse("f.yaml", text, &mut Report::new()).map(|node| node.value().to_string());
        all += &format!("    -> {}\n\n", read.as_deref().unwrap_or("nothing can be read"));
    }
    insta::assert_snapshot!(all);
}
