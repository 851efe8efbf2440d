#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

use serde_json::json;

use super::*;
use crate::lang::yaml;
use crate::model::clock::from_ms;

fn compile(settings: &str) -> (Option<Arc<dyn Effect>>, String) {
    let mut report = Report::new();
    let node = yaml::parse("r.yaml", settings, &mut report).unwrap();
    let effect = Email.compile(&node, &mut report);
    let said: Vec<_> = report.items.iter().map(|item| item.title.clone()).collect();
    (effect, said.join("; "))
}

fn render(settings: &str, values: Value) -> Result<Mail, String> {
    let (effect, said) = compile(settings);
    let effect = effect.unwrap_or_else(|| panic!("{settings}: {said}"));
    match effect.render("mail", &Context::new(values, &["v"])) {
        Ok(Rendering::Ready(prepared)) => Ok(serde_json::from_value(prepared.request).unwrap()),
        Ok(Rendering::Skip(why)) => Err(format!("skip: {why}")),
        Err(error) => Err(error.message),
    }
}

#[test]
fn mistakes_are_found_when_the_recipe_is_read() {
    for (settings, said) in [
        ("{subject: a, text: b}", "an `email` step needs `to`"),
        ("{to: a@b, text: b}", "an `email` step needs `subject`"),
        ("{to: a@b, subject: a}", "an `email` step needs `text`, `html` or both"),
        (
            "{to: 'a@b, c@d', subject: a, text: b}",
            "`to` is more than one address, or none",
        ),
        (
            "{to: 'Berg, Anna <a@b>', subject: a, text: b}",
            "`to` is more than one address, or a name that needs quotes",
        ),
        (
            "{to: a@b, subject: \"a\\nb {{ v.x }}\", text: b}",
            "`subject` has a line break or another control character in it",
        ),
        (
            "{to: \"{{ v.x }}\\n{{ v.y }}\", subject: a, text: b}",
            "`to` has a line break or another control character in it",
        ),
        (
            "{to: a@b, cc: [ana], subject: a, text: b}",
            "`cc` is no address: it has no `@`",
        ),
        (
            "{to: a@b, subject: a, text: b, from: x@y}",
            "an `email` step has no setting called `from`",
        ),
    ] {
        let (effect, found) = compile(settings);
        assert!(effect.is_none() && found == said, "{settings}: {found}");
    }
}

#[test]
fn one_text_is_one_address() {
    const STEP: &str = "{to: ['{{ v.to }}', '{{ v.second }}'], subject: 'Hi {{ v.name }}', text: t}";
    for (to, second, expected) in [
        (json!("a@b.example"), json!(null), Ok(vec!["a@b.example"])),
        (json!(null), json!("c@d.example"), Ok(vec!["c@d.example"])),
        (json!("a@b.example"), json!("A <a@b.example>"), Ok(vec!["a@b.example"])),
        (
            json!(["a@b.example", "c@d.example"]),
            json!(" "),
            Ok(vec!["a@b.example", "c@d.example"]),
        ),
        (json!(null), json!(""), Err("skip: no address")),
        (json!([]), json!(null), Err("skip: no address")),
        (
            json!("a@b, c@d"),
            json!(null),
            Err("`to` is more than one address, or none"),
        ),
        (
            json!("a@b.example\r\nBcc: x@y.example"),
            json!(null),
            Err("`to` is more than one address, or none"),
        ),
        (
            json!("\"><script>"),
            json!(null),
            Err("`to` has a name with a quote that is not closed"),
        ),
        (
            json!("{{ 7*7 }}"),
            json!(null),
            Err("`to` is no address: it has no `@`"),
        ),
        (
            json!(["a@b, c@d"]),
            json!(null),
            Err("`to` is more than one address, or none"),
        ),
        (json!(7), json!(null), Err("`to` is no address")),
    ] {
        let found = render(STEP, json!({"v": {"to": to, "second": second, "name": "x"}})).map(|mail| mail.to);
        let expected = expected
            .map(|list| list.into_iter().map(str::to_owned).collect::<Vec<_>>())
            .map_err(str::to_owned);
        assert_eq!(found, expected, "{to} {second}");
    }
}

