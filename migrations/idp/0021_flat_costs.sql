-- Indexes for what was found by walking a table, so that no statement costs more as the tables grow.

CREATE INDEX grants_by_account ON grants (account_id);
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX consents_by_client ON consents (client_id);
CREATE INDEX accounts_unconfirmed ON accounts (created_at) WHERE email_confirmed_at IS NULL;
CREATE INDEX accounts_without_search_name ON accounts (id) WHERE search_name IS NULL;
CREATE INDEX mail_links_by_expiry ON mail_links (expires_at);
CREATE INDEX refused_addresses_by_age ON refused_addresses (at);
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at, id);
-- What is over has one moment for the next attempt; of those, the oldest go first.
CREATE INDEX outbox_by_attempt_and_age ON outbox (next_attempt_at, created_at);
DROP INDEX outbox_by_attempt;
