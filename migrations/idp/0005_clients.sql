-- Why: clients that registered themselves (RFC 7591), and the tokens that let them.

CREATE TABLE clients (
    client_id TEXT PRIMARY KEY,
    -- Its settings, as JSON.
    settings TEXT NOT NULL,
    secret_hash TEXT,
    -- Of the registration access token (RFC 7592 section 3).
    token_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE initial_access_tokens (
    token_hash TEXT PRIMARY KEY,
    -- Whom the operator gave it to.
    note TEXT NOT NULL,
    uses_left BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
