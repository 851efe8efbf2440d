//! Lines that begin in the wrong column.

use super::{Mend, Said, Trouble, before, children, indent_of, is_blank, parts, write};

/// Tabs before a line.
pub(super) fn tabs(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    let tabbed = |line: &String| line[..indent_of(line)].contains('\t');
    // The parser may notice it a line or two away.
    let last = at + if trouble.said.has(&["tab"]) { 2 } else { 0 };
    let first = (at.saturating_sub(2)..=last).find(|line| lines.get(*line).is_some_and(tabbed));
    let Some(first) = first else {
        let line = lines.get(at)?;
        if !trouble.said.has(&["tab", "whitespace"]) || !line.contains('\t') {
            return None;
        }
        let column = line.chars().position(|c| c == '\t').unwrap_or(0) + 1;
        let new = line.replace('\t', " ");
        return Some(
            Mend::new(at, column, "there is a tab here where YAML wants a space")
                .help(write(&new))
                .with(at, new),
        );
    };
    let all: Vec<usize> = (0..lines.len()).filter(|line| tabbed(&lines[*line])).collect();
    let more = match all.len() - 1 {
        0 => String::new(),
        1 => ", and one more line too".to_owned(),
        more => format!(", and {more} more lines too"),
    };
    let column = lines[first].find('\t').unwrap_or(0) + 1;
    // In a text the tab stands for as much as the other lines of the text have.
    let in_text = |line: usize| {
        let header = before(lines, line).filter(|above| is_header(&lines[*above]))?;
        let next = lines
            .iter()
            .skip(line + 1)
            .find(|line| !line.trim().is_empty() && !tabbed(line))?;
        (indent_of(next) > indent_of(&lines[header])).then(|| indent_of(next))
    };
    let mut mend = Mend::new(first, column, format!("this line is indented with a tab{more}"))
        .help("lines are indented with spaces, never with tabs; two spaces for each step");
    for line in all {
        let indent = indent_of(&lines[line]);
        let spaces = match in_text(line) {
            Some(wanted) => " ".repeat(wanted),
            None => lines[line][..indent].replace('\t', "  "),
        };
        mend = mend.with(line, format!("{spaces}{}", &lines[line][indent..]));
    }
    Some(mend)
}

/// The text below `text: |` that is not indented, or less than its first line.
pub(super) fn text_block(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    if trouble.said != Said::OddKey
        && !trouble.said.has(&[
            "simple key",
            "did not find expected key",
            "mapping values",
            "block scalar",
        ])
    {
        return None;
    }
    // The parser notices a line without a colon at the next one.
    let at = match trouble.said.has(&["simple key"]) {
        true => before(lines, at)?,
        false => at,
    };
    let line = lines.get(at)?;
    // Between the header and this line there are only lines of the text.
    let header = (0..at).rev().take(200).find(|above| is_header(&lines[*above]))?;
    let own = indent_of(&lines[header]);
    let goes_on = |line: &str| {
        let key = parts(line).key;
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        indent_of(line) <= own && (is_key || line.trim_start().starts_with("- "))
    };
    if indent_of(line) < own && own > 0 && !parts(line).key.is_empty()
        || lines[header + 1..=at].iter().any(|line| goes_on(line))
    {
        return None;
    }
    let text = || {
        lines
            .iter()
            .enumerate()
            .skip(header + 1)
            .filter(|(_, line)| !line.trim().is_empty())
    };
    let start = text().next().map_or(0, |(_, line)| indent_of(line));
    let wanted = if start > own { start } else { own + 2 };
    let (first, left) = text().find(|(_, line)| indent_of(line) < wanted)?;
    if first > at {
        return None;
    }
    let key = parts(&lines[header]).key;
    let title = match start > own {
        true => format!("this line is to the left of the text of `{key}`"),
        false => format!("the text of `{key}` is not indented"),
    };
    let mut mend = Mend::new(first, indent_of(left) + 1, title).help(format!(
        "every line of the text begins in the same column or to the right of it; here column {}, with {} before it",
        wanted + 1,
        spaces(wanted)
    ));
    for (at, line) in text().skip_while(|(at, _)| *at < first) {
        if goes_on(line) {
            break;
        }
        if indent_of(line) < wanted {
            mend = mend.with(at, format!("{}{}", " ".repeat(wanted), line.trim_start()));
        }
    }
    Some(mend.unsure())
}

