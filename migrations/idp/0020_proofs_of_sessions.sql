-- What a session's holder proved and when, as the sign-in that made it wrote it down: a list. The columns authenticated_at
-- and code_at stay for servers of the version before, which write and read them alone.
ALTER TABLE sessions ADD COLUMN proofs TEXT NOT NULL DEFAULT '[]';
