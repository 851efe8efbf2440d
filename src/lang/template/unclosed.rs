//! What was opened in a template and not closed, and other slips that the parser only notices later.

use super::catalog::{FILTERS, FilterKind};
use super::fault::Fault;

/// The slip behind a complaint of the parser at an offset; `None` where none is found.
pub(super) fn find(source: &str, at: usize, said: &str) -> Option<Fault> {
    let at_the_end = ["end of input", "unknown statement end", "unexpected end of"];
    if at_the_end.iter().any(|words| said.contains(words))
        && let Some((offset, word)) = block(source)
    {
        return Some(
            Fault::new(format!("`{{% {word} … %}}` is never ended"))
                .help(format!("put `{{% end{word} %}}` where it ends"))
                .at(offset),
        );
    }
    if let Some(at) = source.find("{{{").filter(|_| source.contains("}}}")) {
        return Some(
            Fault::new("three braces are one too many")
                .help("a value is put in with two: `{{ … }}`")
                .at(at),
        );
    }
    if let Some((offset, open, close)) = braces(source) {
        return Some(
            Fault::new(format!("`{open}` is not closed with `{close}`"))
                .help(format!("put `{close}` behind what belongs to it"))
                .at(offset),
        );
    }
    let before = source.get(..at)?;
    let rest = source.get(at..)?;
    let single = rest.starts_with('=') && !rest.starts_with("==") && !before.ends_with(['=', '!', '<', '>']);
    if single && said.contains("unexpected") {
        return Some(Fault::new("one `=` does not compare").help("write `==`").at(at));
    }
    if source.trim_start().starts_with("if ") && said.contains("unexpected") && !source.contains("{%") {
        let start = source.len() - source.trim_start().len();
        return Some(
            Fault::new("a condition is written without `if`")
                .help("leave it out: `when:` says it already")
                .at(start),
        );
    }
    if let Some(c) = rest.chars().next().filter(|c| matches!(c, '‘' | '’' | '“' | '”' | '„')) {
        return Some(
            Fault::new(format!("`{c}` is no quote for templates"))
                .help("quotes are straight ones: ' or \"")
                .at(at),
        );
    }
    if rest.starts_with('?') {
        return Some(
            Fault::new("`?` is no word of templates")
                .help("write `VALUE if CONDITION else OTHER`")
                .at(at),
        );
    }
    let word: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    let is_filter = FILTERS
        .iter()
        .any(|doc| doc.kind == FilterKind::Filter && doc.name == word);
    if is_filter && said.contains("unexpected") && before.ends_with(' ') {
        return Some(
            Fault::new(format!("`{word}` is a filter and stands behind a `|`"))
                .help(format!("write `| {word}`"))
                .at(at),
        );
    }
    let words = [("&&", "and"), ("||", "or"), ("!", "not")];
    let found = words
        .into_iter()
        .find(|(sign, _)| rest.starts_with(sign) && !rest.starts_with("!="))?;
    Some(
        Fault::new(format!("`{}` is no word of templates", found.0))
            .help(format!("write `{}`", found.1))
            .at(at),
    )
}

/// `{{` or `{%` before the next of its kind without an end.
fn braces(source: &str) -> Option<(usize, &'static str, &'static str)> {
    let mut from = 0;
    while let Some(at) = source[from..].find(['{']).map(|at| from + at) {
        let pair = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];
        let Some((open, close)) = pair.into_iter().find(|(open, _)| source[at..].starts_with(open)) else {
            from = at + 1;
            continue;
        };
        let inner = &source[at + 2..];
        let end = inner.find(close);
        let next = [inner.find("{{"), inner.find("{%")].into_iter().flatten().min();
        match (end, next) {
            (None, _) => return Some((at, open, close)),
            (Some(end), Some(next)) if next < end && open != "{#" => return Some((at, open, close)),
            (Some(end), _) => from = at + 2 + end + 2,
        }
    }
    None
}

/// The last `{% if %}`, `{% for %}`, `{% set %}…` or `{% with %}` that is still open at the end.
fn block(source: &str) -> Option<(usize, &'static str)> {
    let mut open: Vec<(usize, &'static str)> = Vec::new();
    let mut from = 0;
    while let Some(at) = source[from..].find("{%").map(|at| from + at) {
        let inner = &source[at + 2..];
        let end = inner.find("%}")?;
        let text = inner[..end].trim_matches(['-', '+']).trim();
        let word = text.split([' ', '\n']).next().unwrap_or_default();
        let known = ["if", "for", "with"].into_iter().find(|known| *known == word);
        match known {
            Some(word) => open.push((at, word)),
            None if word.starts_with("end") => _ = open.pop(),
            None => {}
        }
        from = at + 2 + end + 2;
    }
    open.pop()
}

#[cfg(test)]
mod tests {
    use crate::lang::template::{Condition, Format, Template};

    #[test]
    fn slips_are_found_where_they_are() {
        for (source, column, message) in [
            ("a {{ b c {{ d }}", 3, "`{{` is not closed with `}}`"),
            ("a {{ b", 3, "`{{` is not closed with `}}`"),
            ("{% if a }x{% endif %}", 1, "`{%` is not closed with `%}`"),
            (
                "{% if a %}{% for b in c %}x{% endfor %}",
                1,
                "`{% if … %}` is never ended",
            ),
            ("{% if a = b %}x{% endif %}", 9, "one `=` does not compare"),
            ("{{ a && b }}", 6, "`&&` is no word of templates"),
            ("{{{ a }}}", 1, "three braces are one too many"),
            (
                "{{ a default('x') }}",
                6,
                "`default` is a filter and stands behind a `|`",
            ),
            ("{{ a ? 'b' : 'c' }}", 6, "`?` is no word of templates"),
            ("{{ a | date(‘%d’) }}", 13, "`‘` is no quote for templates"),
        ] {
            let error = Template::compile(source, Format::Text).expect_err(source);
            assert_eq!((error.column, error.message.as_str()), (column, message), "{source}");
            assert!(error.help.is_some(), "{source}");
        }
        let error = Condition::compile("a = 'b'").expect_err("one =");
        assert_eq!((error.column, error.help.as_deref()), (3, Some("write `==`")));
        let error = Condition::compile("if a == 'b'").expect_err("an if");
        assert_eq!(error.message, "a condition is written without `if`");
    }
}
