//! Tables of configurations: what is right, what is a mistake and where.

use super::*;
use crate::action;

mod example;
mod files;

/// A title and a line of each diagnostic.
fn said(report: &Report) -> Vec<(usize, String)> {
    // Most of these configurations are about something else.
    let items = report.items.iter().filter(|item| item.code != "no-sources");
    items
        .map(|item| (item.place.as_ref().map_or(0, |place| place.line), item.title.clone()))
        .collect()
}

fn env(name: &str) -> Option<String> {
    let value = match name {
        "TOKEN" => "a-token-of-some-length",
        "ZONE" => "Europe/Lisbon",
        "WRONG" => "Europe/Lisboa",
        "WRONG_ZONE" => "Europe/Lisboa-secret",
        "EMPTY" => "",
        "PORT" => "2525",
        "YAML" => "x\nlisten: 0.0.0.0:1 # {a: [b",
        _ => return None,
    };
    Some(value.to_owned())
}

fn read(text: &str) -> (Option<Config>, Report) {
    let mut report = Report::new();
    let config = parse("config.yaml", text, Path::new("/etc/stayhook"), &env, &mut report);
    (config, report)
}

fn good(text: &str) -> Config {
    let (config, report) = read(text);
    assert!(
        report
            .items
            .iter()
            .all(|item| ["not-yet", "no-sources"].contains(&item.code)),
        "{}",
        report.render(|_| None)
    );
    config.expect("it has no mistakes")
}

#[test]
fn nothing_at_all_has_the_defaults() {
    let config = good("");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.admin.listen.to_string(), "127.0.0.1:8081");
    assert_eq!(config.timezone, Tz::UTC);
    assert_eq!(config.database, "sqlite:///etc/stayhook/stayhook.db");
    assert_eq!(config.recipes, Path::new("/etc/stayhook/recipes"));
    assert!(!config.dry_run && config.redirect_email.is_none() && config.admin.token.is_none());
    assert_eq!(config.properties, Properties::none());
}

#[test]
fn values_are_read() {
    let config = good(
        "listen: localhost:9000\npublic_url: https://a.example/\ntrusted_proxies: [10.0.0.1, fd00::/8]\n\
         timezone: ${ZONE}\ndatabase: sqlite:///var/x.db\nrecipes: /r\ndry_run: true\n\
         redirect: {email: Me <me@example.com>}\n\
         admin: {listen: \"[::1]:1\", token: \"${TOKEN}\", hosts: [A.example, 10.0.0.2], metrics: open}\n\
         sources: {a: {preset: generic, token: \"${TOKEN}\"}}\n\
         connections: {m: {smtp: {host: localhost, port: \"${PORT}\", tls: none, from: a@b.example}}}\n\
         defaults: {vars: {a: 1, b: x}, default_check_in: 14:00}\n\
         properties:\n  p: {match: [007, {a: [N, M]}], vars: {b: \"${YAML}\"}, default_check_out: \"10:30\", tags: t}\n",
    );
    assert_eq!(config.listen.to_string(), "127.0.0.1:9000");
    assert_eq!(config.public_url.as_deref(), Some("https://a.example"));
    let nets: Vec<String> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(nets, ["10.0.0.1/32", "fd00::/8"]);
    assert_eq!(config.timezone.name(), "Europe/Lisbon");
    assert_eq!(config.database, "sqlite:///var/x.db");
    assert_eq!(config.recipes, Path::new("/r"));
    assert!(config.dry_run && config.admin.metrics_open);
    assert_eq!(config.redirect_email.as_deref(), Some("me@example.com"));
    assert_eq!(config.admin.hosts, ["a.example", "10.0.0.2"]);
    let token = config.admin.token.as_ref().map(Secret::reveal);
    assert_eq!(token, Some("a-token-of-some-length"));
    let property = &config.properties.all[0];
    let of = |source: Option<&str>, text: &str| (source.map(str::to_owned), text.to_owned());
    assert_eq!(
        property.matches,
        [of(None, "007"), of(Some("a"), "N"), of(Some("a"), "M")]
    );
    assert_eq!(property.vars["a"], 1);
    // A value is text, whatever it looks like.
    assert_eq!(property.vars["b"], "x\nlisten: 0.0.0.0:1 # {a: [b");
    assert_eq!(property.check_in.to_string(), "14:00:00");
    assert_eq!(property.check_out.to_string(), "10:30:00");
}

#[test]
fn metrics_are_under_the_token_where_there_is_one() {
    for (admin, open) in [
        ("{}", true),
        ("{metrics: open}", true),
        ("{token: \"${TOKEN}\"}", false),
        ("{token: \"${TOKEN}\", metrics: token}", false),
        ("{token: \"${TOKEN}\", metrics: open}", true),
        ("{token: \"${TOKEN}\", metrics: open, listen: \"0.0.0.0:1\"}", true),
    ] {
        assert_eq!(good(&format!("admin: {admin}")).admin.metrics_open, open, "{admin}");
    }
}

