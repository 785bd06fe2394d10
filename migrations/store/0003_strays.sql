-- Others' envelopes that are not known to be in this life of the HIE: none but after a restore of it.
CREATE INDEX inbox_stray ON inbox (received_at, id) WHERE hie_seq = 0;
