-- Why: a database says which root key it was made with, and which is the oldest program that may work with it. So a wrong
-- key or a wrong program is told from a damaged file, and the version before may still start after an upgrade. And a row
-- of the audit log says at which organisation and in which request it came about.

-- 'root_key': a sealed text. 'oldest_schema': the number of the last of these files that a program must know.
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO facts (name, value) VALUES ('oldest_schema', '17');

ALTER TABLE audit ADD COLUMN organisation TEXT;
ALTER TABLE audit ADD COLUMN request_id TEXT;

-- Rows are removed by their age, and exported in the order of their time.
CREATE INDEX audit_by_age ON audit (at);
CREATE INDEX devices_by_age ON devices (last_used_at);
