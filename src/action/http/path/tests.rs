//! Addresses that stay below their base, and those that would not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

use super::*;

#[test]
fn a_url_stays_below_its_base() {
    let plain = Url::parse("https://api.example.com").unwrap();
    let deep = Url::parse("https://api.example.com:8443/v1/").unwrap();
    for (url, at_plain, at_deep) in [
        (
            "/tasks/7",
            "https://api.example.com/tasks/7",
            "https://api.example.com:8443/v1/tasks/7",
        ),
        (
            "tasks?x=1",
            "https://api.example.com/tasks?x=1",
            "https://api.example.com:8443/v1/tasks?x=1",
        ),
        ("", "https://api.example.com/", "https://api.example.com:8443/v1/"),
        (
            "?q=a%2Fb",
            "https://api.example.com/?q=a%2Fb",
            "https://api.example.com:8443/v1/?q=a%2Fb",
        ),
        (
            "/a/..%2F..%2Fusers",
            "https://api.example.com/a/..%2F..%2Fusers",
            "https://api.example.com:8443/v1/a/..%2F..%2Fusers",
        ),
        (
            "/t/ü",
            "https://api.example.com/t/%C3%BC",
            "https://api.example.com:8443/v1/t/%C3%BC",
        ),
        (
            "/t/a:b",
            "https://api.example.com/t/a:b",
            "https://api.example.com:8443/v1/t/a:b",
        ),
        (
            "/t?at=https://x.example/",
            "https://api.example.com/t?at=https://x.example/",
            "https://api.example.com:8443/v1/t?at=https://x.example/",
        ),
    ] {
        assert_eq!(below(&plain, url).unwrap().as_str(), at_plain, "{url}");
        assert_eq!(below(&deep, url).unwrap().as_str(), at_deep, "{url}");
    }
    for url in [
        "https://evil.example/",
        "HTTP:x",
        "//evil.example/x",
        "/\\evil.example",
        "\\\\evil.example",
        "../users",
        "/a/../users",
        "/a/%2e%2e/users",
        "/a/.%2E/users",
        "/./x",
        "/a/..",
        "/x#frag",
        "/a b",
        "/a\r\nHost: x",
        "/a\t",
    ] {
        assert!(below(&plain, url).is_err(), "{url}");
        assert!(below(&deep, url).is_err(), "{url}");
    }
}

#[test]
fn the_written_part_is_checked_without_what_is_filled_in() {
    for fine in [
        "/tasks/{{ reservation.key }}",
        "{{ vars.path }}/x",
        "/t/{{ a | default('..') }}?x={{ b }}",
        "/t{% if a %}/{{ a }}{% endif %}",
    ] {
        assert_eq!(written_refusal(fine), None, "{fine}");
    }
    for wrong in [
        "https://{{ host }}/x",
        "//{{ host }}/x",
        "/a/../{{ x }}",
        "/a\\{{ x }}",
        "/%2e%2e/{{ x }}",
        "/{{ x }}#y",
    ] {
        assert!(written_refusal(wrong).is_some(), "{wrong}");
    }
}
