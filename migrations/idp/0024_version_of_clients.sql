-- Clients that registered themselves are kept in memory until this version changes: whatever adds, changes or removes one
-- raises it. It stands in the row that is read in front of a request anyway, so that one read tells of both. A program
-- of the version before does not raise it; therefore nothing is kept for more than a few seconds.
ALTER TABLE signing_keys_version ADD COLUMN clients_version BIGINT NOT NULL DEFAULT 0;
