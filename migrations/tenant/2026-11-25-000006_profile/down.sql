ALTER TABLE conversation DROP COLUMN learned_seq;
ALTER TABLE person RESET (toast_tuple_target);
ALTER TABLE person
    DROP COLUMN profile,
    DROP COLUMN profile_at,
    DROP COLUMN embedding,
    DROP COLUMN embed_provider,
    DROP COLUMN embed_model,
    DROP COLUMN embed_dim,
    DROP COLUMN embed_pending;
