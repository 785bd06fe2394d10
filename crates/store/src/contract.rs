//! What every record store promises: one suite that each implementation runs.
//!
//! [`contract_tests!`](crate::contract_tests) makes a test of each promise. Ids are made from numbers; nothing here
//! needs a clock, a network or randomness.

use ed25519_dalek::SigningKey;
use rabta_wire::{
    Id,
    cursor::Cursor,
    enroll::MrBlock,
    envelope::{AttachmentPart, Envelope, Header, Kind},
    log::{Ack, Outcome},
};

use crate::{
    Attachment, AuditEntry, DeviceSigner, EntryState, NewEnvelope, NewResource, PullBatch, Pulled,
    RecordStore, SaveDraft, Sealer, StoreError, StoredCert, Transaction,
};

type Held = Result<(), StoreError>;

/// Makes a `#[tokio::test]` of each promise; `$make` is an expression that awaits to `(store, whatever must live)`.
#[macro_export]
macro_rules! contract_tests {
    ($make:expr) => {
        $crate::contract_tests! { $make;
            a_draft_is_read_back_as_it_was_saved_last
            drafts_are_listed_newest_first
            every_version_of_a_resource_is_kept
            the_bytes_are_kept_as_they_came
            lists_are_in_the_order_of_arrival_and_do_not_move
            a_deleted_resource_is_gone_but_for_its_history
            tasks_are_listed_by_state_and_while_open
            what_refers_to_something_is_found_from_it
            a_patient_is_found_by_any_of_their_facts
            a_changed_name_is_found_and_the_old_one_is_not
            hits_come_in_pages_that_do_not_overlap
            a_number_used_twice_shows_whose_it_is
            a_slip_of_a_key_is_forgiven_when_nothing_else_fits
            the_log_is_a_chain
            what_is_appended_is_in_the_record
            a_transaction_happens_wholly_or_not_at_all
            nothing_is_appended_without_a_sealer
            acks_move_what_they_name
            a_refused_envelope_holds_back_only_what_needs_it
            asks_go_first_and_photos_last
            unsent_envelopes_fit_the_request
            custody_is_counted_overall_by_kind_and_by_patient
            each_record_knows_where_it_is
            a_pull_applied_twice_changes_nothing
            one_bad_item_does_not_stop_a_pull
            our_own_envelope_in_a_pull_is_an_ack
            others_envelopes_are_kept_as_received
            a_restored_hie_gets_everything_again
            a_restored_hie_may_use_a_version_number_again
            parts_make_an_attachment_in_any_order
            mr_numbers_are_given_once_and_run_out
            the_newest_certificate_of_a_key_wins
            settings_are_set_and_unset
            audit_waits_until_it_is_in_an_envelope
            dictionaries_are_kept_under_their_ids
        }
    };
    ($make:expr; $($promise:ident)*) => {
        $(#[tokio::test]
        async fn $promise() {
            let (store, _keep) = $make.await;
            if let Err(error) = $crate::contract::$promise(&store).await {
                panic!("{error}");
            }
        })*
    };
}

fn id(n: u8) -> Id {
    Id([n; 16])
}

fn signer() -> DeviceSigner {
    DeviceSigner::new(id(200), SigningKey::from_bytes(&[7; 32]).into())
}

fn json(text: String) -> Vec<u8> {
    text.into_bytes()
}

fn patient(id: &str, name: &str) -> NewResource {
    put("Patient", id, format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"text":"{name}"}}]}}"#))
}

fn put(kind: &str, id: &str, body: String) -> NewResource {
    NewResource {
        kind: kind.into(),
        id: id.into(),
        patient: None,
        envelope: None,
        server_version: None,
        body: json(body).into(),
    }
}

fn encounter(id: &str, patient: &str) -> NewResource {
    put(
        "Encounter",
        id,
        format!(
            r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","subject":{{"reference":"Patient/{patient}"}}}}"#
        ),
    )
}