#[test]
fn hostile_values_stay_values() {
    const STEP: &str = "
to: a@b.example
reply_to: '{{ v.reply }}'
subject: 'Stay of {{ v.x }}'
text: '{{ v.x }}'
html: '<p>{{ v.x }}</p>'
";
    for (hostile, html) in [
        ("\"><script>alert(1)</script>", None),
        ("{{ 7*7 }}", Some("<p>{{ 7*7 }}</p>")),
        ("{% raw %}", Some("<p>{% raw %}</p>")),
        ("=?utf-8?q?x?=", None),
        ("Zoë 😀", Some("<p>Zoë 😀</p>")),
    ] {
        let mail = render(STEP, json!({"v": {"x": hostile, "reply": null}})).unwrap();
        assert_eq!(mail.subject, format!("Stay of {hostile}"));
        assert_eq!(mail.text.as_deref(), Some(hostile));
        let shown = mail.html.unwrap();
        assert!(!shown.contains("<script"), "{shown}");
        if let Some(html) = html {
            assert_eq!(shown, html);
        }
    }
    for hostile in [
        "x\r\nBcc: y@z.example",
        "x\ny",
        "x\u{85}y",
        "x\u{2028}y",
        "x\u{2029}y",
        "x\u{1b}[0m",
        "x\u{7f}y",
    ] {
        let line = crate::lang::line::one_line(hostile).unwrap();
        let mail = render(STEP, json!({"v": {"x": hostile, "reply": "a@b.example\r\n"}})).unwrap();
        assert_eq!(mail.subject, format!("Stay of {line}"), "{hostile:?}");
        assert_eq!(mail.reply_to.as_deref(), Some("a@b.example"));
    }
    let said = render(STEP, json!({"v": {"x": "x\0", "reply": null}})).unwrap_err();
    assert!(said.contains("NUL"), "{said}");
    let long = render(STEP, json!({"v": {"x": "x".repeat(600), "reply": null}})).unwrap_err();
    assert_eq!(long, "`subject` is longer than 500 characters");
}

/// The tests' reader of mail; of it headers alone are read here.
#[expect(dead_code, reason = "what it knows beside headers is for whole mails")]
#[path = "../../../tests/it/standin/letter.rs"]
mod letter;

/// Decodes the one header as a reader's program does, and gives its words as they are.
fn header(bytes: &[u8], name: &str) -> String {
    let letter = letter::Letter {
        from: String::new(),
        to: Vec::new(),
        raw: bytes.to_vec(),
    };
    letter.header(name).unwrap()
}

const NAMES: &[&str] = &[
    "Berg, Anna",
    "Ana:Maria",
    "O\"Neil",
    "back\\slash",
    "a@b",
    "a@b, c@d",
    "Ana <evil@z.example>",
    "Ana; Bo",
    "(comment)",
    "=?utf-8?q?=42cc?=",
    "=?utf-8?b?QmNj?= Zoë",
    "Zoë 😀",
    "9 to 5",
    "line\r\nBcc: evil@z.example",
    "very long very long very long very long very long very long, \"very\" long, very long, very long",
];

