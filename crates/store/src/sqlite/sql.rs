//! Every SQL statement of the record store, in one place, so that a test can ask SQLite how it would run each.

macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(pub(crate) const $name: &str = $sql;)*
        /// All of them, by name.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

/// Columns of a [`crate::Resource`], in the order in which `read::resource` takes them.
macro_rules! resources {
    ($rest:literal) => {
        concat!(
            "SELECT r.kind, r.id, v.version, v.seq, r.first_seq, r.patient, r.state, r.is_open, v.deleted, v.envelope, \
             v.codec, v.dictionary, v.body FROM ",
            $rest
        )
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
    RESOURCE = resources!("resource r JOIN resource_version v ON v.seq = r.seq WHERE r.kind = ?1 AND r.id = ?2");
    HISTORY = resources!(
        "resource_version v JOIN resource r ON r.kind = v.kind AND r.id = v.id WHERE v.kind = ?1 AND v.id = ?2 ORDER BY v.version"
    );
    OF_PATIENT = resources!(
        "resource r JOIN resource_version v ON v.seq = r.seq \
         WHERE r.patient = ?1 AND r.kind = ?2 AND r.first_seq < ?3 AND r.deleted = 0 ORDER BY r.first_seq DESC LIMIT ?4"
    );
    OF_KIND = resources!(
        "resource r JOIN resource_version v ON v.seq = r.seq \
         WHERE r.kind = ?1 AND r.first_seq < ?2 AND r.deleted = 0 ORDER BY r.first_seq DESC LIMIT ?3"
    );
    IN_STATE = resources!(
        "resource r JOIN resource_version v ON v.seq = r.seq \
         WHERE r.kind = ?1 AND r.state = ?2 AND r.first_seq < ?3 AND r.deleted = 0 ORDER BY r.first_seq DESC LIMIT ?4"
    );
    OPEN = resources!(
        "resource r JOIN resource_version v ON v.seq = r.seq \
         WHERE r.kind = ?1 AND r.is_open = 1 AND r.first_seq < ?2 AND r.deleted = 0 ORDER BY r.first_seq DESC LIMIT ?3"
    );
    REFERRING = resources!(
        "link l JOIN resource r ON r.kind = l.kind AND r.id = l.id JOIN resource_version v ON v.seq = r.seq \
         WHERE l.target = ?1 AND r.deleted = 0 ORDER BY r.first_seq"
    );
    REFERRING_KIND = resources!(
        "link l JOIN resource r ON r.kind = l.kind AND r.id = l.id JOIN resource_version v ON v.seq = r.seq \
         WHERE l.target = ?1 AND l.kind = ?2 AND r.deleted = 0 ORDER BY r.first_seq"
    );
    OF_ENVELOPE = resources!(
        "resource_version v JOIN resource r ON r.kind = v.kind AND r.id = v.id \
         WHERE v.envelope = ?1 AND v.envelope <> x'' ORDER BY v.seq"
    );
    CURRENT = "SELECT r.first_seq, v.version FROM resource r JOIN resource_version v ON v.seq = r.seq WHERE r.kind = ?1 AND r.id = ?2";
    SERVER_VERSION = "SELECT codec, dictionary, body FROM resource_version WHERE kind = ?1 AND id = ?2 AND server_version = ?3";
    ADD_VERSION = "INSERT INTO resource_version (kind, id, version, server_version, envelope, deleted, codec, dictionary, body) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING seq";
    SET_CURRENT = "INSERT INTO resource (kind, id, seq, first_seq, patient, state, is_open, deleted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                   ON CONFLICT (kind, id) DO UPDATE SET seq = excluded.seq, patient = excluded.patient, state = excluded.state, \
                   is_open = excluded.is_open, deleted = excluded.deleted";
    BROUGHT = "SELECT count(*) FROM resource_version WHERE kind = ?1 AND id = ?2 AND envelope <> x'' \
               AND seq > (SELECT coalesce(max(d.seq), 0) FROM resource_version d WHERE d.kind = ?1 AND d.id = ?2 AND d.deleted = 1)";
    PATIENT_OF = "SELECT patient FROM resource WHERE kind = ?1 AND id = ?2";
    DROP_CURRENT = "DELETE FROM resource WHERE kind = ?1 AND id = ?2";
    DROP_VERSIONS = "DELETE FROM resource_version WHERE kind = ?1 AND id = ?2 AND envelope = x'' AND deleted = 0";
    SET_DELETED = "INSERT INTO resource (kind, id, seq, first_seq, patient, state, is_open, deleted) \
                   SELECT kind, id, max(seq), min(seq), ?3, '', 0, 1 FROM resource_version WHERE kind = ?1 AND id = ?2 GROUP BY kind, id";
    DROP_LINKS = "DELETE FROM link WHERE kind = ?1 AND id = ?2";
    ADD_LINK = "INSERT INTO link (target, kind, id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    DROP_KEYS = "DELETE FROM patient_key WHERE source_kind = ?1 AND source_id = ?2";
    ADD_KEY = "INSERT INTO patient_key (key, patient, field, source_kind, source_id) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";

    // Search
    KEY_RANGE = "SELECT DISTINCT patient FROM patient_key WHERE key >= ?1 AND key < ?2 LIMIT ?3";
    KEYS_EXACT = "SELECT DISTINCT patient FROM patient_key WHERE key IN (SELECT value FROM json_each(?1)) LIMIT ?2";
    KEYS_OF = "SELECT patient, field, key FROM patient_key WHERE patient IN (SELECT value FROM json_each(?1))";
    NUMBER_USES = "SELECT DISTINCT patient, source_kind, source_id FROM patient_key WHERE key = ?1 AND field IN (5, 6) \
                   ORDER BY patient, source_kind, source_id";

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
    LOG_NOT_SENT = entries!("WHERE state IN (0, 3) ORDER BY n");
    LOG_OF_TASK = entries!("WHERE task = ?1 AND task <> '' ORDER BY n");
    LOG_WAITING = "SELECT n, id, kind, task <> '' FROM log WHERE state = 0 ORDER BY n";
    LOG_WAITING_NEEDS = "SELECT d.n, d.needs FROM log l JOIN log_depends d ON d.n = l.n WHERE l.state = 0";
    LOG_REFUSED = "SELECT id FROM log WHERE state = 3";
    APPEND = "INSERT INTO log (log_epoch, seq, id, kind, patient, task, hash, state, hie_epoch, hie_seq, code, words, bytes) \
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, x'', 0, '', '', ?8) RETURNING n";
    ADD_NEED = "INSERT INTO log_depends (n, needs) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    MOVE = "UPDATE log SET state = ?2, hie_epoch = ?3, hie_seq = ?4, code = ?5, words = ?6 WHERE id = ?1";
    CONFIRM = "UPDATE log SET state = 1, hie_epoch = ?2, hie_seq = ?3, code = '', words = '' \
               WHERE id = ?1 AND NOT (state = 2 AND hie_epoch = ?2)";
    REQUEUE = "UPDATE log SET state = 0, code = '', words = '' WHERE id = ?1 AND state = 3";
    FORGET_EPOCH = "UPDATE log SET state = 0, hie_epoch = x'', hie_seq = 0, code = '' WHERE state IN (1, 2) AND hie_epoch <> ?1";
    IS_OURS = "SELECT 1 FROM log WHERE id = ?1";
    CUSTODY = "SELECT kind, state, count FROM custody WHERE count > 0 ORDER BY kind, state";
    CUSTODY_OF_PATIENT = "SELECT state, count(*) FROM log WHERE patient = ?1 GROUP BY state";
    CUSTODY_OF = "SELECT v.envelope, l.state, l.hie_epoch, l.hie_seq, l.code, l.words, coalesce(i.hie_seq, 0) \
                  FROM resource r JOIN resource_version v ON v.seq = r.seq \
                  LEFT JOIN log l ON l.id = v.envelope LEFT JOIN inbox i ON i.id = v.envelope WHERE r.kind = ?1 AND r.id = ?2";

    // Inbox
    INBOX = received!("WHERE id = ?1");
    INBOX_OF_TASK = received!("WHERE task = ?1 AND task <> '' ORDER BY hie_seq");
    RECEIVE = "INSERT INTO inbox (id, hie_seq, device, kind, patient, task, received_at, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
               ON CONFLICT (id) DO UPDATE SET hie_seq = excluded.hie_seq RETURNING hie_seq";
    IS_RECEIVED = "SELECT 1 FROM inbox WHERE id = ?1";

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
}
