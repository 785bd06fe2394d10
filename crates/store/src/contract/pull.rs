//! Pulling and the HIE's restores.

use super::*;

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

pub async fn what_a_restored_hie_did_not_show_is_a_stray(store: &impl RecordStore) -> Held {
    let theirs = |n: u8| foreign(n, Kind::Visit, None, encounter_bundle(id(n), id(100)));
    let shown = |seq: u64, n: u8, at: i64| Pulled::Envelope { seq, received_at: at, bytes: theirs(n) };
    store.enter_epoch(id(50)).await?;
    store.apply_pull(pull(50, 9, vec![shown(3, 9, 30), shown(5, 7, 50), shown(6, 8, 50)])).await?;
    assert_eq!(store.strays().await?, []);

    store.enter_epoch(id(51)).await?;
    assert_eq!(store.strays().await?, [id(9), id(7), id(8)], "as the HIE had received them");
    store.apply_pull(pull(51, 3, vec![shown(3, 9, 30)])).await?;
    assert_eq!(store.strays().await?, [id(7), id(8)]);
    let where_is = async |n: u8| store.custody_of("Encounter", &id(n).to_string()).await;
    assert_eq!(where_is(9).await?, Some(EntryState::AtHie(Cursor { epoch: id(51), seq: 3 })));
    assert_eq!(where_is(7).await?, Some(EntryState::Here), "nobody else is known to have it");

    // Carried there by this laptop; what was put off or refused is not there.
    let acks = [
        ack(7, Outcome::Durable { seq: 4 }),
        ack(8, Outcome::Refused { code: "bad".into(), text: "bad".into() }),
    ];
    store.mark_acks(id(51), &acks).await?;
    assert_eq!(store.strays().await?, [id(8)]);
    assert_eq!(where_is(7).await?, Some(EntryState::AtHie(Cursor { epoch: id(51), seq: 4 })));
    // An answer that was on its way since the life before says nothing of this one.
    store.mark_acks(id(50), &[ack(8, Outcome::Durable { seq: 4 })]).await?;
    assert_eq!(store.strays().await?, [id(8)]);
    Ok(())
}

pub async fn what_a_laptop_nearby_handed_over_is_here_until_the_hie_shows_it(
    store: &impl RecordStore,
) -> Held {
    let theirs = |n: u8, name: &str| foreign(n, Kind::Patient, Some(id(100)), named(name));
    let shown =
        |seq: u64, n: u8, name: &str| Pulled::Envelope { seq, received_at: 30, bytes: theirs(n, name) };
    store.enter_epoch(id(50)).await?;
    store.apply_pull(pull(50, 9, vec![shown(3, 7, "From the HIE")])).await?;
    assert_eq!(store.only_here().await?, []);

    let handed =
        Handed { at: 40, envelopes: vec![theirs(8, "Nearby"), theirs(7, "Known"), vec![1]], certs: vec![] };
    assert_eq!(store.take_handed(handed.clone()).await?, 1, "one was known, one is no envelope");
    assert_eq!(store.take_handed(handed).await?, 0, "twice changes nothing");
    let where_is = async || store.custody_of("Patient", &id(100).to_string()).await;
    assert_eq!(where_is().await?, Some(EntryState::Here));
    assert_eq!(shown_name(store).await?, "Nearby", "it is newer than what the HIE had");
    assert_eq!((store.strays().await?, store.only_here().await?), (vec![id(8)], vec![id(8)]));
    assert_eq!(store.handed().await?, 1);
    assert_eq!(store.cursor().await?, Some(Cursor { epoch: id(50), seq: 9 }), "it is no pull");

    // Another life of the HIE knows of it as little as the last one.
    store.enter_epoch(id(51)).await?;
    assert_eq!(where_is().await?, Some(EntryState::Here));
    store.apply_pull(pull(51, 3, vec![shown(3, 7, "From the HIE")])).await?;
    assert_eq!((shown_name(store).await?, store.strays().await?), ("Nearby".into(), vec![id(8)]));

    // Somebody brought it there, and what it took later stands above it.
    store.apply_pull(pull(51, 5, vec![shown(4, 8, "Nearby"), shown(5, 9, "Later")])).await?;
    assert_eq!((shown_name(store).await?.as_str(), store.strays().await?), ("Later", vec![]));
    assert_eq!(store.handed().await?, 0);
    Ok(())
}

async fn shown_name(store: &impl RecordStore) -> Result<String, StoreError> {
    let found = store.resource("Patient", &id(100).to_string()).await?.expect("stored");
    let json: serde_json::Value = serde_json::from_slice(&found.body).expect("JSON");
    Ok(json["name"][0]["text"].as_str().unwrap_or_default().to_owned())
}

pub async fn a_restored_hie_may_use_a_version_number_again(store: &impl RecordStore) -> Held {
    store.apply_pull(pull(50, 2, vec![pulled_patient(1, "One"), pulled_patient(2, "Lost")])).await?;
    store.enter_epoch(id(51)).await?;
    store.apply_pull(pull(51, 2, vec![pulled_patient(1, "One"), pulled_patient(2, "Other")])).await?;
    assert_eq!(store.history("Patient", "p").await?.len(), 3, "nothing that was here is lost");
    assert_eq!(store.resource("Patient", "p").await?.expect("stored").body, patient("p", "Other").body);
    Ok(())
}

