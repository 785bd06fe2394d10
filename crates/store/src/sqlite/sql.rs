//! Every SQL statement of the record store, in one place, so that a test can ask SQLite how it would run each.

macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(pub(crate) const $name: &str = $sql;)*
        /// All of them, by name.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

/// Columns of a [`crate::Resource`], in the order in which `read::resource` takes them; `r` is its row, `v` the version's.
macro_rules! resources {
    ($v:literal, $rest:literal) => {
        concat!(
            "SELECT (SELECT name FROM kind WHERE k = r.k), r.id, ",
            $v,
            ".version, ",
            $v,
            ".seq, r.r, \
             coalesce((SELECT p.id FROM resource p WHERE p.r = r.patient), x''), r.state, r.is_open, ",
            $v,
            ".deleted, ",
            $v,
            ".envelope, ",
            $v,
            ".codec, ",
            $v,
            ".dictionary, ",
            $v,
            ".body FROM ",
            $rest
        )
    };
    ($rest:literal) => {
        resources!("r", $rest)
    };
}

/// Columns of a [`crate::LogEntry`].
macro_rules! entries {
    ($rest:literal) => {
        concat!("SELECT log_epoch, seq, id, kind, patient, task, state, hie_epoch, hie_seq, code, words, bytes FROM log ", $rest)
    };
}

macro_rules! received {
    ($rest:literal) => {
        concat!("SELECT id, hie_seq, device, kind, patient, task, received_at, bytes FROM inbox ", $rest)
    };
}

/// An envelope's place in the HIE's order: what is still to be sent (`l.state` 0) comes last, what was taken without effect
/// or refused comes first.
macro_rules! place {
    () => {
        "CASE l.state WHEN 0 THEN 9223372036854775807 WHEN 1 THEN l.hie_seq WHEN 2 THEN 0 WHEN 3 THEN 0 WHEN 4 THEN 0 ELSE coalesce(i.hie_seq, 0) END"
    };
}

macro_rules! drafts {
    ($rest:literal) => {
        concat!("SELECT id, kind, patient, rev, seq, updated_at, codec, dictionary, body FROM draft ", $rest)
    };
}

