//! The judge: compares the client's ledger, PostgreSQL, Redis and the providers' ledger, and names what does not fit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::arena::Arena;
use super::deeds::{Deed, Token};
use super::evidence::{self, Evidence, Place, Said, Text};
use super::load::{ClientLedger, owner_of};

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Messages with our 2xx.
    pub accepted: usize,
    /// Of them: decided, by an answer or a dead letter.
    pub decided: usize,
    /// Of the decided: dead letters.
    pub dead: usize,
    /// Accepted and never decided.
    pub lost: usize,
    /// Answers that left, or messages that were read, in another order than they came.
    pub disorder: usize,
    /// Sends beyond one a text.
    pub beyond_one: u64,
    /// Texts of unknown fate that were put on the wire again: what sends beyond one are allowed by.
    pub ambiguous: u64,
    /// Turns.
    pub turns: usize,
    /// Longest wait from acceptance to decision, milliseconds.
    pub longest_ms: i64,
    /// Everything that breaks a promise.
    pub violations: Vec<String>,
}

impl Verdict {
    pub fn blame(&mut self, what: String) {
        self.violations.push(what);
    }

    /// Adds another run's.
    pub fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.decided += other.decided;
        self.dead += other.dead;
        self.lost += other.lost;
        self.disorder += other.disorder;
        self.beyond_one += other.beyond_one;
        self.ambiguous += other.ambiguous;
        self.turns += other.turns;
        self.longest_ms = self.longest_ms.max(other.longest_ms);
        self.violations.extend(other.violations);
    }
}

/// What a scenario promises beyond the common rules.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Messages closer than this must share a turn, milliseconds.
    pub burst_window_ms: Option<i64>,
    /// How long the arena may take to come to rest.
    pub patience: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { burst_window_ms: None, patience: Duration::from_secs(90) }
    }
}

/// Waits for rest and judges.
pub async fn conclude(arena: &Arc<Arena>, ledger: &ClientLedger, rules: Rules) -> Verdict {
    let rested = evidence::rest(arena, rules.patience).await;
    let evidence = Evidence::take(arena).await;
    let deeds = arena.deeds.all();
    let mut verdict = Verdict { turns: evidence.turns.len(), ..Verdict::default() };
    verdict.longest_ms = evidence.turns.iter().map(|turn| turn.wait_ms).max().unwrap_or(0);
    verdict.violations.extend(rested.err());
    verdict.violations.extend(arena.children.ended_by_themselves());
    verdict.violations.extend(ledger.wrong());
    let ids: Vec<i64> = arena.companies.iter().map(|company| company.id).collect();
    decided_once(&mut verdict, ledger, &evidence);
    order_of_messages(&mut verdict, &evidence);
    sends(&mut verdict, &evidence, &deeds, &ids);
    order_of_sends(&mut verdict, &evidence, &deeds);
    answers_saw_everything(&mut verdict, &evidence, &deeds);
    wall(&mut verdict, &deeds, &ids);
    if let Some(window) = rules.burst_window_ms {
        bursts(&mut verdict, &evidence, window);
    }
    if !verdict.violations.is_empty() {
        arena.keep();
        verdict.blame(format!("logs and data: {}", arena.dir.display()));
    }
    verdict
}

/// Accepted ⊆ decided, each once.
fn decided_once(verdict: &mut Verdict, ledger: &ClientLedger, evidence: &Evidence) {
    let mut rows: HashMap<(usize, &str), usize> = HashMap::new();
    for said in &evidence.said {
        if let Some(dedupe) = said.dedupe.as_deref().and_then(|key| key.strip_prefix("whaticket:")) {
            *rows.entry((said.place.0, dedupe)).or_default() += 1;
        }
    }
    let mut letters: HashMap<(usize, String), usize> = HashMap::new();
    for dead in &evidence.dead {
        let envelope: serde_json::Value = serde_json::from_str(&dead.envelope).unwrap_or_default();
        if let Some(dedupe) = envelope["dedupe"].as_str().and_then(|key| key.strip_prefix("whaticket:")) {
            *letters.entry((dead.company, dedupe.to_owned())).or_default() += 1;
        }
    }
    for accepted in ledger.accepted() {
        verdict.accepted += 1;
        let row = rows.get(&(accepted.token.company, accepted.id.as_str())).copied().unwrap_or(0);
        let letter = letters.get(&(accepted.token.company, accepted.id.clone())).copied().unwrap_or(0);
        verdict.dead += usize::from(letter > 0);
        match row + letter {
            0 => {
                verdict.lost += 1;
                verdict.blame(format!("lost: {} was accepted and never decided", accepted.token));
            }
            1 => verdict.decided += 1,
            _ => {
                verdict.decided += 1;
                verdict.blame(format!("decided twice: {} ({row} rows, {letter} dead letters)", accepted.token));
            }
        }
    }
}

