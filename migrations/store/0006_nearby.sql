-- What a laptop nearby handed over and the HIE has not shown yet (`NEARBY`).
CREATE INDEX inbox_nearby ON inbox (received_at, id) WHERE hie_seq = 9223372036854775806;
