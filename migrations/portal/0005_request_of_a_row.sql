-- Why: a row that says who did or saw what leads to the lines of the log of the same request.
ALTER TABLE audit ADD COLUMN request_id TEXT;
ALTER TABLE access_log ADD COLUMN request_id TEXT;
