//! Numbers in words, up to the thousands prices are made of.

fn simple(word: &str) -> Option<u32> {
    Some(match word {
        "um" | "uma" => 1,
        "dois" | "duas" => 2,
        "tres" => 3,
        "quatro" => 4,
        "cinco" => 5,
        "seis" => 6,
        "sete" => 7,
        "oito" => 8,
        "nove" => 9,
        "dez" => 10,
        "onze" => 11,
        "doze" => 12,
        "treze" => 13,
        "quatorze" | "catorze" => 14,
        "quinze" => 15,
        "dezesseis" => 16,
        "dezessete" => 17,
        "dezoito" => 18,
        "dezenove" => 19,
        "vinte" => 20,
        "trinta" => 30,
        "quarenta" => 40,
        "cinquenta" => 50,
        "sessenta" => 60,
        "setenta" => 70,
        "oitenta" => 80,
        "noventa" => 90,
        "cem" | "cento" => 100,
        "duzentos" | "duzentas" => 200,
        "trezentos" | "trezentas" => 300,
        "quatrocentos" | "quatrocentas" => 400,
        "quinhentos" | "quinhentas" => 500,
        "seiscentos" | "seiscentas" => 600,
        "setecentos" | "setecentas" => 700,
        "oitocentos" | "oitocentas" => 800,
        "novecentos" | "novecentas" => 900,
        _ => return None,
    })
}

/// The single digit a word names, "meia" among them (six, in telephone numbers).
pub(super) fn digit(word: &str) -> Option<char> {
    match word {
        "zero" => Some('0'),
        "meia" => Some('6'),
        _ => simple(word).filter(|value| *value < 10).and_then(|value| char::from_digit(value, 10)),
    }
}

/// Whether a word can be part of a number.
pub(super) fn is_part(word: &str) -> bool {
    matches!(word, "e" | "mil") || simple(word).is_some()
}

/// The number that folded words make all together, in digits or in words ("cento e vinte", "mil e duzentos").
pub(super) fn number(words: &[&str]) -> Option<u32> {
    if let [one] = words
        && one.starts_with(|c: char| c.is_ascii_digit())
    {
        return one.parse().ok();
    }
    let (first, last) = (words.first()?, words.last()?);
    if *first == "e" || *last == "e" {
        return None;
    }
    let (mut total, mut below) = (0_u32, 0_u32);
    for word in words {
        match *word {
            "e" => {}
            "mil" => {
                total = total.saturating_add(below.max(1).saturating_mul(1_000));
                below = 0;
            }
            word => below = below.saturating_add(simple(word)?),
        }
    }
    Some(total.saturating_add(below))
}
