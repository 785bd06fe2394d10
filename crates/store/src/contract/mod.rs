//! What every record store promises: one suite that each implementation runs.
//!
//! [`contract_tests!`](crate::contract_tests) makes a test of each promise. Ids are made from numbers; nothing here
//! needs a clock, a network or randomness.

mod details;
mod log;
mod patients;
mod pull;
mod record;
mod rest;

use ed25519_dalek::SigningKey;
use rabta_wire::{
    Id,
    cursor::Cursor,
    enroll::MrBlock,
    envelope::{AttachmentPart, Envelope, Header, Kind},
    log::{Ack, Outcome},
};

use crate::{
    Attachment, AuditEntry, DeviceSigner, EntryState, Handed, NewEnvelope, NewResource, PullBatch, Pulled,
    RecordStore, SaveDraft, Sealer, StoreError, StoredCert, Transaction,
};

pub use self::{details::*, log::*, patients::*, pull::*, record::*, rest::*};

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
            what_was_here_for_a_time_leaves_no_trace
            tasks_are_listed_while_open
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
            what_a_laptop_nearby_handed_over_is_here_until_the_hie_shows_it
            one_bad_item_does_not_stop_a_pull
            our_own_envelope_in_a_pull_is_an_ack
            others_envelopes_are_kept_as_received
            a_restored_hie_gets_everything_again
            what_a_restored_hie_did_not_show_is_a_stray
            a_restored_hie_may_use_a_version_number_again
            what_the_hie_took_last_is_shown_whatever_came_first
            an_own_word_stays_on_top_until_it_was_sent
            a_late_move_without_effect_is_not_shown_as_the_last
            parts_make_an_attachment_in_any_order
            mr_numbers_are_given_once_and_run_out
            the_newest_certificate_of_a_key_wins
            settings_are_set_and_unset
            audit_waits_until_it_is_in_an_envelope
            dictionaries_are_kept_under_their_ids
            details_written_beside_each_other_stand_until_somebody_decides
            what_came_without_an_envelope_is_what_both_began_with
            what_somebody_has_seen_to_needs_nobody_and_stays
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
    foreign_header(n, kind, task, &[], payload)
}

fn foreign_after(n: u8, kind: Kind, depends: &[u8], payload: Vec<u8>) -> Vec<u8> {
    foreign_header(n, kind, None, depends, payload)
}

fn foreign_header(n: u8, kind: Kind, task: Option<Id>, depends: &[u8], payload: Vec<u8>) -> Vec<u8> {
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
        depends: depends.iter().map(|d| id(*d)).collect(),
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

fn ack(n: u8, outcome: Outcome) -> Ack {
    Ack { id: id(n), outcome }
}

async fn unsent(store: &impl RecordStore) -> Result<Vec<u8>, StoreError> {
    Ok(store.unsent(100, usize::MAX).await?.into_iter().map(|e| e.id.0[0]).collect())
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

fn pulled_patient(version: u64, name: &str) -> Pulled {
    Pulled::Resource { kind: "Patient".into(), id: "p".into(), version, body: patient("p", name).body.0 }
}
