-- Why: each portal decides for itself how long ago a code may have been given on a device, and which terms people have to
-- agree to; what they agreed to, and when, is kept.

-- When the code was given that made the device trusted. NULL: never, or under the version before, whose
-- trusted_until then stands alone.
ALTER TABLE devices ADD COLUMN code_at BIGINT;

CREATE TABLE accepted_terms (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    portal_id TEXT NOT NULL,
    -- A hash of version, texts and address together: names what was on the page.
    digest TEXT NOT NULL,
    version TEXT NOT NULL,
    accepted_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, portal_id, digest)
);
