//! The mark every customer's text carries and every answer repeats: who said it, to whom, as which message.

/// The n-th message (from 0) of a conversation of a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    pub company: u32,
    pub conversation: u32,
    pub n: u32,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "qx{}v{}n{}x", self.company, self.conversation, self.n)
    }
}

impl Mark {
    /// All marks of a text, in its order.
    pub fn all_in(text: &str) -> Vec<Self> {
        text.split("qx").skip(1).filter_map(Self::parse).collect()
    }

    fn parse(after: &str) -> Option<Self> {
        let (company, rest) = number(after)?;
        let (conversation, rest) = number(rest.strip_prefix('v')?)?;
        let (n, rest) = number(rest.strip_prefix('n')?)?;
        rest.starts_with('x').then_some(Self { company, conversation, n })
    }

    /// The telephone of the conversation's customer.
    pub fn phone(&self) -> String {
        phone(self.conversation)
    }
}

/// The telephone of a conversation: eight digits after a mobile's prefix, enough for 20 million conversations.
pub fn phone(conversation: u32) -> String {
    format!("55119{:08}", 80_000_000 + conversation)
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}
