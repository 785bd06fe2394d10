-- Patients' links. Neither the secret nor the word nor the patient is known here.
CREATE TABLE link (
    guest      BLOB NOT NULL PRIMARY KEY,
    -- SHA-256 of the open key.
    open_hash  BLOB NOT NULL UNIQUE,
    word_proof BLOB NOT NULL,
    -- Who made it and whom it reaches.
    owner      BLOB NOT NULL REFERENCES person (id),
    facility   BLOB NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    -- The tab that pressed Join, and when.
    device     BLOB,
    joined_at  INTEGER,
    -- The tab that asks to have the call moved to it.
    asking     BLOB,
    -- The tab that asked and was told no.
    refused    BLOB,
    closed_at  INTEGER
) STRICT;
CREATE INDEX link_of_owner ON link (owner, expires_at);
