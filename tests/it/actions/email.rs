//! Mail, as a server receives it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::standin::{Move, Phase, SmtpStandin};
use stayhook::action::{Connection, Io, compile_connection, perform};
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::clock::{Clock, from_ms};
use stayhook::model::effect::{Answer, Prepared};
use stayhook::model::run::AttemptOutcome::{Done, Reject, Retry, Uncertain};
use stayhook::outbound::Outbound;

fn connection(port: u16, more: &str) -> Connection {
    let text =
        format!("smtp: {{host: 127.0.0.1, port: {port}, from: 'Stays <stays@example.com>', timeout: 20s, {more}}}");
    let mut report = Report::new();
    let node = yaml::parse("config.yaml", &text, &mut report).unwrap();
    let found = compile_connection("mail", &node, &|_| Err(String::new()), &mut report);
    found.unwrap_or_else(|| panic!("{}", report.render(|_| None)))
}

fn io(redirect: Option<&str>) -> Io {
    Io {
        outbound: Outbound::new().unwrap(),
        redirect_email: redirect.map(str::to_owned),
        clock: Clock::manual(from_ms(784_111_777_000)),
    }
}

fn prepared(request: Value) -> Prepared {
    Prepared {
        kind: "email".to_owned(),
        connection: "mail".to_owned(),
        request,
        missing: Vec::new(),
    }
}

fn note() -> Prepared {
    prepared(json!({
        "to": ["\"Zoë Ruiz\" <ana@example.com>"],
        "bcc": ["hidden@example.com"],
        "subject": "Brannan Straße: 12 Apr → 13 Apr",
        "text": "Grüße\n.\nMAIL FROM:<evil@example.com>\nRCPT TO:<evil@example.com>\r\n.\r\nQUIT\r\n",
        "html": "<p>Grüße</p>",
    }))
}

async fn send(standin: &SmtpStandin, more: &str) -> Answer {
    perform(&note(), "sh_1", &connection(standin.port(), more), &io(None)).await
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_rendered_and_the_same_every_time() {
    let standin = SmtpStandin::start().await.unwrap();
    for _ in 0..2 {
        let answer = send(&standin, "tls: none").await;
        assert_eq!(answer.outcome, Done, "{answer:?}");
        assert_eq!(answer.output, json!({"message_id": "<sh_1@stayhook.example.com>"}));
        assert_eq!(answer.summary, "taken: 2.0.0 taken as STANDIN");
    }
    let letters = standin.wait_for(2).await;
    assert_eq!((letters.len(), standin.effects().len()), (2, 1));
    assert_eq!(letters[0], letters[1]);
    let letter = &letters[0];
    assert_eq!(
        (letter.from.as_str(), letter.to.as_slice()),
        (
            "stays@example.com",
            &["ana@example.com".to_owned(), "hidden@example.com".to_owned()][..]
        )
    );
    for (name, value) in [
        ("subject", "Brannan Straße: 12 Apr → 13 Apr"),
        ("message-id", "<sh_1@stayhook.example.com>"),
        ("date", "Sun, 06 Nov 1994 08:49:37 +0000"),
        ("auto-submitted", "auto-generated"),
    ] {
        assert_eq!(letter.header(name).as_deref(), Some(value));
    }
    assert!(letter.header("bcc").is_none() && !letter.text().contains("hidden@"));
    let parts = letter.parts();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].0, "text/plain; charset=utf-8");
    assert_eq!(
        parts[0].1,
        "Grüße\r\n.\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<evil@example.com>\r\n.\r\nQUIT\r\n"
    );
    assert_eq!(parts[1].1, "<p>Grüße</p>");
    // The stand-in takes a bare LF for the end of a line: no command came out of the body.
    assert!(
        !standin.commands().iter().any(|command| command.contains("evil")),
        "{:?}",
        standin.commands()
    );
}

#[tokio::test]
async fn bare_line_ends_in_a_body_are_no_commands() {
    for body in [
        "a\n.\nMAIL FROM:<e@x>\nRCPT TO:<e@x>\nDATA\nx\n.\n",
        "a\r.\rRSET\r",
        ".\r\n",
        "\n.\n",
        ".",
        "..\n.",
    ] {
        let standin = SmtpStandin::start().await.unwrap();
        let request = prepared(json!({"to": ["a@b.example"], "subject": ".", "text": body}));
        let answer = perform(&request, "k", &connection(standin.port(), "tls: none"), &io(None)).await;
        assert_eq!(answer.outcome, Done, "{answer:?}");
        let verbs: Vec<_> = standin
            .commands()
            .iter()
            .map(|command| command[..4].to_owned())
            .collect();
        assert_eq!(verbs, ["EHLO", "MAIL", "RCPT", "DATA"], "{body:?}");
        let normal = body.replace("\r\n", "\n").replace('\r', "\n");
        assert_eq!(
            standin.letters()[0].parts()[0]
                .1
                .replace("\r\n", "\n")
                .replace('\r', "\n"),
            normal
        );
    }
}

