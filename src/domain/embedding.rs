//! Texts as numbers, and the rule that numbers of different spaces are never compared.

use crate::domain::text::hashing;

/// Who made the numbers when no provider did.
pub const LOCAL: &str = "local";

/// How much less alike a text is to a list of many subjects than to one of them.
const SLACK: f32 = 0.18;

/// What makes numbers comparable: who made them, with what, and how many there are of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Space {
    /// `local`, `openai`, `gemini`.
    pub provider: String,
    /// The model's name. Two models of one provider are two spaces.
    pub model: String,
    /// Numbers of a text.
    pub dimension: usize,
}

impl Space {
    /// The space of the hashing that needs no provider.
    pub fn local() -> Self {
        Self { provider: LOCAL.to_owned(), model: hashing::MODEL.to_owned(), dimension: hashing::DIMENSION }
    }

    /// Whether it needs no provider.
    pub fn is_local(&self) -> bool {
        self.provider == LOCAL
    }

    /// From which likeness on two texts of this space are about the same thing. Each model spreads its texts differently:
    /// Gemini's vectors of unrelated texts stand at 0.5 to 0.6 to each other, OpenAI's at 0.1 to 0.25, hashed ones at 0.
    pub fn floor(&self) -> f32 {
        match self.provider.as_str() {
            "gemini" => 0.68,
            "openai" => 0.38,
            _ => 0.34,
        }
    }
}

/// A text as numbers of one space, of length 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    space: Space,
    numbers: Vec<f32>,
}

impl Embedding {
    /// Takes a model's numbers. `None` when they are not as many as the space says, or say nothing.
    pub fn new(space: Space, mut numbers: Vec<f32>) -> Option<Self> {
        hashing::normalise(&mut numbers);
        let usable = numbers.len() == space.dimension && numbers.iter().any(|number| *number != 0.0);
        usable.then_some(Self { space, numbers })
    }

    /// Hashes a text. `None` when it says nothing.
    pub fn hashed(text: &str) -> Option<Self> {
        Self::new(Space::local(), hashing::embed(text))
    }

    /// Its space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Its numbers.
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// How alike two texts are, -1 to 1; `None` when they are of different spaces: such a number would mean nothing.
    pub fn likeness(&self, other: &Self) -> Option<f32> {
        if self.space == other.space { hashing::cosine(&self.numbers, &other.numbers) } else { None }
    }

    /// Whether the other text speaks of one of the many things this one does; `false` across spaces.
    pub fn touches(&self, other: &Self) -> bool {
        self.likeness(other).is_some_and(|likeness| likeness >= self.space.floor() - SLACK)
    }

    /// Whether two texts are about the same thing; `false` across spaces.
    pub fn is_near(&self, other: &Self) -> bool {
        self.likeness(other).is_some_and(|likeness| likeness >= self.space.floor())
    }
}
