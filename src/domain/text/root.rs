//! What a word has in common with those made from it: "estacionar" and "estacionamento", "pagar" and "pagamento".

use super::stem::stem;

/// Endings that make a noun out of a verb, as stems have them, and how many letters must be left.
const ENDINGS: [(&str, usize); 4] = [("ament", 3), ("iment", 3), ("ador", 4), ("edor", 4)];

/// The stem of a folded word without the ending that made a noun of it. Two different words may share it.
pub fn root(word: &str) -> String {
    let stem = stem(word);
    let cut = ENDINGS.iter().find_map(|(ending, left)| stem.strip_suffix(ending).filter(|rest| rest.len() >= *left));
    let root = cut.unwrap_or(&stem);
    // "Convênios" loses one letter more than "convênio".
    root.strip_suffix('i').filter(|rest| rest.len() > 3).unwrap_or(root).to_owned()
}
