//! Sources that are meant to hurt: each must end in a result or an error, soon.

use super::stay;
use crate::lang::template::{Condition, Context, Format, Template};

fn survives(source: &str) -> Result<usize, String> {
    let _ = Condition::compile(source).map(|condition| condition.holds(&stay()));
    let template = Template::compile(source, Format::Html).map_err(|error| error.message)?;
    let _ = (template.value(&stay()), template.url(&stay()), template.names().len());
    template
        .text(&stay())
        .map(|rendered| rendered.value.len())
        .map_err(|error| error.message)
}

#[test]
fn deep_and_long_sources_are_refused() {
    let n = 15_000;
    for source in [
        format!("{{{{ {} }}}}", "(".repeat(n)),
        format!("{{{{ {}1{} }}}}", "[".repeat(n), "]".repeat(n)),
        format!("{{{{ {}1{} }}}}", "(".repeat(200), ")".repeat(200)),
        format!("{{{{ {}1 }}}}", "not ".repeat(n)),
        format!("{{{{ {}1 }}}}", "- ".repeat(n)),
        format!("{{{{ 1{} }}}}", " + 1".repeat(n)),
        format!("{{{{ 1{} }}}}", " ~ 1".repeat(200)),
        format!("{{{{ 1{} }}}}", " if 1 else 1".repeat(4000)),
        format!("{{{{ payload{} }}}}", ".a".repeat(n)),
        format!("{{{{ 1{} }}}}", "|abs".repeat(n)),
        "{% if 1 %}".repeat(6000),
        format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(5000)),
        "{% for x in payments %}".repeat(2000),
        format!("{}1{}", "{% if 1 %}".repeat(60), "{% endif %}".repeat(60)),
        format!("{}{}", "{% set x %}".repeat(5000), "{% endset %}".repeat(100)),
        "a".repeat((64 << 10) + 1),
    ] {
        assert!(survives(&source).is_err(), "{}", &source[..40]);
    }
    assert!(survives(&"\n".repeat(64 << 10)).is_ok());
    assert!(survives(&"{{ 1 }}".repeat(9000)).is_ok());
    // The deepest that is let through must fit the stack it runs on.
    for source in [
        format!("{{{{ {}1{} }}}}", "(".repeat(24), ")".repeat(24)),
        format!("{{{{ {}1{} }}}}", "[not -".repeat(24), "]".repeat(24)),
        format!("{{{{ {}1 }}}}", "not ".repeat(90)),
        format!("{{{{ 1{} }}}}", " + 1".repeat(90)),
    ] {
        let _ = survives(&source);
    }
}

#[test]
fn work_and_output_are_bounded() {
    for source in [
        "{{ 10 ** 10 ** 10 }}",
        "{{ 0.1 ** 1000000000 }}",
        "{{ 'x' * 10**9 }}",
        "{{ 'x' * 10**30 }}",
        "{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' * 50000 }}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
        "{{ range(10**12) }}",
        "{{ range(0, 10**30) }}",
        "{% set x = 'x' * 4096 %}{% for a in range(1000) %}{{ x }}{% endfor %}",
        "{% set x = 'x' * 100000 %}{{ x | replace('x', x) }}",
        "{% set x = range(1000) %}{% for a in x %}{{ x | sort | join }}{% endfor %}",
    ] {
        assert!(survives(source).is_err(), "{source}");
    }
    let doubling = format!(
        "{{% set x = ['abcdefgh'] %}}{}{{{{ x }}}}",
        "{% set x = [x, x] %}".repeat(60)
    );
    assert!(survives(&doubling).is_err());
    let doubling = format!("{{% set x = 'a' %}}{}{{{{ x }}}}", "{% set x = x ~ x %}".repeat(60));
    assert!(survives(&doubling).is_err());
    let nested = format!("{{% set x = [] %}}{}{{{{ x }}}}", "{% set x = [x] %}".repeat(3000));
    assert!(survives(&nested).is_err());
}

