use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, VerifyingKey};
use rabta_hie::admin::Request;
use rabta_wire::{
    cert::{SignedCert, Subject},
    enroll::{Check, Enroll, Enrolled, Invitation, RosterEntry},
    log::Item,
};

use crate::support::server::{Server, code, said};

#[tokio::test]
async fn a_code_shows_what_it_is_for_and_then_certifies_device_and_person() {
    let server = Server::start().await;
    let clinic = server.facility("BHU Basti Malook", "clinic").await;
    let code = server.code(clinic, "doctor").await;
    assert_eq!(code.address, server.handle.addr.to_string());
    assert_eq!(code.spki_sha256_16, server.handle.spki_sha256[..16]);

    let check = Check { secret: URL_SAFE_NO_PAD.encode(code.secret) };
    for _ in 0..2 {
        let answer = server.http.post(server.url("/v1/enroll/check")).json(&check).send().await.unwrap();
        let shown: Invitation = answer.json().await.unwrap();
        assert_eq!(
            (shown.facility.name.as_str(), shown.person.role.as_str()),
            ("BHU Basti Malook", "doctor")
        );
    }

    let (ask, member) = Server::enrollment(&code);
    let answer = server.http.post(server.url("/v1/enroll")).json(&ask).send().await.unwrap();
    let enrolled: Enrolled = answer.json().await.unwrap();
    let key: [u8; 32] = URL_SAFE_NO_PAD.decode(&enrolled.hie_key).unwrap().try_into().unwrap();
    let hie = VerifyingKey::from_bytes(&key).unwrap();
    let certs: Vec<_> = enrolled
        .certs
        .iter()
        .map(|c| SignedCert::open(&URL_SAFE_NO_PAD.decode(c).unwrap(), &hie).unwrap())
        .collect();
    assert!(certs.iter().any(|c| c.key == *member.device_key.verifying_key().as_bytes()
        && matches!(c.subject, Subject::Device { id, .. } if id == enrolled.device)));
    assert!(certs.iter().any(|c| c.key == *member.person_key.verifying_key().as_bytes()
        && matches!(c.subject, Subject::Person { .. })));
    assert_eq!(enrolled.pins.len(), 2);
    assert_eq!(URL_SAFE_NO_PAD.decode(&enrolled.pins[0]).unwrap(), server.handle.spki_sha256);
    let block = enrolled.mr_block.unwrap();
    assert_eq!(block.last - block.first + 1, 10_000);
    assert!(rabta_domain::mr::parse(&rabta_domain::mr::format(&block.prefix, block.first)).is_some());
}

#[tokio::test]
async fn a_code_used_twice_is_refused_and_a_lost_answer_is_given_again() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let invited = server.code(clinic, "doctor").await;
    let (ask, _) = Server::enrollment(&invited);
    let enroll =
        |ask: &rabta_wire::enroll::Enroll| said(server.http.post(server.url("/v1/enroll")).json(ask));
    let (status, first) = enroll(&ask).await;
    assert_eq!(status, 200);
    let (status, again) = enroll(&ask).await;
    assert_eq!((status, &again["device"], &again["mr_block"]), (200, &first["device"], &first["mr_block"]));

    let (other, _) = Server::enrollment(&invited);
    let (status, outcome) = enroll(&other).await;
    assert_eq!((status, code(&outcome)), (410, "enroll-used"));
    let check = Check { secret: URL_SAFE_NO_PAD.encode(invited.secret) };
    let (_, outcome) = said(server.http.post(server.url("/v1/enroll/check")).json(&check)).await;
    assert_eq!(code(&outcome), "enroll-used");
}

#[tokio::test]
async fn revoking_a_facility_closes_the_codes_that_nobody_used_yet() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let other = server.facility("B", "clinic").await;
    let (unused, kept) = (server.code(clinic, "doctor").await, server.code(other, "doctor").await);
    server.admin(Request::RevokeFacility { facility: clinic.to_string() }).await;
    let check = async |secret: [u8; 10]| {
        let check = Check { secret: URL_SAFE_NO_PAD.encode(secret) };
        said(server.http.post(server.url("/v1/enroll/check")).json(&check)).await
    };
    let (status, outcome) = check(unused.secret).await;
    assert_eq!((status, code(&outcome)), (410, "enroll-expired"));
    assert_eq!(check(kept.secret).await.0, 200);
    let (ask, _) = Server::enrollment(&unused);
    let refused = said(server.http.post(server.url("/v1/enroll")).json(&ask)).await;
    assert_eq!((refused.0, code(&refused.1)), (410, "enroll-expired"));
}

#[tokio::test]
async fn a_code_expires_after_seven_days_and_a_guess_is_unknown() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let invited = server.code(clinic, "doctor").await;
    server.advance(7 * 24 * 3600);
    let check = |secret: [u8; 10]| {
        let check = Check { secret: URL_SAFE_NO_PAD.encode(secret) };
        said(server.http.post(server.url("/v1/enroll/check")).json(&check))
    };
    let (status, outcome) = check(invited.secret).await;
    assert_eq!((status, code(&outcome)), (410, "enroll-expired"));
    let (status, outcome) = check([7; 10]).await;
    assert_eq!((status, code(&outcome)), (404, "enroll-unknown"));
}

