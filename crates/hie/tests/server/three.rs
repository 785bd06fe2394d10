//! Three in a call at the signaling: who comes in, and by whom.

use rabta_wire::{
    Id,
    signal::{Body, ClientFrame, Refusal, ServerFrame, Signal, VERSION},
};

use super::{
    asks::ask,
    duty::roster,
    links::{Link, greet, join},
    sockets::{Socket, body, frame, hello, send, to},
};
use crate::support::{id, server::Server};

fn ring(call: Id, person: Id) -> ClientFrame {
    let body = body(Signal::Ring { ask: None, video: true, round: 1 });
    ClientFrame::Ring { v: VERSION, call, to: to(person), body }
}

fn say(call: Id, person: Id) -> ClientFrame {
    ClientFrame::To { v: VERSION, call, to: to(person), body: body(Signal::Accept) }
}

async fn refused(socket: &mut Socket, sent: &ClientFrame) -> Option<Id> {
    send(socket, sent).await;
    match frame(socket).await {
        ServerFrame::Refused { code: Refusal::NotAllowed, to, .. } => to.map(|to| to.person),
        other => panic!("not refused: {other:?}"),
    }
}

async fn hears(socket: &mut Socket, call: Id) -> Body {
    match frame(socket).await {
        ServerFrame::From { call: c, body, .. } if c == call => body,
        other => panic!("heard {other:?}"),
    }
}

#[tokio::test]
async fn a_specialist_comes_into_a_patients_call_only_when_the_doctor_rings_them() {
    let server = Server::with_door().await;
    let ask = ask(&server).await;
    let link = Link::new(1);
    assert_eq!(link.make(&server, &ask.doctors, 3_600_000).await.0, 201);
    let (mut doctor, mut specialist) =
        (hello(&server, &ask.doctors).await, hello(&server, &ask.specialists).await);
    let welcome = join(&server, &link, id()).await;
    let mut phone = greet(&server, &welcome.token).await;
    assert!(matches!(frame(&mut phone).await, ServerFrame::Welcome { .. }));

    let call = id();
    send(&mut doctor, &ring(call, link.guest)).await;
    hears(&mut phone, call).await;
    // The two sides of an ask may call each other, but not into this call, and the patient not at all.
    assert_eq!(refused(&mut specialist, &ring(call, ask.doctor.person)).await, Some(ask.doctor.person));
    refused(&mut specialist, &ring(call, link.guest)).await;
    refused(&mut specialist, &say(call, link.guest)).await;
    refused(&mut specialist, &say(call, ask.doctor.person)).await;

    send(&mut doctor, &ring(call, ask.specialist.person)).await;
    hears(&mut specialist, call).await;
    for other in [ask.doctor.person, link.guest] {
        send(&mut specialist, &say(call, other)).await;
    }
    hears(&mut doctor, call).await;
    hears(&mut phone, call).await;
    send(&mut phone, &say(call, ask.specialist.person)).await;
    hears(&mut specialist, call).await;

    // Who was brought in brings nobody in, not even whom they may call elsewhere.
    let (late, _) = server.join(ask.clinic, "doctor").await;
    let _late = hello(&server, &server.token(&late).await).await;
    refused(&mut specialist, &ring(call, late.person)).await;

    // Who left is a stranger again, until the doctor rings again.
    send(&mut specialist, &ClientFrame::Leave { v: VERSION, call }).await;
    refused(&mut specialist, &say(call, link.guest)).await;
    send(&mut doctor, &ring(call, ask.specialist.person)).await;
    hears(&mut specialist, call).await;
}

#[tokio::test]
async fn with_a_patient_in_the_call_the_doctor_may_ring_anybody_of_the_roster_and_nobody_else() {
    let server = Server::with_door().await;
    let (doctor, _) = server.join(server.facility("A", "clinic").await, "doctor").await;
    let hospital = server.facility("B", "hospital").await;
    let (on, _) = server.join(hospital, "specialist").await;
    let (off, _) = server.join(hospital, "specialist").await;
    roster(&server, &on, "always").await;
    let token = server.token(&doctor).await;
    let link = Link::new(1);
    assert_eq!(link.make(&server, &token, 3_600_000).await.0, 201);
    let mut desk = hello(&server, &token).await;
    let mut specialist = hello(&server, &server.token(&on).await).await;
    let mut other = hello(&server, &server.token(&off).await).await;
    let welcome = join(&server, &link, id()).await;
    let mut phone = greet(&server, &welcome.token).await;
    assert!(matches!(frame(&mut phone).await, ServerFrame::Welcome { .. }));

    let call = id();
    refused(&mut desk, &ring(call, on.person)).await;
    send(&mut desk, &ring(call, link.guest)).await;
    hears(&mut phone, call).await;
    send(&mut desk, &ring(call, on.person)).await;
    hears(&mut specialist, call).await;
    assert_eq!(refused(&mut desk, &ring(call, off.person)).await, Some(off.person));
    refused(&mut other, &ring(call, doctor.person)).await;
    // In another call there is no patient: the roster alone opens nothing.
    refused(&mut desk, &ring(id(), on.person)).await;
}
