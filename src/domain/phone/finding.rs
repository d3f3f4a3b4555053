//! The telephone number inside a text.

use unicode_normalization::UnicodeNormalization;

use super::{BRAZIL, Phone, is_ddd, is_national, is_old_mobile};

/// More groups of digits than a number is written in.
const GROUPS_MAX: usize = 8;
/// More signs than this between two groups and they are two numbers.
const GAP_MAX: usize = 3;

/// A group of digits and what stands around it.
struct Group {
    digits: String,
    /// A plus sign stands right before.
    plus: bool,
    /// The group before belongs to the same number, as far as can be seen.
    joined: bool,
    /// A letter touches it: "s66", "86221d".
    worded: bool,
}

impl Phone {
    /// The first telephone number in a text: a Brazilian one with area code, or a foreign one written with `+`.
    /// Other runs of digits (documents, amounts, dates) are none.
    pub fn find(text: &str) -> Option<Self> {
        let groups = groups(text);
        (0..groups.len()).find_map(|start| {
            let run = run_at(&groups, start);
            (1..=run).rev().find_map(|count| number(groups.get(start..start + count)?))
        })
    }
}

/// How many groups from this one on may be one number.
fn run_at(groups: &[Group], start: usize) -> usize {
    let more = groups.iter().skip(start + 1).take(GROUPS_MAX - 1).take_while(|group| group.joined && !group.plus);
    1 + more.count()
}

fn number(groups: &[Group]) -> Option<Phone> {
    let first = groups.first()?;
    if groups.iter().any(|group| group.worded) {
        return None;
    }
    let length: usize = groups.iter().map(|group| group.digits.len()).sum();
    let fewest = if first.plus { 8 } else { 10 };
    if !(fewest..=18).contains(&length) {
        return None;
    }
    let digits: String = groups.iter().map(|group| group.digits.as_str()).collect();
    let phone = Phone::typed(&if first.plus { format!("+{digits}") } else { complete(digits) })?;
    match phone.digits().strip_prefix(BRAZIL) {
        Some(national) => (is_national(national) || is_old_national(national)).then_some(phone),
        None => first.plus.then_some(phone),
    }
}

/// A mobile of the old form gets its country code too.
fn complete(digits: String) -> String {
    if is_old_national(&digits) { format!("{BRAZIL}{digits}") } else { digits }
}

fn is_old_national(digits: &str) -> bool {
    digits.split_at_checked(2).is_some_and(|(ddd, subscriber)| is_ddd(ddd) && is_old_mobile(subscriber))
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let (mut gap, mut gap_joins, mut plus, mut letter) = (0, false, false, false);
    let mut in_digits = false;
    for c in text.nfkc() {
        if c.is_ascii_digit() {
            match groups.last_mut().filter(|_| in_digits) {
                Some(group) => group.digits.push(c),
                None => groups.push(Group {
                    digits: c.to_string(),
                    plus,
                    joined: gap_joins && gap <= GAP_MAX,
                    worded: letter,
                }),
            }
            (gap, gap_joins, plus, letter, in_digits) = (0, true, false, false, true);
            continue;
        }
        if in_digits && c.is_alphabetic() {
            groups.iter_mut().last().into_iter().for_each(|group| group.worded = true);
        }
        gap += 1;
        gap_joins &= matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{2010}'..='\u{2015}');
        letter = c.is_alphabetic();
        plus = c == '+' || (plus && matches!(c, ' ' | '('));
        in_digits = false;
    }
    groups
}
