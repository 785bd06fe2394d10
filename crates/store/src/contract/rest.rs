//! Attachments, numbers, certificates, settings, audit, dictionaries.

use super::*;

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
