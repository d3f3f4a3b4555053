//! Labels of what is due at a time.

label! {
    /// What is due before or after an appointment.
    TimerKind {
        /// A reminder 24 hours before.
        Day = "24h",
        /// A reminder an hour before.
        Hour = "1h",
        /// A reminder of the company's or the appointment's own.
        Custom = "custom",
        /// A reminder a person of the company ordered.
        Manual = "manual",
        /// The question after a visit.
        FollowUp = "follow_up",
        /// The look at whether somebody came.
        NoShow = "no_show",
        /// A time that became free.
        Vacancy = "vacancy",
        /// The question whether another time suits better.
        Move = "move",
        /// What became of something a person asked for.
        Outcome = "outcome",
    }
}

label! {
    /// Why something that was due is not sent.
    TimerSkip {
        /// Quiet hours leave no time for it.
        QuietHours = "quiet_hours",
        /// Its time was over before it could go out.
        Late = "late",
        /// The appointment has begun.
        Begun = "begun",
        /// The person wants no messages that we begin, or none of this kind.
        OptedOut = "opted_out",
        /// Nobody knows where to send it.
        NoAddress = "no_address",
    }
}
