-- Asks that go to a pool, and the duty that moves what nobody answers.

-- The specialty that is asked; without an owner, and 1 here, the ask is with all of that specialty.
ALTER TABLE task ADD COLUMN specialty TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN pool INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN urgency TEXT NOT NULL DEFAULT 'routine';
ALTER TABLE task ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;
-- When the HIE looks at it next; NULL: it waits for nobody at the specialist's side.
ALTER TABLE task ADD COLUMN look_at INTEGER;
UPDATE task SET asked_at = updated_at;
UPDATE task SET look_at = updated_at WHERE closed = 0;
CREATE INDEX task_to_look_at ON task (look_at) WHERE look_at IS NOT NULL;

-- Whom an open ask is with now: its owner, or everybody of its pool. These may see it.
CREATE TABLE task_with (
    task   BLOB NOT NULL,
    person BLOB NOT NULL,
    PRIMARY KEY (task, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_with_person ON task_with (person, task);
INSERT INTO task_with (task, person) SELECT id, owner FROM task WHERE closed = 0 AND owner IS NOT NULL;

-- The log of the HIE's own device: which of its lives it belongs to, and its epoch.
CREATE TABLE duty_log (
    life      BLOB NOT NULL PRIMARY KEY,
    log_epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whom it was ever with. What they still send of it came too late, and is not a stranger's.
CREATE TABLE task_asked (
    task    BLOB NOT NULL,
    person  BLOB NOT NULL,
    -- 1: given to them by name.
    by_name INTEGER NOT NULL,
    PRIMARY KEY (task, person)
) STRICT, WITHOUT ROWID;
INSERT INTO task_asked (task, person, by_name) SELECT id, owner, 1 FROM task WHERE owner IS NOT NULL;
