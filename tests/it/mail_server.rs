//! E-mail against a real mail server: what only somebody else's implementation of SMTP, TLS and log-in can tell. `.ci/run`
//! starts the server with `.ci/mail-server`; a plain `cargo test` names these tests as ignored.
//!
//! All tests share the server, so each has recipients of its own, new ones every time.

use crate::standin::SmtpStandin;
use serde_json::{Value, json};
use stayhook::action::{Connection, Io, compile_connection, perform};
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::clock::Clock;
use stayhook::model::effect::{Answer, Prepared};
use stayhook::model::run::AttemptOutcome::{Done, Reject, Retry};
use stayhook::outbound::Outbound;

use crate::support::{House, Plan, at, fixture};

use server::{Server, at_port};

mod server;

fn connection(settings: &str) -> Connection {
    let text = format!("smtp: {{from: 'Stays Zoë <stays@example.com>', timeout: 20s, {settings}}}");
    let mut report = Report::new();
    let node = yaml::parse("config.yaml", &text, &mut report).unwrap();
    let read_file = |path: &str| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let found = compile_connection("post", &node, &read_file, &mut report);
    found.unwrap_or_else(|| panic!("{}", report.render(|_| None)))
}

fn mail(to: &[&str]) -> Value {
    json!({
        "to": to,
        "subject": "Brannan Straße: 12 Apr → 13 Apr 😀",
        "text": "Grüße\n.\nMAIL FROM:<evil@example.com>\n.\r\nQUIT\r\n",
        "html": "<p>Grüße</p>",
        "date": "2027-01-01T01:02:03+01:00",
    })
}

async fn send(settings: &str, request: &Value, key: &str) -> Answer {
    let prepared = Prepared {
        kind: "email".to_owned(),
        connection: "post".to_owned(),
        request: request.clone(),
        missing: Vec::new(),
    };
    let io = Io {
        outbound: Outbound::new().unwrap(),
        redirect_email: None,
        clock: Clock::manual(at("2027-01-01T00:00:00Z")),
    };
    perform(&prepared, key, &connection(settings), &io).await
}

#[tokio::test]
#[ignore = "needs a mail server: .ci/mail-server starts one"]
async fn a_mail_is_stored_as_it_was_rendered() {
    let server = Server::here();
    let encryptions = [
        ("starttls", server.settings()),
        (
            "implicit",
            format!(
                "{}, tls: implicit, ca_file: {}, {}",
                at_port(&server.implicit),
                server.certificate,
                server.login()
            ),
        ),
    ];
    for (name, settings) in &encryptions {
        let to = server.address(name);
        let mut request = mail(&[&format!("\"Ruiz, Zoë\" <{to}>")]);
        request["reply_to"] = json!("office@example.com");
        let answer = send(settings, &request, &format!("sh_{name}")).await;
        assert_eq!(answer.outcome, Done, "{answer:?}");
        assert_eq!(
            answer.output,
            json!({"message_id": format!("<sh_{name}@stayhook.example.com>")})
        );
        assert!(answer.summary.starts_with("taken: "), "{answer:?}");
    }
    let stored = server.all(encryptions.len()).await;
    assert_eq!(stored.len(), encryptions.len(), "{stored:#?}");
    for (name, _) in &encryptions {
        let to = server.address(name);
        let stored = stored.iter().find(|stored| stored.envelope_to == to).unwrap();
        assert_eq!(stored.letter.from, "stays@example.com");
        for (header, value) in [
            ("message-id", format!("<sh_{name}@stayhook.example.com>")),
            ("subject", "Brannan Straße: 12 Apr → 13 Apr 😀".to_owned()),
            ("reply-to", "office@example.com".to_owned()),
            ("date", "Fri, 01 Jan 2027 00:02:03 +0000".to_owned()),
            ("auto-submitted", "auto-generated".to_owned()),
        ] {
            assert_eq!(stored.header(header), Some(value), "{name}: {header}");
        }
        let (from, shown) = (stored.header("from").unwrap(), stored.header("to").unwrap());
        assert!(
            from.contains("Stays Zoë") && from.ends_with("<stays@example.com>"),
            "{from}"
        );
        assert!(
            shown.contains("Ruiz, Zoë") && shown.ends_with(&format!("<{to}>")),
            "{shown}"
        );
        assert_eq!(
            stored.letter.parts(),
            [
                (
                    "text/plain; charset=utf-8".to_owned(),
                    "Grüße\r\n.\r\nMAIL FROM:<evil@example.com>\r\n.\r\nQUIT\r\n".to_owned()
                ),
                ("text/html; charset=utf-8".to_owned(), "<p>Grüße</p>".to_owned()),
            ]
        );
        // The server's own word for how it came: encrypted and logged in ("esmtpsa", RFC 3848).
        let received = stored.header("received").unwrap();
        assert!(received.contains("with esmtpsa"), "{received}");
    }
}

