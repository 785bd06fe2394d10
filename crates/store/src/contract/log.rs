//! The log and custody.

use super::*;

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
    assert_eq!(store.log_after(0, 4, 9).await?.iter().map(|e| e.id).collect::<Vec<_>>(), [id(5), id(6)]);
    assert_eq!(store.log_after(0, 0, 2).await?.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2]);
    assert!(store.log_after(1, 0, 9).await?.is_empty());
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
