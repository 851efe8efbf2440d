//! `init`: from nothing to an e-mail, and never over what is there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::standin::SmtpStandin;
use stayhook::cli::schema::File;

use crate::daemon::Site;

async fn say(site: &Site, line: &str) -> (i32, String) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let done = site.command(&words).env("TZ", "Europe/Lisbon").output().await.unwrap();
    let text = [done.stdout, done.stderr]
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .concat();
    (done.status.code().unwrap(), text)
}

/// A site as a person has it who has just made a folder.
fn empty() -> Site {
    let site = Site::new("", &[]);
    std::fs::remove_file(site.path().join("config.yaml")).unwrap();
    std::fs::remove_dir(site.path().join("recipes")).unwrap();
    site
}

fn read(site: &Site, name: &str) -> String {
    std::fs::read_to_string(site.path().join(name)).unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn what_it_writes_is_right_as_it_stands_and_a_mail_arrives() {
    let site = empty();
    let (code, said) = say(&site, "init").await;
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("config.yaml") && said.contains("/hooks/hospitable/"),
        "{said}"
    );
    for (name, file) in [("config.yaml", File::Config), ("recipes/confirmed.yaml", File::Recipe)] {
        let text = read(&site, name);
        let first = text.lines().next().unwrap();
        let schema = first.strip_prefix("# yaml-language-server: $schema=").unwrap();
        let folder = Path::new(name).parent().unwrap().join(schema);
        let found = std::fs::read_to_string(site.path().join(folder)).unwrap();
        assert!(found == stayhook::cli::schema::text(file), "{name}: {schema}");
    }
    let token = read(&site, "secrets/hooks-token");
    assert!(token.trim().len() == 48 && !said.contains(token.trim()), "{said}");
    let (code, said) = say(&site, "check").await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 recipe, 1 source, 1 connection: fine"), "{said}");
    assert!(!said.contains(token.trim()), "{said}");
    let (code, said) = say(
        &site,
        "preview recipes/confirmed.yaml --payload example.json --source hospitable",
    )
    .await;
    assert!(code == 0 && said.contains("Example House: Ada comes on"), "{said}");

    // The only things a person fills in, and ports that are free here.
    let mail = SmtpStandin::start().await.unwrap();
    let config = read(&site, "config.yaml");
    assert!(config.contains("\ntimezone: Europe/Lisbon\n"), "{config}");
    let filled = config
        .replace("host: smtp.example.com", "host: 127.0.0.1\n      tls: none")
        .replace("port: 465", &format!("port: {}", mail.port()))
        .replace("office: you@example.com", "office: me@example.com");
    // The stand-in takes no log-in.
    let filled: String = filled
        .lines()
        .filter(|line| !line.contains("username:") && !line.contains("password:"))
        .map(|line| format!("{line}\n"))
        .collect();
    let path = site.path().join("config.yaml");
    let listening = |hooks: &str, admin: &str| {
        filled.replace("\"${STAYHOOK_LISTEN:-127.0.0.1:8080}\"", hooks) + &format!("admin: {{listen: \"{admin}\"}}\n")
    };
    std::fs::write(&path, listening("127.0.0.1:0", "127.0.0.1:0")).unwrap();
    let daemon = site.serve(None).await;
    std::fs::write(&path, listening(&daemon.hooks, &daemon.admin)).unwrap();
    for words in ["200: stored as d_", "200: known already as d_"] {
        let (code, said) = say(&site, "send hospitable example.json").await;
        assert!(code == 0 && said.contains(words), "{said}");
    }
    let letters = mail.wait_for(1).await;
    assert_eq!(letters[0].to, ["me@example.com"]);
    let (status, _) = daemon.stop().await;
    assert!(status.success());
    assert_eq!(mail.letters().len(), 1);
}

#[tokio::test]
async fn secrets_are_for_the_owner_and_no_two_are_the_same() {
    let site = empty();
    say(&site, "init a").await;
    say(&site, "init b/c").await;
    let (a, b) = (site.path().join("a"), site.path().join("b/c"));
    assert_eq!((mode(&a), mode(&a.join("secrets"))), (0o700, 0o700));
    for name in ["secrets/hooks-token", "secrets/mail-password"] {
        assert_eq!(mode(&a.join(name)), 0o600, "{name}");
    }
    assert_ne!(
        read(&site, "a/secrets/hooks-token"),
        read(&site, "b/c/secrets/hooks-token")
    );
    assert!(b.join("recipes/confirmed.yaml").is_file());
}

#[tokio::test]
async fn it_leaves_alone_what_is_there_and_says_so() {
    let site = empty();
    std::fs::create_dir_all(site.path().join("a/secrets")).unwrap();
    std::fs::create_dir_all(site.path().join("a/recipes/mine")).unwrap();
    std::fs::write(site.path().join("a/secrets/hooks-token"), "mine").unwrap();
    std::fs::write(site.path().join("a/recipes/mine/own.yaml"), "name: mine").unwrap();
    let (code, said) = say(&site, "init a").await;
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("left alone: secrets/hooks-token, recipes/confirmed.yaml\n"),
        "{said}"
    );
    assert_eq!(read(&site, "a/secrets/hooks-token"), "mine");
    assert!(!site.path().join("a/recipes/confirmed.yaml").exists());

    std::fs::write(site.path().join("a/config.yaml"), "mine").unwrap();
    std::fs::remove_file(site.path().join("a/example.json")).unwrap();
    let (code, said) = say(&site, "init a").await;
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("a/config.yaml is there already, so nothing was written"),
        "{said}"
    );
    assert_eq!(read(&site, "a/config.yaml"), "mine");
    assert!(!site.path().join("a/example.json").exists());

    let (code, said) = say(&site, "init a/config.yaml").await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("a/config.yaml"), "{said}");
}