#[test]
fn mistakes_have_their_line() {
    for (text, line, title) in [
        (
            "lisen: 127.0.0.1:1",
            1,
            "the configuration has no setting called `lisen`",
        ),
        (
            "dry_run: true\ndry_run: false",
            2,
            "`dry_run` is there twice, first in line 1",
        ),
        ("listen: 8080", 1, "`listen` is an address and a port, `8080` is not"),
        ("dry_run: yes", 1, "`dry_run` is `true` or `false`"),
        ("timezone: Europe/Lisbo", 1, "there is no time zone `Europe/Lisbo`"),
        (
            "public_url: hooks.example.com",
            1,
            "`public_url` is the address under which the world reaches this",
        ),
        (
            "trusted_proxies:\n  - 1.2.3.4\n  - proxy",
            3,
            "`proxy` is neither an IP address nor a network",
        ),
        ("database: postgres://x/y", 1, "PostgreSQL is not in this version yet"),
        (
            "database: stayhook.db",
            1,
            "`database` is `sqlite://` and the path of a file",
        ),
        (
            "database: 'sqlite::memory:'",
            1,
            "`database` is `sqlite://` and the path of a file",
        ),
        ("redirect: {}", 1, "`redirect` needs `email`"),
        ("redirect: {email: a@b@c}", 1, "`email` "),
        ("redirect: {email: \"${EMPTY}\"}", 1, "`email` "),
        (
            "admin:\n  listen: 0.0.0.0:8081",
            2,
            "without a token only this machine may be let in, not 0.0.0.0:8081",
        ),
        (
            "admin: {listen: \"127.0.0.1:8080\"}",
            1,
            "webhooks and `admin` cannot both listen on 127.0.0.1:8080",
        ),
        (
            "admin:\n  hosts: [stays.example.com]",
            2,
            "`hosts` without `token` would open it to everybody",
        ),
        ("admin: {metrics: token}", 1, "`metrics: token` without `token`"),
        ("admin: {token: \"${EMPTY}\"}", 1, "`token` is empty or holds a space"),
        (
            "admin: {hosts: [https://x]}",
            1,
            "`https://x` is not the name of a host",
        ),
        ("admin: {metrics: opn}", 1, "`metrics` is one of `open` or `token`"),
        (
            "sources: [a]",
            1,
            "`sources` is written as settings (`key: value`), this is a list",
        ),
        (
            "sources: {a b: {preset: generic, auth: none}}",
            1,
            "the name of a source is 1 to 64 letters",
        ),
        (
            "sources: {a: {preset: generic, auth: none, stays_of: b}}",
            1,
            "`stays_of` of the source `a` names `b`",
        ),
        (
            "sources:\n  a: {preset: generic}",
            2,
            "anybody could post to the source `a`",
        ),
        (
            "connections:\n  a: {htp: {}}",
            2,
            "a connection has no setting called `htp`",
        ),
        (
            "connections:\n  a/b: {http: {base_url: https://x.example}}",
            2,
            "the name of a connection is 1 to 64",
        ),
        ("properties: {p: {name: P}}", 1, "the property `p` needs `match`"),
        (
            "properties: {p: {match: []}}",
            1,
            "`match` needs at least one id or name",
        ),
        (
            "properties: {p: {match: 1, timezon: UTC}}",
            1,
            "the property `p` has no setting called `timezon`",
        ),
        ("properties: {p: {match: [{x: 1}]}}", 1, "there is no source `x`"),
        (
            "properties: {\"tag:p\": {match: 1}}",
            1,
            "the key of a property is 1 to 64 letters",
        ),
        (
            "properties:\n  p: {match: 1}\n  q: {match: [2, 1]}",
            3,
            "`1` means the property `p` already, in line 2",
        ),
        (
            "defaults: {default_check_in: 3pm}",
            1,
            "`default_check_in` is a time of day",
        ),
        ("recipes: \"${UNSET}\"", 1, "the variable `UNSET` is not set"),
        // Four characters as they stand here: nothing can be said of the secret that will be there.
        (
            "sources: {lab: {preset: generic, secret: \"${X}\", auth: {hmac: {header: X-S}}}}",
            1,
            "the variable `X` is not set",
        ),
        ("admin: {token: \"${X}\"}", 1, "the variable `X` is not set"),
        ("recipes: \"${1X}\"", 1, "`${1X}` is not the name of a variable"),
        ("recipes: \"${X\"", 1, "`${` without a `}`"),
        ("recipes: \"${file:nowhere}\"", 1, "`${file:nowhere}` cannot be read"),
        (
            "timezone: \"${WRONG_ZONE}\"",
            1,
            "there is no time zone `${WRONG_ZONE}`",
        ),
    ] {
        let (config, report) = read(text);
        let said = said(&report);
        assert!(config.is_none(), "{text}");
        assert_eq!(said.len(), 1, "{text}: {said:?}");
        assert!(said[0].0 == line && said[0].1.starts_with(title), "{text}: {said:?}");
    }
}