fn by_conversation(evidence: &Evidence, author: &str) -> BTreeMap<Place, Vec<Said>> {
    let mut grouped: BTreeMap<Place, Vec<Said>> = BTreeMap::new();
    for said in evidence.said.iter().filter(|said| said.author == author) {
        grouped.entry(said.place).or_default().push(said.clone());
    }
    for said in grouped.values_mut() {
        said.sort_by_key(|said| said.seq);
    }
    grouped
}

/// A customer says the next message after the 2xx of the last, so their numbers must grow with the rows.
fn order_of_messages(verdict: &mut Verdict, evidence: &Evidence) {
    for (place, said) in by_conversation(evidence, "customer") {
        let tokens: Vec<Token> = said.iter().flat_map(|said| Token::all(&said.body)).collect();
        if !tokens.is_sorted() {
            verdict.disorder += 1;
            verdict.blame(format!("disorder: messages of {place:?} were read as {tokens:?}"));
        }
        if tokens.iter().any(|token| (token.company, token.conversation) != place) {
            verdict.blame(format!("wall: {place:?} holds {tokens:?}"));
        }
    }
}

/// Texts on the wire: at most one a row, and one more for each counted resend; none of a replaced answer.
fn sends(verdict: &mut Verdict, evidence: &Evidence, deeds: &[Deed], ids: &[i64]) {
    #[derive(Default)]
    struct Group {
        rows: u64,
        resends: u64,
        sent: u64,
        accepted: u64,
        states: Vec<String>,
    }
    let mut groups: BTreeMap<(i64, String, String), Group> = BTreeMap::new();
    for text in &evidence.texts {
        let key = (ids[text.place.0], text.recipient.clone(), text.body.clone());
        let group = groups.entry(key).or_default();
        group.rows += u64::from(text.state != "superseded");
        group.resends += text.resends;
        group.sent += u64::from(matches!(text.state.as_str(), "sent" | "delivered" | "read"));
        group.states.push(format!("{}+{}", text.state, text.resends));
        verdict.ambiguous += text.resends;
    }
    for deed in deeds {
        if let Deed::Send { company, number, body, accepted: true, .. } = deed {
            groups.entry((company.unwrap_or(0), number.clone(), body.clone())).or_default().accepted += 1;
        }
    }
    for ((company, number, body), group) in groups {
        verdict.beyond_one += group.accepted.saturating_sub(group.rows);
        if group.accepted > group.rows + group.resends {
            verdict.blame(format!(
                "sent too often: company {company} to {number} {body:?}: {} times for {:?}",
                group.accepted, group.states
            ));
        }
        if group.accepted < group.sent {
            verdict.blame(format!(
                "said to be sent, but was not: company {company} to {number} {body:?}: {} times for {:?}",
                group.accepted, group.states
            ));
        }
    }
}

/// Answers leave in the order of their turns. Texts that are not unique in their conversation cannot be told apart.
fn order_of_sends(verdict: &mut Verdict, evidence: &Evidence, deeds: &[Deed]) {
    let mut known: HashMap<(&str, &str), Option<i64>> = HashMap::new();
    for Text { recipient, body, seq, .. } in &evidence.texts {
        known.entry((recipient, body)).and_modify(|seq| *seq = None).or_insert(Some(*seq));
    }
    let mut last: HashMap<&str, i64> = HashMap::new();
    for deed in deeds {
        let Deed::Send { number, body, accepted: true, .. } = deed else { continue };
        let Some(Some(seq)) = known.get(&(number.as_str(), body.as_str())) else { continue };
        let before = last.entry(number).or_insert(*seq);
        if seq < before {
            verdict.disorder += 1;
            verdict.violations.push(format!("disorder: {body:?} to {number} left after a later answer"));
        }
        *before = *seq.max(before);
    }
}

