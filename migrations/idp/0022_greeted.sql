-- When the holder was last greeted.

ALTER TABLE accounts ADD COLUMN greeted_at BIGINT;