#[test]
fn a_name_beside_an_address_is_a_name() {
    const STEP: &str = "
to: ['{{ v.name }} <{{ v.mail }}>', \"{{ v.name ~ ' <' ~ v.mail ~ '2>' }}\"]
cc: '\"{{ v.name }} (copy)\" <cc@b.example>'
bcc: '{% if v.name %}{{ v.name }}{% endif %} <bcc@b.example>'
reply_to: '{{ v.name }}, {{ v.name | upper }} <{{ v.mail }}>'
subject: '{{ v.name }}'
text: t
";
    assert!(compile(STEP).1.is_empty(), "{}", compile(STEP).1);
    for name in NAMES {
        let step = STEP.replace("reply_to: '{{ v.name }}, {{", "reply_to: '{{ v.name }} {{");
        let mail = render(&step, json!({"v": {"name": name, "mail": "g@guest.example"}}));
        let mail = mail.unwrap_or_else(|why| panic!("{name:?}: {why}"));
        let line = crate::lang::line::one_line(name).unwrap();
        let ready = compose(&mail, "k").unwrap();
        let everybody: Vec<String> = ready.recipients.iter().map(ToString::to_string).collect();
        let meant = ["g@guest.example", "g@guest.example2", "cc@b.example", "bcc@b.example"];
        assert_eq!(everybody, meant, "{name:?}");
        assert_eq!(header(&ready.bytes, "Subject"), line, "{name:?}");
        let shown = Address::parse(&mail.to[0]).unwrap().name.unwrap();
        assert_eq!(shown, line, "{name:?}");
        for (field, named) in [
            ("Cc", format!("{line} (copy)")),
            ("Reply-To", format!("{line} {}", line.to_uppercase())),
        ] {
            let found = header(&ready.bytes, field);
            let (words, spec) = found.rsplit_once(" <").unwrap();
            let words = words.trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\");
            // What is longer than a name may be ends in an ellipsis.
            let start: String = named.chars().take(100).collect();
            assert_eq!(
                words,
                if start == named { named } else { format!("{start}…") },
                "{name:?}"
            );
            assert!(
                ["cc@b.example>", "g@guest.example>"].contains(&spec),
                "{name:?}: {found}"
            );
        }
        // Nothing of what a guest wrote passes for an encoded word of ours.
        let head = String::from_utf8(ready.bytes.clone()).unwrap();
        let head = head.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("=?utf-8?q?") && !head.contains("QmNj?="), "{head}");
        assert!(head.split("\r\n").all(|line| line.len() <= 78), "{head}");
    }
    // Nobody to write to is no address, and an address without a name is one.
    let said = |name: Value, mail: Value| {
        render(
            "{to: '{{ v.name }} <{{ v.mail }}>', subject: s, text: t}",
            json!({"v": {"name": name, "mail": mail}}),
        )
    };
    assert_eq!(said(json!(null), json!("a@b.example")).unwrap().to, ["a@b.example"]);
    assert_eq!(said(json!("Ana"), json!(null)).unwrap_err(), "skip: no address");
    assert!(said(json!("Ana"), json!("a@b.example> <c@d.example")).is_err());
    assert!(said(json!("Ana"), json!("a@b.example, c@d.example")).is_err());
}

#[test]
fn the_date_is_that_of_the_rendering() {
    const STEP: &str = "{to: a@b.example, subject: s, text: t}";
    for (values, date) in [
        (
            json!({"now": "2026-04-09T15:00:00-07:00"}),
            Some("2026-04-09T15:00:00-07:00"),
        ),
        (json!({"now": "2026-04-09T22:00:00.123Z"}), Some("2026-04-09T22:00:00Z")),
        (json!({"now": null}), None),
        (json!({}), None),
    ] {
        assert_eq!(render(STEP, values).unwrap().date.as_deref(), date);
    }
    // It is ours, not the recipe's: nobody is told about the name.
    assert_eq!(compile(STEP).0.unwrap().names().len(), 0);
}

fn mail() -> Mail {
    Mail {
        to: vec!["\"Ruiz, Zoë\" <ana@example.com>".to_owned()],
        cc: vec!["bo@example.com".to_owned()],
        bcc: vec!["hidden@example.com".to_owned()],
        reply_to: Some("office@example.com".to_owned()),
        subject: "Ankunft: Zoë 😀".to_owned(),
        text: Some("one\n.\nMAIL FROM:<x@y>\r\n.\r\nQUIT\r.\r\n".to_owned()),
        html: Some("<p>.</p>\n.\n".to_owned()),
        date: Some("2026-04-09T15:00:00-07:00".to_owned()),
    }
}

fn compose(mail: &Mail, key: &str) -> Result<message::Ready, String> {
    let from = Address::parse("Stays <stays@example.com>").unwrap();
    message::compose(mail, key, &from, None, from_ms(0))
}