#[tokio::test]
#[ignore = "needs a mail server: .ci/mail-server starts one"]
async fn an_attempt_is_one_copy_and_the_next_under_its_key_is_the_same() {
    let server = Server::here();
    let to = server.address("again");
    for count in 1..=2 {
        let answer = send(&server.settings(), &mail(&[&to]), "sh_again").await;
        assert_eq!(answer.outcome, Done, "{answer:?}");
        assert_eq!(server.wait_for(count).await.len(), count);
    }
    let stored = server.all(2).await;
    assert_eq!(stored.len(), 2, "{stored:#?}");
    assert_eq!(stored[0].header("message-id"), stored[1].header("message-id"));
    assert_eq!(stored[0].ours(), stored[1].ours());
}

#[tokio::test]
#[ignore = "needs a mail server: .ci/mail-server starts one"]
async fn everybody_gets_one_copy_and_hidden_ones_stay_hidden() {
    let server = Server::here();
    let names = ["ana", "bo", "cy", "hidden"].map(|name| server.address(name));
    let [ana, bo, cy, hidden] = &names;
    let mut request = mail(&[ana, bo]);
    request["cc"] = json!([cy]);
    request["bcc"] = json!([hidden]);
    let answer = send(&server.settings(), &request, "sh_many").await;
    assert_eq!(answer.outcome, Done, "{answer:?}");
    let stored = server.all(names.len()).await;
    let got: Vec<&str> = stored.iter().map(|stored| stored.envelope_to.as_str()).collect();
    assert_eq!(got, names);
    for stored in &stored {
        assert!(!stored.ours().contains("hidden"), "{stored:#?}");
        assert_eq!(stored.header("to"), Some(format!("{ana}, {bo}")));
        assert_eq!(stored.header("cc").as_deref(), Some(cy.as_str()));
    }
}

