//! What attacks do, as phrases of certain groups close to each other.

use super::Reason;
use super::lexicon::{Group, Lexicon};
use super::reading::{SHORT_LINE_GAP, Word};

use Group::{
    AboveText, Act, Affix, Announce, Authority, Become, Boundary, BreakIn, Change, Command, Creator, Decode, Disable,
    Dossier, Drop, DropAll, Duty, Enter, Errand, Every, Everything, Expert, Forever, Free, FromNow, Grant, Guard,
    Internals, JailMode, Mine, Mode, Need, NewRules, NoRefuse, Obey, ObeyMe, OfUser, On, Others, Password, Persona,
    Personal, Prior, Privilege, Prompt, Protocol, Records, Reveal, RootAccess, Rules, Runs, Secret, Selfhood, Send,
    State, Story, Suppose, System, Talk, Told, Transform, UnlockCode, Upkeep, Url, Verbatim, Void, Warp, Wipe, You,
    YouAre, YourPassword, Yours,
};

/// A group that must (or must not) appear at most so many words before or after.
type Near = (&'static [Group], u32, u32);

/// One sign: a phrase of `head`, every `with` near it, no `without` near it.
struct Rule {
    reason: Reason,
    /// How sure the sign alone makes, 0 to 1.
    weight: f32,
    head: Group,
    with: &'static [Near],
    without: &'static [Near],
}

const fn rule(reason: Reason, weight: f32, head: Group, with: &'static [Near]) -> Rule {
    Rule { reason, weight, head, with, without: &[] }
}

const fn unless(rule: Rule, without: &'static [Near]) -> Rule {
    Rule { without, ..rule }
}

const OURS: &[Group] = &[Yours, Prior, System, Every];
/// "my rules", "the doctor's instructions": said about daily life.
const EVERYDAY: &[Near] = &[(&[Mine], 0, 3), (&[Errand], 0, 9)];

static RULES: &[Rule] = &[
    // Orders to leave the rules.
    unless(rule(Reason::DropsRules, 0.85, Drop, &[(&[Rules, Guard], 0, 9), (OURS, 3, 12)]), EVERYDAY),
    // A word of daily life added to an attack makes it less sure, not harmless.
    unless(rule(Reason::DropsRules, 0.35, Drop, &[(&[Rules], 0, 9), (&[Prior], 0, 12)]), &[(&[Mine], 0, 3)]),
    unless(rule(Reason::DropsRules, 0.55, Drop, &[(&[Rules], 0, 6)]), EVERYDAY),
    unless(rule(Reason::DropsRules, 0.6, Drop, &[(&[Duty], 0, 7), (&[Prior, System], 0, 9)]), EVERYDAY),
    unless(rule(Reason::DropsRules, 0.55, Drop, &[(&[Guard], 0, 4)]), EVERYDAY),
    rule(Reason::DropsRules, 0.85, Drop, &[(&[Prompt], 0, 8)]),
    rule(Reason::DropsRules, 0.65, Drop, &[(&[YouAre], 0, 4), (&[Persona], 0, 9)]),
    unless(rule(Reason::DropsRules, 0.55, Drop, &[(&[Affix], 0, 12)]), &[(&[Mine], 0, 9)]),
    rule(Reason::DropsRules, 0.9, Drop, &[(&[Rules, Everything], 0, 8), (&[Become, JailMode, NewRules], 4, 25)]),
    rule(Reason::DropsRules, 0.6, Drop, &[(&[NewRules, Become, JailMode], 12, 20), (&[Everything, Told, Every], 0, 6)]),
    unless(rule(Reason::DropsRules, 0.65, Disable, &[(&[Rules, Guard], 0, 5), (&[Yours, System], 0, 8)]), EVERYDAY),
    unless(rule(Reason::DropsRules, 0.65, Drop, &[(&[Everything], 0, 3), (&[Told], 0, 9)]), &[(&[Mine], 0, 9)]),
    unless(
        rule(Reason::DropsRules, 0.6, Void, &[(&[Rules, Guard], 10, 6), (OURS, 12, 6)]),
        &[(&[Errand], 12, 12), (&[Mine], 6, 0)],
    ),
    unless(rule(Reason::DropsRules, 0.6, Disable, &[(&[Everything], 0, 5), (&[Told], 0, 9)]), &[(&[Mine], 0, 9)]),
    unless(rule(Reason::DropsRules, 0.5, Disable, &[(&[Rules], 0, 4), (&[Prior], 0, 6)]), EVERYDAY),
    unless(rule(Reason::DropsRules, 0.6, Disable, &[(&[Prompt], 0, 4)]), EVERYDAY),
    unless(rule(Reason::DropsRules, 0.6, Drop, &[(&[Selfhood], 0, 4), (&[Yours], 0, 4)]), EVERYDAY),
    unless(rule(Reason::DropsRules, 0.55, Disable, &[(&[Rules], 0, 4), (&[You], 8, 0)]), EVERYDAY),
    unless(rule(Reason::DropsRules, 0.65, DropAll, &[]), &[(&[Mine], 0, 6)]),
    unless(rule(Reason::DropsRules, 0.55, Disable, &[(&[Guard], 0, 2)]), EVERYDAY),
    // Somebody else from here on.
    rule(Reason::TakesRole, 0.35, Become, &[]),
    rule(Reason::TakesRole, 0.7, Become, &[(&[Persona, JailMode, Mode, Free, Act], 6, 14)]),
    rule(Reason::TakesRole, 0.6, Become, &[(&[Obey, Rules], 0, 14)]),
    rule(
        Reason::TakesRole,
        0.55,
        FromNow,
        &[(&[You], 0, 5), (&[Persona, Free, Rules, JailMode, Mode, Drop, NoRefuse], 0, 16)],
    ),
    rule(Reason::TakesRole, 0.6, YouAre, &[(&[Persona], 0, 6), (&[Free, Rules, Guard, JailMode, Secret, Obey], 2, 10)]),
    rule(Reason::TakesRole, 0.55, Act, &[(&[Persona, Mode], 0, 7)]),
    rule(
        Reason::TakesRole,
        0.7,
        Act,
        &[(&[Persona], 0, 8), (&[Free, Rules, Guard, Secret, Privilege, RootAccess], 0, 30)],
    ),
    rule(Reason::LiftsLimits, 0.5, Free, &[(&[Become, Act, Obey, Mode, JailMode, Enter], 20, 12)]),
    rule(Reason::LiftsLimits, 0.45, Free, &[(&[You], 4, 0)]),
    rule(Reason::LiftsLimits, 0.45, Free, &[(&[You], 0, 3)]),
    unless(rule(Reason::LiftsLimits, 0.35, Free, &[(&[Reveal], 6, 0)]), EVERYDAY),
    rule(Reason::LiftsLimits, 0.55, NoRefuse, &[]),
    rule(Reason::LiftsLimits, 0.5, ObeyMe, &[(&[You, Rules, FromNow, NewRules], 6, 0)]),
    rule(Reason::UnlocksMode, 0.6, JailMode, &[]),
    unless(rule(Reason::UnlocksMode, 0.5, Mode, &[(&[You, Enter], 8, 8)]), EVERYDAY),
    rule(
        Reason::UnlocksMode,
        0.65,
        Mode,
        &[(&[Become, Act, Free, Rules, Guard, Prompt, Secret, Privilege, Boundary], 12, 12)],
    ),
    unless(rule(Reason::UnlocksMode, 0.55, State, &[(&[Announce], 0, 3)]), &[(&[Mine], 6, 3), (&[Errand], 6, 9)]),
    rule(
        Reason::UnlocksMode,
        0.6,
        UnlockCode,
        &[(&[Void, Mode, JailMode, State, Free, Drop, Disable, Privilege, RootAccess, Guard, Creator], 15, 15)],
    ),
    unless(rule(Reason::UnlocksMode, 0.55, Mode, &[(&[On], 0, 3)]), &[(&[Mine], 6, 3), (&[Errand], 6, 9)]),
    unless(rule(Reason::UnlocksMode, 0.45, Protocol, &[(&[Enter], 3, 0)]), EVERYDAY),
    unless(rule(Reason::UnlocksMode, 0.5, Disable, &[(&[Mode], 0, 4)]), EVERYDAY),
    // Fishing for the instructions.
    unless(rule(Reason::FishesPrompt, 0.65, Reveal, &[(&[Prompt], 0, 8)]), &[(&[Errand], 0, 11)]),
    unless(rule(Reason::FishesPrompt, 0.65, Transform, &[(&[Prompt], 0, 8)]), &[(&[Errand], 0, 11)]),
    unless(
        rule(Reason::FishesPrompt, 0.55, Reveal, &[(&[Rules], 0, 6), (&[System, Prior], 0, 9), (&[Yours, You], 6, 10)]),
        &[(&[Errand], 0, 11)],
    ),
    unless(rule(Reason::Pretext, 0.55, Transform, &[(&[AboveText], 0, 7)]), &[(&[Mine], 0, 9)]),
    unless(rule(Reason::Pretext, 0.5, Reveal, &[(&[AboveText], 0, 6)]), &[(&[Mine], 0, 9)]),
    rule(Reason::Pretext, 0.4, Verbatim, &[(&[AboveText, Prompt], 12, 12)]),
    rule(Reason::Pretext, 0.45, Story, &[(&[Secret, Prompt, Free, JailMode, Mode], 30, 30)]),
    rule(Reason::Pretext, 0.5, Forever, &[(&[Transform], 12, 4)]),
    rule(Reason::Pretext, 0.45, Affix, &[]),
    rule(Reason::Pretext, 0.5, Decode, &[(&[Obey, Runs], 14, 14)]),
    // Speaking with another's voice.
    rule(Reason::ClaimsRank, 0.5, Authority, &[(&[Need], 0, 14), (&[Secret, Prompt], 0, 22)]),
    rule(Reason::ClaimsRank, 0.45, Authority, &[(&[Reveal, Enter], 0, 25), (&[Secret, Prompt, Others, Rules], 0, 30)]),
    rule(
        Reason::ClaimsRank,
        0.5,
        Authority,
        &[(&[Drop, Disable, Mode, JailMode, Privilege, RootAccess, Guard], 15, 30)],
    ),
    rule(Reason::ClaimsRank, 0.6, Creator, &[(&[Obey, Reveal, Enter, Upkeep, Password, Rules], 0, 30)]),
    rule(Reason::ClaimsRank, 0.55, Upkeep, &[(&[Authority, Creator, Password, Secret, Mode, NewRules], 20, 25)]),
    rule(Reason::ClaimsRank, 0.4, Privilege, &[(&[Enter, Authority, Creator, Mode, Prompt, Secret], 8, 12)]),
    rule(Reason::ClaimsRank, 0.55, Privilege, &[(&[Grant], 8, 8)]),
    unless(rule(Reason::ClaimsRank, 0.55, RootAccess, &[]), EVERYDAY),
    rule(Reason::ClaimsRank, 0.4, Expert, &[(&[Need], 0, 14), (&[Dossier, Prompt, Secret], 0, 22)]),
    rule(Reason::ForgedVoice, 0.45, Boundary, &[]),
    rule(
        Reason::ForgedVoice,
        0.6,
        NewRules,
        &[(&[Become, Drop, You, Boundary], 15, 20), (&[Obey, Become, Drop, YouAre], 15, 20)],
    ),
    unless(rule(Reason::ForgedVoice, 0.55, NewRules, &[(&[Yours], 1, 0)]), &[(&[Errand], 0, 12)]),
    // What is to get out, or to be broken.
    unless(rule(Reason::Exfiltrates, 0.55, Reveal, &[(&[Secret], 0, 8)]), &[(&[Mine], 0, 3)]),
    rule(Reason::Exfiltrates, 0.55, Reveal, &[(&[Others], 0, 9)]),
    rule(Reason::Exfiltrates, 0.45, Personal, &[(&[OfUser], 0, 4), (&[Reveal, Transform, Warp], 14, 14)]),
    unless(
        rule(Reason::Pretext, 0.45, Suppose, &[(&[Personal, Others, Password], 0, 30), (&[Reveal], 0, 30)]),
        EVERYDAY,
    ),
    unless(rule(Reason::Exfiltrates, 0.6, Reveal, &[(&[YourPassword], 0, 6)]), &[(&[Errand], 0, 11)]),
    unless(rule(Reason::Exfiltrates, 0.55, Password, &[(&[Warp, Creator, Story], 20, 20)]), &[(&[Errand], 0, 11)]),
    rule(Reason::Exfiltrates, 0.55, Send, &[(&[Talk, Secret, Others, Prompt], 0, 10), (&[Url], 0, 25)]),
    rule(Reason::OrdersMachine, 0.55, BreakIn, &[]),
    rule(Reason::OrdersMachine, 0.55, Wipe, &[(&[Secret], 0, 8)]),
    unless(rule(Reason::OrdersMachine, 0.4, Wipe, &[(&[Records], 0, 6), (&[Every, System], 0, 8)]), &[(&[Mine], 0, 7)]),
    unless(rule(Reason::OrdersMachine, 0.5, Change, &[(&[Internals], 0, 5)]), &[(&[Mine], 0, 5)]),
    unless(rule(Reason::OrdersMachine, 0.5, Disable, &[(&[Internals], 0, 5)]), EVERYDAY),
    rule(Reason::OrdersMachine, 0.4, Runs, &[(&[Command], 0, 4)]),
];

/// Everything the lexicon finds in a row of words.
struct Hits {
    by_group: Vec<Vec<Hit>>,
}

#[derive(Clone, Copy)]
struct Hit {
    from: u32,
    to: u32,
}

impl Hits {
    fn of(&self, group: Group) -> &[Hit] {
        self.by_group.get(group as usize).map_or(&[], Vec::as_slice)
    }

    fn is_near(&self, head: Hit, (groups, before, after): &Near) -> bool {
        let (low, high) = (head.from.saturating_sub(*before), head.to.saturating_add(*after));
        groups.iter().any(|group| {
            let hits = self.of(*group);
            let first = hits.partition_point(|hit| hit.from < low);
            let reached = hits.get(first..).unwrap_or_default().iter().take_while(|hit| hit.from <= high);
            // One phrase may stand in two groups; it is not its own neighbour. At most a few start at one place.
            reached.take(8).any(|hit| hit.from != head.from)
        })
    }
}

/// Judges a row of words; `tell` hears every sign found.
///
/// What chance could have made, such as a word that is another one backwards, needs a whole sign to count.
pub(super) fn judge(words: &[Word], by_chance: bool, lexicon: &Lexicon, tell: &mut impl FnMut(Reason, f32)) {
    let (hits, hidden, known) = find(words, lexicon);
    let mut found = false;
    for rule in RULES {
        let fits = |head: &Hit| {
            rule.with.iter().all(|near| hits.is_near(*head, near))
                && !rule.without.iter().any(|near| hits.is_near(*head, near))
        };
        if hits.of(rule.head).iter().any(fits) {
            found = true;
            tell(rule.reason, rule.weight);
        }
    }
    match hidden {
        0 => {}
        _ if by_chance && !found && (known < 2 || known * 3 < words.len()) => {}
        1 => tell(Reason::Disguised, 0.5),
        _ => tell(Reason::Disguised, 0.7),
    }
}

/// All phrases; how many words with a grave meaning, and how many known words at all, had to be uncovered.
fn find(words: &[Word], lexicon: &Lexicon) -> (Hits, usize, usize) {
    let mut by_group: Vec<Vec<Hit>> = vec![Vec::new(); Group::COUNT];
    let (mut hidden, mut known) = (0, 0);
    for (at, word) in words.iter().enumerate() {
        let following = words.get(at..).unwrap_or_default();
        let mut is_grave = false;
        let next = in_a_row(following).nth(1);
        for phrase in lexicon.beginning_with(&word.text).filter(|phrase| phrase.may_go_on(next)) {
            if !phrase.goes_on(in_a_row(following).skip(1)) {
                continue;
            }
            let to = following.get(phrase.words_after_first()).map_or(word.place, |last| last.place);
            if let Some(hits) = by_group.get_mut(phrase.group as usize) {
                hits.push(Hit { from: word.place, to });
            }
            is_grave |= matches!(phrase.group, Drop | Rules | Prompt | Become | JailMode | Mode | Secret);
        }
        known += usize::from(word.is_hidden && word.text.len() > 4 && lexicon.knows(&word.text));
        hidden += usize::from(is_grave && word.is_hidden && word.text.len() > 4);
    }
    (Hits { by_group }, hidden, known)
}

/// The words up to the first end of a sentence: no phrase goes beyond it.
fn in_a_row(words: &[Word]) -> impl Iterator<Item = &str> {
    let mut last = words.first().map_or(0, |word| word.place);
    words
        .iter()
        .take_while(move |word| {
            let is_next = word.place.saturating_sub(last) <= SHORT_LINE_GAP;
            last = word.place;
            is_next
        })
        .map(|word| word.text.as_str())
}