statements! {
    // Settings, dictionaries
    SETTING = "SELECT value FROM setting WHERE key = ?1";
    SET = "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    UNSET = "DELETE FROM setting WHERE key = ?1";
    DICTIONARY = "SELECT bytes FROM dictionary WHERE id = ?1";
    ADD_DICTIONARY = "INSERT INTO dictionary (id, bytes) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";

    // Resources
    ADD_KIND = "INSERT INTO kind (name) VALUES (?1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING k";
    NEXT_SEQ = "UPDATE counter SET seq = seq + 1 WHERE one = 1 RETURNING seq";
    RESOURCE = resources!("resource r WHERE r.k = (SELECT k FROM kind WHERE name = ?1) AND r.id = ?2 AND r.deleted <> 2");
    HISTORY = resources!(
        "v",
        "resource r JOIN past_version v ON v.r = r.r \
         WHERE r.k = (SELECT k FROM kind WHERE name = ?1) AND r.id = ?2 AND r.deleted <> 2 ORDER BY v.version"
    );
    OF_PATIENT = resources!(
        "resource r WHERE r.patient = (SELECT r FROM resource WHERE k = (SELECT k FROM kind WHERE name = 'Patient') AND id = ?1) \
         AND r.k = (SELECT k FROM kind WHERE name = ?2) AND r.r < ?3 AND r.deleted = 0 ORDER BY r.r DESC LIMIT ?4"
    );
    OF_KIND = resources!(
        "resource r WHERE r.k = (SELECT k FROM kind WHERE name = ?1) AND r.r < ?2 AND r.deleted = 0 \
         ORDER BY r.r DESC LIMIT ?3"
    );
    COUNT_OF_KIND = "SELECT here FROM kind WHERE name = ?1";
    OPEN = resources!(
        "resource r WHERE r.k = (SELECT k FROM kind WHERE name = ?1) AND r.is_open = 1 AND r.r < ?2 AND r.deleted = 0 \
         ORDER BY r.r DESC LIMIT ?3"
    );
    REFERRING = resources!(
        "link l JOIN resource r ON r.r = l.r WHERE l.target = ?1 AND r.deleted = 0 ORDER BY r.r"
    );
    REFERRING_KIND = resources!(
        "link l JOIN resource r ON r.r = l.r \
         WHERE l.target = ?1 AND +r.k = (SELECT k FROM kind WHERE name = ?2) AND r.deleted = 0 ORDER BY r.r"
    );
    OF_ENVELOPE = resources!("resource r WHERE r.envelope = ?1 AND r.envelope <> x''");
    OF_ENVELOPE_PAST = resources!("v", "past_version v JOIN resource r ON r.r = v.r WHERE v.envelope = ?1 AND v.envelope <> x''");
    CURRENT = "SELECT r, version, deleted, patient, codec, dictionary, body, server_version, envelope FROM resource \
               WHERE k = (SELECT k FROM kind WHERE name = ?1) AND id = ?2";
    SERVER_VERSION_PAST = "SELECT codec, dictionary, body FROM past_version WHERE r = ?1 AND server_version = ?2";
    PAST = "SELECT version, envelope, deleted FROM past_version WHERE r = ?1 ORDER BY version DESC";
    DROP_PAST = "DELETE FROM past_version WHERE r = ?1 AND envelope = x'' AND deleted = 0";
    DROP_MARK = "DELETE FROM past_version WHERE r = ?1 AND version = ?2";
    BACK_TO_MARK = "UPDATE resource SET (version, seq, server_version, envelope, deleted, codec, dictionary, body) = \
                    (SELECT version, seq, server_version, envelope, deleted, codec, dictionary, body FROM past_version WHERE r = ?1 AND version = ?2), \
                    state = '', is_open = 0 WHERE r = ?1";
    ONLY_NAMED = "UPDATE resource SET version = 0, server_version = 0, envelope = x'', deleted = 2, codec = 0, dictionary = 0, body = x'', \
                  state = '', is_open = 0 WHERE r = ?1";
    IS_NAMED = "SELECT 1 FROM resource WHERE patient = ?1 AND r <> ?1 LIMIT 1";
    DROP_RESOURCE = "DELETE FROM resource WHERE r = ?1";
    SETTLE = "SELECT r FROM past_version WHERE envelope = ?1 AND envelope <> x'' \
              UNION SELECT r FROM resource WHERE envelope = ?1 AND envelope <> x'' AND version > 1";
    PLACE_NOW = concat!("SELECT (SELECT name FROM kind WHERE k = r.k), r.id, r.patient, ", place!(),
                        " FROM resource r LEFT JOIN log l ON l.id = r.envelope LEFT JOIN inbox i ON i.id = r.envelope \
                         WHERE r.r = ?1 AND r.envelope <> x''");
    PLACES_PAST = concat!("SELECT v.version, ", place!(),
                          " FROM past_version v LEFT JOIN log l ON l.id = v.envelope LEFT JOIN inbox i ON i.id = v.envelope \
                           WHERE v.r = ?1 AND v.envelope <> x''");
    PAST_VERSION = "SELECT codec, dictionary, body, envelope FROM past_version WHERE r = ?1 AND version = ?2";
    KEEP_PAST = "INSERT INTO past_version (r, version, seq, server_version, envelope, deleted, codec, dictionary, body) \
                 SELECT r, version, seq, server_version, envelope, deleted, codec, dictionary, body FROM resource WHERE r = ?1";
    ADD_RESOURCE = "INSERT INTO resource (r, k, id, patient, state, is_open, deleted, seq, version, server_version, envelope, codec, dictionary, body) \
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
                    ON CONFLICT (r) DO UPDATE SET patient = excluded.patient, state = excluded.state, is_open = excluded.is_open, \
                    deleted = excluded.deleted, seq = excluded.seq, version = excluded.version, server_version = excluded.server_version, \
                    envelope = excluded.envelope, codec = excluded.codec, dictionary = excluded.dictionary, body = excluded.body";
    ID_OF = "SELECT id FROM resource WHERE r = ?1";
    NUMBER_OF = "SELECT r FROM resource WHERE k = (SELECT k FROM kind WHERE name = ?1) AND id = ?2";
    ADD_NAMED = "INSERT INTO resource (r, k, id, patient, state, is_open, deleted, seq, version, server_version, envelope, codec, dictionary, body) \
                 VALUES (?1, ?2, ?3, ?1, '', 0, 2, ?1, 0, 0, x'', 0, 0, x'')";
    REPACK = "UPDATE resource SET codec = ?2, dictionary = ?3, body = ?4 WHERE r = ?1";
    DROP_LINK = "DELETE FROM link WHERE target = ?1 AND r = ?2";
    ADD_LINK = "INSERT INTO link (target, r) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

    // Details that several people wrote beside each other
    IS_BESIDE = "SELECT 1 FROM beside WHERE patient = ?1 LIMIT 1";
    DROP_BESIDE = "DELETE FROM beside WHERE patient = ?1";
    ADD_BESIDE = "INSERT INTO beside (patient, field, envelope) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    UNDECIDED = "SELECT DISTINCT patient FROM beside WHERE field <> '' ORDER BY patient";
    DETAILS_WRITTEN = "SELECT bytes FROM log WHERE patient = ?1 AND state IN (0, 1, 2, 3) AND kind = 1 ORDER BY n";
    DETAILS_RECEIVED = "SELECT bytes FROM inbox WHERE patient = ?1 AND kind = 1 ORDER BY hie_seq";
    IMPORTED_PAST = "SELECT (SELECT name FROM kind WHERE k = r.k), r.id, v.codec, v.dictionary, v.body \
                     FROM resource r JOIN past_version v ON v.r = r.r \
                     WHERE r.patient = ?1 AND r.k IN (SELECT k FROM kind WHERE name IN ('Patient', 'RelatedPerson')) \
                     AND v.envelope = x'' AND v.deleted = 0 ORDER BY v.version";
    IMPORTED_NOW = "SELECT (SELECT name FROM kind WHERE k = r.k), r.id, r.codec, r.dictionary, r.body FROM resource r \
                    WHERE r.patient = ?1 AND r.k IN (SELECT k FROM kind WHERE name IN ('Patient', 'RelatedPerson')) \
                    AND r.envelope = x'' AND r.deleted = 0";

    // Search
    POSTINGS = "SELECT key, entries FROM posting WHERE key >= ?1 AND key < ?2";
    POSTING_AT = "SELECT first, entries FROM posting WHERE key = ?1 AND first = coalesce(\
                  (SELECT max(first) FROM posting WHERE key = ?1 AND first <= ?2), (SELECT min(first) FROM posting WHERE key = ?1))";
    POSTING_AFTER = "SELECT first FROM posting WHERE key = ?1 AND first > ?2 ORDER BY first LIMIT 1";
    ADD_POSTING = "INSERT INTO posting (key, first, entries) VALUES (?1, ?2, ?3) ON CONFLICT (key, first) DO UPDATE SET entries = excluded.entries";
    DROP_POSTING = "DELETE FROM posting WHERE key = ?1 AND first = ?2";
    ADD_WORD = "INSERT INTO word (key) VALUES (?1) ON CONFLICT DO NOTHING";
    DROP_WORD = "DELETE FROM word WHERE key = ?1";
    WORDS = "SELECT key FROM word WHERE key >= ?1 AND key < ?2";
    KEYED = "SELECT how, after FROM keyed";
    SET_KEYED = "UPDATE keyed SET how = ?1, after = ?2";
    FORGET_POSTINGS = "DELETE FROM posting";
    FORGET_WORDS = "DELETE FROM word";
    PATIENTS_AFTER = "SELECT r FROM resource WHERE r > ?1 AND r <= ?2 AND k = (SELECT k FROM kind WHERE name = 'Patient')";
    LAST_ROW = "SELECT coalesce(max(r), 0) FROM resource";
    LATELY = "SELECT patient FROM lately";
    SEEN = "INSERT INTO lately (patient, seq) VALUES (?1, ?2) ON CONFLICT (patient) DO UPDATE SET seq = excluded.seq";
    FORGET_SEEN = "DELETE FROM lately WHERE seq <= (SELECT seq FROM lately ORDER BY seq DESC LIMIT 1 OFFSET ?1)";
    FOUND = resources!("resource r WHERE r.r = ?1 AND r.deleted = 0");
    RELATIVES = resources!(
        "resource r WHERE r.patient = ?1 AND r.k = (SELECT k FROM kind WHERE name = 'RelatedPerson') \
         AND r.deleted = 0 ORDER BY r.r DESC LIMIT 20"
    );

    // Drafts
    DRAFT = drafts!("WHERE id = ?1");
    DRAFTS = drafts!("ORDER BY seq DESC");
    DRAFTS_OF_KIND = drafts!("WHERE kind = ?1 ORDER BY seq DESC");
    DRAFTS_OF_PATIENT = drafts!("WHERE patient = ?1 ORDER BY seq DESC");
    SAVE_DRAFT = "INSERT INTO draft (id, seq, kind, patient, rev, updated_at, codec, dictionary, body) \
                  VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM draft), ?2, ?3, 1, ?4, ?5, ?6, ?7) \
                  ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, patient = excluded.patient, rev = rev + 1, \
                  updated_at = excluded.updated_at, codec = excluded.codec, dictionary = excluded.dictionary, body = excluded.body \
                  RETURNING rev";
    DROP_DRAFT = "DELETE FROM draft WHERE id = ?1";

    // Log
    LOG_HEAD = "SELECT log_epoch, seq, hash FROM log ORDER BY n DESC LIMIT 1";
    LOG_ENTRY = entries!("WHERE id = ?1");
    LOG_AT = entries!("WHERE n = ?1");
    LOG_QUARANTINED = entries!("WHERE state = 3 ORDER BY n");
    LOG_SEEN_TO = entries!("WHERE state = 4 ORDER BY n DESC LIMIT ?1");
    LOG_NOT_SENT = entries!("WHERE state IN (0, 3) ORDER BY n");
    LOG_AFTER = entries!("WHERE (log_epoch, seq) > (?1, ?2) ORDER BY log_epoch, seq LIMIT ?3");
    LOG_OLDEST_NOT_SENT = entries!("WHERE state = 0 ORDER BY n LIMIT 1");
    LOG_OF_TASK = entries!("WHERE task = ?1 AND task <> '' AND NOT (state = 4 AND hie_epoch <> x'') ORDER BY n");
    LOG_WAITING = "SELECT n, id, kind, task <> '' FROM log WHERE state = 0 ORDER BY n";
    LOG_TO_HAND = "SELECT id, kind FROM log WHERE state = 0 ORDER BY n";
    LOG_WAITING_NEEDS = "SELECT d.n, d.needs FROM log l JOIN log_depends d ON d.n = l.n WHERE l.state = 0";
    LOG_REFUSED = "SELECT id FROM log WHERE state IN (3, 4)";
    APPEND = "INSERT INTO log (log_epoch, seq, id, kind, patient, task, hash, state, hie_epoch, hie_seq, code, words, bytes) \
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, x'', 0, '', '', ?8) RETURNING n";
    ADD_NEED = "INSERT INTO log_depends (n, needs) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    MOVE = "UPDATE log SET state = ?2, hie_epoch = ?3, hie_seq = ?4, code = ?5, words = ?6 WHERE id = ?1";
    CONFIRM = "UPDATE log SET state = 1, hie_epoch = ?2, hie_seq = ?3, code = '', words = '' \
               WHERE id = ?1 AND NOT (state = 2 AND hie_epoch = ?2)";
    REQUEUE = "UPDATE log SET state = 0, code = '', words = '' WHERE id = ?1 AND state = 3";
    SEE_TO = "UPDATE log SET state = 4, hie_epoch = ?2 WHERE id = ?1 AND state IN (0, 3)";
    FORGET_EPOCH = "UPDATE log SET state = 0, hie_epoch = x'', hie_seq = 0, code = '' WHERE state IN (1, 2) AND hie_epoch <> ?1";
    FORGET_PLACES = "UPDATE inbox SET hie_seq = 0 WHERE hie_seq > 0 AND hie_seq < 9223372036854775806";
    IS_OURS = "SELECT 1 FROM log WHERE id = ?1";
    CUSTODY = "SELECT kind, state, count FROM custody WHERE count > 0 ORDER BY kind, state";
    CUSTODY_OF_PATIENT = "SELECT state, count(*) FROM log WHERE patient = ?1 GROUP BY state";
    CUSTODY_OF = "SELECT r.envelope, l.state, l.hie_epoch, l.hie_seq, l.code, l.words, i.hie_seq \
                  FROM resource r LEFT JOIN log l ON l.id = r.envelope LEFT JOIN inbox i ON i.id = r.envelope \
                  WHERE r.k = (SELECT k FROM kind WHERE name = ?1) AND r.id = ?2 AND r.deleted <> 2";

    // Inbox
    INBOX = received!("WHERE id = ?1");
    INBOX_OF_TASK = received!("WHERE task = ?1 AND task <> '' ORDER BY hie_seq");
    RECEIVE = "INSERT INTO inbox (id, hie_seq, device, kind, patient, task, received_at, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
               ON CONFLICT (id) DO UPDATE SET hie_seq = excluded.hie_seq RETURNING hie_seq";
    IS_RECEIVED = "SELECT 1 FROM inbox WHERE id = ?1";
    // 9223372036854775806: `NEARBY`.
    STRAYS = "SELECT received_at, id, kind FROM inbox WHERE hie_seq = 0 UNION ALL \
              SELECT received_at, id, kind FROM inbox WHERE hie_seq = 9223372036854775806 ORDER BY 1, 2";
    HANDED = "SELECT count(*) FROM inbox WHERE hie_seq = 9223372036854775806";
    PLACED = "UPDATE inbox SET hie_seq = ?2 WHERE id = ?1 AND hie_seq IN (0, 9223372036854775806)";

    // Certificates
    CERTS = "SELECT subject, key, issued_at, bytes FROM cert WHERE subject = ?1 ORDER BY issued_at DESC";
    PUT_CERT = "INSERT INTO cert (subject, key, issued_at, bytes) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (subject, key) DO UPDATE SET \
                issued_at = excluded.issued_at, bytes = excluded.bytes WHERE excluded.issued_at >= issued_at";

    // MR numbers
    ADD_MR_BLOCK = "INSERT INTO mr_block (prefix, first, last, next, closed) VALUES (?1, ?2, ?3, ?2, 0) ON CONFLICT (prefix, first) DO NOTHING";
    CLOSE_MR_BLOCKS = "UPDATE mr_block SET closed = 1";
    OPEN_MR_BLOCK = "SELECT prefix, first, next FROM mr_block WHERE closed = 0 AND next <= last ORDER BY prefix, first LIMIT 1";
    TAKE_MR = "UPDATE mr_block SET next = next + 1 WHERE prefix = ?1 AND first = ?2";
    MR_LEFT = "SELECT coalesce(sum(last - next + 1), 0) FROM mr_block WHERE closed = 0";

    // Attachments
    ATTACHMENT = "SELECT id, content_type, bytes, thumb FROM attachment WHERE id = ?1";
    HAS_ATTACHMENT = "SELECT 1 FROM attachment WHERE id = ?1";
    PUT_ATTACHMENT = "INSERT INTO attachment (id, content_type, bytes, thumb) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET \
                      content_type = excluded.content_type, bytes = excluded.bytes, thumb = excluded.thumb";
    PUT_PART = "INSERT INTO attachment_part (attachment, part, parts, content_type, bytes) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    COUNT_PARTS = "SELECT count(*) FROM attachment_part WHERE attachment = ?1";
    PARTS = "SELECT bytes FROM attachment_part WHERE attachment = ?1 ORDER BY part";
    DROP_PARTS = "DELETE FROM attachment_part WHERE attachment = ?1";

    // Audit
    AUDIT = "INSERT INTO audit (at, person, action, entity, patient, sent) VALUES (?1, ?2, ?3, ?4, ?5, 0)";
    UNSENT_AUDIT = "SELECT seq, at, person, action, entity, patient FROM audit WHERE sent = 0 ORDER BY seq LIMIT ?1";
    AUDIT_SENT = "UPDATE audit SET sent = 1 WHERE sent = 0 AND seq <= ?1";

    // Keys of the device and its persons
    LOG_CHAIN = "SELECT n, log_epoch, seq, hash, bytes FROM log WHERE n > ?1 ORDER BY n LIMIT 100";
    LOG_COUNT = "SELECT coalesce(sum(count), 0) FROM custody";
    RESOURCE_COUNT = "SELECT coalesce(sum(here), 0) FROM kind";
    DEVICE_KEY = "SELECT nonce, sealed, public FROM device_key WHERE id = 1";
    PUT_DEVICE_KEY = "INSERT INTO device_key (id, nonce, sealed, public) VALUES (1, ?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET \
                      nonce = excluded.nonce, sealed = excluded.sealed, public = excluded.public";
    PERSON_KEY = "SELECT nonce, sealed, public FROM person_key WHERE person = ?1 AND kind = ?2";
    PUT_PERSON_KEY = "INSERT INTO person_key (person, kind, nonce, sealed, public) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (person, kind) \
                      DO UPDATE SET nonce = excluded.nonce, sealed = excluded.sealed, public = excluded.public";
    KEEP_PERSON_KEYS = "DELETE FROM person_key WHERE person = ?1 AND kind NOT IN (SELECT value FROM json_each(?2))";
    DROP_PIN = "DELETE FROM pin WHERE person = ?1";
    PIN = "SELECT salt, hash FROM pin WHERE person = ?1";
    PUT_PIN = "INSERT INTO pin (person, salt, hash) VALUES (?1, ?2, ?3) ON CONFLICT (person) DO UPDATE SET salt = excluded.salt, hash = excluded.hash";

    // What migration 0001 left
    OLD_IS_THERE = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'resource_version_1'";
    OLD_VERSIONS = "SELECT seq, kind, id, server_version, envelope, deleted, codec, dictionary, body, \
                    coalesce((SELECT p.patient FROM patient_1 p WHERE p.kind = resource_version_1.kind AND p.id = resource_version_1.id), '') \
                    FROM resource_version_1 ORDER BY seq LIMIT ?1";
    OLD_MOVED = "DELETE FROM resource_version_1 WHERE seq <= ?1";
    OLD_DROP = "DROP TABLE resource_version_1";
    OLD_DROP_PATIENTS = "DROP TABLE patient_1";
}