#[tokio::test]
#[ignore = "needs a mail server: .ci/mail-server starts one"]
async fn without_trust_encryption_or_login_nothing_is_sent() {
    let server = Server::here();
    let port = at_port(&server.starttls);
    let implicit = at_port(&server.implicit);
    let (login, certificate) = (server.login(), &server.certificate);
    let to = server.address("nobody");
    for (settings, denied, said) in [
        // Who signed the certificate is unknown; so is the name, where another one is asked for.
        (format!("{port}, tls: required, {login}"), false, "certificate"),
        (format!("{implicit}, tls: implicit, {login}"), false, "certificate"),
        // TLS from the first byte at a port that begins without it.
        (
            format!("{port}, tls: implicit, ca_file: {certificate}, {login}"),
            false,
            "",
        ),
        // A wrong password, none at all, and one that would have to cross without encryption.
        (
            format!("{port}, tls: required, ca_file: {certificate}, username: stays, password: wrong-geheim"),
            true,
            "535",
        ),
        (format!("{port}, tls: required, ca_file: {certificate}"), true, "530"),
        (format!("{port}, tls: none, {login}"), false, ""),
    ] {
        let answer = send(&settings, &mail(&[&to]), "sh_none").await;
        assert_eq!(
            (answer.outcome, answer.denied),
            (Retry, denied),
            "{settings}: {answer:?}"
        );
        assert!(answer.summary.to_lowercase().contains(said), "{settings}: {answer:?}");
        let shown = format!("{answer:?}");
        assert!(
            !shown.contains(&server.password) && !shown.contains("geheim"),
            "a password in {shown}"
        );
    }
    let stored = server.all(0).await;
    assert!(stored.is_empty(), "{stored:#?}");

    // A server that has lost its STARTTLS, or somebody in between who took it out: not a word of the log-in or the mail.
    let bare = SmtpStandin::start().await.unwrap();
    let settings = format!(
        "host: 127.0.0.1, port: {}, tls: required, ca_file: {certificate}, {login}",
        bare.port()
    );
    let answer = send(&settings, &mail(&[&to]), "sh_none").await;
    assert_eq!((answer.outcome, answer.denied), (Retry, false), "{answer:?}");
    assert!(answer.summary.contains("STARTTLS"), "{answer:?}");
    let verbs: Vec<String> = bare.commands().iter().map(|command| command[..4].to_owned()).collect();
    assert_eq!(verbs, ["EHLO"]);
}

#[tokio::test]
#[ignore = "needs a mail server: .ci/mail-server starts one"]
async fn what_the_server_says_decides_and_nobody_gets_half_of_it() {
    let server = Server::here();
    for (name, outcome, said) in [
        ("refused", Reject, "550 5.1.1 nobody of that name lives here"),
        ("later", Retry, "451 4.2.1 come back later"),
        ("spam", Reject, "554 5.6.0 this reads like spam"),
    ] {
        // The first recipient would have been taken.
        let (fine, odd) = (server.address(&format!("before-{name}")), server.address(name));
        let answer = send(&server.settings(), &mail(&[&fine, &odd]), "sh_odd").await;
        assert_eq!((answer.outcome, answer.denied), (outcome, false), "{name}: {answer:?}");
        let expected = format!("127.0.0.1 said {said}");
        assert_eq!(answer.summary, expected, "{name}");
        assert_eq!(answer.excerpt.as_deref(), Some(expected.as_str()), "{name}");
    }
    let stored = server.all(0).await;
    assert!(stored.is_empty(), "{stored:#?}");
}

#[tokio::test]
#[ignore = "needs a mail server: .ci/mail-server starts one"]
async fn lines_smuggled_into_a_mail_are_refused_before_anything_is_sent() {
    let server = Server::here();
    let to = server.address("ana");
    let evil = server.address("evil");
    for (key, value) in [
        ("subject", json!(format!("Stay\r\nBcc: {evil}"))),
        ("subject", json!(format!("Stay\nBcc: {evil}"))),
        ("subject", json!("Stay\r\n\r\nbody")),
        ("to", json!([format!("{to}>\r\nRCPT TO:<{evil}")])),
        ("to", json!([format!("{to}, {evil}")])),
        ("to", json!([format!("Ana\r\nBcc: {evil} <{to}>")])),
        ("cc", json!([format!("{to}\nRCPT TO:<{evil}>")])),
        ("bcc", json!([format!("{to}\r{evil}")])),
        ("reply_to", json!(format!("{to}\r\nBcc: {evil}"))),
    ] {
        let mut request = mail(&[&to]);
        request[key] = value.clone();
        let answer = send(&server.settings(), &request, "sh_evil").await;
        assert_eq!(answer.outcome, Reject, "{key} {value}: {answer:?}");
        // Ours, not the server's: it was not asked.
        assert!(answer.excerpt.is_none() && answer.summary.contains(key), "{answer:?}");
    }
    let stored = server.all(0).await;
    assert!(stored.is_empty(), "{stored:#?}");
}

