//! What of a line is shown.

use super::*;

fn all(text: &str, configuration: bool) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let shown: Vec<String> = super::shown(&lines, configuration)
        .into_iter()
        .map(|one| one.text)
        .collect();
    shown.join("\n")
}

#[test]
fn secrets_are_not_shown_by_the_names_of_their_keys() {
    for (line, shown) in [
        ("token: abc", "token: •••"),
        ("  password: \"a b, c\"  # mine", "  password: •••  # mine"),
        ("a: {token: abc, preset: x}", "a: {token: •••, preset: x}"),
        (
            "m: {smtp: {username: u, password: 'p', from: x}}",
            "m: {smtp: {username: u, password: •••, from: x}}",
        ),
        (
            "headers: {Authorization: Bearer abc, X-Api-Key: k}",
            "headers: {Authorization: •••, X-Api-Key: •••}",
        ),
        ("secret: [one, two]", "secret: [•••, •••]"),
        ("secret: [\"${ONE}\", two] # x", "secret: [\"${ONE}\", •••] # x"),
        (
            "a: {secret: [${ONE}, [two], 'th]ree'], b: c}",
            "a: {secret: [${ONE}, [•••], •••], b: c}",
        ),
        (
            "token: {header: X-Token, secret: abc}",
            "token: {header: X-Token, secret: •••}",
        ),
        ("token: \"${TOKEN}\"", "token: \"${TOKEN}\""),
        ("token: ${TOKEN}", "token: ${TOKEN}"),
        ("token: \"${TOKEN:-abcdef}\"", "token: •••"),
        (
            "Authorization: \"Bearer ${TOKEN}\"",
            "Authorization: \"Bearer ${TOKEN}\"",
        ),
        ("auth: {token: {header: X-Token}}", "auth: {token: {header: X-Token}}"),
        ("name: Tell: the token", "name: Tell: the token"),
        ("token: {{ x }}", "token: •••"),
        ("pasword: x", "pasword: •••"),
        ("\"password\": x", "\"password\": •••"),
        ("client_secret: é", "client_secret: •••"),
        ("", ""),
        // Spaces of every sort, and nothing but signs, come to an end.
        ("\u{a0}: \u{2003}: a", "\u{a0}: \u{2003}: a"),
        ("- - -", "- - -"),
        ("-  ", "-  "),
        ("}]:,{{&*!#'", "}]:,{{&*!#'"),
        (
            "url: \"https://u:p@x.example/a?key=k&c={{ reservation.code }}&d\"",
            "url: \"https://•••@x.example/a?key=•••&c={{ reservation.code }}&•••\"",
        ),
        (
            "text: see https://x.example/a, and ?b=c",
            "text: see https://x.example/a, and ?b=c",
        ),
    ] {
        assert_eq!(all(line, false), shown);
    }
    let below = "a:\n  secret:\n    - one\n    - two\n  b: c\n  token: |\n    text\n\n    more\n  d: e";
    let shown = "a:\n  secret:\n    - •••\n    - •••\n  b: c\n  token: |\n    •••\n\n    •••\n  d: e";
    assert_eq!(all(below, false), shown);
    let shown = super::shown(&["a: {token: abcdefgh, b: c}"], false);
    assert_eq!([4, 12, 15, 22].map(|column| shown[0].column(column)), [4, 12, 12, 17]);
    assert_eq!(
        without_secrets_of("token: \"abcd", "write `token: \"abcd\"`"),
        "write `token: \"•••\"`"
    );
}

/// Of a configuration what is known to be harmless is shown, and nothing else.
#[test]
fn of_a_configuration_only_what_is_known_to_be_harmless_is_shown() {
    let text = r#"listen: 127.0.0.1:8080
x-keys: &k sEcReT-1
time_zone: Europe/Lisbon
sources:
  lab: # sEcReT-2
    presett: generic
    tokn: sEcReT-3
    token : sEcReT-4
    basic: {user: "sEcReT-5", pasvord: 'sEcReT-6', header: X-A, a b: [sEcReT-7, ${X}]}
    auth:
      - hmak: &h
          key: >-
            sEcReT-8
            preset: sEcReT-9
          prefix: "sha="
      - "sEcReT-10
        preset: sEcReT-11"
    map:
      - reservation: {code: $.code, status: {from: $.s, map: {ok: confirmed}}}
    respond: {status: 200, body: sEcReT-12}
connections: {c: {http: {base_url: "https://u:sEcReT-13@host.example/a?api_key=sEcReT-14", heders: {
  Key: sEcReT-15, "sEcReT:16": x
}, timeout: 10s}}}
conections: {c: {http: {key: sEcReT-17}}}
admin: sEcReT-18
defaults: {vars: {cleaner: ana, lock: &l sEcReT-19, api_key: sEcReT-20}}
properties:
  brannan: {match: [1, N]}
database: postgres://me:sEcReT-21@host/db"#;
    let shown = all(text, true);
    assert!(!shown.contains("sEcReT"), "{shown}");
    for kept in [
        "listen: 127.0.0.1:8080\nx-keys: &k •••\ntime_zone: Europe/Lisbon",
        "    presett: generic\n    tokn: •••\n    token : •••\n",
        "    basic: {user: •••, pasvord: •••, header: X-A, a b: [•••, ${X}]}",
        "          prefix: \"sha=\"",
        "      - reservation: {code: $.code, status: {from: $.s, map: {ok: confirmed}}}",
        "base_url: \"https://•••@host.example/a?api_key=•••\"",
        "}, timeout: 10s}}}",
        "defaults: {vars: {cleaner: ana, lock: &l •••, api_key: •••}}\nproperties:\n  brannan: {match: [1, N]}",
        "database: postgres://•••@host/db",
    ] {
        assert!(shown.contains(kept), "{kept}\n{shown}");
    }
}
