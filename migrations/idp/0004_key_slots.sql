-- Why: several nodes rotate keys by the same schedule, and each must know what another changed before it signs or
-- verifies.

-- How many keys of this algorithm came before, and one: of two nodes that make the same successor at once, one
-- may. NULL on keys of an earlier version.
ALTER TABLE signing_keys ADD COLUMN generation BIGINT;
CREATE UNIQUE INDEX signing_keys_generation ON signing_keys (algorithm, generation);

-- One row, whose version every change to the key ring raises.
CREATE TABLE signing_keys_version (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO signing_keys_version (id, version) VALUES (1, 0);
