-- Resources in a quarter of the room: types as numbers, UUIDs as their 16 bytes, the current version in one row, older
-- ones apart, and the search as lists of patients under each key. `sqlite::upgrade` moves what the tables of 0001 hold.

-- Whom it is about, where the body does not say so (Binary, Provenance).
CREATE TABLE patient_1 (
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    patient TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
INSERT INTO patient_1 (kind, id, patient) SELECT kind, id, patient FROM resource WHERE patient <> '';
DROP TABLE resource;
ALTER TABLE resource_version RENAME TO resource_version_1;
DROP INDEX resource_version_envelope;
DROP TABLE link;
DROP TABLE patient_key;

-- FHIR resource types, and how many of each are here: kept by the triggers, so that counting never scans.
CREATE TABLE kind (
    k    INTEGER NOT NULL PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE,
    here INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The store's own order: the last number that was given.
CREATE TABLE counter (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO counter (one, seq) VALUES (1, 0);

-- The current version of each. r is the number of its first version: lists do not move when something is edited.
CREATE TABLE resource (
    r              INTEGER NOT NULL PRIMARY KEY,
    k              INTEGER NOT NULL,
    -- 16 bytes of a UUID, or 0xff and the text (`sqlite::ids`).
    id             BLOB    NOT NULL,
    -- r of the Patient that it is about; its own of a Patient; 0: none.
    patient        INTEGER NOT NULL,
    -- Task: businessStatus; others: status.
    state          TEXT    NOT NULL,
    -- 1 while something is still to be done about it.
    is_open        INTEGER NOT NULL,
    -- 2: not here, only named by another resource.
    deleted        INTEGER NOT NULL,
    -- Of this version, in the store's own order.
    seq            INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    -- The HIE's number for it, where it came through the FHIR API; 0 otherwise.
    server_version INTEGER NOT NULL,
    -- The envelope that brought it, empty otherwise.
    envelope       BLOB    NOT NULL,
    codec          INTEGER NOT NULL,
    dictionary     INTEGER NOT NULL,
    body           BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX resource_id ON resource (k, id);
CREATE INDEX resource_patient ON resource (patient, k);
CREATE INDEX resource_kind ON resource (k) WHERE deleted = 0;
CREATE INDEX resource_open ON resource (k) WHERE is_open = 1;
CREATE INDEX resource_envelope ON resource (envelope) WHERE envelope <> x'';
CREATE TRIGGER resource_came AFTER INSERT ON resource WHEN new.deleted = 0 BEGIN
    UPDATE kind SET here = here + 1 WHERE k = new.k;
END;
CREATE TRIGGER resource_changed AFTER UPDATE OF deleted ON resource WHEN (old.deleted = 0) <> (new.deleted = 0) BEGIN
    UPDATE kind SET here = here + (new.deleted = 0) - (old.deleted = 0) WHERE k = new.k;
END;
CREATE TRIGGER resource_went AFTER DELETE ON resource WHEN old.deleted = 0 BEGIN
    UPDATE kind SET here = here - 1 WHERE k = old.k;
END;

-- What was current before.
CREATE TABLE past_version (
    r              INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    seq            INTEGER NOT NULL,
    server_version INTEGER NOT NULL,
    envelope       BLOB    NOT NULL,
    deleted        INTEGER NOT NULL,
    codec          INTEGER NOT NULL,
    dictionary     INTEGER NOT NULL,
    body           BLOB    NOT NULL,
    PRIMARY KEY (r, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_version_envelope ON past_version (envelope) WHERE envelope <> x'';

-- What points at what, patients and people apart: an Encounter's id -> r of its Observations.
CREATE TABLE link (
    target BLOB    NOT NULL,
    r      INTEGER NOT NULL,
    PRIMARY KEY (target, r)
) STRICT, WITHOUT ROWID;

-- Search keys (rabta-search) and who has them: a key's patients in parts of about a kilobyte, in order (`sqlite::posting`).
CREATE TABLE posting (
    key     TEXT    NOT NULL,
    first   INTEGER NOT NULL,
    entries BLOB    NOT NULL,
    PRIMARY KEY (key, first)
) STRICT, WITHOUT ROWID;

-- The keys of words that stand in names and places: a word with a slip is looked up here.
CREATE TABLE word (
    key TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Patients about whom something was written here lately, a few hundred.
CREATE TABLE lately (
    patient INTEGER NOT NULL PRIMARY KEY,
    seq     INTEGER NOT NULL
) STRICT;
CREATE INDEX lately_seq ON lately (seq);
