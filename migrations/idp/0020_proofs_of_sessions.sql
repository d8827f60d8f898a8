-- What a session's holder proved and when, as the sign-in that made it wrote it down; a list instead of a column for each.
ALTER TABLE sessions ADD COLUMN proofs TEXT NOT NULL DEFAULT '[]';
UPDATE sessions SET proofs = '[{"method":"password","at":' || authenticated_at || '}'
  || CASE WHEN code_at IS NULL THEN '' ELSE ',{"method":"sms","at":' || code_at || '}' END || ']';
ALTER TABLE sessions DROP COLUMN authenticated_at;
ALTER TABLE sessions DROP COLUMN code_at;
