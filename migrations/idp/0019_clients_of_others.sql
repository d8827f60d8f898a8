-- Why: a browser client that registered itself may call from the origins that it named; its logo is kept here, so that
-- nobody's browser fetches it from elsewhere; a key of a kind that old clients stumble over is published only while a
-- client asks for it. A version of this program before this one reads and writes none of it.

CREATE TABLE client_origins (
    client_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (client_id, origin)
);
CREATE INDEX client_origins_by_origin ON client_origins (origin);

ALTER TABLE clients ADD COLUMN logo_uri TEXT;
-- The picture that lay there, as a `data:` URI.
ALTER TABLE clients ADD COLUMN logo TEXT;

CREATE TABLE asked_algorithms (
    algorithm TEXT PRIMARY KEY,
    -- When somebody last looked and found a client that asks for it.
    asked_at BIGINT NOT NULL
);

-- Clients that registered themselves could not choose their grace; they have the new default, not the one of their day.
UPDATE clients SET settings = replace(settings, '"refresh_grace_seconds":0,', '"refresh_grace_seconds":10,');
