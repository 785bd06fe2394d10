-- Who may read what: sensitivity labels, what consent closed, the broken glass.

-- Of meta.security: 0 normal, 1 restricted (R, or a sensitive topic), 2 very restricted (V).
ALTER TABLE resource ADD COLUMN label INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resource_version ADD COLUMN label INTEGER NOT NULL DEFAULT 0;
-- The highest label of what its payload holds.
ALTER TABLE envelope ADD COLUMN label INTEGER NOT NULL DEFAULT 0;

-- The Consent that closed this ask to whoever is outside the clinic; empty while it is open to them.
ALTER TABLE task ADD COLUMN shut_by TEXT NOT NULL DEFAULT '';
CREATE INDEX task_of_patient ON task (patient, closed);

-- The patient's last word, in the order in which the HIE received it.
CREATE TABLE consent_state (
    patient TEXT NOT NULL PRIMARY KEY,
    consent TEXT NOT NULL,
    opens   INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Emergency access of a person to a patient's record, with a reason and an end.
CREATE TABLE break_glass (
    id          BLOB NOT NULL PRIMARY KEY,
    person      BLOB NOT NULL REFERENCES person (id),
    device      BLOB NOT NULL REFERENCES device (id),
    facility    BLOB NOT NULL REFERENCES facility (id),
    patient     TEXT NOT NULL,
    -- The facility that has the record.
    owner       BLOB NOT NULL REFERENCES facility (id),
    reason      TEXT NOT NULL,
    text        TEXT NOT NULL,
    -- Why what is very restricted is needed, too; empty where it is not opened.
    restricted  TEXT NOT NULL,
    opened_at   INTEGER NOT NULL,
    ends_at     INTEGER NOT NULL,
    reviewed_at INTEGER,
    review      TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX break_glass_of_reader ON break_glass (person, patient, ends_at, restricted);
CREATE INDEX break_glass_of_owner ON break_glass (owner, opened_at);