#[test]
fn the_same_mail_and_key_give_the_same_bytes() {
    let first = compose(&mail(), "sh_0123").unwrap();
    let again: Mail = serde_json::from_value(serde_json::to_value(mail()).unwrap()).unwrap();
    assert_eq!(first.bytes, compose(&again, "sh_0123").unwrap().bytes);
    assert_eq!(first.message_id, "<sh_0123@stayhook.example.com>");
    let text = String::from_utf8(first.bytes).unwrap();
    for line in [
        "Date: Thu, 09 Apr 2026 22:00:00 +0000\r\n",
        "Message-ID: <sh_0123@stayhook.example.com>\r\n",
        "From: Stays <stays@example.com>\r\n",
        "Cc: bo@example.com\r\n",
        "Reply-To: office@example.com\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Transfer-Encoding: base64\r\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("hidden@"), "bcc stays in the envelope: {text}");
    assert!(!text.contains("\r\n."), "{text}");
    assert_eq!(first.recipients.len(), 3);
}

#[test]
fn what_was_recorded_is_checked_once_more() {
    let evil = |change: fn(&mut Mail)| {
        let mut mail = mail();
        change(&mut mail);
        compose(&mail, "k").unwrap_err()
    };
    assert!(evil(|mail| mail.to = vec!["a@b\r\nX: y".into()]).contains("`to`"));
    assert!(evil(|mail| mail.cc = vec!["a@b>, <c@d".into()]).contains("`cc`"));
    assert!(evil(|mail| mail.bcc = vec!["a@b\nRCPT TO:<c@d>".into()]).contains("`bcc`"));
    assert!(evil(|mail| mail.reply_to = Some("a@b\0".into())).contains("`reply_to`"));
    assert!(evil(|mail| mail.subject = "a\nBcc: c@d".into()).contains("`subject`"));
    assert!(evil(|mail| mail.to.clear()).contains("no address"));
    assert!(evil(|mail| (mail.text, mail.html) = (None, None)).contains("neither"));
    // A key that is not one of ours never reaches a header as it is.
    let odd = compose(&mail(), "a>\r\nBcc: c@d").unwrap();
    assert!(
        odd.message_id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "<>@.".contains(c))
    );
}

#[test]
fn all_mail_can_go_to_one_address() {
    let from = Address::parse("stays@example.com").unwrap();
    let me = Address::parse("me@example.com").unwrap();
    let ready = message::compose(&mail(), "k", &from, Some(&me), from_ms(0)).unwrap();
    assert_eq!(
        ready.recipients.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["me@example.com"]
    );
    let text = String::from_utf8(ready.bytes).unwrap().replace("\r\n ", " ");
    assert!(text.contains("To: me@example.com\r\n"), "{text}");
    assert!(
        text.contains("X-Stayhook-Redirected-From: ana@example.com, bo@example.com, hidden@example.com\r\n"),
        "{text}"
    );
    assert!(!text.contains("Cc:"), "{text}");
}

proptest::proptest! {
    #[test]
    fn whatever_is_in_it_a_mail_is_plain_lines(subject in ".{0,120}", text in "(.|[\r\n.]){0,300}", name in ".{0,40}") {
        let mail = Mail {
            to: vec![format!("\"{name}\" <a@b.example>")],
            subject: subject.clone(),
            text: Some(text),
            html: None,
            ..mail()
        };
        if let Ok(ready) = compose(&mail, "k") {
            let wire = String::from_utf8(ready.bytes).unwrap();
            let (head, _) = wire.split_once("\r\n\r\n").unwrap();
            let names: Vec<_> = head
                .split("\r\n")
                .filter(|line| !line.starts_with(' '))
                .filter_map(|line| line.split_once(':'))
                .map(|(name, _)| name)
                .collect();
            let known = [
                "From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
                "Content-Type", "Content-Transfer-Encoding",
            ];
            proptest::prop_assert!(names.iter().all(|name| known.contains(name)), "{names:?}");
            proptest::prop_assert!(!wire.replace("\r\n", "").contains(['\r', '\n']));
        }
    }
}
