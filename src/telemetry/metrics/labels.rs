//! The closed sets of label values. A label that is not here has no place on a metric: free text would make series
//! without bound and could carry somebody's data.

/// Declares an enum whose variants have one spelling each, and `ALL`, the list of all spellings.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every spelling, in the order of declaration.
            pub const ALL: &'static [&'static str] = &[$($text),+];

            /// Every value, in the order of declaration.
            pub const VALUES: &'static [$name] = &[$($name::$variant),+];

            /// The spelling used as label value.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }
    };
}

mod agenda;
mod platform;
mod timers;

pub use agenda::*;
pub use platform::*;
pub use timers::*;

label! {
    /// How a webhook request was answered.
    WebhookStatus {
        /// Stored; 202.
        Accepted = "accepted",
        /// Seen before; 200.
        Duplicate = "duplicate",
        /// Own message, group, status or empty; 200.
        Ignored = "ignored",
        /// Wrong credential, signature or time; 401.
        Unauthorized = "unauthorized",
        /// Not JSON, or a field missing or mistyped; 400.
        BadRequest = "bad_request",
        /// The host belongs to no company; 404.
        CompanyNotFound = "company_not_found",
        /// One address sends too much; 429.
        RateLimitedIp = "rate_limited_ip",
        /// One number sends too much; 429.
        RateLimitedNumber = "rate_limited_number",
        /// Body over the limit; 413.
        TooLarge = "too_large",
        /// Not a JSON content type; 415.
        Unsupported = "unsupported",
        /// The queue cannot be written; 503.
        Unavailable = "unavailable",
    }
}

label! {
    /// Class of an HTTP status.
    StatusClass {
        /// Below 200.
        Informational = "1xx",
        /// 200 to 299.
        Success = "2xx",
        /// 300 to 399.
        Redirection = "3xx",
        /// 400 to 499.
        ClientError = "4xx",
        /// 500 and above.
        ServerError = "5xx",
    }
}

