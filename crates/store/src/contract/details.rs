//! Details that two people wrote without knowing of each other, and what somebody has seen to.

use rabta_domain::standing::Field;

use super::*;

const NOBODY: &str = "";

fn demographics(name: &str, phone: &str) -> Vec<u8> {
    let telecom = match phone {
        NOBODY => String::new(),
        phone => format!(r#","telecom":[{{"system":"phone","value":"{phone}"}}]"#),
    };
    bundle(&[format!(
        r#"{{"resourceType":"Patient","id":"{}","name":[{{"text":"{name}"}}]{telecom}}}"#,
        id(100)
    )])
}

fn written(n: u8, depends: &[u8], name: &str, phone: &str) -> NewEnvelope {
    NewEnvelope { payload: demographics(name, phone).into(), ..envelope(n, Kind::Patient, depends) }
}

fn theirs(n: u8, depends: &[u8], name: &str, phone: &str) -> Pulled {
    let payload = demographics(name, phone);
    let bytes = foreign_after(n, Kind::Patient, depends, payload);
    Pulled::Envelope { seq: u64::from(n), received_at: 0, bytes }
}

async fn open(store: &impl RecordStore) -> Result<Vec<(Field, Vec<u8>)>, StoreError> {
    let details = store.details(&id(100).to_string()).await?;
    let open = details.map(|details| details.open).unwrap_or_default();
    Ok(open.into_iter().map(|(field, said)| (field, said.iter().map(|id| id.0[0]).collect())).collect())
}

pub async fn details_written_beside_each_other_stand_until_somebody_decides(
    store: &impl RecordStore,
) -> Held {
    let patient = id(100).to_string();
    append(store, vec![written(1, &[], "Ayesha", NOBODY)]).await?;
    append(store, vec![written(2, &[1], "Ayesha", "03001111111")]).await?;
    assert_eq!(store.details(&patient).await?, None);
    assert!(store.undecided().await?.is_empty());

    // Somebody else corrected the name, knowing nothing of the phone: both are there, nobody is asked.
    store.apply_pull(pull(9, 5, vec![theirs(5, &[1], "Ayesha Bibi", NOBODY)])).await?;
    let details = store.details(&patient).await?.expect("two versions");
    assert_eq!((details.heads.clone(), details.open.len()), (vec![id(2), id(5)], 0));
    let shown = details.merged(details.form(id(5)).expect("theirs"));
    assert_eq!((shown.name.as_str(), shown.phones.len()), ("Ayesha Bibi", 1));
    assert!(store.undecided().await?.is_empty());

    // And somebody another phone.
    store.apply_pull(pull(9, 6, vec![theirs(6, &[1], "Ayesha", "03002222222")])).await?;
    assert_eq!(open(store).await?, [(Field::Phones, vec![2, 6])]);
    assert_eq!(store.undecided().await?, [patient.clone()]);
    // Hearing of it twice changes nothing.
    store.apply_pull(pull(9, 6, vec![theirs(6, &[1], "Ayesha", "03002222222")])).await?;
    assert_eq!(open(store).await?, [(Field::Phones, vec![2, 6])]);

    store.apply_pull(pull(9, 7, vec![theirs(7, &[2, 5, 6], "Ayesha Bibi", "03002222222")])).await?;
    assert_eq!((open(store).await?, store.undecided().await?), (vec![], vec![]));
    assert_eq!(store.details(&patient).await?, None, "one version follows the others");
    Ok(())
}

pub async fn what_came_without_an_envelope_is_what_both_began_with(store: &impl RecordStore) -> Held {
    let body = String::from_utf8(demographics("Ayesha", "03001111111")).expect("text");
    let start = body.find(r#"{"resourceType":"Patient""#).expect("it is in there");
    let body = body[start..body.len() - 3].to_owned();
    store.commit(Transaction::new().put(put("Patient", &id(100).to_string(), body)), None).await?;
    append(store, vec![written(2, &[], "Ayesha Bibi", "03001111111")]).await?;
    store.apply_pull(pull(9, 5, vec![theirs(5, &[], "Ayesha", "03002222222")])).await?;
    let details = store.details(&id(100).to_string()).await?.expect("two versions");
    assert_eq!(details.open, []);
    let shown = details.merged(details.form(id(2)).expect("ours"));
    assert_eq!((shown.name.as_str(), shown.phones[0].number.as_str()), ("Ayesha Bibi", "03002222222"));
    Ok(())
}

pub async fn what_somebody_has_seen_to_needs_nobody_and_stays(store: &impl RecordStore) -> Held {
    append(store, vec![envelope(1, Kind::Visit, &[]), envelope(2, Kind::Visit, &[1])]).await?;
    let refused = Outcome::Refused { code: "payload".into(), text: "no date".into() };
    store.mark_acks(id(9), &[ack(1, refused)]).await?;
    assert_eq!((unsent(store).await?, store.custody().await?.quarantined), (vec![], 1));

    let mended = Transaction::new()
        .append(envelope(3, Kind::Visit, &[]))
        .see_to(id(1), Some(id(3)))
        .see_to(id(2), Some(id(4)))
        .append(envelope(4, Kind::Visit, &[3]));
    store.commit(mended, Some(&signer())).await?;
    assert_eq!(unsent(store).await?, [3, 4]);
    let counts = store.custody().await?;
    assert_eq!((counts.here, counts.quarantined), (2, 0));
    assert!(store.quarantined().await?.is_empty());
    let kept = store.log_entry(id(1)).await?.map(|entry| entry.state);
    let seen_to = |by| EntryState::SeenTo { code: "payload".into(), text: "no date".into(), by };
    assert_eq!(kept, Some(seen_to(Some(id(3)))));
    let shown: Vec<u8> = store.seen_to(9).await?.iter().map(|entry| entry.id.0[0]).collect();
    assert_eq!(shown, [2, 1]);

    // What stays here holds back what needs it, and what the HIE has is not touched.
    append(store, vec![envelope(5, Kind::Visit, &[]), envelope(6, Kind::Visit, &[5])]).await?;
    store.mark_acks(id(9), &[ack(3, Outcome::Durable { seq: 1 })]).await?;
    store.commit(Transaction::new().see_to(id(5), None).see_to(id(3), None), None).await?;
    assert_eq!(unsent(store).await?, [4]);
    assert!(matches!(store.log_entry(id(3)).await?.map(|e| e.state), Some(EntryState::AtHie(_))));
    Ok(())
}
