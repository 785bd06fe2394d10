//! Finding patients.

use super::*;

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
