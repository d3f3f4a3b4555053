//! Grades: "nota 8", "9/10", "4 de 5", "5 estrelas", "10", "⭐⭐⭐⭐".

use crate::domain::conversation::sentiment::Mood;
use crate::domain::text::reading::{Script, Word};
use crate::domain::text::tokens::Kind;

/// From this share of the best grade on it is praise, up to that one a complaint.
const GOOD_FROM: f32 = 0.75;
const BAD_TO: f32 = 0.5;
const STARS_MAX: f32 = 5.0;
const GRADE_MAX: f32 = 10.0;
const STAR: [char; 2] = ['⭐', '🌟'];

/// The mood of the grade in a text; `None` when there is none.
pub(super) fn of(script: &Script<'_>) -> Option<Mood> {
    share(script).map(|share| match share {
        _ if share >= GOOD_FROM => Mood::Positive,
        _ if share <= BAD_TO => Mood::Negative,
        _ => Mood::Neutral,
    })
}

/// The grade as a share of the best one.
fn share(script: &Script<'_>) -> Option<f32> {
    let words = script.words();
    let graded = words.iter().enumerate().find_map(|(at, word)| {
        let next = words.get(at + 1).map_or("", |word| word.text.as_str());
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", |word| word.text.as_str());
        match word.kind {
            Kind::Date => fraction(&word.text),
            Kind::Number if next == "de" => of_best(number(word)?, number(words.get(at + 2)?)?),
            Kind::Number if next.starts_with("estrela") => of_best(number(word)?, STARS_MAX),
            Kind::Number if before.starts_with("nota") => of_best(number(word)?, GRADE_MAX),
            // A number alone; 5 and less may be stars as well as a grade, and is bad only when both say so.
            Kind::Number if words.len() == 1 => alone(number(word)?),
            _ => None,
        }
    });
    graded.or_else(|| stars(script.text()))
}

fn number(word: &Word) -> Option<f32> {
    if word.kind == Kind::Number { word.text.parse().ok() } else { None }
}

fn fraction(text: &str) -> Option<f32> {
    let (got, best) = text.split_once('/')?;
    let best: f32 = best.parse().ok()?;
    if best == STARS_MAX || best == GRADE_MAX { of_best(got.parse().ok()?, best) } else { None }
}

fn of_best(got: f32, best: f32) -> Option<f32> {
    (best > 0.0 && (0.0..=best).contains(&got)).then(|| got / best)
}

fn alone(got: f32) -> Option<f32> {
    if got <= STARS_MAX && got > STARS_MAX / 2.0 { of_best(got, STARS_MAX) } else { of_best(got, GRADE_MAX) }
}

fn stars(text: &str) -> Option<f32> {
    let count = text.chars().filter(|c| STAR.contains(c)).take(6).fold(0.0, |count, _| count + 1.0);
    let only_stars = !text.chars().any(char::is_alphanumeric);
    if count > 0.0 && only_stars { of_best(count, STARS_MAX) } else { None }
}