#[test]
fn a_mistake_quotes_no_more_than_can_be_read() {
    for source in [
        "{{ [1] | select('é' * 99999) }}",
        "{{ reservation[9] | map(attribute='x' * 99999) }}",
        "{{ payments[0]['x' * 99999] }}",
        "{{ '2027-01-01' | date('%' * 99999) }}",
    ] {
        let message = survives(source).unwrap_err();
        assert!(message.chars().count() <= 401, "{source}: {} bytes", message.len());
    }
    let long = format!("{{{{ {} }}}}", "x".repeat(9_999));
    let message = survives(&long).unwrap_err();
    assert!(message.chars().count() <= 401 && message.ends_with('…'), "{message}");
}

#[test]
fn odd_values_do_not_panic() {
    for source in [
        "{{ '2027-01-01' | date('%') }}",
        "{{ '2027-01-01' | date('%c %+ %s %Z %:::z') }}",
        "{{ '2027-01-01' | date('') }}",
        "{{ '9999-12-31' | plus(days=1) }}",
        "{{ '0000-01-01' | minus(days=1) }}",
        "{{ '2027-01-01' | minus(days=-9223372036854775807) }}",
        "{{ '2027-01-01T00:00:00+23:59' | minus(hours=9223372036854775807) }}",
        "{{ -170141183460469231731687303715884105728 - 1 }}",
        "{{ (0 - 170141183460469231731687303715884105727 - 1) // -1 }}",
        "{{ (0 - 170141183460469231731687303715884105727 - 1) % -1 }}",
        "{{ (0 - 170141183460469231731687303715884105727 - 1) / -1 }}",
        "{{ 79228162514264337593543950335 * 79228162514264337593543950335 / 3 }}",
        "{{ 79228162514264337593543950335.5 }}",
        "{{ 1e400 }} {{ 1e28 }} {{ 1e-400 }} {{ 0.5 ** -3 }} {{ 0 ** -1 }}",
        "{{ amounts.huge | int }} {{ amounts.big | int }}",
        "{{ amounts.huge | round }} {{ amounts.huge | money('EUR') }} {{ -amounts.huge }}",
        "{{ 1.5 | round(4000000000) }} {{ 1 | round(10**30) }} {{ 1.5 | round(-1) }}",
        "{{ 'ä' | truncate(0) }} {{ 'äö'[1:9] }} {{ 'äö'[-9:-1] }} {{ 'ä'[5:1] }}",
        "{{ payments[10**30] }} {{ payments[-9223372036854775808] }} {{ payments[1.5] }}",
        "{{ 0x1F }} {{ 0b11 }} {{ 1_000 }}",
        "{{ 5 is divisibleby(0) }} {{ 5 is odd(1) }}",
        "{{ [[], {}, none, 1, 'a', '1', 2.5, true] | sort }}",
        "{{ {} | first }} {{ [] | min }} {{ [] | last }}",
        "{% for a, b in [1] %}{% endfor %}",
        "{% set loop = 1 %}{% set a, b = [1] %}",
        "{{ '\\u0000\\ud800' }}",
        "{% raw %}{{ {% endraw %}",
        "{{ [1, 2] | select('in', [1]) }} {{ [1] | select('lt') }} {{ [1] | select('no') }}",
    ] {
        let _ = survives(source);
    }
}

#[test]
fn large_numbers_and_deep_payloads_keep_their_digits() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let root = format!(r#"{{"payload": {{"deep": {deep}, "n": [1e999999999999, -0, -0.0, 1E5, 0.10]}}}}"#);
    let cx = Context::new(serde_json::from_str(&root).unwrap(), &["payload"]);
    let text = |source: &str| {
        Template::compile(source, Format::Text)
            .unwrap()
            .text(&cx)
            .unwrap()
            .value
    };
    assert_eq!(text("{{ payload.deep }}"), deep);
    assert_eq!(
        text("{{ payload.n[0] > payload.n[3] }} {{ payload.n[1] == payload.n[2] }}"),
        "true true"
    );
    assert_eq!(text("{{ payload.n[3] + payload.n[4] }}"), "100000.10");
    assert_eq!(
        Context::new(serde_json::json!(3), &[]).clone().root("a").map(|_| ()),
        None
    );
}