#[tokio::test]
async fn every_answer_has_one_outcome() {
    let say = |text: &str| Move::Say(text.to_owned());
    for (phase, act, expected, denied, arrived) in [
        (Phase::Greeting, say("421 4.3.2 busy"), Retry, false, 0),
        (Phase::Greeting, say("554 5.3.2 no"), Retry, false, 0),
        (Phase::Greeting, Move::Close, Retry, false, 0),
        (Phase::Greeting, Move::Hang, Retry, false, 0),
        (Phase::Sender, say("451 4.7.1 later"), Retry, false, 0),
        (Phase::Sender, say("550 5.7.1 not you"), Reject, false, 0),
        (Phase::Sender, say("530 5.7.0 log in first"), Retry, true, 0),
        (Phase::Recipient, say("450 4.2.1 greylisted"), Retry, false, 0),
        (Phase::Recipient, say("550 5.1.1 nobody"), Reject, false, 0),
        (Phase::Recipient, Move::Hang, Retry, false, 0),
        (Phase::Data, say("451 4.3.0 later"), Retry, false, 0),
        (Phase::Data, Move::Close, Retry, false, 0),
        (Phase::Content, say("452 4.3.1 full"), Retry, false, 1),
        (Phase::Content, say("554 5.6.0 spam"), Reject, false, 1),
        (Phase::Content, say("nonsense"), Uncertain, false, 1),
        (Phase::Content, Move::Close, Uncertain, false, 1),
        (Phase::Content, Move::Hang, Uncertain, false, 1),
    ] {
        let standin = SmtpStandin::start().await.unwrap();
        standin.then(phase, act.clone());
        let mut connection = connection(standin.port(), "tls: none");
        if act == Move::Hang {
            connection.timeout = Duration::from_millis(700);
        }
        let answer = perform(&note(), "sh_1", &connection, &io(None)).await;
        assert_eq!(
            (answer.outcome, answer.denied),
            (expected, denied),
            "{phase:?} {act:?}: {answer:?}"
        );
        assert_eq!(standin.letters().len(), arrived, "{phase:?} {act:?}");
        if let Move::Say(text) = act
            && text != "nonsense"
        {
            assert!(answer.summary.contains(&text[..3]), "{answer:?}");
        }
    }
    let standin = SmtpStandin::start().await.unwrap();
    let gone = standin.port();
    standin.stop().await;
    let answer = perform(&note(), "k", &connection(gone, "tls: none"), &io(None)).await;
    assert_eq!(answer.outcome, Retry, "{answer:?}");
}

#[tokio::test]
async fn a_login_is_given_and_its_refusal_is_told() {
    let standin = SmtpStandin::start().await.unwrap();
    standin.require_login("stays", "geheim1");
    let login = "tls: none, username: stays, password: ";
    assert_eq!(send(&standin, &format!("{login} geheim1")).await.outcome, Done);
    for (more, said) in [(format!("{login} falsch1"), "535"), ("tls: none".to_owned(), "530")] {
        let answer = send(&standin, &more).await;
        assert_eq!((answer.outcome, answer.denied), (Retry, true), "{answer:?}");
        assert!(
            answer.summary.contains(said) && !format!("{answer:?}").contains("falsch"),
            "{answer:?}"
        );
    }
    assert_eq!(standin.letters().len(), 1);
}

#[tokio::test]
async fn without_encryption_nothing_is_sent_unless_the_settings_say_so() {
    for more in ["", "tls: required", "tls: starttls", "tls: implicit"] {
        let standin = SmtpStandin::start().await.unwrap();
        let answer = send(
            &standin,
            &format!(
                "{more}{}username: u, password: geheim1",
                if more.is_empty() { "" } else { ", " }
            ),
        )
        .await;
        assert_eq!((answer.outcome, answer.denied), (Retry, false), "{more}: {answer:?}");
        let commands = standin.commands();
        assert!(
            commands
                .iter()
                .all(|command| !command.starts_with("AUTH") && !command.starts_with("MAIL")),
            "{commands:?}"
        );
    }
}

#[tokio::test]
async fn all_mail_can_be_sent_to_one_address() {
    let standin = SmtpStandin::start().await.unwrap();
    let connection = connection(standin.port(), "tls: none");
    let answer = perform(&note(), "k", &connection, &io(Some("me@example.com"))).await;
    assert_eq!(answer.outcome, Done, "{answer:?}");
    let letter = standin.letters().remove(0);
    assert_eq!(letter.to, ["me@example.com"]);
    assert_eq!(
        letter.header("x-stayhook-redirected-from").as_deref(),
        Some("ana@example.com, hidden@example.com")
    );
    let answer = perform(&note(), "k", &connection, &io(Some("me, too"))).await;
    assert_eq!((answer.outcome, standin.letters().len()), (Reject, 1), "{answer:?}");
}