/// An answer is the model's answer to a prompt that held every message of its turn, and says so by its last word.
fn answers_saw_everything(verdict: &mut Verdict, evidence: &Evidence, deeds: &[Deed]) {
    let mut asked: HashMap<Token, Vec<HashSet<Token>>> = HashMap::new();
    for deed in deeds {
        if let Deed::Think { last, accepted: true, .. } = deed
            && let Some(newest) = last.last()
        {
            asked.entry(*newest).or_default().push(last.iter().copied().collect());
        }
    }
    let mut members: HashMap<&str, BTreeSet<Token>> = HashMap::new();
    for said in evidence.said.iter().filter(|said| said.author == "customer") {
        match &said.turn {
            Some(turn) => members.entry(turn).or_default().extend(Token::all(&said.body)),
            None => verdict.blame(format!("a message without a turn: {}", said.body)),
        }
    }
    let texts: HashMap<&str, Vec<&Text>> = evidence.texts.iter().fold(HashMap::new(), |mut texts, text| {
        texts.entry(text.turn.as_str()).or_insert_with(Vec::new).push(text);
        texts
    });
    for turn in &evidence.turns {
        let members = members.get(turn.id.as_str()).cloned().unwrap_or_default();
        let Some(newest) = members.last() else { continue };
        if members.len() != turn.seen {
            verdict.blame(format!("turn {} says it saw {} messages, and has {members:?}", turn.id, turn.seen));
        }
        let Some(texts) = texts.get(turn.id.as_str()) else {
            verdict.blame(format!("no answer to {members:?}"));
            continue;
        };
        if !turn.reason.is_empty() {
            continue;
        }
        if !texts.iter().any(|text| Token::parse(&text.body) == Some(*newest)) {
            verdict.blame(format!("an answer that did not see all: {members:?} got {:?}", texts[0].body));
        }
        let saw_all = |seen: &HashSet<Token>| members.iter().all(|member| seen.contains(member));
        if !asked.get(newest).is_some_and(|asked| asked.iter().any(saw_all)) {
            verdict.blame(format!("no prompt held all of {members:?}"));
        }
    }
}

/// No company's credential on another's traffic, no stranger's words in a prompt.
fn wall(verdict: &mut Verdict, deeds: &[Deed], ids: &[i64]) {
    for deed in deeds {
        match deed {
            Deed::Send { company, number, .. } => {
                let owner = owner_of(number).and_then(|(owner, _)| ids.get(owner)).copied();
                if *company != owner {
                    verdict.blame(format!("wall: a text to {number} left with the credential of {company:?}"));
                }
            }
            Deed::Think { company, all, .. } => {
                let places: BTreeSet<_> = all.iter().map(|token| (token.company, token.conversation)).collect();
                let owner = all.first().and_then(|token| ids.get(token.company)).copied();
                if places.len() > 1 || (owner.is_some() && *company != owner) {
                    verdict.blame(format!("wall: a prompt of company {company:?} held {places:?}"));
                }
            }
        }
    }
}

/// Messages closer than the window belong to one turn.
fn bursts(verdict: &mut Verdict, evidence: &Evidence, window_ms: i64) {
    for (place, said) in by_conversation(evidence, "customer") {
        for pair in said.windows(2) {
            if pair[1].at_ms - pair[0].at_ms < window_ms && pair[0].turn != pair[1].turn {
                verdict.blame(format!(
                    "a burst was torn: {:?} and {:?} of {place:?}, {} ms apart, have two answers",
                    pair[0].body,
                    pair[1].body,
                    pair[1].at_ms - pair[0].at_ms
                ));
            }
        }
    }
}