/// A payload that writes Patient `id(100)` with this name.
fn named(name: &str) -> Vec<u8> {
    let patient = id(100);
    bundle(&[format!(r#"{{"resourceType":"Patient","id":"{patient}","name":[{{"text":"{name}"}}]}}"#)])
}

/// The current name's envelope and those of the history, oldest first.
async fn shown(store: &impl RecordStore) -> Result<(u8, Vec<u8>), StoreError> {
    let patient = id(100).to_string();
    let number = |r: &crate::Resource| r.envelope.map_or(0, |e| e.0[0]);
    let current = store.resource("Patient", &patient).await?.expect("stored");
    let found = store.find_patients("ours", 0, 5).await?.hits.len()
        + store.find_patients("theirs", 0, 5).await?.hits.len();
    assert_eq!(found, 1, "only the current name is found");
    let history = store.history("Patient", &patient).await?;
    assert!(history.is_sorted_by_key(|version| version.version));
    Ok((number(&current), history.iter().map(number).collect()))
}

fn ours(n: u8) -> NewEnvelope {
    NewEnvelope { payload: named("Ours").into(), ..envelope(n, Kind::Patient, &[]) }
}

fn from_hie(seq: u64, bytes: Vec<u8>) -> Pulled {
    Pulled::Envelope { seq, received_at: 1, bytes }
}

pub async fn what_the_hie_took_last_is_shown_whatever_came_first(store: &impl RecordStore) -> Held {
    store.enter_epoch(id(50)).await?;
    append(store, vec![ours(1)]).await?;
    let own = store.log_entry(id(1)).await?.expect("appended").bytes.0;
    let theirs = foreign(7, Kind::Patient, None, named("Theirs"));
    // Ours was taken at 5 and acknowledged; theirs, taken at 4, comes afterwards.
    store.mark_acks(id(50), &[ack(1, Outcome::Durable { seq: 5 })]).await?;
    store.apply_pull(pull(50, 4, vec![from_hie(4, theirs.clone())])).await?;
    assert_eq!(shown(store).await?, (1, vec![7, 1]), "the HIE took ours last");
    store.apply_pull(pull(50, 5, vec![from_hie(5, own.clone())])).await?;
    assert_eq!(shown(store).await?, (1, vec![7, 1]));

    // A restored HIE takes them in the other order.
    store.enter_epoch(id(51)).await?;
    store.apply_pull(pull(51, 3, vec![from_hie(3, own.clone()), from_hie(4, theirs.clone())])).await?;
    assert_eq!(shown(store).await?, (7, vec![1, 7]), "each once in the history");
    store.apply_pull(pull(51, 3, vec![from_hie(3, own.clone()), from_hie(4, theirs)])).await?;
    assert_eq!(shown(store).await?, (7, vec![1, 7]), "twice changes nothing");

    // Another life of it has ours only: theirs came too late this time, and is shown to who wrote it.
    store.enter_epoch(id(52)).await?;
    store.apply_pull(pull(52, 2, vec![from_hie(2, own)])).await?;
    assert_eq!(shown(store).await?, (1, vec![7, 1]), "a place in an earlier life counts for nothing");
    Ok(())
}

pub async fn an_own_word_stays_on_top_until_it_was_sent(store: &impl RecordStore) -> Held {
    store.enter_epoch(id(50)).await?;
    append(store, vec![ours(1)]).await?;
    let own = store.log_entry(id(1)).await?.expect("appended").bytes.0;
    let theirs = foreign(7, Kind::Patient, None, named("Theirs"));
    store.apply_pull(pull(50, 4, vec![from_hie(4, theirs)])).await?;
    assert_eq!(shown(store).await?, (1, vec![7, 1]), "ours was not sent yet");
    let later = foreign(8, Kind::Patient, None, named("Theirs"));
    store.apply_pull(pull(50, 6, vec![from_hie(5, own), from_hie(6, later)])).await?;
    assert_eq!(shown(store).await?, (8, vec![7, 1, 8]));
    Ok(())
}

pub async fn a_late_move_without_effect_is_not_shown_as_the_last(store: &impl RecordStore) -> Held {
    store.enter_epoch(id(50)).await?;
    append(store, vec![ours(1)]).await?;
    let own = store.log_entry(id(1)).await?.expect("appended").bytes.0;
    let theirs = foreign(7, Kind::Patient, None, named("Theirs"));
    store.apply_pull(pull(50, 4, vec![from_hie(4, theirs)])).await?;
    store.mark_acks(id(50), &[ack(1, Outcome::Superseded { seq: 5, code: "done".into() })]).await?;
    store.apply_pull(pull(50, 5, vec![from_hie(5, own)])).await?;
    assert_eq!(shown(store).await?, (7, vec![1, 7]));
    Ok(())
}
