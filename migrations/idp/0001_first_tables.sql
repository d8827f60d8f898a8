-- Why: everything an identity provider must still know after a restart. TEXT and BIGINT only, times as
-- Unix milliseconds and flags as nullable times, so that one text serves SQLite and PostgreSQL.
-- Secrets that only have to be recognised are kept as hashes, those that must be read back are sealed.

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    -- What portals see: `sub`. Never reused, never derived from anything personal.
    subject TEXT NOT NULL UNIQUE,
    given_name TEXT NOT NULL,
    family_name TEXT NOT NULL,
    -- Lower case, as compared.
    email TEXT NOT NULL UNIQUE,
    email_confirmed_at BIGINT,
    username TEXT UNIQUE,
    password_hash TEXT,
    -- Set while the password is one that must be replaced at the next sign-in, and until when it works.
    temporary_password_until BIGINT,
    phone_sealed TEXT,
    phone_verified_at BIGINT,
    -- user, care_team or administrator; the organisation only with the latter two.
    role TEXT NOT NULL,
    organisation TEXT,
    language TEXT NOT NULL,
    blocked_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Failed passwords, counted for an account as a whole ('' as device) and for each device it knows, so that
-- a stranger's failures do not lock the owner's own device.
CREATE TABLE lockouts (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT,
    PRIMARY KEY (account_id, device_id)
);

-- One browser may be known to several accounts: each is a row of its own under the same secret.
CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    trusted_until BIGINT NOT NULL,
    UNIQUE (account_id, secret_hash)
);

CREATE TABLE sessions (
    -- What portals see: `sid`.
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    device_id TEXT,
    label TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    -- When a one-time code was last given in this session.
    code_at BIGINT,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX sessions_by_account ON sessions (account_id);

-- What was granted to a client at the end of a sign-in; codes and tokens belong to it and end with it.
CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL,
    -- Everything else the tokens need (nonce, acr, amr, auth_time, requested claims), as JSON.
    details TEXT NOT NULL,
    code_hash TEXT NOT NULL UNIQUE,
    code_challenge TEXT,
    code_expires_at BIGINT NOT NULL,
    code_used_at BIGINT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX grants_by_session ON grants (session_id);

CREATE TABLE refresh_tokens (
    token_hash TEXT PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id);

CREATE TABLE consents (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, client_id)
);

-- Links in mails (confirmation, password reset). The link's token and the code to type instead are hashes.
CREATE TABLE mail_links (
    token_hash TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- Names the waiting page on which the code may be typed.
    page_id TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    -- The portal the person came from, for after the link.
    client_id TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX mail_links_by_account ON mail_links (account_id, purpose);
CREATE INDEX mail_links_by_page ON mail_links (page_id);

-- The key ring. What phase a key is in follows from its times.
CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL,
    private_sealed TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    announced_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    retired_at BIGINT,
    revoked_at BIGINT
);

-- What must leave the house: mails, SMS, logout tokens. Written in the transaction that caused it.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload_sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    delivered_at BIGINT,
    given_up_at BIGINT,
    last_error TEXT
);
CREATE INDEX outbox_by_attempt ON outbox (next_attempt_at);

CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    -- Who did it (NULL: nobody signed in, or the system), to whose account.
    actor_id TEXT,
    account_id TEXT,
    event TEXT NOT NULL,
    client_id TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX audit_by_account ON audit (account_id, at);

-- Journeys, codes, counters, replay marks: values that expire.
CREATE TABLE ephemeral (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    version BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX ephemeral_by_expiry ON ephemeral (expires_at);
