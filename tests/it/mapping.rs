//! The way to a mapping for a sender that nobody knows, with the real program: look, draft, check, try, save.

use serde_json::{Value, json};

use crate::daemon::Site;

const CONFIG: &str = "sources:\n  newpms:\n    token: 0123456789abcdef\n";
const BODY: &str = r#"{"type": "booking.created", "event_id": "e-100200", "sent_at": 1801126803, "booking": {"reference": "QX77ZZ12",
    "id": 4455667, "state": "Reserved", "arrival": "2027-05-01", "departure": "2027-05-04", "updated_at": 1801126800,
    "guest": {"first_name": "Ottoline", "last_name": "Brackenbury", "email": "otto@guest.example", "phone": "+44 20 7946 0958"},
    "room": {"id": 9, "name": "Blue Room"}, "persons": 2, "total": "310.50", "currency": "GBP"}}"#;

async fn said(site: &Site, line: &str) -> (i32, String) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let done = site.command(&words).output().await.unwrap();
    let both = [done.stdout, done.stderr].concat();
    (done.status.code().unwrap(), String::from_utf8(both).unwrap())
}

/// The configuration, with the addresses of a daemon that runs.
fn configure(site: &Site, rest: &str, daemon: &crate::daemon::Daemon) {
    let head = format!("listen: {}\nadmin: {{listen: \"{}\"}}\n", daemon.hooks, daemon.admin);
    std::fs::write(site.path().join("config.yaml"), format!("{head}{CONFIG}{rest}")).unwrap();
}

#[tokio::test]
async fn from_the_first_delivery_to_a_test() {
    let site = Site::new(&format!("{CONFIG}    learn: true\n"), &[]);
    let daemon = site.serve(None).await;
    configure(&site, "    learn: true\n", &daemon);
    std::fs::write(site.path().join("body.json"), BODY).unwrap();
    let (code, text) = said(&site, "send newpms body.json").await;
    assert_eq!(code, 0, "{text}");
    let id = text.split_whitespace().last().unwrap().to_owned();

    // Without a mapping nothing is known, and nothing is left.
    let (code, text) = said(&site, &format!("deliveries show {id} --save saved.json")).await;
    assert_eq!(code, 0, "{text}");
    let saved = std::fs::read_to_string(site.path().join("saved.json")).unwrap();
    for gone in [
        "QX77ZZ12",
        "4455667",
        "Ottoline",
        "Brackenbury",
        "otto@",
        "7946",
        "e-100200",
        "Reserved",
        "2027",
        "310.50",
        "GBP",
    ] {
        assert!(!saved.contains(gone), "{gone}\n{saved}");
    }
    let (code, text) = said(&site, &format!("deliveries show {id} --save saved.json")).await;
    assert!(code == 1 && text.contains("--force"), "{text}");
    let (code, _) = said(&site, &format!("deliveries show {id} --save saved.json --force")).await;
    assert_eq!(
        (code, std::fs::read_to_string(site.path().join("saved.json")).unwrap()),
        (0, saved)
    );

    // What is certain is drafted; the word for the status is the person's to choose.
    let (code, text) = said(&site, "map body.json --output json").await;
    assert_eq!(code, 0, "{text}");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["missing"], json!(["status"]), "{text}");
    let draft = told["draft"].as_str().unwrap();
    assert!(draft.contains("# Reserved: ?"), "{draft}");
    let draft = draft
        .replace("# status: ", "status: ")
        .replace("{cancelled: cancelled}", "{Reserved: confirmed, cancelled: cancelled}");
    configure(&site, &draft, &daemon);
    let (code, text) = said(&site, "check").await;
    assert_eq!(code, 0, "{text}");
    let (code, text) = said(&site, "preview --source newpms --payload body.json --output json").await;
    assert_eq!(code, 0, "{text}");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["facts"][0]["stay"], json!(["4455667"]));
    let reservation = &told["facts"][0]["event"]["reservation"];
    assert_eq!(reservation["check_in_date"], "2027-05-01");
    assert_eq!(reservation["check_out_date"], "2027-05-04");
    assert_eq!(reservation["status"], "confirmed");
    assert_eq!(reservation["guest"]["name"], "Ottoline Brackenbury");
    assert_eq!(
        told["reading"]["receipt_key"],
        "entry 1 of 2: $.booking.updated_at and the whole body"
    );

    // With the mapping what was saved is read like what was sent.
    let (_, text) = said(&site, &format!("deliveries show {id} --save mapped.json")).await;
    assert!(text.contains("mapped.json: written"), "{text}");
    let (_, text) = said(&site, "preview --source newpms --payload mapped.json --output json").await;
    let after: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(after["facts"][0]["event"]["types"], told["facts"][0]["event"]["types"]);
    assert_eq!(
        after["facts"][0]["fields"]["money.total"],
        told["facts"][0]["fields"]["money.total"]
    );
}

