-- What was learnt of a person from their messages.
ALTER TABLE person
    ADD COLUMN profile jsonb,
    ADD COLUMN profile_at timestamptz,
    ADD COLUMN embedding real[],
    ADD COLUMN embed_provider text,
    ADD COLUMN embed_model text,
    ADD COLUMN embed_dim integer,
    -- a provider is wanted and could not be asked yet
    ADD COLUMN embed_pending boolean NOT NULL DEFAULT false,
    ADD CHECK (embedding IS NULL OR cardinality(embedding) = embed_dim);
-- A turn reads name and number of a person, not these: they stay out of the row it touches.
ALTER TABLE person ALTER COLUMN embedding SET STORAGE EXTERNAL;
ALTER TABLE person SET (toast_tuple_target = 256);
-- Up to which message a conversation has been learnt from.
ALTER TABLE conversation ADD COLUMN learned_seq bigint NOT NULL DEFAULT 0;
