-- Why: care teams make accounts. A temporary password works once, also when two sign-ins bring it at the same moment,
-- and the desk lists the accounts of one organisation.

-- When the temporary password was given at the sign-in page; from then on it opens nothing.
ALTER TABLE accounts ADD COLUMN temporary_password_used_at BIGINT;
-- Of an account of a user: the care team that made it and sees it at the desk.
CREATE INDEX accounts_by_organisation ON accounts (organisation);
