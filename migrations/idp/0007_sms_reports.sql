-- Why: a gateway that accepts an SMS may report later that it was not delivered; the message then goes out again through
-- another one. So a row remembers who took it, and keeps its payload until a report or until its code is dead. A server of
-- the version before sends nothing twice: such a row is due again only when it is too old to be sent.

-- When a gateway took it, while a report may still follow; NULL again as soon as it has to go out anew.
ALTER TABLE outbox ADD COLUMN accepted_at BIGINT;
-- The ids of the gateways that took it, in this order, with commas between them.
ALTER TABLE outbox ADD COLUMN gateways TEXT NOT NULL DEFAULT '';
