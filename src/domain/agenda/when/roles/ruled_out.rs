//! What is not wanted: "sem ser segunda", "não posso sexta", "de tarde não dá".

use super::super::Aim;
use super::Place;

impl Place<'_> {
    pub(super) fn is_ruled_out_before(&self) -> bool {
        const LEADS: [&[&str]; 14] = [
            &["sem", "ser"],
            &["que", "nao", "seja"],
            &["desde", "que", "nao"],
            &["a", "nao", "ser"],
            &["nao", "pode", "ser"],
            &["nao", "seja"],
            &["menos"],
            &["exceto"],
            &["tirando"],
            &["salvo"],
            &["nem"],
            &["contanto", "que", "nao"],
            &["nao", "sendo"],
            &["evitar"],
        ];
        let near: Vec<usize> = self.back().collect();
        let led = near.iter().take(5).any(|at| {
            LEADS.iter().any(|lead| self.ends_near(*at, lead)) || (self.ends_near(*at, &["fora"]) && !self.is_away(*at))
        });
        if led && !self.is_more_or_less() {
            return true;
        }
        let negated = near.iter().any(|at| self.line.word(*at) == "nao" && self.negates(*at));
        negated && self.frame.aim != Aim::Existing
    }

    /// Whether a phrase begins at a place and only small words stand between it and the mention.
    fn ends_near(&self, at: usize, phrase: &[&str]) -> bool {
        let small = [
            "na", "no", "a", "o", "as", "os", "de", "da", "do", "em", "dia", "dias", "as", "nas", "nos", "para",
            "essa", "esta", "pela",
        ];
        self.line.phrase(at, phrase).is_some_and(|end| (end..self.start).all(|at| self.line.is(at, &small)))
    }

    /// "estou fora", "fico fora": away.
    fn is_away(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map_or("", |at| self.line.word(at));
        ["est", "fic", "vou", "to", "vai"].iter().any(|stem| before.starts_with(stem))
    }

    fn is_more_or_less(&self) -> bool {
        self.back().any(|at| self.line.word(at) == "menos" && at > 0 && self.line.word(at - 1) == "ou")
    }

    /// "não posso sexta", "não quero de manhã", "não sexta": a refusal of what follows.
    fn negates(&self, at: usize) -> bool {
        const VERBS: [&str; 24] = [
            "posso",
            "consigo",
            "quero",
            "da",
            "vou",
            "tenho",
            "podemos",
            "rola",
            "queria",
            "conseguimos",
            "serve",
            "pode",
            "gosto",
            "gostaria",
            "poderia",
            "conseguiria",
            "consegue",
            "estou",
            "estarei",
            "poderei",
            "e",
            "era",
            "dar",
            "rolar",
        ];
        let verb = if self.line.is(at + 1, &["me", "vai", "mais", "eu", "to", "vou"]) { at + 2 } else { at + 1 };
        let direct =
            (at + 1..self.start).all(|at| self.line.is(at, &["na", "no", "a", "as", "de", "da", "para", "dia"]));
        let question = self.line.is(at + 1, &["tem", "teria", "da"]) && self.has_question();
        let relative = (at..self.start).any(|at| self.line.is(at, &["que", "se", "esqueci", "esquece", "quando"]));
        (direct && self.before + 1 >= at.min(self.before + 1)
            || self.line.is(verb, &VERBS)
            || self.line.is(at + 1, &VERBS))
            && !question
            && !relative
    }

    fn has_question(&self) -> bool {
        (self.end..self.after.min(self.end + 8)).any(|at| self.line.mark(at) == Some('?'))
    }

    /// "segunda não", "de tarde não dá", "sexta é ruim", "quinta eu trabalho".
    pub(super) fn is_ruled_out_after(&self) -> bool {
        let mut at = self.end;
        while at < self.end + 3
            && self.line.is(at, &["eu", "ja", "tambem", "pra", "infelizmente", "realmente", "la", "ai"])
        {
            at += 1;
        }
        if at > self.end + 3 || at >= self.after.max(self.end + 1) {
            return false;
        }
        let refuses = match self.line.word(at) {
            // "sexta não?" asks, "sexta não, sábado" refuses.
            "nao" => {
                let asks = self.line.mark(at + 1) == Some('?')
                    || self.line.is(at + 1, &["e", "tem", "esqueci", "ne", "seria", "teria"]);
                !(asks || self.line.ends_sentence(at + 1) && self.has_negation_before())
            }
            "e" | "fica" | "ta" | "esta" => {
                let adverb = usize::from(self.line.is(at + 1, &["muito", "meio", "bem", "mais"]));
                self.line.is(
                    at + 1 + adverb,
                    &["ruim", "complicado", "dificil", "osso", "foda", "impossivel", "feriado", "pessimo", "puxado"],
                )
            }
            "trabalho" | "viajo" | "trampo" | "nunca" => true,
            _ => false,
        };
        refuses && self.frame.aim != Aim::Existing
    }

    /// "não consigo ir hoje não": the second "não" only strengthens the first.
    fn has_negation_before(&self) -> bool {
        self.back().any(|at| self.line.is(at, &["nao", "nem"]))
    }
}