fn bundle(resources: &[String]) -> Vec<u8> {
    let entries: Vec<String> = resources.iter().map(|r| format!(r#"{{"resource":{r}}}"#)).collect();
    json(format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(",")))
}

fn encounter_bundle(encounter: Id, patient: Id) -> Vec<u8> {
    bundle(&[format!(
        r#"{{"resourceType":"Encounter","id":"{encounter}","status":"finished","subject":{{"reference":"Patient/{patient}"}}}}"#
    )])
}

fn envelope(n: u8, kind: Kind, depends: &[u8]) -> NewEnvelope {
    NewEnvelope {
        id: id(n),
        kind,
        patient: Some(id(100)),
        facility: id(101),
        task: None,
        base_version: None,
        depends: depends.iter().map(|d| id(*d)).collect(),
        device_time: 0,
        clock_offset: None,
        payload: encounter_bundle(id(n), id(100)).into(),
        signed_by: None,
    }
}

fn draft(id: &str, patient: Option<&str>, text: &str) -> SaveDraft {
    SaveDraft {
        id: id.into(),
        kind: "visit".into(),
        patient: patient.map(Into::into),
        updated_at: 5,
        body: text.as_bytes().to_vec().into(),
    }
}

async fn append(store: &impl RecordStore, envelopes: Vec<NewEnvelope>) -> Held {
    let transaction = envelopes.into_iter().fold(Transaction::new(), Transaction::append);
    store.commit(transaction, Some(&signer())).await.map(|_| ())
}

/// Another device's envelope, as the HIE would send it.
fn foreign(n: u8, kind: Kind, task: Option<Id>, payload: Vec<u8>) -> Vec<u8> {
    let header = Header {
        version: 1,
        id: id(n),
        device: id(201),
        epoch: 0,
        seq: u64::from(n),
        prev: [0; 32],
        kind,
        patient: Some(id(100)),
        facility: id(102),
        task,
        base_version: None,
        depends: vec![],
        device_time: 0,
        clock_offset: None,
        codec: rabta_wire::envelope::Codec::Plain,
        dictionary: 0,
        payload_sha256: rabta_wire::envelope::sha256(&payload),
        payload_len: payload.len() as u32,
        signed_by: None,
    };
    Envelope::seal(&SigningKey::from_bytes(&[8; 32]), &header, payload).to_bytes()
}

fn pull(epoch: u8, seq: u64, items: Vec<Pulled>) -> PullBatch {
    PullBatch { items, next: Cursor { epoch: id(epoch), seq }, backed_up: seq / 2 }
}

fn ids(resources: &[crate::Resource]) -> Vec<&str> {
    resources.iter().map(|r| r.id.as_str()).collect()
}

// Drafts

pub async fn a_draft_is_read_back_as_it_was_saved_last(store: &impl RecordStore) -> Held {
    assert_eq!(store.draft("d").await?, None);
    let long = "ب".repeat(5000);
    assert_eq!(store.save_draft(draft("d", Some("p"), "{}")).await?, 1);
    assert_eq!(store.save_draft(draft("d", Some("p"), &long)).await?, 2);
    let read = store.draft("d").await?.expect("it was saved");
    assert_eq!((read.rev, read.body.as_slice(), read.patient.as_deref()), (2, long.as_bytes(), Some("p")));
    store.commit(Transaction::new().drop_draft("d"), None).await?;
    assert_eq!(store.draft("d").await?, None);
    Ok(())
}

pub async fn drafts_are_listed_newest_first(store: &impl RecordStore) -> Held {
    for (name, patient) in [("a", Some("p")), ("b", None), ("c", Some("p"))] {
        store.save_draft(draft(name, patient, "{}")).await?;
    }
    let other = SaveDraft { kind: "advice".into(), ..draft("e", Some("p"), "{}") };
    let committed = store
        .commit(Transaction::new().save_draft(other).save_draft(draft("a", Some("p"), "{1}")), None)
        .await?;
    assert_eq!(committed.drafts, [("e".to_owned(), 1), ("a".to_owned(), 2)]);
    let names = |drafts: Vec<crate::Draft>| drafts.into_iter().map(|d| d.id).collect::<Vec<_>>();
    assert_eq!(names(store.drafts(None).await?), ["e", "c", "b", "a"]);
    assert_eq!(names(store.drafts(Some("visit")).await?), ["c", "b", "a"]);
    assert_eq!(names(store.drafts_of("p").await?), ["e", "c", "a"]);
    Ok(())
}

// Resources

pub async fn every_version_of_a_resource_is_kept(store: &impl RecordStore) -> Held {
    for name in ["One", "Two", "Three"] {
        store.commit(Transaction::new().put(patient("p", name)), None).await?;
    }
    let history = store.history("Patient", "p").await?;
    assert_eq!(history.iter().map(|r| r.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(history[0].body, patient("p", "One").body);
    assert_eq!(store.resource("Patient", "p").await?.expect("stored").body, patient("p", "Three").body);
    assert!(store.history("Patient", "q").await?.is_empty());
    Ok(())
}

pub async fn the_bytes_are_kept_as_they_came(store: &impl RecordStore) -> Held {
    let text = "{ \"id\" : \"o\",\n\t\"resourceType\":\"Observation\", \"valueQuantity\":{\"value\":1.50}, \"x\":[1.0e2, \"\\u0627\"], \"subject\":{\"reference\":\"Patient/p\"} }";
    let padded = format!("{text}{}", " ".repeat(3000));
    for body in [text, &padded] {
        store.commit(Transaction::new().put(put("Observation", "o", body.into())), None).await?;
        let read = store.resource("Observation", "o").await?.expect("stored");
        assert_eq!(read.body.as_slice(), body.as_bytes());
        assert_eq!(read.patient.as_deref(), Some("p"));
    }
    Ok(())
}

pub async fn lists_are_in_the_order_of_arrival_and_do_not_move(store: &impl RecordStore) -> Held {
    for n in ["e1", "e2", "e3"] {
        store
            .commit(
                Transaction::new().put(encounter(n, "p")).put(encounter(&format!("{n}-other"), "q")),
                None,
            )
            .await?;
    }
    store.commit(Transaction::new().put(encounter("e1", "p")), None).await?;
    let all = store.of_patient("p", "Encounter", None, 10).await?;
    assert_eq!(ids(&all), ["e3", "e2", "e1"]);
    let page = store.of_patient("p", "Encounter", Some(all[0].first_seq), 1).await?;
    assert_eq!(ids(&page), ["e2"]);
    assert_eq!(store.of_kind("Encounter", None, 2).await?.len(), 2);
    assert!(store.of_patient("p", "Condition", None, 10).await?.is_empty());
    Ok(())
}

pub async fn a_deleted_resource_is_gone_but_for_its_history(store: &impl RecordStore) -> Held {
    store.commit(Transaction::new().put(patient("p", "Ayesha")), None).await?;
    let deleted = NewResource { body: Vec::new().into(), ..patient("p", "") };
    store.commit(Transaction::new().put(deleted), None).await?;
    assert_eq!(store.resource("Patient", "p").await?, None);
    assert!(store.find_patients("ayesha", 0, 10).await?.hits.is_empty());
    assert!(store.of_kind("Patient", None, 10).await?.is_empty());
    let history = store.history("Patient", "p").await?;
    assert_eq!(history.iter().map(|r| r.deleted).collect::<Vec<_>>(), [false, true]);
    Ok(())
}

pub async fn tasks_are_listed_by_state_and_while_open(store: &impl RecordStore) -> Held {
    let task = |id: &str, state: &str, status: &str| {
        put(
            "Task",
            id,
            format!(
                r#"{{"resourceType":"Task","id":"{id}","status":"{status}","businessStatus":{{"coding":[{{"code":"{state}"}}]}},"for":{{"reference":"Patient/p"}}}}"#
            ),
        )
    };
    let tasks = [
        task("t1", "requested", "requested"),
        task("t2", "done", "completed"),
        task("t3", "requested", "requested"),
    ];
    store.commit(tasks.into_iter().fold(Transaction::new(), Transaction::put), None).await?;
    store.commit(Transaction::new().put(task("t1", "answered", "in-progress")), None).await?;
    assert_eq!(ids(&store.in_state("Task", "requested", None, 10).await?), ["t3"]);
    assert_eq!(ids(&store.in_state("Task", "answered", None, 10).await?), ["t1"]);
    assert_eq!(ids(&store.open("Task", None, 10).await?), ["t3", "t1"]);
    assert_eq!(ids(&store.of_patient("p", "Task", None, 10).await?), ["t3", "t2", "t1"]);
    Ok(())
}

pub async fn what_refers_to_something_is_found_from_it(store: &impl RecordStore) -> Held {
    let about = |kind: &str, id: &str, field: &str, target: &str| {
        put(
            kind,
            id,
            format!(r#"{{"resourceType":"{kind}","id":"{id}","{field}":{{"reference":"{target}"}}}}"#),
        )
    };
    let transaction = Transaction::new()
        .put(about("Observation", "o1", "encounter", "Encounter/e"))
        .put(about("Condition", "c1", "encounter", "urn:uuid:e"))
        .put(about("Observation", "o2", "encounter", "Encounter/other"));
    store.commit(transaction, None).await?;
    assert_eq!(ids(&store.referring_to("e", None).await?), ["o1", "c1"]);
    assert_eq!(ids(&store.referring_to("e", Some("Condition")).await?), ["c1"]);
    // Moved to another encounter.
    store
        .commit(Transaction::new().put(about("Observation", "o1", "encounter", "Encounter/other")), None)
        .await?;
    assert_eq!(ids(&store.referring_to("e", None).await?), ["c1"]);
    Ok(())
}

// Patients

fn ayesha() -> [NewResource; 2] {
    let person = r#"{"resourceType":"Patient","id":"p1","name":[{"text":"Ayesha Bibi"},{"text":"عائشہ بی بی"}],
        "identifier":[{"system":"https://rabta.health/fhir/sid/mr","value":"3740-000123-4"},{"value":"35202-1234567-2"}],
        "telecom":[{"system":"phone","value":"+92 300 1234567"}],"address":[{"text":"Chak 44"}]}"#;
    let husband = r#"{"resourceType":"RelatedPerson","id":"r1","patient":{"reference":"Patient/p1"},"name":[{"text":"Muhammad Akram"}],
        "identifier":[{"value":"35202-7654321-1"}]}"#;
    [put("Patient", "p1", person.into()), put("RelatedPerson", "r1", husband.into())]
}

pub async fn a_patient_is_found_by_any_of_their_facts(store: &impl RecordStore) -> Held {
    let [person, husband] = ayesha();
    store
        .commit(Transaction::new().put(patient("p2", "Ayesha Khatoon")).put(person).put(husband), None)
        .await?;
    for query in [
        "ayesha bibi",
        "bibi aisha",
        "عائشہ بی",
        "akram ayesha",
        "0300-1234567",
        "3001234",
        "3520212345672",
        "35202-1234567-2",
        "3740-000123-4",
        "1234",
        "chak 44",
    ] {
        let page = store.find_patients(query, 0, 10).await?;
        assert_eq!(page.hits.first().map(|h| h.patient.id.as_str()), Some("p1"), "query {query}");
        assert_eq!(ids(&page.hits[0].relatives), ["r1"]);
    }
    assert_eq!(store.find_patients("ayesha", 0, 10).await?.hits.len(), 2);
    for nobody in ["", "  ", "ayesha rahim", "0311", "ayesha 0311"] {
        assert!(store.find_patients(nobody, 0, 10).await?.hits.is_empty(), "query {nobody}");
    }
    Ok(())
}

pub async fn a_changed_name_is_found_and_the_old_one_is_not(store: &impl RecordStore) -> Held {
    store.commit(Transaction::new().put(patient("p", "Baby of Rukhsana")), None).await?;
    store.commit(Transaction::new().put(patient("p", "Zulfiqar")), None).await?;
    assert_eq!(store.find_patients("zulfikar", 0, 10).await?.hits.len(), 1);
    assert!(store.find_patients("rukhsana", 0, 10).await?.hits.is_empty());
    Ok(())
}

pub async fn hits_come_in_pages_that_do_not_overlap(store: &impl RecordStore) -> Held {
    let all = (0..25).fold(Transaction::new(), |t, n| t.put(patient(&format!("p{n:02}"), "Muhammad Aslam")));
    store.commit(all, None).await?;
    let mut seen = Vec::new();
    loop {
        let page = store.find_patients("aslam", seen.len(), 10).await?;
        seen.extend(page.hits.into_iter().map(|h| h.patient.id));
        if !page.more {
            break;
        }
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (25, 25));
    Ok(())
}

pub async fn a_number_used_twice_shows_whose_it_is(store: &impl RecordStore) -> Held {
    let [person, husband] = ayesha();
    store.commit(Transaction::new().put(person).put(husband), None).await?;
    let own = store.number_uses("3520212345672").await?;
    assert_eq!(
        own.iter().map(|u| (u.patient.as_str(), u.source_kind.as_str())).collect::<Vec<_>>(),
        [("p1", "Patient")]
    );
    let husbands = store.number_uses("35202-7654321-1").await?;
    assert_eq!(
        husbands.iter().map(|u| (u.patient.as_str(), u.source_id.as_str())).collect::<Vec<_>>(),
        [("p1", "r1")]
    );
    assert!(store.number_uses("35202-7654321").await?.is_empty(), "a part is not the number");
    assert!(store.number_uses("").await?.is_empty());
    Ok(())
}

pub async fn a_slip_of_a_key_is_forgiven_when_nothing_else_fits(store: &impl RecordStore) -> Held {
    store.commit(Transaction::new().put(patient("p", "Rukhsana Kausar")), None).await?;
    assert_eq!(store.find_patients("rukhsama kausar", 0, 10).await?.hits.len(), 1);
    Ok(())
}

// The log

pub async fn the_log_is_a_chain(store: &impl RecordStore) -> Held {
    assert_eq!(store.log_head().await?.seq, 0);
    append(store, vec![envelope(1, Kind::Patient, &[]), envelope(2, Kind::Visit, &[1])]).await?;
    append(store, vec![envelope(3, Kind::Visit, &[])]).await?;
    let key = signer();
    let mut prev = [0; 32];
    for n in 1..=3 {
        let entry = store.log_entry(id(n)).await?.expect("appended");
        let sealed = Envelope::from_bytes(&entry.bytes).expect("an envelope");
        let header = sealed.open(&key.key().verifying_key()).expect("sealed by the device");
        assert_eq!((header.seq, header.prev, header.device), (u64::from(n), prev, key.device()));
        prev = sealed.hash();
    }
    let head = store.log_head().await?;
    assert_eq!((head.seq, head.hash), (3, prev));
    Ok(())
}

pub async fn what_is_appended_is_in_the_record(store: &impl RecordStore) -> Held {
    append(store, vec![envelope(1, Kind::Visit, &[])]).await?;
    let name = id(1).to_string();
    let stored = store.resource("Encounter", &name).await?.expect("projected");
    assert_eq!(stored.envelope, Some(id(1)));
    assert_eq!(stored.patient, Some(id(100).to_string()));
    assert_eq!(ids(&store.of_envelope(id(1)).await?), [name]);
    Ok(())
}

pub async fn a_transaction_happens_wholly_or_not_at_all(store: &impl RecordStore) -> Held {
    let bad = NewEnvelope { payload: b"no bundle".to_vec().into(), ..envelope(2, Kind::Visit, &[]) };
    let transaction = Transaction::new()
        .set("k", "v")
        .put(patient("p", "Ayesha"))
        .save_draft(draft("d", None, "{}"))
        .append(envelope(1, Kind::Visit, &[]))
        .append(bad);
    assert!(store.commit(transaction, Some(&signer())).await.is_err());
    assert_eq!(store.setting("k").await?, None);
    assert_eq!(store.resource("Patient", "p").await?, None);
    assert_eq!(store.draft("d").await?, None);
    assert_eq!(store.log_head().await?.seq, 0);
    assert_eq!(store.custody().await?.total(), 0);
    assert!(store.find_patients("ayesha", 0, 10).await?.hits.is_empty());
    // And it goes on afterwards.
    append(store, vec![envelope(1, Kind::Visit, &[])]).await?;
    assert!(append(store, vec![envelope(1, Kind::Visit, &[])]).await.is_err(), "an id is used once");
    assert_eq!(store.log_head().await?.seq, 1);
    Ok(())
}

pub async fn nothing_is_appended_without_a_sealer(store: &impl RecordStore) -> Held {
    let refused = store.commit(Transaction::new().append(envelope(1, Kind::Visit, &[])), None).await;
    assert!(matches!(refused, Err(StoreError::NoSealer)));
    Ok(())
}

fn ack(n: u8, outcome: Outcome) -> Ack {
    Ack { id: id(n), outcome }
}

pub async fn acks_move_what_they_name(store: &impl RecordStore) -> Held {
    append(store, (1..=4).map(|n| envelope(n, Kind::Visit, &[])).collect()).await?;
    let acks = [
        ack(1, Outcome::Durable { seq: 11 }),
        ack(2, Outcome::Superseded { seq: 12, code: "answered".into() }),
        ack(3, Outcome::Refused { code: "no-such-patient".into(), text: "unknown".into() }),
        ack(4, Outcome::Waits { on: id(9) }),
        ack(77, Outcome::Durable { seq: 13 }),
    ];
    store.mark_acks(id(50), &acks).await?;
    store.mark_acks(id(50), &acks).await?;
    let mut states = Vec::new();
    for n in 1..=4 {
        states.push(store.log_entry(id(n)).await?.expect("appended").state);
    }
    let at = |seq| Cursor { epoch: id(50), seq };
    assert_eq!(
        states,
        [
            EntryState::AtHie(at(11)),
            EntryState::Superseded { at: at(12), code: "answered".into() },
            EntryState::Quarantined { code: "no-such-patient".into(), text: "unknown".into() },
            EntryState::Here,
        ]
    );
    Ok(())
}

async fn unsent(store: &impl RecordStore) -> Result<Vec<u8>, StoreError> {
    Ok(store.unsent(100, usize::MAX).await?.into_iter().map(|e| e.id.0[0]).collect())
}

pub async fn a_refused_envelope_holds_back_only_what_needs_it(store: &impl RecordStore) -> Held {
    append(
        store,
        vec![
            envelope(1, Kind::Patient, &[]),
            envelope(2, Kind::Visit, &[1]),
            envelope(3, Kind::Visit, &[2]),
            envelope(4, Kind::Visit, &[]),
        ],
    )
    .await?;
    store.mark_acks(id(50), &[ack(1, Outcome::Refused { code: "bad".into(), text: "bad".into() })]).await?;
    assert_eq!(unsent(store).await?, [4]);
    assert_eq!(store.quarantined().await?.iter().map(|e| e.id).collect::<Vec<_>>(), [id(1)]);
    store.requeue(id(1)).await?;
    store.requeue(id(4)).await?;
    assert_eq!(unsent(store).await?, [1, 2, 3, 4]);
    assert!(store.quarantined().await?.is_empty());
    Ok(())
}

fn part(n: u8, attachment: Id, index: u32, count: u32, bytes: &[u8]) -> NewEnvelope {
    let part = AttachmentPart {
        attachment,
        index,
        count,
        content_type: "image/jpeg".into(),
        bytes: bytes.to_vec().into(),
    };
    let payload = minicbor::to_vec(part).expect("encoding into memory cannot fail");
    NewEnvelope { payload: payload.into(), ..envelope(n, Kind::AttachmentPart, &[]) }
}

pub async fn asks_go_first_and_photos_last(store: &impl RecordStore) -> Held {
    let consent_for_ask = NewEnvelope { task: Some(id(90)), ..envelope(4, Kind::Consent, &[]) };
    let move_of_ask = NewEnvelope { task: Some(id(90)), ..envelope(6, Kind::TaskMove, &[5]) };
    let all = vec![
        envelope(1, Kind::Visit, &[]),
        part(2, id(80), 0, 2, b"xx"),
        envelope(3, Kind::Patient, &[]),
        consent_for_ask,
        envelope(5, Kind::ReferralNote, &[3]),
        move_of_ask,
    ];
    append(store, all).await?;
    assert_eq!(unsent(store).await?, [3, 4, 5, 6, 1, 2]);
    assert_eq!(store.log_of_task(id(90)).await?.iter().map(|e| e.id).collect::<Vec<_>>(), [id(4), id(6)]);
    Ok(())
}

pub async fn unsent_envelopes_fit_the_request(store: &impl RecordStore) -> Held {
    append(store, (1..=9).map(|n| envelope(n, Kind::Visit, &[])).collect()).await?;
    assert_eq!(store.unsent(4, usize::MAX).await?.len(), 4);
    let size = store.unsent(1, 1).await?;
    assert_eq!(size.len(), 1, "one always, however large");
    let three = size[0].bytes.len() * 3 + 20;
    assert_eq!(store.unsent(9, three).await?.len(), 3);
    Ok(())
}

pub async fn custody_is_counted_overall_by_kind_and_by_patient(store: &impl RecordStore) -> Held {
    let other = NewEnvelope { patient: Some(id(110)), ..envelope(4, Kind::Visit, &[]) };
    append(
        store,
        vec![
            envelope(1, Kind::Patient, &[]),
            envelope(2, Kind::Visit, &[]),
            envelope(3, Kind::Visit, &[]),
            other,
        ],
    )
    .await?;
    store
        .mark_acks(
            id(50),
            &[
                ack(1, Outcome::Durable { seq: 1 }),
                ack(3, Outcome::Refused { code: "x".into(), text: "y".into() }),
            ],
        )
        .await?;
    let all = store.custody().await?;
    assert_eq!((all.here, all.at_hie, all.quarantined, all.superseded), (2, 1, 1, 0));
    let by_kind = store.custody_by_kind().await?;
    assert_eq!(
        by_kind.iter().map(|(k, c)| (*k, c.total(), c.here)).collect::<Vec<_>>(),
        [(Kind::Patient, 1, 0), (Kind::Visit, 3, 2)]
    );
    let one = store.custody_of_patient(&id(100).to_string()).await?;
    assert_eq!((one.here, one.at_hie, one.quarantined), (1, 1, 1));
    Ok(())
}

pub async fn each_record_knows_where_it_is(store: &impl RecordStore) -> Held {
    append(store, vec![envelope(1, Kind::Visit, &[])]).await?;
    let name = id(1).to_string();
    assert_eq!(store.custody_of("Encounter", &name).await?, Some(EntryState::Here));
    store.mark_acks(id(50), &[ack(1, Outcome::Durable { seq: 3 })]).await?;
    assert_eq!(
        store.custody_of("Encounter", &name).await?,
        Some(EntryState::AtHie(Cursor { epoch: id(50), seq: 3 }))
    );
    let theirs = Pulled::Envelope {
        seq: 9,
        received_at: 1,
        bytes: foreign(7, Kind::Visit, None, encounter_bundle(id(7), id(100))),
    };
    store.apply_pull(pull(50, 9, vec![theirs])).await?;
    assert_eq!(
        store.custody_of("Encounter", &id(7).to_string()).await?,
        Some(EntryState::AtHie(Cursor { epoch: id(50), seq: 9 }))
    );
    assert_eq!(store.custody_of("Encounter", "none").await?, None);
    Ok(())
}

// Pulling

fn pulled_patient(version: u64, name: &str) -> Pulled {
    Pulled::Resource { kind: "Patient".into(), id: "p".into(), version, body: patient("p", name).body.0 }
}

pub async fn a_pull_applied_twice_changes_nothing(store: &impl RecordStore) -> Held {
    let batch = || {
        pull(
            50,
            8,
            vec![
                pulled_patient(1, "One"),
                pulled_patient(2, "Two"),
                Pulled::Envelope {
                    seq: 8,
                    received_at: 1,
                    bytes: foreign(7, Kind::Visit, None, encounter_bundle(id(7), id(100))),
                },
                Pulled::Roster(b"[]".to_vec()),
            ],
        )
    };
    assert_eq!(store.cursor().await?, None);
    store.apply_pull(batch()).await?;
    let before =
        (store.history("Patient", "p").await?, store.history("Encounter", &id(7).to_string()).await?);
    store.apply_pull(batch()).await?;
    let after = (store.history("Patient", "p").await?, store.history("Encounter", &id(7).to_string()).await?);
    assert_eq!(before, after);
    assert_eq!((after.0.len(), after.1.len()), (2, 1));
    assert_eq!(store.cursor().await?, Some(Cursor { epoch: id(50), seq: 8 }));
    assert_eq!(store.backed_up().await?, 4);
    assert_eq!(store.roster().await?.as_deref(), Some(&b"[]"[..]));
    Ok(())
}

pub async fn one_bad_item_does_not_stop_a_pull(store: &impl RecordStore) -> Held {
    let items = vec![
        Pulled::Resource { kind: "Patient".into(), id: "bad".into(), version: 1, body: b"{".to_vec() },
        Pulled::Envelope { seq: 2, received_at: 1, bytes: b"no envelope".to_vec() },
        Pulled::Envelope { seq: 3, received_at: 1, bytes: foreign(6, Kind::Visit, None, b"[]".to_vec()) },
        pulled_patient(1, "Good"),
    ];
    store.apply_pull(pull(50, 4, items)).await?;
    assert!(store.resource("Patient", "p").await?.is_some());
    assert_eq!(store.cursor().await?, Some(Cursor { epoch: id(50), seq: 4 }));
    assert!(store.received(id(6)).await?.is_some(), "kept for a program that can read it");
    Ok(())
}

pub async fn our_own_envelope_in_a_pull_is_an_ack(store: &impl RecordStore) -> Held {
    append(store, vec![envelope(1, Kind::Visit, &[])]).await?;
    let own = store.log_entry(id(1)).await?.expect("appended").bytes.0;
    store.apply_pull(pull(50, 5, vec![Pulled::Envelope { seq: 5, received_at: 1, bytes: own }])).await?;
    assert_eq!(
        store.log_entry(id(1)).await?.expect("appended").state,
        EntryState::AtHie(Cursor { epoch: id(50), seq: 5 })
    );
    assert_eq!(store.received(id(1)).await?, None);
    assert_eq!(store.history("Encounter", &id(1).to_string()).await?.len(), 1);
    Ok(())
}

pub async fn others_envelopes_are_kept_as_received(store: &impl RecordStore) -> Held {
    let bytes = foreign(7, Kind::TaskMove, Some(id(90)), encounter_bundle(id(7), id(100)));
    store
        .apply_pull(pull(50, 5, vec![Pulled::Envelope { seq: 5, received_at: 77, bytes: bytes.clone() }]))
        .await?;
    let received = store.received(id(7)).await?.expect("kept");
    assert_eq!(
        (received.bytes.as_slice(), received.received_at, received.device),
        (bytes.as_slice(), 77, id(201))
    );
    assert_eq!(store.received_of_task(id(90)).await?, [received]);
    Ok(())
}

pub async fn a_restored_hie_gets_everything_again(store: &impl RecordStore) -> Held {
    append(store, (1..=4).map(|n| envelope(n, Kind::Visit, &[])).collect()).await?;
    store.enter_epoch(id(50)).await?;
    let acks = [
        ack(1, Outcome::Durable { seq: 1 }),
        ack(2, Outcome::Superseded { seq: 2, code: "done".into() }),
        ack(3, Outcome::Refused { code: "bad".into(), text: "bad".into() }),
    ];
    store.mark_acks(id(50), &acks).await?;
    store.apply_pull(pull(50, 20, vec![])).await?;
    store.enter_epoch(id(50)).await?;
    assert_eq!((store.cursor().await?.map(|c| c.seq), unsent(store).await?), (Some(20), vec![4]));

    store.enter_epoch(id(51)).await?;
    assert_eq!(store.cursor().await?, Some(Cursor { epoch: id(51), seq: 0 }));
    assert_eq!(unsent(store).await?, [1, 2, 4], "what was refused stays refused");
    assert_eq!(store.backed_up().await?, 0);
    // The restored HIE still had the first one.
    let own = store.log_entry(id(1)).await?.expect("appended").bytes.0;
    store.apply_pull(pull(51, 1, vec![Pulled::Envelope { seq: 1, received_at: 1, bytes: own }])).await?;
    assert_eq!(unsent(store).await?, [2, 4]);
    Ok(())
}

pub async fn a_restored_hie_may_use_a_version_number_again(store: &impl RecordStore) -> Held {
    store.apply_pull(pull(50, 2, vec![pulled_patient(1, "One"), pulled_patient(2, "Lost")])).await?;
    store.enter_epoch(id(51)).await?;
    store.apply_pull(pull(51, 2, vec![pulled_patient(1, "One"), pulled_patient(2, "Other")])).await?;
    assert_eq!(store.history("Patient", "p").await?.len(), 3, "nothing that was here is lost");
    assert_eq!(store.resource("Patient", "p").await?.expect("stored").body, patient("p", "Other").body);
    Ok(())
}

// The rest

pub async fn parts_make_an_attachment_in_any_order(store: &impl RecordStore) -> Held {
    let photo = id(80);
    let theirs = |n: u8, index| {
        let payload = part(n, photo, index, 3, &[index as u8; 4]).payload.0;
        Pulled::Envelope {
            seq: u64::from(n),
            received_at: 1,
            bytes: foreign(n, Kind::AttachmentPart, None, payload),
        }
    };
    store.apply_pull(pull(50, 2, vec![theirs(1, 2), theirs(2, 0)])).await?;
    assert_eq!(store.attachment(&photo.to_string()).await?, None);
    store.apply_pull(pull(50, 3, vec![theirs(3, 1), theirs(2, 0)])).await?;
    let whole = store.attachment(&photo.to_string()).await?.expect("all parts are here");
    assert_eq!(
        (whole.bytes.as_slice(), whole.content_type.as_str()),
        (&[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2][..], "image/jpeg")
    );

    let own = Attachment {
        id: "x".into(),
        content_type: "image/png".into(),
        bytes: vec![1; 9].into(),
        thumb: vec![2].into(),
    };
    store.commit(Transaction::new().put_attachment(own.clone()), None).await?;
    assert_eq!(store.attachment("x").await?, Some(own));
    Ok(())
}

pub async fn mr_numbers_are_given_once_and_run_out(store: &impl RecordStore) -> Held {
    assert!(matches!(store.next_mr().await, Err(StoreError::NoMrNumbers)));
    let block = |first, last| MrBlock { prefix: "3740".into(), first, last };
    let blocks = || Transaction::new().add_mr_block(block(7, 8)).add_mr_block(block(20, 20));
    store.commit(blocks(), None).await?;
    assert_eq!(store.mr_left().await?, 3);
    let first = store.next_mr().await?;
    assert_eq!((first.number, first.text.as_str()), (7, rabta_domain::mr::format("3740", 7).as_str()));
    store.commit(blocks(), None).await?;
    assert_eq!((store.next_mr().await?.number, store.next_mr().await?.number), (8, 20));
    assert!(matches!(store.next_mr().await, Err(StoreError::NoMrNumbers)));
    store.commit(Transaction::new().add_mr_block(block(50, 60)).close_mr_blocks(), None).await?;
    assert!(matches!(store.next_mr().await, Err(StoreError::NoMrNumbers)));
    assert_eq!(store.mr_left().await?, 0);
    Ok(())
}

pub async fn the_newest_certificate_of_a_key_wins(store: &impl RecordStore) -> Held {
    let cert = |key, issued_at| StoredCert {
        subject: id(1),
        key: [key; 32],
        issued_at,
        bytes: vec![issued_at as u8],
    };
    let certs = [cert(1, 5), cert(2, 9), cert(1, 7), cert(1, 6)];
    store.commit(certs.into_iter().fold(Transaction::new(), Transaction::put_cert), None).await?;
    assert_eq!(store.certs(id(1)).await?, [cert(2, 9), cert(1, 7)]);
    assert!(store.certs(id(2)).await?.is_empty());
    Ok(())
}

pub async fn settings_are_set_and_unset(store: &impl RecordStore) -> Held {
    store.commit(Transaction::new().set("a", "1").set("b", "").set("a", "2"), None).await?;
    assert_eq!(store.setting("a").await?.as_deref(), Some(&b"2"[..]));
    assert_eq!(store.setting("b").await?.as_deref(), Some(&b""[..]));
    store.commit(Transaction::new().unset("a"), None).await?;
    assert_eq!(store.setting("a").await?, None);
    Ok(())
}

pub async fn audit_waits_until_it_is_in_an_envelope(store: &impl RecordStore) -> Held {
    let entry = |action: &str| AuditEntry {
        at: 1,
        person: id(1),
        action: action.into(),
        entity: "Patient/p".into(),
        patient: Some("p".into()),
    };
    store
        .commit(Transaction::new().audit(entry("read")).audit(entry("update")).audit(entry("print")), None)
        .await?;
    let waiting = store.unsent_audit(2).await?;
    assert_eq!(waiting.iter().map(|a| a.entry.clone()).collect::<Vec<_>>(), [entry("read"), entry("update")]);
    store.commit(Transaction::new().audit_sent(waiting[1].seq), None).await?;
    assert_eq!(
        store.unsent_audit(9).await?.iter().map(|a| a.entry.action.as_str()).collect::<Vec<_>>(),
        ["print"]
    );
    Ok(())
}

pub async fn dictionaries_are_kept_under_their_ids(store: &impl RecordStore) -> Held {
    store.commit(Transaction::new().add_dictionary(3, vec![1, 2]).add_dictionary(3, vec![9]), None).await?;
    assert_eq!(store.dictionary(3).await?, Some(vec![1, 2]), "never replaced");
    assert_eq!(store.dictionary(0).await?, None);
    assert!(store.commit(Transaction::new().add_dictionary(0, vec![1]), None).await.is_err());
    Ok(())
}
