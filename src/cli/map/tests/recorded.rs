//! Drafts over every recorded request: what they read is what the preset of the sender reads.

use super::*;

/// Every recorded body: the preset of its sender, its file, itself, and what its preset reads in it.
fn recorded() -> Vec<(String, String, Value, Vec<Fact>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources");
    let mut found = Vec::new();
    for folder in std::fs::read_dir(folder).expect("fixtures") {
        let folder = folder.expect("a folder").path();
        let preset = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let mut report = Report::new();
        let expected = std::fs::read_to_string(folder.join("expect.yaml"));
        let known = expected.ok().and_then(|text| {
            let mut settings = yaml::parse("expect.yaml", &text, &mut report)?.value()["source"].clone();
            settings["preset"] = preset.as_str().into();
            let node = yaml::parse("x", &settings.to_string(), &mut report)?;
            source::compile("pms", &node, &mut report)
        });
        for file in std::fs::read_dir(&folder).expect("a folder") {
            let file = file.expect("a file").path();
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            let wanted = [".json", ".form"].iter().any(|end| name.ends_with(end)) && !name.ends_with(".headers.json");
            if !wanted {
                continue;
            }
            let body = read_body(&std::fs::read(&file).expect("a file")).expect("a body");
            let facts = match known.as_ref().map(|known| known.map(&body, &|_| None)) {
                Some(Read::Facts { facts, .. }) => facts,
                _ => Vec::new(),
            };
            found.push((preset.clone(), name, body, facts));
        }
    }
    found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    assert!(found.len() > 60, "{}", found.len());
    found
}

/// Whether what a draft reads is part of what is right; the sender's own word for a status beside it.
fn assert_right(what: &str, draft: &Draft, drafted: &[Fact], right: &[Fact]) {
    for fact in drafted {
        assert_eq!(fact.warnings, Vec::<String>::new(), "{what}\n{}", draft.text);
        let names: Vec<&String> = fact.stay.ids.iter().collect();
        let same = right.iter().find(|right| {
            let all: Vec<&String> = right.stay.ids.iter().collect();
            names.iter().all(|name| all.contains(name))
        });
        let same = same.unwrap_or_else(|| panic!("{what}: {names:?}\n{}", draft.text));
        assert!(
            matches!(same.says, Says::Reservation { .. }),
            "{what}: {same:?}\n{}",
            draft.text
        );
        let right = fields(same);
        for (name, value) in fields(fact) {
            let known = right.get(&name).unwrap_or(&Value::Null);
            let fine = match name.as_str() {
                "source_status" => true,
                // A word that is left to the person.
                "status" => value == "unknown" || *known == value,
                "property.ids" => value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .all(|id| known.as_array().is_some_and(|all| all.contains(id))),
                "check_in" | "check_out" if known.is_null() => right[&format!("{name}_date")]
                    .as_str()
                    .is_some_and(|day| value.to_string().contains(day)),
                _ => *known == value || known.to_string().trim_matches('"') == value.to_string().trim_matches('"'),
            };
            assert!(fine, "{what}: {name} is {value}, not {known}\n{}", draft.text);
        }
        if let Some(version) = fact.version {
            assert_eq!(
                Some(version.by),
                same.version.map(|version| version.by),
                "{what}\n{}",
                draft.text
            );
        }
    }
}

#[test]
fn nothing_of_a_recorded_body_is_drafted_wrongly() {
    let all = recorded();
    let mut drafted = 0;
    for (preset, name, body, right) in &all {
        let what = format!("{preset}/{name}");
        let draft = draft_of(&[body]);
        let facts = read(&draft, body);
        drafted += facts.len();
        assert_right(&what, &draft, &facts, right);
    }
    assert!(drafted > 3, "{drafted}");
    // All bodies of one sender together.
    for preset in all
        .iter()
        .map(|(preset, ..)| preset)
        .collect::<std::collections::BTreeSet<_>>()
    {
        let own: Vec<_> = all.iter().filter(|(of, ..)| of == preset).collect();
        let draft = draft_of(&own.iter().map(|(_, _, body, _)| body).collect::<Vec<_>>());
        for (_, name, body, right) in own {
            assert_right(&format!("{preset}/{name}, all"), &draft, &read(&draft, body), right);
        }
    }
}
