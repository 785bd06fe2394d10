-- The laptop's record store. Empty text and empty blobs stand for "none": every column is NOT NULL.
-- Ids of FHIR resources are text (up to 64 characters), ids of our own envelopes, persons and devices 16 bytes.

-- Small things under a name: cursor, facility, roster, certificates' root.
CREATE TABLE setting (
    key   TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- zstd dictionaries by id; 0 is "none" and never stored. A dictionary is never deleted: payloads name it.
CREATE TABLE dictionary (
    id    INTEGER NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

-- Every version of every resource, the bytes as received. seq is the laptop's own order.
CREATE TABLE resource_version (
    seq            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind           TEXT NOT NULL,
    id             TEXT NOT NULL,
    version        INTEGER NOT NULL,
    -- The HIE's number for it, where it came through the FHIR API; 0 otherwise.
    server_version INTEGER NOT NULL,
    -- The envelope that brought it, empty otherwise.
    envelope       BLOB NOT NULL,
    deleted        INTEGER NOT NULL,
    codec          INTEGER NOT NULL,
    dictionary     INTEGER NOT NULL,
    body           BLOB NOT NULL,
    UNIQUE (kind, id, version)
) STRICT;
CREATE INDEX resource_version_envelope ON resource_version (envelope) WHERE envelope <> x'';

-- The current version of each, with the columns that lists need.
CREATE TABLE resource (
    kind      TEXT NOT NULL,
    id        TEXT NOT NULL,
    seq       INTEGER NOT NULL REFERENCES resource_version (seq),
    -- seq of its first version: lists do not move when something is edited.
    first_seq INTEGER NOT NULL,
    patient   TEXT NOT NULL,
    -- Task: businessStatus; others: status.
    state     TEXT NOT NULL,
    -- 1 while something is still to be done about it.
    is_open   INTEGER NOT NULL,
    deleted   INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX resource_seq ON resource (seq);
CREATE INDEX resource_patient ON resource (patient, kind, first_seq);
CREATE INDEX resource_kind ON resource (kind, first_seq);
CREATE INDEX resource_state ON resource (kind, state, first_seq);
CREATE INDEX resource_open ON resource (kind, is_open, first_seq);

-- What points at what, patients and people apart: (Observation -> Encounter), (Communication -> Task).
CREATE TABLE link (
    target TEXT NOT NULL,
    kind   TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (target, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_source ON link (kind, id);

-- Search keys (rabta-search) of patients, from the Patient and its RelatedPersons.
CREATE TABLE patient_key (
    key         TEXT NOT NULL,
    patient     TEXT NOT NULL,
    field       INTEGER NOT NULL,
    source_kind TEXT NOT NULL,
    source_id   TEXT NOT NULL,
    PRIMARY KEY (key, patient, field, source_kind, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX patient_key_patient ON patient_key (patient);
CREATE INDEX patient_key_source ON patient_key (source_kind, source_id);

CREATE TABLE draft (
    id         TEXT NOT NULL PRIMARY KEY,
    seq        INTEGER NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    patient    TEXT NOT NULL,
    rev        INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    codec      INTEGER NOT NULL,
    dictionary INTEGER NOT NULL,
    body       BLOB NOT NULL
) STRICT;
CREATE INDEX draft_kind ON draft (kind, seq);
CREATE INDEX draft_patient ON draft (patient, seq);

-- The append-only log of this device's envelopes.
-- state: 0 here only, 1 at the HIE, 2 superseded there, 3 refused (quarantined).
CREATE TABLE log (
    n         INTEGER NOT NULL PRIMARY KEY,
    log_epoch INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    id        BLOB NOT NULL UNIQUE,
    kind      INTEGER NOT NULL,
    patient   TEXT NOT NULL,
    task      TEXT NOT NULL,
    hash      BLOB NOT NULL,
    state     INTEGER NOT NULL,
    -- Where it stands at the HIE: life and place in its log.
    hie_epoch BLOB NOT NULL,
    hie_seq   INTEGER NOT NULL,
    -- Superseded: how the Task stood. Refused: the stable code and the server's words.
    code      TEXT NOT NULL,
    words     TEXT NOT NULL,
    bytes     BLOB NOT NULL,
    UNIQUE (log_epoch, seq)
) STRICT;
CREATE INDEX log_state ON log (state, n);
CREATE INDEX log_patient ON log (patient, state);
CREATE INDEX log_task ON log (task, n) WHERE task <> '';

CREATE TABLE log_depends (
    n     INTEGER NOT NULL REFERENCES log (n),
    needs BLOB NOT NULL,
    PRIMARY KEY (n, needs)
) STRICT, WITHOUT ROWID;

-- How many envelopes of each kind are in each state: kept by the triggers, so that counting never scans the log.
CREATE TABLE custody (
    kind  INTEGER NOT NULL,
    state INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, state)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER log_appended AFTER INSERT ON log BEGIN
    INSERT INTO custody (kind, state, count) VALUES (new.kind, new.state, 1)
        ON CONFLICT (kind, state) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER log_moved AFTER UPDATE OF state ON log WHEN old.state <> new.state BEGIN
    UPDATE custody SET count = count - 1 WHERE kind = old.kind AND state = old.state;
    INSERT INTO custody (kind, state, count) VALUES (new.kind, new.state, 1)
        ON CONFLICT (kind, state) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER log_is_append_only BEFORE DELETE ON log BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;

-- Other devices' envelopes (and this one's from before a restore), as received; their signatures stay provable.
CREATE TABLE inbox (
    id          BLOB NOT NULL PRIMARY KEY,
    hie_seq     INTEGER NOT NULL,
    device      BLOB NOT NULL,
    kind        INTEGER NOT NULL,
    patient     TEXT NOT NULL,
    task        TEXT NOT NULL,
    -- Milliseconds since 1970, the HIE's clock.
    received_at INTEGER NOT NULL,
    bytes       BLOB NOT NULL
) STRICT;
CREATE INDEX inbox_task ON inbox (task, hie_seq) WHERE task <> '';
CREATE INDEX inbox_patient ON inbox (patient, hie_seq);

-- Signed certificates of persons and devices; a subject may have had several keys.
CREATE TABLE cert (
    subject   BLOB NOT NULL,
    key       BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    bytes     BLOB NOT NULL,
    PRIMARY KEY (subject, key)
) STRICT, WITHOUT ROWID;

-- The block of MR numbers that the HIE handed to this clinic. A used-up or abandoned block stays, closed.
CREATE TABLE mr_block (
    prefix TEXT NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    next   INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    PRIMARY KEY (prefix, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE attachment (
    id           TEXT NOT NULL PRIMARY KEY,
    content_type TEXT NOT NULL,
    bytes        BLOB NOT NULL,
    thumb        BLOB NOT NULL
) STRICT;

-- Parts that came before all of them were here.
CREATE TABLE attachment_part (
    attachment   TEXT NOT NULL,
    part         INTEGER NOT NULL,
    parts        INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    bytes        BLOB NOT NULL,
    PRIMARY KEY (attachment, part)
) STRICT, WITHOUT ROWID;

-- Who did what on this laptop. sent: 1 once it is part of an Audit envelope.
CREATE TABLE audit (
    seq     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    person  BLOB NOT NULL,
    action  TEXT NOT NULL,
    entity  TEXT NOT NULL,
    patient TEXT NOT NULL,
    sent    INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_sent ON audit (sent, seq);

-- Keys of this device and of its persons, each sealed once more (XChaCha20-Poly1305).
CREATE TABLE device_key (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    nonce  BLOB NOT NULL,
    sealed BLOB NOT NULL,
    public BLOB NOT NULL
) STRICT;

CREATE TABLE person_key (
    person BLOB NOT NULL,
    -- passphrase/<salt of the wraps that go with it> or recovery.
    kind   TEXT NOT NULL,
    nonce  BLOB NOT NULL,
    sealed BLOB NOT NULL,
    public BLOB NOT NULL,
    PRIMARY KEY (person, kind)
) STRICT, WITHOUT ROWID;

-- Verifier of the PIN that frees the screen lock.
CREATE TABLE pin (
    person BLOB NOT NULL PRIMARY KEY,
    salt   BLOB NOT NULL,
    hash   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
