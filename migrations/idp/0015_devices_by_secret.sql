-- Why: a browser gets a new secret each time that it is trusted, for all the accounts that know it; they are found by the
-- old one.
CREATE INDEX devices_by_secret ON devices (secret_hash);
