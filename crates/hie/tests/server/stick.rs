//! What a laptop without a line sends on a stick: taken as its own push and pull, whoever brings it.

use rabta_hie::{
    admin::{Reply, Request},
    envelopes::stick::Answered,
};
use rabta_wire::{
    Id,
    cursor::Cursor,
    envelope::Kind,
    log::{Outcome, Push},
    shared::SharedSecret,
    stick::{self, Answer, Ask},
};

use crate::support::{
    Draft, Member, Sealed, id, payloads,
    server::{Server, code},
};

fn secret(server: &Server, member: &Member) -> SharedSecret {
    let hie = server.handle.app.db.settings.signing_key.verifying_key();
    SharedSecret::between(&member.device_key, &hie, member.device).unwrap()
}

fn asked(server: &Server, member: &Member, envelopes: &[Sealed], after: Option<Cursor>) -> Vec<u8> {
    let push = Push { envelopes: envelopes.iter().map(|e| e.bytes.clone().into()).collect() };
    let ask = Ask { push, after, person: member.person };
    stick::seal_ask(&secret(server, member), [7; 24], &ask)
}

fn answer(server: &Server, member: &Member, file: &[u8]) -> Answer {
    let packed = stick::open_answer(&secret(server, member), file).unwrap();
    minicbor::decode(&zstd::decode_all(packed.as_slice()).unwrap()).unwrap()
}

async fn carry(server: &Server, token: &str, file: Vec<u8>) -> Result<Vec<u8>, (u16, String)> {
    let request = server.http.post(server.url(stick::PATH)).bearer_auth(token);
    let request = request.header("content-type", stick::MEDIA_TYPE).body(file);
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    if status == 200 {
        return Ok(reply.bytes().await.unwrap().to_vec());
    }
    Err((status, code(&reply.json().await.unwrap()).to_owned()))
}

fn register(member: &mut Member, name: &str) -> (Id, Sealed) {
    let patient = id();
    (patient, member.write(Draft::new(Kind::Patient, patient, payloads::patient(patient, name))))
}

#[tokio::test]
async fn a_stranger_to_the_record_brings_it_and_only_its_laptop_reads_the_answer() {
    let server = Server::start().await;
    let clinic = server.facility("BHU Kot Radha", "clinic").await;
    let hospital = server.facility("DHQ Kasur", "hospital").await;
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let (colleague, _) = server.join(hospital, "specialist").await;
    let (patient, registered) = register(&mut doctor, "Zainab Bibi");
    let visit = Draft::new(Kind::Visit, patient, payloads::visit(patient)).after(&[registered.id]).signed();
    let visit = doctor.write(visit);
    let token = server.token(&colleague).await;

    let file = asked(&server, &doctor, &[registered.clone(), visit.clone()], None);
    let back = carry(&server, &token, file.clone()).await.unwrap();
    assert!(stick::open_answer(&secret(&server, &colleague), &back).is_err());
    let first = answer(&server, &doctor, &back);
    assert!(first.push.acks.iter().all(|ack| matches!(ack.outcome, Outcome::Durable { .. })));
    let last = first.pages.last().unwrap();
    assert!(!last.more && last.lease.is_some());
    assert!(first.pages.iter().map(|page| page.changes.len()).sum::<usize>() >= 2);

    // Carried twice: the same is said again. From where it stood then: only what is new.
    let again = answer(&server, &doctor, &carry(&server, &token, file).await.unwrap());
    assert_eq!(again.push.acks, first.push.acks);
    let file = asked(&server, &doctor, &[], Some(last.next));
    let nothing = answer(&server, &doctor, &carry(&server, &token, file).await.unwrap());
    assert_eq!(
        (nothing.asked, nothing.pages.iter().map(|p| p.changes.len()).sum::<usize>()),
        (Some(last.next), 0)
    );
    // One of another life of the HIE begins anew.
    let old = Some(Cursor { epoch: id(), seq: 1_000_000 });
    let anew =
        answer(&server, &doctor, &carry(&server, &token, asked(&server, &doctor, &[], old)).await.unwrap());
    assert!(anew.asked == old && !anew.pages[0].changes.is_empty());
}

#[tokio::test]
async fn what_is_no_file_of_a_laptop_in_service_is_refused_and_tells_nothing() {
    let server = Server::start().await;
    let clinic = server.facility("BHU Kot Radha", "clinic").await;
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let (colleague, _) = server.join(clinic, "doctor").await;
    let token = server.token(&colleague).await;
    let (_, registered) = register(&mut doctor, "Zainab Bibi");
    let file = asked(&server, &doctor, std::slice::from_ref(&registered), None);
    let refused = async |file: &[u8]| carry(&server, &token, file.to_vec()).await.unwrap_err();
    for at in [file.len() - 1, file.len() / 2, 40] {
        let mut bent = file.clone();
        bent[at] ^= 1;
        let (status, code) = refused(&bent).await;
        assert!(status == 422 && ["stick-damaged", "stick-unknown"].contains(&code.as_str()), "{at}: {code}");
    }
    assert_eq!(refused(&file[..file.len() / 2]).await.1, "stick-damaged");
    assert_eq!(refused(b"").await.1, "stick-damaged");
    // Somebody else's name on it.
    let stranger =
        SharedSecret::between(&colleague.device_key, &doctor.device_key.verifying_key(), id()).unwrap();
    let nobodys = Ask { push: Push { envelopes: vec![] }, after: None, person: doctor.person };
    assert_eq!(refused(&stick::seal_ask(&stranger, [1; 24], &nobodys)).await.1, "stick-unknown");
    // Nobody who never worked at that laptop reads by it.
    let push = Push { envelopes: vec![] };
    let ask = Ask { push, after: None, person: colleague.person };
    let file_of_other = stick::seal_ask(&secret(&server, &doctor), [9; 24], &ask);
    assert_eq!(refused(&file_of_other).await, (403, "device-revoked".into()));
    server.admin_in(Request::RevokeDevice { device: doctor.device }).await;
    assert_eq!(refused(&file).await, (403, "device-revoked".into()));
}

#[tokio::test]
async fn the_operator_answers_all_of_a_stick_and_it_is_written_down() {
    let server = Server::start().await;
    let clinic = server.facility("BHU Kot Radha", "clinic").await;
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let (_, registered) = register(&mut doctor, "Zainab Bibi");
    let place = server.folder().join("stick");
    let folder = place.join(stick::FOLDER);
    std::fs::create_dir_all(&folder).unwrap();
    let name = stick::ask_name(doctor.device);
    std::fs::write(folder.join(&name), asked(&server, &doctor, &[registered], None)).unwrap();
    std::fs::write(folder.join("from-holiday.rabta"), b"pictures").unwrap();
    let Reply::Stick(all) = server.admin_in(Request::Stick { folder: place }).await else {
        panic!("no answer")
    };
    let done = |name: &str| all.iter().find(|file| file.name == name).unwrap();
    assert_eq!(done(&name), &Answered { name: name.clone(), taken: 1, refused: 0, error: String::new() });
    assert!(!done("from-holiday.rabta").error.is_empty());
    assert!(!folder.join(&name).exists() && folder.join("from-holiday.rabta").exists());
    let file = std::fs::read(folder.join(stick::answer_name(doctor.device))).unwrap();
    assert_eq!(answer(&server, &doctor, &file).push.acks.len(), 1);
    let Reply::OperatorActs(acts) = server.admin(Request::OperatorActs { since: None }).await else {
        panic!("no list")
    };
    assert_eq!(acts.iter().filter(|act| act.act == "carry").count(), 2);
}