/// `text: |`, with the text on the lines below.
fn is_header(line: &str) -> bool {
    let value = parts(line).value;
    value.starts_with(['|', '>']) && value[1..].chars().all(|c| matches!(c, '+' | '-' | '0'..='9'))
}

/// A line between two columns, or deeper than a line that has a value already.
pub(super) fn misplaced(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    let line = lines.get(at)?;
    let own = indent_of(line);
    let dash = line.trim_start().starts_with("- ");
    // Of a text over several lines the first one has the key.
    let mut above = before(lines, at)?;
    while parts(&lines[above]).key.is_empty() && indent_of(&lines[above]) >= own && above > 0 {
        above = before(lines, above)?;
    }
    if let Some(mend) = lone_above(lines, at, above).filter(|_| trouble.said.has(&["mapping values"]) && !dash) {
        return Some(mend);
    }
    let deeper = trouble.said.has(&["mapping values"]) && own > indent_of(&lines[above]);
    let between = trouble.said.has(&["did not find expected key"]) && trouble.column == own + 1;
    let beside = trouble.said.has(&["expected '-' indicator"]);
    let sequence = trouble.said.has(&["did not find expected key"]) && dash;
    let (title, wanted) = if deeper {
        let parts = parts(&lines[above]);
        let key = if parts.key.is_empty() {
            "the line above"
        } else {
            parts.key
        };
        let continued = super::parts(line).key.contains(' ');
        if continued {
            return Some(
                Mend::new(
                    at,
                    trouble.column,
                    "a text that goes on over several lines cannot have `: ` in it",
                )
                .help(format!(
                    "write `{key}: |` and the whole text indented below it, or put it in quotes"
                ))
                .with(at, line.replacen(": ", ":", 1))
                .unsure(),
            );
        }
        (
            format!("this line is indented as if it belonged to `{key}`, which has a value already"),
            parts.start,
        )
    } else if between || sequence {
        let wanted = match nearest(lines, at, own, dash) {
            Some(wanted) if wanted != own || !dash => wanted,
            _ if dash => return Some(stray_item(lines, at)),
            _ => return None,
        };
        let title = match dash {
            true => "this `-` begins in another column than those above".to_owned(),
            false => format!("this line begins in column {}, where nothing above it begins", own + 1),
        };
        (title, wanted)
    } else if beside && !dash {
        return Some(beside_a_list(lines, at));
    } else {
        return None;
    };
    let moved = |line: &str| {
        let spaces = (indent_of(line) + wanted).saturating_sub(own);
        format!("{}{}", " ".repeat(spaces), &line[indent_of(line)..])
    };
    let mut mend = Mend::new(at, own + 1, title)
        .help(format!(
            "what belongs together begins in the same column; here probably in column {}, with {} before it",
            wanted + 1,
            spaces(wanted)
        ))
        .with(at, moved(line));
    for child in children(lines, at) {
        if !is_blank(&lines[child]) {
            mend = mend.with(child, moved(&lines[child]));
        }
    }
    Some(mend.unsure())
}

