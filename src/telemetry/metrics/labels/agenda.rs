//! Labels of the agenda.

label! {
    /// What is done with a company's calendar.
    AgendaOperation {
        /// Free times are listed.
        Slots = "slots",
        /// A time is kept for somebody.
        Hold = "hold",
        /// A booking is made, or looked for.
        Book = "book",
        /// An appointment is moved.
        Reschedule = "reschedule",
        /// An appointment or a kept time is called off.
        Cancel = "cancel",
        /// The company's yes, no, or word on who came.
        Answer = "answer",
    }
}

label! {
    /// Why the calendar did not do what was asked.
    CalendarTrouble {
        /// No calendar, no key, a refused key, a missing event type.
        NotConfigured = "not_configured",
        /// Somebody else has the time.
        Taken = "taken",
        /// Past, too soon, out of hours.
        NotOffered = "not_offered",
        /// No such appointment that could be changed.
        Gone = "gone",
        /// Refused for good.
        Refused = "refused",
        /// Out of order; surely nothing was done.
        Down = "down",
        /// Nobody knows yet.
        Unclear = "unclear",
        /// Our own store.
        Store = "store",
    }
}

label! {
    /// How a wish to book ended.
    BookingOutcome {
        /// It stands.
        Booked = "booked",
        /// It waits for the company's yes.
        Pending = "pending",
        /// Somebody else has the time.
        Taken = "taken",
        /// It failed for another reason, and is not there.
        Failed = "failed",
        /// Nobody knows yet.
        Unclear = "unclear",
    }
}

label! {
    /// A call of the calendar outside.
    CalendarCall {
        /// Free times.
        Slots = "slots",
        /// A time kept or given back.
        Reserve = "reserve",
        /// A new booking.
        Book = "book",
        /// Bookings read.
        Read = "read",
        /// A booking moved, called off, answered.
        Change = "change",
    }
}

label! {
    /// How a call of the calendar outside failed.
    CalendarCallError {
        /// Key or address.
        Auth = "auth",
        /// Refused for good.
        Invalid = "invalid",
        /// Too many calls.
        RateLimited = "rate_limited",
        /// Out of order; surely nothing was done.
        Unavailable = "unavailable",
        /// Nobody knows whether it was done.
        Unknown = "unknown",
        /// Not made: the breaker is open.
        Open = "open",
    }
}

label! {
    /// What a callback of the calendar outside is about.
    CallbackTrigger {
        /// A booking stands.
        Created = "created",
        /// A booking waits for the company's yes.
        Requested = "requested",
        /// It was moved.
        Rescheduled = "rescheduled",
        /// It was called off.
        Cancelled = "cancelled",
        /// The company said no.
        Rejected = "rejected",
        /// A payment.
        Payment = "payment",
        /// Who came and who did not.
        NoShow = "no_show",
        /// A visit began or ended.
        Meeting = "meeting",
        /// Anything else, tests included; also what could not be read.
        Other = "other",
    }
}

label! {
    /// What became of a callback.
    CallbackResult {
        /// A booking nobody here knew is an appointment now.
        Adopted = "adopted",
        /// An appointment changed.
        Applied = "applied",
        /// It was known, or something newer is.
        Unchanged = "unchanged",
        /// Nothing of ours.
        Ignored = "ignored",
        /// Refused: signature, form, or our own trouble.
        Refused = "refused",
    }
}

label! {
    /// What a comparison with the calendar outside found that no callback had told.
    CalendarDrift {
        /// A booking nobody here knew.
        Adopted = "adopted",
        /// One that stands after all.
        Confirmed = "confirmed",
        /// One that was moved.
        Moved = "moved",
        /// One that was called off or said no to.
        Cancelled = "cancelled",
        /// Who came and who did not.
        NoShow = "no_show",
        /// Something smaller.
        Noted = "noted",
        /// It could not be taken over.
        Failed = "failed",
    }
}