const HOSPITABLE: &str = "{preset: hospitable-v1, token: open-7f2c9d1e}";

/// A house with a second mail connection, `post`, and one recipe that mails over it.
async fn house(settings: &str, to: &str) -> House {
    let recipe = format!(
        r#"
name: Note
on: {{event: reservation.confirmed}}
actions:
  - email:
      connection: post
      to: "{to}"
      subject: "Zoë’s note for {{{{ reservation.code }}}}"
      text: "{{{{ reservation.guest.first_name }}}} stays {{{{ reservation.nights }}}} nights."
      html: "<p>{{{{ reservation.guest.first_name }}}}</p>"
"#
    );
    let connection =
        format!("post: {{smtp: {{from: 'Stays <stays@example.com>', timeout: 20s, concurrency: 2, {settings}}}}}\n");
    Plan::default()
        .source("hospitable", HOSPITABLE)
        .connections(&connection)
        .recipe(&recipe)
        .build()
        .await
}

#[tokio::test]
#[ignore = "needs a mail server: .ci/mail-server starts one"]
async fn a_confirmed_stay_is_one_mail_however_often_it_is_told() {
    let server = Server::here();
    let house = house(&server.settings(), &server.address("stay")).await;
    for case in ["01-create", "02-status-change", "06-duplicate-of-02"] {
        house
            .tell("hospitable", &fixture(&format!("hospitable-v1/{case}.json")))
            .await;
    }
    assert_eq!(house.states().await, ["Note: succeeded"], "{:#?}", house.runs().await);
    let run = house.run(&house.runs().await[0].id).await;
    let stored = server.all(1).await;
    assert_eq!(stored.len(), 1, "{stored:#?}");
    let stored = &stored[0];
    assert_eq!(stored.header("subject").as_deref(), Some("Zoë’s note for HMQX7KP2ZD"));
    assert_eq!(
        stored.header("message-id"),
        Some(format!("<{}@stayhook.example.com>", run.steps[0].key))
    );
    assert_eq!(
        run.steps[0].output["message_id"].as_str(),
        stored.header("message-id").as_deref()
    );
    assert_eq!(stored.letter.parts().len(), 2);
    // The house's own stand-in was not asked, and the password is nowhere in what is kept.
    assert!(house.mail.letters().is_empty());
    assert!(!format!("{run:?}").contains(&server.password));
}

#[tokio::test]
#[ignore = "needs a mail server: .ci/mail-server starts one"]
async fn a_refusal_ends_the_run_and_a_delay_does_not() {
    let server = Server::here();
    let wrong = format!(
        "{}, tls: required, ca_file: {}, username: stays, password: wrong-geheim",
        at_port(&server.starttls),
        server.certificate
    );
    for (name, settings, state, said) in [
        ("refused", &server.settings(), "dead", "550 5.1.1"),
        ("later", &server.settings(), "retrying", "451 4.2.1"),
        ("ana", &wrong, "retrying", "535"),
    ] {
        let house = house(settings, &server.address(name)).await;
        for case in ["01-create", "02-status-change"] {
            house
                .tell("hospitable", &fixture(&format!("hospitable-v1/{case}.json")))
                .await;
        }
        assert_eq!(house.states().await, [format!("Note: {state}")], "{name}");
        let run = house.run(&house.runs().await[0].id).await;
        assert_eq!(run.attempts.len(), 1, "{name}: {run:#?}");
        let excerpt = run.attempts[0].excerpt.as_deref().unwrap_or_default();
        assert!(excerpt.contains(said), "{name}: {run:#?}");
        if state == "dead" {
            assert!(run.run.reason.contains(said), "{run:#?}");
        }
        assert!(!format!("{run:?}").contains("geheim"), "{run:#?}");
    }
    let stored = server.all(0).await;
    assert!(stored.is_empty(), "{stored:#?}");
}
