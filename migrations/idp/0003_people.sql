-- Why: a confirmation counts for the password of one registration only, and a change of address must remember the
-- address that it is to become. Both are empty for other links and for links of the version before.
ALTER TABLE mail_links ADD COLUMN password_mark TEXT;
ALTER TABLE mail_links ADD COLUMN new_email TEXT;