#[test]
fn all_mistakes_at_once_with_help() {
    let (_, report) = read("lisen: 1\ntimezone: Europe/Lisbo\nproperties:\n  p: {}\nretention: {runs: 1d}\n");
    let lines: Vec<usize> = said(&report).iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 4, 5, 1]);
    assert_eq!(report.mistakes(), 3);
    let helps: Vec<&str> = report.items.iter().filter_map(|item| item.help.as_deref()).collect();
    assert!(helps.contains(&"did you mean `listen`?"), "{helps:?}");
    assert!(helps.contains(&"did you mean `Europe/Lisbon`?"), "{helps:?}");
    for (written, meant) in [
        ("PST", "America/Los_Angeles"),
        ("cdt", "America/Chicago"),
        ("Brussels", "Europe/Brussels"),
        ("los angeles", "America/Los_Angeles"),
        ("Europe/Brussel", "Europe/Brussels"),
        (
            "XST",
            "zones are written as in `America/Los_Angeles` or `Europe/Lisbon`",
        ),
        ("EST", "with summer time it is `America/New_York`"),
    ] {
        let (_, report) = read(&format!("timezone: {written}\n"));
        let about = report.items.iter().find(|item| item.code == "timezone");
        let help = about.and_then(|item| item.help.clone()).unwrap_or_default();
        assert!(help.contains(meant), "{written}: {help}");
    }
    let (_, report) =
        read("admin: {token: $ADMIN_TOKEN}\nconnections: {c: {http: {base_url: http://c, headers: {A: Bearer $KEY}}}}");
    let bare = report.items.iter().filter(|item| item.code == "variable");
    assert_eq!(bare.filter(|item| item.title.contains("without braces")).count(), 2);
    let (_, report) = read("sources: {a: {token: Bearer ${TOKEN}}}");
    let first = &report.items[0];
    assert!(
        first.title.contains("a value with a variable stands in quotes"),
        "{first:?}"
    );
    let write = "write `sources: {a: {token: \"Bearer ${TOKEN}\"}}`";
    assert_eq!(first.help.as_deref(), Some(write));
}

#[test]
fn what_has_no_effect_yet_is_said_and_starts() {
    let (config, report) = read(
        "retention: {deliveries: 90d}\nalerts: {connection: mail}\nconnectors: c\n\
         connections: {locks: {seam: {api_key: x}}, books: {journal: {file: j}}}\n",
    );
    assert!(config.is_some_and(|config| config.connections.is_empty()));
    assert_eq!(said(&report).len(), 5, "{}", report.render(|_| None));
    assert!(!report.has_mistakes());
}

#[test]
fn one_id_may_mean_two_properties_of_two_sources() {
    let sources = "sources: {a: {preset: generic, auth: none}, b: {preset: generic, auth: none}}\n";
    let config = good(&format!(
        "{sources}properties: {{p: {{match: {{a: 1}}}}, q: {{match: {{b: 1}}}}}}"
    ));
    let found = |source: &str| config.properties.find(source, "1").map(|one| one.key.clone());
    assert_eq!((found("a"), found("b")), (Some("p".to_owned()), Some("q".to_owned())));
    let (_, report) = read(&format!(
        "{sources}properties: {{p: {{match: {{a: 1}}}}, q: {{match: 1}}}}"
    ));
    assert_eq!(report.mistakes(), 1);
}

#[test]
fn of_a_value_that_begins_like_another_nothing_is_told() {
    for order in [
        "recipes: \"${WRONG}\"\ntimezone: \"${WRONG_ZONE}\"\n",
        "timezone: \"${WRONG_ZONE}\"\nrecipes: \"${WRONG}\"\n",
    ] {
        let (_, report) = read(order);
        let titles: Vec<&str> = report.items.iter().map(|item| item.title.as_str()).collect();
        assert!(titles.iter().any(|title| title.contains("${WRONG_ZONE}")), "{titles:?}");
        assert!(titles.iter().all(|title| !title.contains("secret")), "{titles:?}");
    }
}

#[test]
fn variables_in_all_their_forms() {
    for (written, value) in [
        ("\"${TOKEN}\"", "a-token-of-some-length"),
        ("${TOKEN}", "a-token-of-some-length"),
        ("a ${PORT}b${PORT}", "a 2525b2525"),
        ("\"${UNSET:-x y}\"", "x y"),
        ("\"${EMPTY:-x}\"", "x"),
        ("\"${UNSET:-}\"", ""),
        ("\"$${TOKEN}\"", "${TOKEN}"),
        ("\"$${TOKEN} ${PORT}\"", "${TOKEN} 2525"),
        ("$5 {PORT}", "$5 {PORT}"),
    ] {
        let config = good(&format!("defaults:\n  vars:\n    x: {written}\n    ${{PORT}}: key\n"));
        assert_eq!(config.properties.vars["x"], value, "{written}");
        assert!(config.properties.vars.contains_key("${PORT}"), "keys are left alone");
    }
}
