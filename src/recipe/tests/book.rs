//! Many files together.

use super::*;

fn text(name: &str) -> String {
    format!("name: {name}\non: {{event: reservation.created}}\nactions: [{{http: {{}}}}]\n")
}

fn load(files: &[(&str, String)]) -> (Book, Report) {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(file, text)| ((*file).to_owned(), text.clone()))
        .collect();
    let mut report = Report::new();
    let book = Book::load(&files, KINDS, &mut report);
    (book, report)
}

fn names(book: &Book) -> Vec<&str> {
    book.all().iter().map(|recipe| recipe.name.as_str()).collect()
}

#[test]
fn one_bad_file_stops_no_other() {
    let bad = "name: bad\non: {event: created}\nactions: [{http: {}}]\n".to_owned();
    let unreadable = "name: odd # no YAML\non: [\n".to_owned();
    let (mut book, report) = load(&[
        ("b.yaml", text("b")),
        ("bad.yaml", bad),
        ("odd.yaml", unreadable),
        ("a.yaml", text("a")),
    ]);
    assert_eq!(names(&book), ["a", "b"]);
    assert!(report.has_mistakes());
    let broken: Vec<_> = book
        .broken()
        .iter()
        .map(|broken| (broken.name.as_deref(), broken.file.as_str()))
        .collect();
    assert_eq!(broken, [(Some("bad"), "bad.yaml"), (Some("odd"), "odd.yaml")]);
    assert_eq!(book.broken()[0].because, "line 2: there is no event `created`");
    // The last good revision runs on, once.
    let good = Arc::new(recipe(&text("bad")));
    assert!(book.is_broken("bad") && book.get("bad", None).is_none());
    assert!(book.run_on(good.clone()) && !book.run_on(good) && !book.run_on(Arc::new(recipe(&text("a")))));
    assert_eq!(names(&book), ["a", "b", "bad"]);
}

#[test]
fn two_files_with_one_name_are_both_broken() {
    let (book, report) = load(&[
        ("1.yaml", text("same")),
        ("2.yaml", text("same")),
        ("3.yaml", text("other")),
    ]);
    assert_eq!(names(&book), ["other"]);
    let told: Vec<String> = report
        .items
        .iter()
        .map(|item| format!("{} {}", item.place.as_ref().unwrap().file, item.title))
        .collect();
    assert_eq!(
        told,
        [
            "1.yaml another recipe is called `same` too: 2.yaml",
            "2.yaml another recipe is called `same` too: 1.yaml"
        ]
    );
    assert_eq!(book.broken().len(), 2);
}

#[test]
fn another_revision_is_not_the_recipe() {
    let (book, _) = load(&[("a.yaml", text("a"))]);
    let current = book.get("a", None).unwrap().revision.clone();
    assert_eq!(book.get("a", Some(&current)).unwrap().revision, current);
    assert!(book.get("a", Some("of another text")).is_none());
}
