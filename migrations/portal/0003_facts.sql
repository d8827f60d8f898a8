-- Why: a database says which root key it was made with, and which is the oldest program that may work with it. So a wrong
-- key or a wrong program is told from a damaged file, and the version before may still start after an upgrade.

-- 'root_key': a sealed text. 'oldest_schema': the number of the last of these files that a program must know.
CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
INSERT INTO facts (name, value) VALUES ('oldest_schema', '3');

-- Rows are removed by their age.
CREATE INDEX access_log_by_age ON access_log (at);
CREATE INDEX audit_by_age ON audit (at);
