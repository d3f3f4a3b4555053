//! Labels of what all companies share.

label! {
    /// What an acknowledged message survives; exactly one level is 1.
    DurabilityLevel {
        /// A power cut: on disk before the answer.
        Always = "always",
        /// A crash of Redis, with the loss of about a second.
        EverySec = "everysec",
        /// Nothing: memory only.
        None = "none",
        /// Redis does not say.
        Unknown = "unknown",
    }
}

label! {
    /// A dependency whose health is watched.
    Component {
        /// Redis.
        Redis = "redis",
        /// PostgreSQL.
        Postgres = "postgres",
        /// The directory of companies.
        Directory = "directory",
        /// The language model.
        Llm = "llm",
        /// The channel messages leave by.
        Channel = "channel",
    }
}
