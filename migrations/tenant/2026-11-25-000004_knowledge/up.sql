-- What the company told us for its customers: texts, and facts that have a type.

CREATE TABLE knowledge (
    id uuid PRIMARY KEY,
    title text NOT NULL,
    body text NOT NULL,
    -- where it came from: a file's name, or who wrote it
    source text NOT NULL,
    -- first and last day on which it is true, in the company's time zone
    valid_from date,
    valid_to date,
    -- numbers of a provider's model; hashed ones are made when they are needed
    embedding real[],
    embed_provider text,
    embed_model text,
    embed_dim integer,
    -- a provider is wanted and could not be asked yet
    embed_pending boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (valid_to >= valid_from),
    CHECK ((embedding IS NULL) = (embed_provider IS NULL)),
    CHECK (embedding IS NULL OR cardinality(embedding) = embed_dim)
);
-- The same title again replaces; it may stand twice when one of the two begins on another day.
CREATE UNIQUE INDEX knowledge_title ON knowledge (lower(title), coalesce(valid_from, '-infinity'::date));

CREATE TABLE catalog (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN
        ('service', 'product', 'professional', 'hours', 'address', 'payment', 'contact', 'other')),
    name text NOT NULL,
    -- what else is to be said; of hours, addresses, payment and contact the whole value
    text text NOT NULL DEFAULT '',
    price_cents bigint CHECK (price_cents >= 0),
    -- the price is the lowest of several
    price_from boolean NOT NULL DEFAULT false,
    currency text NOT NULL DEFAULT 'BRL',
    duration_min integer CHECK (duration_min BETWEEN 1 AND 1440),
    capacity integer NOT NULL DEFAULT 1 CHECK (capacity >= 1),
    active boolean NOT NULL DEFAULT true,
    -- what other parts of the program know of it, such as a calendar's own number
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX catalog_name ON catalog (kind, lower(name));