impl StatusClass {
    /// The class of a status code.
    pub fn of(code: u16) -> Self {
        match code {
            0..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

label! {
    /// What a worker did with a claimed conversation.
    TaskKind {
        /// A customer's messages were read and an answer prepared and sent.
        Turn = "turn",
        /// A text already decided was sent or sent again.
        Delivery = "delivery",
        /// An ambiguous send was settled by an echo or a status.
        Reconcile = "reconcile",
    }
}

label! {
    /// How a worker's task ended.
    TaskOutcome {
        /// As intended.
        Done = "done",
        /// To be tried again at a later time.
        Retried = "retried",
        /// Given up; a dead letter exists.
        Dead = "dead",
        /// A newer message made it pointless.
        Superseded = "superseded",
        /// Another worker holds the conversation by now.
        Lost = "lost",
        /// Handed back undone, for instance at shutdown.
        Released = "released",
    }
}

label! {
    /// Why a message or a text became a dead letter.
    DeadLetterReason {
        /// Leases expired too often without a decision.
        LeaseExpired = "lease_expired",
        /// Too many undecided messages in one conversation.
        MailboxFull = "mailbox_full",
        /// All tries used up.
        RetriesExhausted = "retries_exhausted",
        /// Older than a text may be.
        TooOld = "too_old",
        /// The number has no account on the channel.
        NoAccount = "no_account",
        /// The provider refused it for good.
        Rejected = "rejected",
        /// A credential or setting of the company is wrong.
        Misconfigured = "misconfigured",
        /// The stored form cannot be read.
        Unreadable = "unreadable",
        /// Anything else; the dead letter itself says what.
        Other = "other",
    }
}

label! {
    /// Kind of memory figure of Redis.
    MemoryType {
        /// In use now.
        Used = "used",
        /// The most ever in use.
        Peak = "peak",
        /// The ceiling; 0 = none.
        Max = "max",
        /// As the operating system sees it.
        Rss = "rss",
    }
}

label! {
    /// Who answers for the language model.
    Provider {
        /// Google Gemini.
        Gemini = "gemini",
        /// OpenAI and what speaks its protocol.
        OpenAi = "openai",
    }
}

label! {
    /// How a call of the language model failed.
    LlmErrorKind {
        /// No answer in time.
        Timeout = "timeout",
        /// No connection, or a status that means failure.
        Http = "http",
        /// An answer without text.
        Empty = "empty",
        /// Refused by the provider's safety filter.
        Blocked = "blocked",
        /// Not asked: the breaker is open.
        Open = "open",
    }
}

label! {
    /// State of the breaker before the language model.
    CircuitState {
        /// Calls pass; value 0.
        Closed = "closed",
        /// One call is let through to try; value 1.
        HalfOpen = "half_open",
        /// No call passes; value 2.
        Open = "open",
    }
}

label! {
    /// Why the customer got a template instead of a generated answer.
    FallbackReason {
        /// The model failed within its budget.
        LlmFailed = "llm_failed",
        /// The breaker is open.
        CircuitOpen = "circuit_open",
        /// The company switched the model off.
        AiDisabled = "ai_disabled",
        /// The provider refused the content.
        Blocked = "blocked",
        /// An attempt to take over the instructions.
        Injection = "injection",
        /// The answer failed the check of what may leave.
        OutputRejected = "output_rejected",
        /// Media without text.
        MediaOnly = "media_only",
        /// The company's key or setting is wrong.
        Misconfigured = "misconfigured",
    }
}

label! {
    /// Why a conversation was handed to a person.
    TransferReason {
        /// The customer asked.
        Asked = "asked",
        /// No real answer, twice in a row.
        Misses = "misses",
        /// The customer is upset.
        Mood = "mood",
        /// The model cannot be reached.
        ModelDown = "model_down",
        /// The company switched the assistant off.
        AiDisabled = "ai_disabled",
        /// Nothing true could be said.
        Untrue = "untrue",
        /// Two machines talk to each other.
        Loop = "loop",
        /// Somebody may be in danger.
        Emergency = "emergency",
        /// An appointment is wanted, and there is no calendar.
        NoCalendar = "no_calendar",
        /// The calendar cannot be reached.
        CalendarDown = "calendar_down",
        /// A booking conversation led nowhere.
        BookingFruitless = "booking_fruitless",
        /// Nobody knows whether it is booked.
        BookingUnknown = "booking_unknown",
        /// The calendar refused.
        BookingRefused = "booking_refused",
    }
}

label! {
    /// What a customer wanted; the domain's intents by their stable names.
    Intention {
        /// Wants an appointment.
        AppointmentRequest = "appointment_request",
        /// Wants another time.
        AppointmentReschedule = "appointment_reschedule",
        /// Gives an appointment up.
        AppointmentCancel = "appointment_cancel",
        /// Asks about an appointment.
        AppointmentQuery = "appointment_query",
        /// Answers offered times.
        ChooseOption = "choose_option",
        /// Will come.
        ConfirmPresence = "confirm_presence",
        /// Wants to come again.
        FollowUpPositive = "follow_up_positive",
        /// Does not want to.
        FollowUpNegative = "follow_up_negative",
        /// An opinion.
        FeedbackText = "feedback_text",
        /// Greets.
        Greeting = "greeting",
        /// Takes leave.
        Farewell = "farewell",
        /// Thanks.
        Thanks = "thanks",
        /// Asks something.
        Question = "question",
        /// Complains.
        Complaint = "complaint",
        /// Wants a person.
        HumanHandoff = "human_handoff",
        /// Yes.
        Affirm = "affirm",
        /// No.
        Deny = "deny",
        /// No more messages.
        OptOut = "opt_out",
        /// Anything else.
        Other = "other",
    }
}

label! {
    /// A wish about being written to.
    OptChange {
        /// No more.
        Out = "out",
        /// Again.
        In = "in",
    }
}

label! {
    /// Which way tokens went.
    TokenDirection {
        /// Into the model.
        Inbound = "inbound",
        /// Out of the model, thinking included.
        Outbound = "outbound",
    }
}

label! {
    /// How the number of tokens is known.
    TokenSource {
        /// The provider said so.
        Reported = "reported",
        /// Guessed from the text's length.
        Estimated = "estimated",
    }
}

label! {
    /// What a processed message was.
    MessageKind {
        /// Text.
        Text = "text",
        /// A button or a list row.
        Choice = "choice",
        /// Picture, sound, film, document, sticker.
        Media = "media",
        /// A place.
        Location = "location",
        /// A contact card.
        Contact = "contact",
        /// Anything else.
        Other = "other",
    }
}

label! {
    /// How messages leave.
    Channel {
        /// Whaticket, in any flavor.
        Whaticket = "whaticket",
        /// WhatsApp Cloud API.
        Cloud = "cloud",
        /// Evolution API.
        Evolution = "evolution",
    }
}

label! {
    /// What an answer claimed although no committed effect and no live slot bears it out.
    ClaimKind {
        /// A day.
        Date = "date",
        /// A time of day, or that it is free.
        Time = "time",
        /// A price.
        Price = "price",
        /// A link or an address of the net.
        Link = "link",
        /// A telephone number.
        Phone = "phone",
        /// That something was booked, moved, cancelled, paid or sent.
        Booking = "booking",
        /// Not Portuguese.
        Language = "language",
        /// Too long.
        Length = "length",
        /// The model's instruction.
        PromptEcho = "prompt_echo",
        /// Somebody else's data.
        OtherPerson = "other_person",
        /// Medical, legal or financial advice.
        Advice = "advice",
        /// A promise nobody made.
        Promise = "promise",
        /// An address.
        Place = "place",
        /// Anything else.
        Other = "other",
    }
}
