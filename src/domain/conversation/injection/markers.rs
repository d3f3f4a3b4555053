//! Forged syntax: the wire of a language model, calls of tools, orders to a machine, lines in another's name.

use super::Reason;
use super::lexicon::{Lexicon, Signs};

/// Who speaks in a transcript or a model's wire.
#[rustfmt::skip]
const VOICES: [&str; 42] = [
    "system", "sistema", "assistant", "assistente", "asistente", "developer", "desenvolvedor", "admin",
    "administrador", "user", "usuario", "usuário", "human", "humano", "ai", "ia", "bot", "chatbot", "tool", "prompt",
    "instruction", "instructions", "instruções", "instrucoes", "instrucciones", "root", "nova instrução",
    "novas instruções", "nova instrucao", "novas instrucoes", "nova regra", "nova tarefa", "nova diretiva", "nova diretriz", "novas diretrizes", "new directive", "nova ordem",
    "new instruction", "new instructions", "new task", "override", "nuevas instrucciones",
];
/// Voices a customer's own form may name ("Usuário: joana").
#[rustfmt::skip]
const COMMON_VOICES: [&str; 15] = [
    "user", "usuario", "usuário", "human", "humano", "assistente", "assistant", "bot", "ia", "instruções", "instrucoes",
    "instruction", "instructions", "instrucciones", "tool",
];
/// Who asks and who answers in a transcript.
const ASKERS: [&str; 5] = ["user", "usuario", "usuário", "human", "humano"];
const ANSWERERS: [&str; 5] = ["assistant", "assistente", "asistente", "ai", "bot"];
/// Words that make a framed line an order from above.
#[rustfmt::skip]
const FRAMED: [&str; 30] = [
    "system", "sistema", "inst", "instruction", "instructions", "instrução", "instruções", "instrucoes", "instrucciones", "admin",
    "administrador", "developer", "desenvolvedor", "override", "prompt", "assistant", "root", "im_start", "im_end",
    "sudo", "jailbreak", "end of", "fim d", "begin ", "start of", "nova instr", "new instr", "debug", "hidden", "oculto",
];
const FRAME: [char; 9] = ['<', '[', '{', '#', '=', '*', '-', '|', '~'];

/// Looks for forged syntax in a lower-case text; `tell` hears every sign found.
pub(super) fn scan(text: &str, lexicon: &Lexicon, tell: &mut impl FnMut(Reason, f32)) {
    let low = text.to_lowercase();
    let mut squeezed = String::with_capacity(low.len());
    squeezed.extend(low.chars().filter(|c| !c.is_whitespace()));
    let mut seek = |signs: &Signs, reason, weight| {
        if signs.are_in(&squeezed) {
            tell(reason, weight);
        }
    };
    seek(&lexicon.markers, Reason::ForgedSyntax, 0.65);
    seek(&lexicon.code, Reason::OrdersMachine, 0.55);
    seek(&lexicon.markup, Reason::ForgedSyntax, 0.35);
    let mut voices: Vec<&str> = Vec::new();
    for line in low.split(['\n', '"', '.', '!', '?']).filter(|line| may_speak(line)) {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if is_framed(&line) {
            tell(Reason::ForgedSyntax, 0.6);
        }
        for voice in line.split(['{', '}', '(', '>']).filter_map(voice) {
            if !voices.contains(&voice) {
                voices.push(voice);
            }
        }
    }
    let speaks = |who: &[&str]| voices.iter().any(|voice| who.contains(voice));
    if voices.iter().any(|voice| !COMMON_VOICES.contains(voice)) {
        // A customer's own form may have a field of this name, all alone.
        let is_field = voices.as_slice() == ["sistema"];
        tell(Reason::ForgedVoice, if is_field { 0.3 } else { 0.6 });
    } else if speaks(&ASKERS) && speaks(&ANSWERERS) {
        tell(Reason::ForgedVoice, 0.55);
    }
}

/// Whether a line has a sign that every frame and every voice has.
fn may_speak(line: &str) -> bool {
    let ruled = || line.trim_start().starts_with(['#', '=', '-', '*', '~']);
    line.bytes().any(|byte| matches!(byte, b':' | b'<' | b'[' | b'{')) || ruled()
}

/// "system: …" at the beginning of a line.
fn voice(line: &str) -> Option<&'static str> {
    let bare = line.trim_start_matches(|c: char| FRAME.contains(&c) || c == '>' || c == '(' || c.is_whitespace());
    VOICES.into_iter().find(|name| {
        bare.strip_prefix(name).is_some_and(|rest| rest.trim_start_matches([' ', '*', ']', '_']).starts_with(':'))
    })
}

/// "[SYSTEM …]", "### Instructions", "<admin>", "--- end of … ---".
fn is_framed(line: &str) -> bool {
    let opens = |c: char| matches!(c, '<' | '[' | '{');
    let is_frame = |c: char| FRAME.contains(&c) || c == '/' || c.is_whitespace();
    let mut rest = line;
    let mut inside = false;
    while let Some(at) = rest.find(opens)
        && !inside
    {
        rest = rest.get(at + 1..).unwrap_or_default().trim_start_matches(is_frame);
        inside = begins_framed(rest) && rest.chars().take(60).any(|c| matches!(c, '>' | ']' | '}'));
    }
    let ruled = ["##", "==", "--", "**", "~~"].iter().any(|rule| line.starts_with(rule));
    inside || ruled && begins_framed(line.trim_start_matches(|c: char| FRAME.contains(&c) || c.is_whitespace()))
}

fn begins_framed(text: &str) -> bool {
    FRAMED.iter().any(|word| text.starts_with(word))
}
