-- Why: the provider's session stays while somebody is active here. The token that says so to the provider is sealed; it is
-- used at most once in a third of the idle time.
ALTER TABLE sessions ADD COLUMN refresh_token TEXT;
ALTER TABLE sessions ADD COLUMN refreshed_at BIGINT NOT NULL DEFAULT 0;
