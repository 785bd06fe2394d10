-- Of which kind (`rabta_search::KEYS`) the search keys are that stand in `posting` and `word`, and up to which resource they
-- have been made; -1: all of them. One row.
CREATE TABLE keyed (
    how   INTEGER NOT NULL,
    after INTEGER NOT NULL
) STRICT;
INSERT INTO keyed VALUES (0, -1);
