-- Why: a portal that does not answer must not hold up the logout tokens of the others, and a mail that its address's
-- server refuses must be seen by whoever can ask the person for another address. A server of the version before puts
-- all logout tokens into one lane, and tells nobody of refused mail.

-- Messages of a kind that can only wait for each other: a hash of the address that a logout token goes to; else ''.
ALTER TABLE outbox ADD COLUMN lane TEXT NOT NULL DEFAULT '';

-- Addresses to which the last mail did not go. Only a keyed hash of the address: it stands here also for somebody who
-- typed it wrong and has no account. A mail that is delivered removes it, as does time.
CREATE TABLE refused_addresses (
    address_hash TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    -- refused (its server said no for good) or late (nobody took it for as long as it was of use).
    reason TEXT NOT NULL
);
