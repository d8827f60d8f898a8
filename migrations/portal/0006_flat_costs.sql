-- Indexes for what was found by walking a table, so that no statement costs more as the tables grow.

CREATE INDEX sessions_by_sign_in ON sessions (signed_in_at);
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX links_with_bsn ON links (id) WHERE bsn <> '';