#[tokio::test]
async fn guessed_codes_and_assertions_are_slowed_and_right_ones_are_not() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let invited = server.code(clinic, "doctor").await;
    let check = |secret: [u8; 10]| {
        let check = Check { secret: URL_SAFE_NO_PAD.encode(secret) };
        said(server.http.post(server.url("/v1/enroll/check")).json(&check))
    };
    let mut guesses = 0;
    let (mut status, mut outcome) = check([7; 10]).await;
    while status != 429 {
        assert_eq!((status, code(&outcome)), (404, "enroll-unknown"));
        guesses += 1;
        assert!(guesses < 200, "nobody may guess for ever");
        (status, outcome) = check([7; 10]).await;
    }
    assert_eq!(code(&outcome), "slow-down");
    let (guess, stranger) = {
        let mut made_up = invited.clone();
        made_up.secret = [8; 10];
        Server::enrollment(&made_up)
    };
    let writing = server.handle.app.db.write().await.unwrap();
    // Neither gets as far as the one writer, and both count with the guesses before.
    let status = said(server.http.post(server.url("/v1/enroll")).json(&guess)).await.0;
    assert!(status == 404 || status == 429, "{status}");
    let forged = Server::assertion(&stranger, server.now() / 1000);
    let mut guesses = 0;
    while server.ask_token(&forged).await.status() != 429 {
        guesses += 1;
        assert!(guesses < 29, "the bucket was empty before");
    }
    assert_eq!(check(invited.secret).await.0, 200);
    drop(writing);
    let (ask, mut member) = Server::enrollment(&invited);
    let (status, enrolled) = said(server.http.post(server.url("/v1/enroll")).json(&ask)).await;
    assert_eq!(status, 200);
    let enrolled: Enrolled = serde_json::from_value(enrolled).unwrap();
    (member.device, member.person) = (enrolled.device, enrolled.invitation.person.id);
    server.token(&member).await;
}

#[tokio::test]
async fn a_key_that_the_device_did_not_countersign_is_refused() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let invited = server.code(clinic, "doctor").await;
    let (mut ask, _) = Server::enrollment(&invited);
    ask.person_key = Server::enrollment(&invited).0.person_key;
    let (status, outcome) = said(server.http.post(server.url("/v1/enroll")).json(&ask)).await;
    assert_eq!((status, code(&outcome)), (400, "enroll-invalid"));
    // The code is not used up by it.
    let (ask, _) = Server::enrollment(&invited);
    assert_eq!(said(server.http.post(server.url("/v1/enroll")).json(&ask)).await.0, 200);
}

#[tokio::test]
async fn every_device_gets_its_own_block_and_a_reserved_range_is_left_out() {
    use rabta_hie::admin::{Reply, Request};
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let reserve =
        Request::ReserveMr { facility: clinic.to_string(), first: 1, last: 2_000, purpose: "sample".into() };
    assert!(matches!(server.admin(reserve).await, Reply::MrBlock(_)));
    let (_, one) = server.join(clinic, "doctor").await;
    let (_, two) = server.join(clinic, "nurse").await;
    let (one, two) = (one.mr_block.unwrap(), two.mr_block.unwrap());
    assert!(one.first > 2_000 && two.first > one.last && one.prefix == two.prefix);
    let hospital = server.facility("B", "hospital").await;
    assert!(server.join(hospital, "specialist").await.1.mr_block.is_none());
}

#[tokio::test]
async fn certificates_and_the_roster_reach_everybody() {
    use rabta_hie::admin::Request;
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let hospital = server.facility("B", "hospital").await;
    let (doctor, _) = server.join(clinic, "doctor").await;
    let (specialist, _) = server.join(hospital, "specialist").await;
    for hours in ["mon-fri 08:00-16:00", "always"] {
        let set = Request::SetRoster {
            person: specialist.person,
            specialty: Some("dermatology".into()),
            phone: Some("042-111".into()),
            hours: hours.into(),
        };
        server.admin(set).await;
    }
    let token = server.token(&doctor).await;
    let reply = server.pull(&token, None).await;
    let certs = reply.changes.iter().filter(|c| matches!(c.item, Item::Cert { .. })).count();
    assert_eq!(certs, 5, "two devices, two persons, and the HIE's own device");
    let rosters: Vec<Vec<RosterEntry>> = reply
        .changes
        .iter()
        .filter_map(|c| match &c.item {
            Item::Roster { json } => Some(serde_json::from_slice(json).unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(rosters.len(), 1);
    assert_eq!((rosters[0][0].person, rosters[0][0].hours.as_str()), (specialist.person, "always"));
    let (status, _) = said(server.get(&token, "/fhir/Patient")).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_key_that_another_laptop_has_is_refused_and_the_code_stays_good() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (first, second) = (server.code(clinic, "doctor").await, server.code(clinic, "nurse").await);
    let enroll = |ask: &Enroll| said(server.http.post(server.url("/v1/enroll")).json(ask));
    let (one, member) = Server::enrollment(&first);
    assert_eq!(enroll(&one).await.0, 200);
    let (mut same, _) = Server::enrollment(&second);
    let text = [b"rabta enroll 1\0", same.secret.as_bytes(), same.person_key.as_bytes()].concat();
    same.device_key = one.device_key.clone();
    same.countersignature = URL_SAFE_NO_PAD.encode(member.device_key.sign(&text).to_bytes());
    let (status, outcome) = enroll(&same).await;
    assert_eq!((status, code(&outcome)), (400, "enroll-invalid"));
    assert_eq!(enroll(&Server::enrollment(&second).0).await.0, 200, "the code is not used up");
}
