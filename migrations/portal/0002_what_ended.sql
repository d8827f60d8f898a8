-- Why: a session that ended leaves a mark. A sign-in under way must not bring back what the provider ended from
-- behind; and after a session that ended by itself, or by the person, only a new proof opens the next one.
ALTER TABLE sessions ADD COLUMN ended_at BIGINT;

-- Sessions (kind 'sid') and people (kind 'sub') at the provider. Every sign-in and every logout token writes its
-- row here first, so that of the two at once the later one sees what the earlier one did.
CREATE TABLE provider_sessions (
  iss TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  ended_at BIGINT,
  forget_at BIGINT NOT NULL,
  PRIMARY KEY (iss, kind, name)
);
CREATE INDEX provider_sessions_by_forgetting ON provider_sessions (forget_at);
