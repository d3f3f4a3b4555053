//! The stem of a Portuguese word: what is left when plural, gender, diminutive and verb endings are gone.
//!
//! It groups what belongs together ("marcar", "marquei", "marcando") for counting topics and looking words up; it is
//! no dictionary, and two different words may share a stem.

use std::sync::LazyLock;

/// Endings, longest first; what is left must have at least [`SHORTEST`] letters.
const ENDINGS: [&str; 75] = [
    "issimos", "issimas", "issemos", "assemos", "ariamos", "eriamos", "iriamos", "issimo", "issima", "avamos",
    "aremos", "eremos", "iremos", "inhos", "inhas", "mente", "acoes", "ariam", "eriam", "iriam", "assem", "essem",
    "issem", "inho", "inha", "acao", "ando", "endo", "indo", "aria", "eria", "iria", "aram", "eram", "iram", "arao",
    "erao", "irao", "arei", "erei", "irei", "asse", "esse", "isse", "amos", "emos", "imos", "adas", "ados", "idas",
    "idos", "avam", "oes", "ara", "era", "ira", "ada", "ado", "ida", "ido", "ava", "iam", "ais", "eis", "ar", "er",
    "ir", "ei", "ou", "iu", "am", "em", "as", "es", "os",
];

/// The endings by their last byte, in the same order.
static BY_LAST: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| {
    let with = |last| ENDINGS.into_iter().filter(|ending| ending.bytes().next_back() == Some(last)).collect();
    (0..=u8::MAX).map(with).collect()
});

/// The shortest stem, in letters.
const SHORTEST: usize = 3;

/// The stem of a folded word. Words of less than four letters stay as they are.
pub fn stem(word: &str) -> String {
    if !word.is_ascii() || word.len() <= SHORTEST {
        return word.to_owned();
    }
    let keeps_enough = |rest: &&str| rest.len() >= SHORTEST;
    let endings = word.bytes().next_back().and_then(|last| BY_LAST.get(usize::from(last)));
    let cut = endings.into_iter().flatten().find_map(|ending| word.strip_suffix(ending).filter(keeps_enough));
    let singular = cut.or_else(|| word.strip_suffix('s').filter(keeps_enough)).unwrap_or(word);
    hardened(singular.strip_suffix(['a', 'e', 'i', 'o']).filter(keeps_enough).unwrap_or(singular))
}

/// A stem's spelling before e and i, brought back to the one before a and o: "marqu" is "marc", "pagu" is "pag".
fn hardened(stem: &str) -> String {
    match stem.strip_suffix("qu") {
        Some(rest) => format!("{rest}c"),
        None => stem.strip_suffix('u').filter(|rest| rest.ends_with('g')).unwrap_or(stem).to_owned(),
    }
}