#[tokio::test]
async fn headers_that_the_mapping_reads_are_saved_beside_the_body() {
    let map = "    map: {applies_to: {header.Content-Type: \"application/*\"}, reservation: {code: $.code, guests: $.guests}}\n";
    let site = Site::new(&format!("{CONFIG}{map}"), &[]);
    let daemon = site.serve(None).await;
    configure(&site, map, &daemon);
    let answer = daemon
        .post("newpms/0123456789abcdef", r#"{"code": "QX77ZZ12", "guests": 2}"#)
        .await
        .unwrap();
    let id = answer.1.split("d_").nth(1).unwrap().split('"').next().unwrap();
    let (code, text) = said(&site, &format!("deliveries show d_{id} --save a.json")).await;
    assert_eq!(code, 0, "{text}");
    let kept: Value = serde_json::from_slice(&std::fs::read(site.path().join("a.json.headers.json")).unwrap()).unwrap();
    assert_eq!(kept, json!({"content-type": "application/json"}));
    let (_, text) = said(&site, "preview --source newpms --payload a.json").await;
    assert!(
        text.contains("the one there is applies") && text.contains("guests"),
        "{text}"
    );
    let (_, text) = said(
        &site,
        "preview --source newpms --payload a.json --header content-type:text/plain",
    )
    .await;
    assert!(text.contains("none of 1 applies"), "{text}");
}

#[tokio::test]
async fn files_that_are_no_bodies_are_refused() {
    let site = Site::new(CONFIG, &[]);
    std::fs::write(site.path().join("a.xml"), "<a/>").unwrap();
    std::fs::write(
        site.path().join("a.form"),
        "code=A1&arrival=2027-05-01&departure=2027-05-03&guest_name=Ana+B",
    )
    .unwrap();
    for (line, code, words) in [
        ("map nothing.json", 1, "nothing.json: "),
        ("map a.xml", 1, "XML"),
        ("map -", 1, "-: it is empty"),
        ("map", 2, "FILE"),
        ("map a.form", 0, "check_in_date: $.arrival"),
        ("map a.form a.form", 0, "$.guest_name"),
        ("deliveries show d_1 --force", 2, "--save"),
    ] {
        let (ended, text) = said(&site, line).await;
        assert!(ended == code && text.contains(words), "{line}: {ended} {text}");
    }
}

#[tokio::test]
async fn what_asks_for_nothing_is_not_said_to_be_filled_by_nobody() {
    let config = "sources:\n  smoobu: {preset: smoobu, token: open-7f2c9d1e-5a}\nconnections:\n  tasks: {http: {base_url: \"http://127.0.0.1:9\"}}\n";
    let groups = include_str!("../../recipes/cleaning-groups.yaml");
    let site = Site::new(config, &[groups]);
    let (_, text) = said(&site, "check").await;
    assert!(!text.contains("never-filled"), "{text}");
}
