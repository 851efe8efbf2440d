//! Settings that stand beside the name they belong to instead of below it.

use crate::lang::diag::Report;
use crate::lang::fields;
use crate::lang::shape::Shape;
use crate::lang::yaml::{Key, Node};

/// The entries of a section without such names and settings, each group of which is one mistake and not one for each.
/// `shape` is what stands below a name.
pub(super) fn below<'n>(
    entries: Vec<&'n (Key, Node)>,
    shape: &'static Shape,
    report: &mut Report,
) -> Vec<&'n (Key, Node)> {
    let mut sound = Vec::new();
    let mut rest = entries.into_iter().peekable();
    while let Some(entry) = rest.next() {
        let (name, value) = entry;
        let mut beside: Vec<&Key> = Vec::new();
        while value.is_null()
            && let Some((key, _)) = rest.next_if(|(key, _)| shape.entry(&key.text).is_some())
        {
            beside.push(key);
        }
        if !fields::beside(&name.text, &beside, report) {
            sound.push(entry);
        }
    }
    sound
}
