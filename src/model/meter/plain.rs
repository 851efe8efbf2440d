//! OpenMetrics as the older Prometheus text.

/// There a counter is called by its whole name in `HELP` and `TYPE` too, and of comments only these two are known.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut head: Option<(&str, &str)> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            head = rest.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (Some((name, help)), Some((_, kind))) = (head.take(), rest.split_once(' ')) else {
                continue;
            };
            let total = if kind == "counter" { "_total" } else { "" };
            out.push_str(&format!("# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n"));
        } else if !line.starts_with('#') {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}
