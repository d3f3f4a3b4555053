//! What the stand-in model says: Portuguese, from the facts of the system instruction and nothing else; or, when it is
//! told to be hostile, anything but the truth.

use serde::{Deserialize, Serialize};

use super::hostile;

/// Who answers in place of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Persona {
    /// Says what the system instruction holds, and nothing else.
    #[default]
    Honest,
    /// Obeys everybody, claims what nobody did, gives away what it knows and makes up the rest.
    Hostile,
}

impl Persona {
    /// The answer to the last turn's messages. `turn` is the number of turns shown to the model, this one included.
    pub fn reply(self, system: &str, messages: &[&str], turn: usize) -> String {
        match self {
            Self::Honest => reply(system, messages, turn > 1),
            Self::Hostile => hostile::reply(system, messages, turn),
        }
    }
}

/// What the instruction wants to be said when no fact answers.
const NO_ANSWER: &str = "SEM_RESPOSTA";
/// Asks for an exact answer: `eco: texto` is answered with `texto (n)`, n being the messages of the last turn.
const ECHO_MARK: &str = "eco:";

/// What a customer may ask about: words in the question, words in a fact's label, and how the fact is said.
struct Topic {
    asked: &'static [&'static str],
    label: &'static [&'static str],
    said: &'static str,
}

const TOPICS: [Topic; 8] = [
    Topic {
        asked: &["horario", "abre", "abert", "fecha", "funciona", "que horas", "expediente"],
        label: &["horario", "funcionamento", "expediente"],
        said: "Nosso horário de funcionamento é: {}.",
    },
    Topic {
        asked: &["endereco", "onde", "localiza", "como chego", "fica"],
        label: &["endereco", "localizacao"],
        said: "Estamos em {}.",
    },
    Topic {
        asked: &["preco", "quanto", "valor", "custa", "servico", "tabela", "fazem", "oferece"],
        label: &["servico", "preco", "valor", "tabela", "cardapio"],
        said: "Nossos serviços e preços: {}.",
    },
    Topic {
        asked: &["telefone", "ligar", "whatsapp", "contato"],
        label: &["telefone", "contato"],
        said: "Nosso telefone é {}.",
    },
    Topic {
        asked: &["pagamento", "pagar", "cartao", "pix", "parcela"],
        label: &["pagamento"],
        said: "Formas de pagamento: {}.",
    },
    Topic { asked: &["convenio", "plano"], label: &["convenio", "plano"], said: "Convênios: {}." },
    Topic {
        asked: &["email", "e-mail", "site", "instagram"],
        label: &["email", "e-mail", "site", "instagram"],
        said: "Você nos encontra aqui: {}.",
    },
    Topic { asked: &["estaciona"], label: &["estaciona"], said: "Sobre estacionamento: {}." },
];

/// The answer to the last turn's messages. `acquainted` says that the conversation has begun before, so that nobody is
/// greeted twice.
fn reply(system: &str, messages: &[&str], acquainted: bool) -> String {
    let turn = messages.join("\n");
    if let Some((_, echo)) = turn.rsplit_once(ECHO_MARK) {
        return format!("{} ({})", echo.lines().next().unwrap_or_default().trim(), count(messages));
    }
    let question = plain(&turn);
    let facts = facts(system);
    let known = TOPICS.iter().filter(|topic| topic.asked.iter().any(|word| question.contains(word)));
    let said: Vec<String> = known.filter_map(|topic| say(topic, &facts)).collect();
    let greeted = ["oi", "ola", "bom dia", "boa tarde", "boa noite", "opa", "e ai"]
        .iter()
        .any(|greeting| format!(" {question} ").contains(&format!(" {greeting} ")));
    let hello = if greeted && !acquainted { "Olá! " } else { "" };
    match (said.is_empty(), greeted) {
        (false, _) => format!("{hello}{} Posso ajudar em mais alguma coisa?", said.join(" ")),
        (true, true) => "Olá! Seja bem-vindo. Como posso ajudar?".to_owned(),
        (true, false) if question.contains("obrigad") => "Eu que agradeço! Se precisar, é só chamar.".to_owned(),
        (true, false) if system.contains(NO_ANSWER) => NO_ANSWER.to_owned(),
        (true, false) => {
            "Obrigada pela mensagem! Não tenho essa informação agora, mas posso ajudar com horários, endereço e serviços."
                .to_owned()
        }
    }
}

/// Messages of a turn: its parts, or the lines of a single one.
fn count(messages: &[&str]) -> usize {
    match messages {
        [one] => one.lines().filter(|line| !line.trim().is_empty()).count(),
        many => many.len(),
    }
}

/// The lines `- Rótulo: valor` of the system instruction, labels made plain.
fn facts(system: &str) -> Vec<(String, &str)> {
    let lines = system.lines().filter_map(|line| line.trim_start().strip_prefix("- ")?.split_once(':'));
    lines.map(|(label, value)| (plain(label), value.trim())).filter(|(_, value)| !value.is_empty()).collect()
}

fn say(topic: &Topic, facts: &[(String, &str)]) -> Option<String> {
    let (_, value) = facts.iter().find(|(label, _)| topic.label.iter().any(|word| label.contains(word)))?;
    Some(topic.said.replace("{}", value.trim_end_matches('.')))
}

/// Lower case, without accents, everything but letters, digits and hyphens a space.
pub(super) fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let folded = lower.chars().map(|c| match c {
        'á' | 'à' | 'â' | 'ã' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' | 'ü' => 'u',
        'ç' => 'c',
        c if c.is_alphanumeric() || c == '-' => c,
        _ => ' ',
    });
    folded.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}
