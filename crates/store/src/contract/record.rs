//! Drafts and resources.

use super::*;

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
    assert_eq!(store.count_of_kind("Encounter").await?, 6);
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
    assert_eq!(store.count_of_kind("Patient").await?, 0);
    let history = store.history("Patient", "p").await?;
    assert_eq!(history.iter().map(|r| r.deleted).collect::<Vec<_>>(), [false, true]);
    Ok(())
}

pub async fn tasks_are_listed_while_open(store: &impl RecordStore) -> Held {
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

pub async fn what_was_here_for_a_time_leaves_no_trace(store: &impl RecordStore) -> Held {
    let here = Transaction::new().put(patient("p", "Zulfiqar")).put(encounter("e", "p"));
    store.commit(here.put(patient("p", "Zulfiqar Ali")), None).await?;
    append(store, vec![envelope(1, Kind::Visit, &[])]).await?;
    let ours = id(1).to_string();
    let forget =
        || Transaction::new().forget("Patient", "p").forget("Encounter", "e").forget("Encounter", &ours);
    store.commit(forget().forget("Patient", "nobody"), None).await?;
    assert!(
        store.resource("Patient", "p").await?.is_none() && store.history("Patient", "p").await?.is_empty()
    );
    assert!(store.find_patients("zulfiqar", 0, 10).await?.hits.is_empty());
    assert!(store.of_patient("p", "Encounter", None, 10).await?.is_empty());
    assert!(store.resource("Encounter", &ours).await?.is_some(), "what an envelope brought stays");
    // It may come again, and what was deleted before stays deleted.
    store.commit(Transaction::new().put(patient("p", "Zulfiqar")), None).await?;
    assert_eq!(store.resource("Patient", "p").await?.map(|r| r.deleted), Some(false));
    let gone = NewResource { body: Vec::new().into(), server_version: Some(3), ..encounter(&ours, "p") };
    store.commit(Transaction::new().put(gone), None).await?;
    store.commit(Transaction::new().put(encounter(&ours, "p")), None).await?;
    store.commit(forget(), None).await?;
    assert!(store.resource("Encounter", &ours).await?.is_none());
    assert_eq!(store.history("Encounter", &ours).await?.len(), 2, "the envelope's version and the mark");
    store.commit(Transaction::new().put(encounter(&ours, "p")), None).await?;
    assert!(store.resource("Encounter", &ours).await?.is_some());
    Ok(())
}
