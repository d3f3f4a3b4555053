//! The tables as diesel sees them. No table names a schema: the transaction's search path decides.

/// Tables of the control schema.
pub mod control {
    diesel::table! {
        company (id) {
            id -> BigInt,
            name -> Text,
            domain -> Text,
            state -> Text,
            created_at -> Timestamptz,
            updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        company_setting (company_id, key) {
            company_id -> BigInt,
            key -> Text,
            value -> Text,
            updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        company_secret (company_id, key) {
            company_id -> BigInt,
            key -> Text,
            sealed -> Binary,
            master_key_id -> Text,
            updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        provisioning_step (company_id, step) {
            company_id -> BigInt,
            step -> Text,
            state -> Text,
            detail -> Text,
            at -> Timestamptz,
        }
    }
    diesel::table! {
        installation (key) {
            key -> Text,
            value -> Text,
        }
    }
    diesel::table! {
        #[sql_name = "audit_log"]
        control_audit_log (company_id, seq) {
            company_id -> BigInt,
            seq -> BigInt,
            at -> Timestamptz,
            actor -> Text,
            actor_type -> Text,
            action -> Text,
            resource -> Text,
            ip -> Nullable<Text>,
            correlation_id -> Text,
            detail -> Jsonb,
            prev_hash -> Binary,
            hash -> Binary,
        }
    }
}

/// Tables of one company.
pub mod tenant {
    diesel::table! {
        person (id) {
            id -> Uuid,
            name -> Nullable<Text>,
            name_source -> Nullable<Text>,
            created_at -> Timestamptz,
            updated_at -> Timestamptz,
            opted_out_at -> Nullable<Timestamptz>,
            profile -> Nullable<Jsonb>,
            profile_at -> Nullable<Timestamptz>,
            embedding -> Nullable<Array<Float>>,
            embed_provider -> Nullable<Text>,
            embed_model -> Nullable<Text>,
            embed_dim -> Nullable<Integer>,
            embed_pending -> Bool,
        }
    }
    diesel::table! {
        consent (id) {
            id -> Uuid,
            person_id -> Uuid,
            kind -> Text,
            granted -> Bool,
            source -> Text,
            at -> Timestamptz,
        }
    }
    diesel::table! {
        person_identity (kind, value) {
            kind -> Text,
            value -> Text,
            person_id -> Uuid,
            created_at -> Timestamptz,
        }
    }
    diesel::table! {
        conversation (id) {
            id -> Uuid,
            key -> Text,
            person_id -> Uuid,
            reply_address -> Text,
            fence -> BigInt,
            context_json -> Nullable<Jsonb>,
            context_at -> Nullable<Timestamptz>,
            created_at -> Timestamptz,
            last_message_at -> Timestamptz,
            standing -> Jsonb,
            attendant -> Text,
            urgent -> Bool,
            learned_seq -> BigInt,
        }
    }
    diesel::table! {
        turn (id) {
            id -> Uuid,
            conversation_id -> Uuid,
            correlation_id -> Text,
            decision -> Text,
            reason -> Text,
            fence -> BigInt,
            model -> Nullable<Text>,
            tokens_in -> Integer,
            tokens_out -> Integer,
            tokens_estimated -> Bool,
            injection_score -> Float,
            intention -> Text,
            mood -> Float,
            messages_seen -> Integer,
            preparations -> Integer,
            model_ms -> Integer,
            accepted_at -> Timestamptz,
            claimed_at -> Timestamptz,
            decided_at -> Timestamptz,
        }
    }
    diesel::table! {
        message (id) {
            id -> Uuid,
            conversation_id -> Uuid,
            author -> Text,
            seq -> BigInt,
            kind -> Text,
            body -> Text,
            was_cut -> Bool,
            dedupe_key -> Nullable<Text>,
            turn_id -> Nullable<Uuid>,
            correlation_id -> Text,
            superseded -> Bool,
            at -> Timestamptz,
        }
    }
    diesel::table! {
        delivery (id) {
            id -> Uuid,
            message_id -> Uuid,
            conversation_id -> Uuid,
            turn_id -> Uuid,
            position -> SmallInt,
            recipient -> Text,
            body -> Text,
            correlation_id -> Text,
            state -> Text,
            attempts -> Integer,
            resends -> Integer,
            attempt_at -> Nullable<Timestamptz>,
            next_at -> Nullable<Timestamptz>,
            external_id -> Nullable<Text>,
            error_code -> Nullable<Text>,
            created_at -> Timestamptz,
            sent_at -> Nullable<Timestamptz>,
        }
    }
    diesel::table! {
        audit_log (seq) {
            seq -> BigInt,
            at -> Timestamptz,
            actor -> Text,
            actor_type -> Text,
            action -> Text,
            resource -> Text,
            ip -> Nullable<Text>,
            correlation_id -> Text,
            detail -> Jsonb,
            prev_hash -> Binary,
            hash -> Binary,
        }
    }
    diesel::table! {
        template (id) {
            id -> Uuid,
            key -> Text,
            intent -> Text,
            mood -> Text,
            body -> Text,
            active -> Bool,
            version -> Integer,
            created_at -> Timestamptz,
            updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        knowledge (id) {
            id -> Uuid,
            title -> Text,
            body -> Text,
            source -> Text,
            valid_from -> Nullable<Date>,
            valid_to -> Nullable<Date>,
            embedding -> Nullable<Array<Float>>,
            embed_provider -> Nullable<Text>,
            embed_model -> Nullable<Text>,
            embed_dim -> Nullable<Integer>,
            embed_pending -> Bool,
            created_at -> Timestamptz,
            updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        experiment (id) {
            id -> Uuid,
            name -> Text,
            key -> Text,
            intent -> Text,
            mood -> Text,
            state -> Text,
            policy -> Text,
            epsilon -> Double,
            goal -> Text,
            least_effect -> Double,
            variants -> Jsonb,
            counts -> Jsonb,
            counted_at -> Nullable<Timestamptz>,
            winner -> Nullable<Text>,
            created_at -> Timestamptz,
            started_at -> Nullable<Timestamptz>,
            ended_at -> Nullable<Timestamptz>,
        }
    }
    diesel::table! {
        event (id) {
            id -> Uuid,
            kind -> Text,
            at -> Timestamptz,
            conversation_id -> Nullable<Uuid>,
            person_id -> Nullable<Uuid>,
            experiment_id -> Nullable<Uuid>,
            variant -> Nullable<Text>,
            delivery_id -> Nullable<Uuid>,
            data -> Jsonb,
        }
    }
    diesel::table! {
        catalog (id) {
            id -> Uuid,
            kind -> Text,
            name -> Text,
            text -> Text,
            price_cents -> Nullable<BigInt>,
            price_from -> Bool,
            currency -> Text,
            duration_min -> Nullable<Integer>,
            capacity -> Integer,
            active -> Bool,
            data -> Jsonb,
            created_at -> Timestamptz,
            updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        appointment (id) {
            id -> Uuid,
            person_id -> Nullable<Uuid>,
            conversation_id -> Nullable<Uuid>,
            service_id -> Nullable<Uuid>,
            service -> Text,
            professional_id -> Nullable<Uuid>,
            professional -> Text,
            resource -> Text,
            seat -> Nullable<SmallInt>,
            shared -> Bool,
            starts_at -> Timestamptz,
            ends_at -> Timestamptz,
            busy_from -> Timestamptz,
            busy_to -> Timestamptz,
            state -> Text,
            source -> Text,
            external_uid -> Nullable<Text>,
            event_type -> Nullable<BigInt>,
            reservation_uid -> Nullable<Text>,
            hold_until -> Nullable<Timestamptz>,
            wish -> Nullable<Jsonb>,
            attendee -> Jsonb,
            meeting -> Jsonb,
            metadata -> Jsonb,
            reason -> Nullable<Text>,
            outcome_source -> Nullable<Text>,
            event_at -> Nullable<Timestamptz>,
            version -> Integer,
            risk -> Nullable<Float>,
            created_at -> Timestamptz,
            updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        timer (id) {
            id -> Uuid,
            kind -> Text,
            name -> Text,
            appointment_id -> Nullable<Uuid>,
            version -> Integer,
            person_id -> Nullable<Uuid>,
            conversation_id -> Nullable<Uuid>,
            due_at -> Timestamptz,
            state -> Text,
            reason -> Nullable<Text>,
            attempts -> Integer,
            message_id -> Nullable<Uuid>,
            data -> Jsonb,
            created_at -> Timestamptz,
            updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        waitlist (id) {
            id -> Uuid,
            person_id -> Uuid,
            conversation_id -> Nullable<Uuid>,
            service_id -> Nullable<Uuid>,
            professional_id -> Nullable<Uuid>,
            earliest -> Timestamptz,
            latest -> Timestamptz,
            wanted -> Jsonb,
            state -> Text,
            offered_id -> Nullable<Uuid>,
            offered_until -> Nullable<Timestamptz>,
            offers -> Integer,
            created_at -> Timestamptz,
            updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        scheduling_insights (id) {
            id -> Uuid,
            day -> Date,
            kind -> Text,
            data -> Jsonb,
            created_at -> Timestamptz,
        }
    }
    diesel::allow_tables_to_appear_in_same_query!(event, experiment);
    diesel::allow_tables_to_appear_in_same_query!(appointment, timer);
    diesel::joinable!(conversation -> person (person_id));
    diesel::joinable!(message -> conversation (conversation_id));
    diesel::joinable!(delivery -> message (message_id));
    diesel::joinable!(delivery -> conversation (conversation_id));
    diesel::allow_tables_to_appear_in_same_query!(person, person_identity, conversation, turn, message, delivery);
}
