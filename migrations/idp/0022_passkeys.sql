-- Why: people prove themselves with passkeys. A server of the version before knows nothing of this table, and needs not.

CREATE TABLE passkeys (
    -- The credential id: no two accounts have the same.
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- The public key, with the number of the form that it is written in.
    key_material TEXT NOT NULL,
    -- What the authenticator counted when it was last used; 0 if it does not count.
    counter BIGINT NOT NULL,
    -- As its holder calls it; nothing until then.
    name TEXT,
    aaguid TEXT NOT NULL,
    -- bound (it stays in its authenticator), eligible (it may be copied), backed-up (it was).
    backup TEXT NOT NULL,
    -- Words with spaces between them.
    transports TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX passkeys_by_account ON passkeys (account_id, created_at);
