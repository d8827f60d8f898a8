-- Why: the desk finds people whatever the case, accents or form of the letters, alike on both engines, whose own LOWER and LIKE
-- differ. Empty for rows of the version before; a job of the server fills them.
ALTER TABLE accounts ADD COLUMN search_name TEXT;
