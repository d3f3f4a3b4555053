//! Telephone numbers of people, with Brazil's rules.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A telephone number: digits with country code, 8 to 15 of them (ITU-T E.164). `Debug` shows two digits only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

impl Phone {
    /// The digits as received, country code included.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The key under which all variants of one person's number meet.
    pub fn person_key(&self) -> String {
        self.0.clone()
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(…{})", self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default())
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

impl TryFrom<String> for Phone {
    type Error = String;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        if (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(digits))
        } else {
            Err("not a telephone number: 8 to 15 digits are needed".to_owned())
        }
    }
}
