-- Why: the first schema of the portal. It has no users: a person is an issuer and a subject. BSNs stand
-- here as a keyed hash to match on and as a sealed number, never in the clear.

-- Values with an expiry: sign-ins under way, filled-in requests, counters, replay marks.
CREATE TABLE ephemeral (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  version BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX ephemeral_by_expiry ON ephemeral (expires_at);

-- Who is signed in here. The cookie holds a token, the row its hash; the ID token is sealed.
CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY,
  iss TEXT NOT NULL,
  sub TEXT NOT NULL,
  sid TEXT NOT NULL,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  acr TEXT NOT NULL,
  care_role TEXT NOT NULL,
  care_organisation TEXT NOT NULL,
  purpose TEXT NOT NULL,
  id_token TEXT NOT NULL,
  signed_in_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_sid ON sessions (iss, sid);
CREATE INDEX sessions_by_subject ON sessions (iss, sub);
CREATE INDEX sessions_by_seen ON sessions (seen_at);

-- A person's way into a dossier: asked for, activated, ended. open_key is unique among those that have not
-- ended and NULL on those that have, so that one person asks once for one client.
CREATE TABLE links (
  id TEXT PRIMARY KEY,
  iss TEXT NOT NULL,
  sub TEXT NOT NULL,
  person_name TEXT NOT NULL,
  person_email TEXT NOT NULL,
  relation TEXT NOT NULL,
  organisation TEXT NOT NULL,
  match_hash TEXT NOT NULL,
  bsn TEXT NOT NULL,
  birth_date TEXT NOT NULL,
  open_key TEXT UNIQUE,
  requested_at BIGINT NOT NULL,
  dossier_id TEXT,
  level TEXT NOT NULL,
  code_hash TEXT,
  code_issued_at BIGINT,
  code_expires_at BIGINT,
  code_failures BIGINT NOT NULL,
  activated_at BIGINT,
  ended_at BIGINT
);
CREATE INDEX links_by_person ON links (iss, sub);
CREATE INDEX links_by_organisation ON links (organisation, requested_at);
CREATE INDEX links_by_dossier ON links (dossier_id);

-- Who looked in which part of which dossier, allowed or refused (NEN 7513).
CREATE TABLE access_log (
  id TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  iss TEXT NOT NULL,
  sub TEXT NOT NULL,
  person_name TEXT NOT NULL,
  relation TEXT NOT NULL,
  link_id TEXT NOT NULL,
  organisation TEXT NOT NULL,
  dossier_id TEXT NOT NULL,
  section TEXT NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL
);
CREATE INDEX access_log_by_dossier ON access_log (dossier_id, at);

-- What was done to a link, by whom and why.
CREATE TABLE audit (
  id TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  iss TEXT NOT NULL,
  sub TEXT NOT NULL,
  person_name TEXT NOT NULL,
  organisation TEXT NOT NULL,
  link_id TEXT NOT NULL,
  act TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX audit_by_link ON audit (link_id, at);

-- What people wrote in a dossier through the portal; the text is sealed.
CREATE TABLE notes (
  id TEXT PRIMARY KEY,
  dossier_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  iss TEXT NOT NULL,
  sub TEXT NOT NULL,
  person_name TEXT NOT NULL,
  written_at BIGINT NOT NULL,
  replaced_at BIGINT
);
CREATE INDEX notes_by_dossier ON notes (dossier_id, kind, written_at);
