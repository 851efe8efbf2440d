//! Texts in which `*` stands for anything.

/// Whether `text` is like `pattern`, in which `*` stands for anything, nothing too. Linear in both: greedy, piece by piece.
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, pieces)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.split('*');
    let last = pieces.next_back().unwrap_or_default();
    // The leftmost place is always as good as any other: what follows only asks for what is left.
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
