//! The people who may hold the simulated phone: a fixed cast, and new ones drawn at random.

use rand::RngExt;
use rand::seq::IndexedRandom;

use super::backend::SimPerson;

const FIRST: [&str; 24] = [
    "Ana",
    "Bruno",
    "Camila",
    "Diego",
    "Eduarda",
    "Fábio",
    "Gabriela",
    "Heitor",
    "Isabela",
    "João",
    "Larissa",
    "Marcelo",
    "Natália",
    "Otávio",
    "Patrícia",
    "Rafael",
    "Sônia",
    "Tiago",
    "Vanessa",
    "Wagner",
    "Yasmin",
    "Letícia",
    "Caio",
    "Mônica",
];
const LAST: [&str; 20] = [
    "Almeida",
    "Barbosa",
    "Cardoso",
    "Dias",
    "Esteves",
    "Ferreira",
    "Gonçalves",
    "Lima",
    "Macedo",
    "Nogueira",
    "Oliveira",
    "Pereira",
    "Queiroz",
    "Ribeiro",
    "Santos",
    "Teixeira",
    "Vasconcelos",
    "Araújo",
    "Brandão",
    "Moreira",
];
/// Area codes of a dozen large cities.
const AREAS: [u32; 12] = [11, 21, 27, 31, 41, 48, 51, 61, 71, 81, 85, 92];

/// The three who are always there.
pub fn cast() -> Vec<SimPerson> {
    [("Ana Souza", "5511987650101"), ("João Pereira", "5521976540202"), ("Dona Cida", "5531965430303")]
        .map(|(name, number)| SimPerson { name: name.to_owned(), number: number.to_owned() })
        .to_vec()
}

/// Somebody new with a Brazilian name and a mobile number.
pub fn draw() -> SimPerson {
    let mut rng = rand::rng();
    let first = FIRST.choose(&mut rng).copied().unwrap_or("Ana");
    let last = LAST.choose(&mut rng).copied().unwrap_or("Lima");
    let area = AREAS.choose(&mut rng).copied().unwrap_or(11);
    // Mobile numbers have nine digits: a 9, then 6 to 9 (Anatel's numbering plan).
    let line = rng.random_range(60_000_000_u32..=99_999_999);
    SimPerson { name: format!("{first} {last}"), number: format!("55{area}9{line}") }
}

/// `+55 11 98765-0101`, or the digits with a plus when they are not a Brazilian number.
pub fn display_number(number: &str) -> String {
    let spaced = number.strip_prefix("55").filter(|rest| matches!(rest.len(), 10 | 11)).and_then(|rest| {
        let (area, line) = rest.split_at_checked(2)?;
        let (head, tail) = line.split_at_checked(line.len().saturating_sub(4))?;
        Some(format!("+55 {area} {head}-{tail}"))
    });
    spaced.unwrap_or_else(|| format!("+{number}"))
}

/// The one or two letters inside an avatar.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).take(2).collect()
}
