-- Patients whose details several people wrote beside each other: with field '' the versions (their envelopes) that nobody
-- has followed up; with a field's name those whose values of it stand until somebody decides. Settled: the rows go.
CREATE TABLE beside (
    patient  TEXT NOT NULL,
    field    TEXT NOT NULL,
    envelope BLOB NOT NULL,
    PRIMARY KEY (patient, field, envelope)
) STRICT, WITHOUT ROWID;
-- `log.state` 4: was refused (or waited for one that was), and somebody has seen to it. Then `hie_epoch` is the envelope
-- that took its place; empty where it stays on this laptop.
