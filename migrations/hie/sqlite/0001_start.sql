-- Everything that the HIE keeps. Times are milliseconds since 1970 by the HIE's clock; our own ids are their
-- 16 bytes, ids of FHIR resources are text.

-- The HIE's epoch, its keys and its public address.
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Identity ------------------------------------------------------------------------------------------------

CREATE TABLE facility (
    id         BLOB NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    place      TEXT,
    address    TEXT,
    mr_prefix  TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Ranges of MR numbers that were handed out. A closed block gets no further numbers.
CREATE TABLE mr_block (
    id          INTEGER NOT NULL PRIMARY KEY,
    facility    BLOB NOT NULL REFERENCES facility (id),
    prefix      TEXT NOT NULL,
    first       INTEGER NOT NULL,
    last        INTEGER NOT NULL CHECK (last >= first),
    purpose     TEXT NOT NULL,
    device      BLOB,
    allotted_at INTEGER NOT NULL,
    closed_at   INTEGER,
    UNIQUE (prefix, first)
) STRICT;

CREATE TABLE person (
    id            BLOB NOT NULL PRIMARY KEY,
    facility      BLOB NOT NULL REFERENCES facility (id),
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    registration  TEXT,
    qualification TEXT,
    specialty     TEXT,
    phone         TEXT,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    id         BLOB NOT NULL PRIMARY KEY,
    facility   BLOB NOT NULL REFERENCES facility (id),
    name       TEXT NOT NULL,
    key        BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    forked_at  INTEGER
) STRICT, WITHOUT ROWID;

-- A person has one key for each vault that they work in.
CREATE TABLE person_key (
    key        BLOB NOT NULL PRIMARY KEY,
    person     BLOB NOT NULL REFERENCES person (id),
    device     BLOB NOT NULL REFERENCES device (id),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX person_key_of_person ON person_key (person);
CREATE INDEX person_key_of_device ON person_key (device, person);

-- Certificates as they were handed out.
CREATE TABLE cert (
    id      INTEGER NOT NULL PRIMARY KEY,
    subject BLOB NOT NULL,
    bytes   BLOB NOT NULL
) STRICT;

CREATE TABLE enrollment (
    secret_sha256 BLOB NOT NULL PRIMARY KEY,
    person        BLOB NOT NULL REFERENCES person (id),
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    used_at       INTEGER,
    device        BLOB REFERENCES device (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE roster (
    person     BLOB NOT NULL PRIMARY KEY REFERENCES person (id),
    specialty  TEXT NOT NULL,
    phone      TEXT NOT NULL,
    hours      TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Access --------------------------------------------------------------------------------------------------

-- Assertions are good once, across restarts too.
CREATE TABLE used_assertion (
    device     BLOB NOT NULL,
    jti        TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (device, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_assertion_expiry ON used_assertion (expires_at);

CREATE TABLE operator_token (
    token_sha256 BLOB NOT NULL PRIMARY KEY,
    facility     BLOB NOT NULL REFERENCES facility (id),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The log of envelopes ------------------------------------------------------------------------------------

-- Every authenticated entry of every device's log, taken or not, in whatever order it came: the chain goes on over a
-- refused one, and what is urgent comes before what was written earlier.
CREATE TABLE log_entry (
    device    BLOB NOT NULL REFERENCES device (id),
    log_epoch INTEGER NOT NULL,
    log_seq   INTEGER NOT NULL,
    id        BLOB NOT NULL,
    hash      BLOB NOT NULL,
    prev      BLOB NOT NULL,
    -- 0 durable, 1 superseded, 2 refused, 3 waiting
    state     INTEGER NOT NULL,
    code      TEXT,
    seen_at   INTEGER NOT NULL,
    PRIMARY KEY (device, log_epoch, log_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX log_entry_of_id ON log_entry (id);

CREATE TABLE envelope (
    id          BLOB NOT NULL PRIMARY KEY,
    -- Its place in the HIE's log.
    seq         INTEGER NOT NULL UNIQUE,
    device      BLOB NOT NULL REFERENCES device (id),
    kind        INTEGER NOT NULL,
    facility    BLOB NOT NULL REFERENCES facility (id),
    patient     TEXT,
    task        BLOB,
    superseded  INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    bytes       BLOB NOT NULL
) STRICT;
CREATE INDEX envelope_of_task ON envelope (task, seq) WHERE task IS NOT NULL;
CREATE INDEX envelope_of_patient ON envelope (patient, kind, seq) WHERE patient IS NOT NULL;

-- What a forked device sent: the other branch, kept as evidence and for mending.
CREATE TABLE envelope_fork (
    hash        BLOB NOT NULL PRIMARY KEY,
    id          BLOB NOT NULL,
    device      BLOB NOT NULL REFERENCES device (id),
    log_epoch   INTEGER NOT NULL,
    log_seq     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    bytes       BLOB NOT NULL
) STRICT;

CREATE TABLE attachment_part (
    attachment BLOB NOT NULL,
    part       INTEGER NOT NULL,
    parts      INTEGER NOT NULL,
    envelope   BLOB NOT NULL REFERENCES envelope (id),
    PRIMARY KEY (attachment, part)
) STRICT, WITHOUT ROWID;

-- How each ask stands.
CREATE TABLE task (
    id         BLOB NOT NULL PRIMARY KEY,
    facility   BLOB NOT NULL REFERENCES facility (id),
    patient    TEXT NOT NULL,
    owner      BLOB,
    state      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    closed     INTEGER NOT NULL,
    note       BLOB NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX task_of_owner ON task (owner, closed);
CREATE INDEX task_of_facility ON task (facility, closed);

-- What there is to pull, one row for each scope that may see it, in commit order.
CREATE TABLE change (
    seq              INTEGER NOT NULL PRIMARY KEY,
    -- 0 everybody, 1 a facility, 2 a person, 3 a device
    scope_kind       INTEGER NOT NULL,
    scope            BLOB NOT NULL,
    -- Visible only while this Task is open.
    while_open       BLOB,
    -- 0 resource, 1 envelope, 2 cert, 3 roster
    item             INTEGER NOT NULL,
    envelope         INTEGER,
    cert             INTEGER,
    resource_type    TEXT,
    resource_id      TEXT,
    resource_version INTEGER
) STRICT;
CREATE INDEX change_of_scope ON change (scope_kind, scope, seq);

-- FHIR ----------------------------------------------------------------------------------------------------

CREATE TABLE resource (
    type       TEXT NOT NULL,
    id         TEXT NOT NULL,
    version    INTEGER NOT NULL,
    -- NULL: of the HIE itself, for everybody.
    facility   BLOB REFERENCES facility (id),
    patient    TEXT,
    task       BLOB,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (type, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX resource_of_facility ON resource (facility, type, id);
CREATE INDEX resource_of_patient ON resource (patient, type) WHERE patient IS NOT NULL;
CREATE INDEX resource_of_task ON resource (task) WHERE task IS NOT NULL;

CREATE TABLE resource_version (
    type       TEXT NOT NULL,
    id         TEXT NOT NULL,
    version    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The envelope that it is a projection of, if it is.
    envelope   BLOB,
    -- 0 plain, 1 zstd; with the dictionary of this id, 0 for none.
    codec      INTEGER NOT NULL,
    dictionary INTEGER NOT NULL,
    body       BLOB NOT NULL,
    PRIMARY KEY (type, id, version)
) STRICT;

-- Search parameters: tokens (system may be empty) and folded strings.
CREATE TABLE resource_token (
    type   TEXT NOT NULL,
    param  TEXT NOT NULL,
    value  TEXT NOT NULL,
    system TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (type, param, value, system, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX resource_token_of ON resource_token (type, id);

-- Dates as the range of instants that they cover.
CREATE TABLE resource_date (
    type  TEXT NOT NULL,
    param TEXT NOT NULL,
    low   INTEGER NOT NULL,
    high  INTEGER NOT NULL,
    id    TEXT NOT NULL,
    PRIMARY KEY (type, param, low, high, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX resource_date_of ON resource_date (type, id);
