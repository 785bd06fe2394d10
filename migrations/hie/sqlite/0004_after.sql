-- What a doctor leaves for the patient after a call, sealed with a key from the link's secret: it cannot be read here.
CREATE TABLE link_after (
    guest      BLOB NOT NULL REFERENCES link (guest) ON DELETE CASCADE,
    -- note, paper
    part       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    put_at     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (guest, part)
) STRICT;
CREATE INDEX link_after_ends ON link_after (expires_at);
-- The tab that had the call last; unlike `device`, it stays when the link is closed.
ALTER TABLE link ADD COLUMN last_device BLOB;
UPDATE link SET last_device = device;
