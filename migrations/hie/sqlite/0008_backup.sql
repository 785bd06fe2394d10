-- Backups that were made, each after it was read back whole: for the operator's page. What counts for a restore is in the
-- backup folder itself.
CREATE TABLE backup (
    id         INTEGER NOT NULL PRIMARY KEY,
    -- The folder as the HIE sees it, and the manifest in it.
    folder     TEXT NOT NULL,
    name       TEXT NOT NULL,
    -- Milliseconds since 1970.
    made_at    INTEGER NOT NULL,
    -- The last change in it.
    seq        INTEGER NOT NULL,
    -- Of the database's file, and of what earlier backups did not have.
    bytes      INTEGER NOT NULL,
    new_bytes  INTEGER NOT NULL,
    -- 1: newer ones have taken its place.
    removed    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX backup_kept ON backup (id) WHERE removed = 0;
