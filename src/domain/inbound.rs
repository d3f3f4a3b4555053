//! What a channel's webhook means once it has been read: a message, an echo of our own phone, or nothing for us.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::phone::Phone;
use super::text::{MessageText, PersonName};

/// The longest provider message id that is kept; longer ones are refused as a bad field.
pub const PROVIDER_ID_MAX: usize = 200;

/// One webhook body, read. A body may carry several (Baileys `messages`, Cloud API entries).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// A customer wrote.
    Message(InboundMessage),
    /// Our own number wrote: the assistant's text coming back, or a human typing on the same phone.
    Echo(Echo),
    /// Nothing to do, and why.
    Ignored(IgnoreReason),
}

/// A customer's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// Who wrote.
    pub from: Sender,
    /// The provider's message id, when it has one.
    pub provider_id: Option<String>,
    /// What was written, cleaned. `None` for media without a caption and for what we cannot read.
    pub text: Option<MessageText>,
    /// What kind of message it was.
    pub kind: MessageKind,
    /// The name the person's phone shows, cleaned. Untrusted.
    pub name: Option<PersonName>,
    /// When the provider says it was written: Unix seconds. Never used for ordering.
    pub sent_at: Option<i64>,
    /// Where the file of a voice message is, when the webhook told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Box<Media>>,
}

/// The longest address of a file that is kept; longer ones are no address.
pub const MEDIA_URL_MAX: usize = 2_048;

/// A file that came with a message, as the webhook described it. Nothing of it is true before it has been fetched.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Where it can be fetched.
    pub url: String,
    /// The media type the sender gave; empty when none.
    pub mime: String,
    /// Its length in seconds, where it has one.
    pub seconds: Option<u32>,
    /// The key WhatsApp's own servers keep it encrypted with, base64; `None` for files that lie in clear.
    pub key: Option<String>,
}

/// Shows neither the address, which may hold a token, nor the key: together they are the message.
impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("mime", &self.mime).field("seconds", &self.seconds).finish_non_exhaustive()
    }
}

/// A text that left from our own number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// The person it was sent to.
    pub to: Sender,
    /// The provider's message id, when it has one.
    pub provider_id: Option<String>,
    /// The text, cleaned, when there is one.
    pub text: Option<MessageText>,
}

/// How a person is addressed on the channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// By telephone number, in the form received (with or without the ninth digit), and the hidden id when the
    /// message carried both.
    Phone {
        /// The number as received, country code included.
        phone: Phone,
        /// The digits of the `@lid` the message also carried.
        lid: Option<String>,
    },
    /// By WhatsApp's hidden id only (`…@lid`): digits. No phone is ever made up from it.
    Lid(String),
}

impl Sender {
    /// The key of the person's conversation: the canonical phone digits, or `lid:` and the hidden id.
    pub fn conversation_key(&self) -> String {
        match self {
            Self::Phone { phone, .. } => phone.person_key(),
            Self::Lid(lid) => format!("lid:{lid}"),
        }
    }

    /// What the channel wants as recipient: the digits as received, or the full hidden jid.
    pub fn reply_address(&self) -> String {
        match self {
            Self::Phone { phone, .. } => phone.digits().to_owned(),
            Self::Lid(lid) => format!("{lid}@lid"),
        }
    }
}

/// What kind of message arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Written text, a button or a list choice.
    Text,
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A voice message or other sound.
    Audio,
    /// A file.
    Document,
    /// A sticker.
    Sticker,
    /// A place.
    Location,
    /// A contact card.
    Contact,
    /// Something this version cannot read.
    Unsupported,
}

/// Why a webhook needs nothing done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IgnoreReason {
    /// A group chat.
    Group,
    /// A WhatsApp status post or broadcast list.
    Status,
    /// A channel ("newsletter").
    Newsletter,
    /// No text and no media in a fork's event.
    Empty,
    /// A reaction, poll vote, deletion, key exchange: no message.
    NotAMessage,
    /// A fork's own event about tickets.
    Event,
    /// The company is suspended.
    Suspended,
}

impl IgnoreReason {
    /// The word in the 200 answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Status => "status",
            Self::Newsletter => "newsletter",
            Self::Empty => "empty",
            Self::NotAMessage => "not_a_message",
            Self::Event => "event",
            Self::Suspended => "suspended",
        }
    }
}
