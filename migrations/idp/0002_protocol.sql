-- Why: refresh tokens name the one they replace, so that a lost answer can be asked for again without losing
-- sight of a replay; accounts may carry standard claims that sign-in itself does not need.

ALTER TABLE refresh_tokens ADD COLUMN replaces TEXT;
CREATE INDEX refresh_tokens_by_predecessor ON refresh_tokens (replaces);

-- Further standard claims of OpenID Connect (nickname, address, ...), as sealed JSON.
ALTER TABLE accounts ADD COLUMN claims_sealed TEXT;