/// A line of settings in the column of a list: an item without its `- `, or a setting of the item above.
fn beside_a_list(lines: &[String], at: usize) -> Mend {
    let line = &lines[at];
    let own = indent_of(line);
    let parts = parts(line);
    let glued = line[own..]
        .strip_prefix('-')
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    if let Some(rest) = glued {
        let new = format!("{}- {rest}", &line[..own]);
        let mend = Mend::new(at, own + 1, "a space is missing after `-`").help(write(&new));
        return as_item(mend, lines, at, new);
    }
    let title = "a list and settings cannot stand side by side: the lines above begin with `- `, this one does not";
    let item = (0..at)
        .rev()
        .find(|above| indent_of(&lines[*above]) == own && lines[*above].trim_start().starts_with("- "));
    let column = item.map_or(own + 2, |item| super::parts(&lines[item]).start);
    if parts.value.is_empty() && children(lines, at).next().is_some() {
        let new = format!("{}- {}", &line[..own], &line[own..]);
        let mend = Mend::new(at, own + 1, title).help(format!("if it is one more of them, {}", write(&new)));
        return as_item(mend, lines, at, new);
    }
    Mend::new(at, own + 1, title)
        .help(format!(
            "if it belongs to the one above, it begins in column {}, with {} before it",
            column + 1,
            spaces(column)
        ))
        .with(at, format!("{}{}", " ".repeat(column), line.trim_start()))
        .unsure()
}

/// A line that becomes an item of a list, with what stands below it as deep as it has to be then.
fn as_item(mend: Mend, lines: &[String], at: usize, new: String) -> Mend {
    let key = parts(&new).start;
    let mut mend = mend.with(at, new);
    let below: Vec<usize> = children(lines, at).filter(|below| !is_blank(&lines[*below])).collect();
    let first = below
        .iter()
        .map(|below| indent_of(&lines[*below]))
        .min()
        .unwrap_or(key + 1);
    for below in below.into_iter().filter(|_| first <= key) {
        mend = mend.with(below, format!("{}{}", " ".repeat(key + 1 - first), lines[below]));
    }
    mend.unsure()
}

/// The line above begins alone a little to the left of this one and of those below: it is the one that is misplaced.
fn lone_above(lines: &[String], at: usize, above: usize) -> Option<Mend> {
    let own = indent_of(&lines[at]);
    let left = indent_of(&lines[above]);
    let next = lines.iter().skip(at + 1).find(|line| !is_blank(line))?;
    let parent = before(lines, above)?;
    let alone = indent_of(next) == own && indent_of(&lines[parent]) < left && parts(&lines[parent]).value.is_empty();
    if !alone || !(left + 1..=left + 3).contains(&own) || parts(&lines[above]).key.is_empty() {
        return None;
    }
    let title = format!(
        "this line begins in column {}, the lines below it in column {}",
        left + 1,
        own + 1
    );
    Some(
        Mend::new(above, left + 1, title)
            .help(format!(
                "what belongs together begins in the same column; here probably in column {}, with {} before it",
                own + 1,
                spaces(own)
            ))
            .with(above, format!("{}{}", " ".repeat(own), lines[above].trim_start()))
            .unsure(),
    )
}

/// `- ` where there are settings.
fn stray_item(lines: &[String], at: usize) -> Mend {
    let mut mend = Mend::new(
        at,
        indent_of(&lines[at]) + 1,
        "an item of a list (`- `) stands among settings here",
    )
    .help("the items of a list stand below a key of their own, such as `actions:`, or the `- ` is too much")
    .with(at, "");
    for child in children(lines, at) {
        mend = mend.with(child, "");
    }
    mend.unsure()
}

fn spaces(n: usize) -> String {
    match n {
        0 => "no space".to_owned(),
        1 => "one space".to_owned(),
        n => format!("{n} spaces"),
    }
}

/// The column, of those in which something above begins, that is nearest to this one.
fn nearest(lines: &[String], at: usize, own: usize, dash: bool) -> Option<usize> {
    let mut columns = Vec::new();
    let mut limit = usize::MAX;
    for above in (0..at).rev() {
        let line = &lines[above];
        if is_blank(line) || indent_of(line) >= limit && limit < own {
            continue;
        }
        let is_item = line.trim_start().starts_with("- ");
        if dash == is_item {
            columns.push(indent_of(line));
        }
        if !dash {
            columns.push(parts(line).start);
        }
        limit = limit.min(indent_of(line));
        if limit == 0 {
            break;
        }
    }
    columns
        .into_iter()
        .min_by_key(|column| (column.abs_diff(own), usize::MAX - column))
}
