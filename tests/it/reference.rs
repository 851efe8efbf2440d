//! The reference and the schemas in `docs/reference` are what the declarations make.

mod pages;
mod senders;
mod shapes;

use std::path::Path;

use stayhook::cli::environment;

/// `STAYHOOK_WRITE_REFERENCE=1 cargo test --test it reference` writes them.
#[test]
fn the_reference_is_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let write = environment("STAYHOOK_WRITE_REFERENCE").is_some();
    let pages = pages::all();
    let mut old = Vec::new();
    for (name, text) in &pages {
        let path = folder.join(name);
        if write {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        if std::fs::read_to_string(&path).ok().as_ref() != Some(text) {
            old.push(name.as_str());
        }
    }
    assert!(
        old.is_empty(),
        "out of date: {old:?}; write them with STAYHOOK_WRITE_REFERENCE=1 cargo test --test it reference"
    );
}

#[test]
fn every_link_of_the_reference_leads_somewhere() {
    let pages = pages::all();
    let text_of = |name: &str| {
        pages
            .iter()
            .find(|(page, _)| page == name)
            .map(|(_, text)| text.as_str())
    };
    // Links of pages elsewhere are held with those of all documents.
    let own = |name: &str| name.ends_with(".md") && !name.starts_with("..");
    for (page, text) in pages.iter().filter(|(name, _)| own(name)) {
        for (at, _) in text.match_indices("](") {
            let link = text[at + 2..].split(')').next().unwrap();
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                Some(text.as_str())
            } else {
                text_of(file)
            };
            let target = target.unwrap_or_else(|| panic!("{page}: no page {link}"));
            let there = anchor.is_empty() || target.contains(&format!("<a id=\"{anchor}\">"));
            assert!(there, "{page}: nothing at {link}");
        }
    }
}
