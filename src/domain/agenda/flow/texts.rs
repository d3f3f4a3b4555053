//! The ready texts of the agenda: templates in `config/templates/agenda`, filled with values.

use std::collections::BTreeMap;

use crate::domain::conversation::rendering::render_with;

macro_rules! texts {
    ($($text:ident = $name:literal,)*) => {
        /// A ready text of the agenda, by the name of its file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each is what its name says, and the file beside it shows the words")]
        pub enum Text {
            $($text,)*
        }

        impl Text {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$text,)*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$text => $name,)*
                }
            }

            /// The template.
            pub fn source(self) -> &'static str {
                match self {
                    $(Self::$text => include_str!(concat!("../../../../config/templates/agenda/", $name, ".txt")),)*
                }
                .trim_ascii()
            }
        }
    };
}

texts! {
    AskService = "ask_service",
    AskProfessional = "ask_professional",
    AskName = "ask_name",
    AskDay = "ask_day",
    AskReading = "ask_reading",
    NoSuchTime = "no_such_time",
    GapTime = "gap_time",
    TooFar = "too_far",
    Options = "options",
    WhichOption = "which_option",
    Recap = "recap",
    RecapMove = "recap_move",
    NotBooked = "not_booked",
    NotMoved = "not_moved",
    Booked = "booked",
    Requested = "requested",
    Moved = "moved",
    Cancelled = "cancelled",
    Confirmed = "confirmed",
    Link = "link",
    Checking = "checking",
    NoneFree = "none_free",
    WaitlistJoined = "waitlist_joined",
    Appointments = "appointments",
    NoAppointments = "no_appointments",
    WhichMove = "which_move",
    WhichCancel = "which_cancel",
    ConfirmCancel = "confirm_cancel",
    Kept = "kept",
    Plans = "plans",
    Dropped = "dropped",
    NoRush = "no_rush",
    ThanksFeedback = "thanks_feedback",
    Invite = "invite",
    Vacancy = "vacancy",
    Reminder = "reminder",
    ReminderSoon = "reminder_soon",
    FollowUp = "follow_up",
    OfferMove = "offer_move",
    HumanNoCalendar = "human_no_calendar",
    HumanCalendarDown = "human_calendar_down",
    HumanFruitless = "human_fruitless",
    HumanUnknown = "human_unknown",
    HumanRefused = "human_refused",
    HumanAsked = "human_asked",
    Again = "again",
}

/// The values a template may mention; those it mentions and that are not given are empty.
pub const NAMES: [&str; 16] = [
    "nome",
    "servico",
    "paciente",
    "quando",
    "profissional",
    "antes",
    "local",
    "lembrete",
    "link",
    "lista",
    "abertura",
    "relacao",
    "certeza",
    "varios",
    "data",
    "pergunta",
];

/// Fills a text. A value is data: what looks like a template's sign in it is left as it is.
pub fn fill(text: Text, values: &[(&'static str, String)]) -> String {
    let mut all: BTreeMap<&'static str, &str> = NAMES.iter().map(|name| (*name, "")).collect();
    all.extend(values.iter().map(|(name, value)| (*name, value.as_str())));
    // The templates are built in, and a test renders every one of them.
    render_with(text.source(), &all).unwrap_or_default()
}
