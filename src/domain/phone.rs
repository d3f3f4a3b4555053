//! Telephone numbers of people, with Brazil's rules.
//!
//! Two doors, on purpose: what a person typed may lack the country code and is completed ([`Phone::typed`]); what
//! WhatsApp itself wrote into a jid never does, so nothing is guessed there ([`Phone::from_jid_user`]).
//!
//! Brazilian mobiles got a ninth digit between 2012 and 2016. WhatsApp still knows many people under the old eight
//! digits, so one person appears in two forms; [`Phone::person_key`] is where both meet.

mod finding;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

const BRAZIL: &str = "55";

/// The fewest digits of a number typed without `+` or `00`: shorter ones lack at least the area code, and which one
/// is nobody's guess.
const MIN_UNMARKED_DIGITS: usize = 10;

/// A telephone number: digits with country code, 8 to 15 of them (ITU-T E.164). `Debug` shows two digits only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

impl Phone {
    /// Reads a number a person typed or a system passed on in a plain field: punctuation is dropped, a leading `+` or
    /// `00` says that the country code is there, a trunk zero (with or without a carrier code) is removed, and `55`
    /// is added to what looks like a Brazilian number with area code. `None` when no telephone number comes out.
    ///
    /// Hazard: Peru's mobiles (51 9…) written without `+` look like Porto Alegre's; they are read as Brazilian.
    pub fn typed(raw: &str) -> Option<Self> {
        let compat: String = raw.nfkc().collect();
        // Digits of other scripts would silently be missing from the number: refuse instead.
        if compat.chars().any(|c| c.is_numeric() && !c.is_ascii_digit()) {
            return None;
        }
        let digits: String = compat.chars().filter(char::is_ascii_digit).collect();
        let plus = compat.chars().find(|c| *c == '+' || c.is_ascii_digit()) == Some('+');
        if plus {
            return Self::international(digits.trim_start_matches('0'));
        }
        if let Some(rest) = digits.strip_prefix("00") {
            return Self::international(rest);
        }
        if let Some(rest) = digits.strip_prefix('0') {
            return Self::after_trunk_zero(rest);
        }
        if is_national(&digits) {
            return Self::brazilian(&digits);
        }
        if digits.len() < MIN_UNMARKED_DIGITS {
            return None;
        }
        Self::international(&digits)
    }

    /// Reads the user part of a jid (`5511987654321`, `5511987654321:12`, `5511987654321_1:12`). A jid always carries
    /// its country code; device and agent suffixes are dropped, nothing else is changed.
    pub fn from_jid_user(user: &str) -> Option<Self> {
        let digits = jid_digits(user)?;
        if digits.starts_with('0') { None } else { Self::try_from(digits.to_owned()).ok() }
    }

    /// The digits as received, country code included.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The key under which all variants of one person's number meet: the digits, with the ninth digit inserted into a
    /// Brazilian mobile of the old form.
    pub fn person_key(&self) -> String {
        match self.brazilian_parts() {
            Some((ddd, subscriber)) if is_old_mobile(subscriber) => format!("{BRAZIL}{ddd}9{subscriber}"),
            _ => self.0.clone(),
        }
    }

    /// Every form under which the same person may appear, the canonical one first.
    pub fn variants(&self) -> Vec<String> {
        let canonical = self.person_key();
        let old = Self(canonical.clone()).brazilian_parts().and_then(|(ddd, subscriber)| {
            let eight = subscriber.strip_prefix('9').filter(|rest| is_old_mobile(rest))?;
            Some(format!("{BRAZIL}{ddd}{eight}"))
        });
        std::iter::once(canonical).chain(old).collect()
    }

    /// What a log may show: ten hex digits of a salted SHA-256, a dash, the last two digits. All variants of one
    /// person's number give the same mask. Without the salt a mask cannot be turned back by trying all numbers.
    pub fn masked(&self, salt: &[u8]) -> String {
        let digest = Sha256::new().chain_update(salt).chain_update(self.person_key().as_bytes()).finalize();
        let hash = hex::encode(digest);
        format!("{}-{}", hash.get(..10).unwrap_or_default(), self.last_two())
    }

    fn last_two(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default()
    }

    fn international(digits: &str) -> Option<Self> {
        // "+55 (0)11 …" is a common way of writing the trunk zero beside the country code.
        if let Some(national) = digits.strip_prefix("550").filter(|rest| is_national(rest)) {
            return Self::brazilian(national);
        }
        if digits.starts_with('0') { None } else { Self::try_from(digits.to_owned()).ok() }
    }

    fn after_trunk_zero(rest: &str) -> Option<Self> {
        if is_national(rest) {
            return Self::brazilian(rest);
        }
        // 0 + two digits of the long-distance carrier + area code + number.
        rest.get(2..).filter(|national| is_national(national)).and_then(Self::brazilian)
    }

    fn brazilian(national: &str) -> Option<Self> {
        Self::try_from(format!("{BRAZIL}{national}")).ok()
    }

    /// Area code and subscriber number, when this is a Brazilian number with an area code that exists.
    fn brazilian_parts(&self) -> Option<(&str, &str)> {
        let national = self.0.strip_prefix(BRAZIL)?;
        let (ddd, subscriber) = national.split_at_checked(2)?;
        is_ddd(ddd).then_some((ddd, subscriber))
    }
}

/// The digits of a jid's user part without its agent (`_1`) and device (`:12`) suffixes; `None` when anything else
/// than digits is left.
pub fn jid_digits(user: &str) -> Option<&str> {
    let user = user.split([':', '_']).next()?.trim();
    (!user.is_empty() && user.bytes().all(|b| b.is_ascii_digit())).then_some(user)
}

/// Whether two digits are a Brazilian area code in use (Anatel's "código nacional").
fn is_ddd(ddd: &str) -> bool {
    let Ok(code) = ddd.parse::<u8>() else { return false };
    matches!(code,
        11..=19 | 21 | 22 | 24 | 27 | 28 | 31..=35 | 37 | 38 | 41..=49 | 51 | 53..=55 | 61..=69 | 71 | 73..=75 | 77
        | 79 | 81..=89 | 91..=99)
}

/// Area code and a mobile (9 and eight digits) or a landline (2 to 5 and seven digits), without country code.
fn is_national(digits: &str) -> bool {
    let Some((ddd, subscriber)) = digits.split_at_checked(2) else { return false };
    let pattern = match subscriber.len() {
        9 => subscriber.starts_with('9'),
        8 => subscriber.starts_with(['2', '3', '4', '5']),
        _ => false,
    };
    pattern && is_ddd(ddd)
}

/// Eight digits of a mobile number from before the ninth digit.
fn is_old_mobile(subscriber: &str) -> bool {
    subscriber.len() == 8 && subscriber.starts_with(['6', '7', '8', '9'])
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(…{})", self.last_two())
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
