//! What crosses the network and what lies on sticks.

use ed25519_dalek::SigningKey;
use minicbor::{Decode, Encode};
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    cursor::Cursor,
    data_channel,
    envelope::{self, Envelope, Header, Kind, PersonSignature},
    handover as handed,
    lease::{Grant, SignedGrant},
    log::{Ack, Change, Item, Outcome, PullReply, Push, PushReply},
    shared::SharedSecret,
    signal::{
        Address, Body, ClientFrame, HangupWhy, Refusal, ServerFrame, Signal, decode_client, decode_server,
        encode,
    },
    stick,
};

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

/// Decodes; what was decoded is encoded to what decodes to the same.
pub fn round_trip<T>(bytes: &[u8])
where
    T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + std::fmt::Debug,
{
    let Ok(read) = minicbor::decode::<T>(bytes) else { return };
    let written = minicbor::to_vec(&read).expect("encoding into memory cannot fail");
    assert_eq!(minicbor::decode::<T>(&written).expect("our own bytes"), read);
}

pub fn envelope(bytes: &[u8]) {
    let Ok(read) = Envelope::from_bytes(bytes) else { return };
    assert_eq!(Envelope::from_bytes(&read.to_bytes()).map(|e| e.to_bytes()).ok(), Some(read.to_bytes()));
    if let Ok(header) = read.header() {
        let _ = header.check_payload(&read.payload);
        // Nobody else's bytes count as this device's.
        let good = read.open(&key(2).verifying_key()).is_ok();
        assert!(!good || envelopes().iter().any(|e| same_header(e, &read)), "a forged envelope was opened");
    }
}

fn same_header(seed: &[u8], read: &Envelope) -> bool {
    Envelope::from_bytes(seed).is_ok_and(|seed| seed.header == read.header)
}

pub fn envelopes() -> Vec<Vec<u8>> {
    let payload = br#"{"resourceType":"Bundle","type":"document","entry":[]}"#;
    let signed = PersonSignature::sign(&key(3), Id([4; 16]), "visit", payload);
    let header = Header {
        version: 1,
        id: Id([1; 16]),
        device: Id([2; 16]),
        epoch: 0,
        seq: 1,
        prev: [0; 32],
        kind: Kind::Visit,
        patient: Some(Id([5; 16])),
        facility: Id([6; 16]),
        task: Some(Id([7; 16])),
        base_version: Some(3),
        depends: vec![Id([8; 16]), Id([9; 16])],
        device_time: 1_795_000_000_000,
        clock_offset: Some(-42),
        codec: envelope::Codec::Plain,
        dictionary: 0,
        payload_sha256: envelope::sha256(payload),
        payload_len: payload.len() as u32,
        signed_by: Some(signed),
    };
    vec![Envelope::seal(&key(2), &header, payload.to_vec()).to_bytes()]
}

pub fn pushes() -> Vec<Vec<u8>> {
    vec![cbor(&Push { envelopes: envelopes().into_iter().map(Into::into).collect() })]
}

fn reply() -> PushReply {
    let ack = |n: u8, outcome| Ack { id: Id([n; 16]), outcome };
    let acks = vec![
        ack(1, Outcome::Durable { seq: 7 }),
        ack(2, Outcome::Superseded { seq: 8, code: "answered".into() }),
        ack(3, Outcome::Refused { code: "chain".into(), text: "the log does not go on here".into() }),
        ack(4, Outcome::Waits { on: Id([1; 16]) }),
    ];
    PushReply { epoch: Id([9; 16]), acks }
}

pub fn push_replies() -> Vec<Vec<u8>> {
    vec![cbor(&reply())]
}

fn page() -> PullReply {
    let envelope = envelopes().remove(0);
    let items = [
        Item::Resource { kind: "Patient".into(), id: "a".into(), version: 2, body: vec![b'{', b'}'].into() },
        Item::Envelope { bytes: envelope.into(), received_at: 1_795_000_000_000 },
        Item::Cert { bytes: certificates().remove(0).into() },
        Item::Roster { json: b"[]".to_vec().into() },
    ];
    let changes = items.into_iter().enumerate().map(|(n, item)| Change { seq: n as u64 + 1, item }).collect();
    PullReply {
        changes,
        next: Cursor { epoch: Id([9; 16]), seq: 4 },
        more: true,
        backed_up: 2,
        remaining: 17,
        lease: Some(leases().remove(0).into()),
        copied: Some(false),
    }
}

pub fn pull_replies() -> Vec<Vec<u8>> {
    vec![cbor(&page())]
}

pub fn certificate(bytes: &[u8]) {
    let hie = key(1).verifying_key();
    let read = SignedCert::open(bytes, &hie);
    assert!(
        read.is_err() || certificates().iter().any(|seed| same_cert(seed, bytes)),
        "a forged certificate"
    );
}

fn same_cert(seed: &[u8], bytes: &[u8]) -> bool {
    let hie = key(1).verifying_key();
    SignedCert::open(seed, &hie).ok() == SignedCert::open(bytes, &hie).ok()
}

pub fn certificates() -> Vec<Vec<u8>> {
    let cert = |subject| Cert {
        subject,
        key: key(2).verifying_key().to_bytes(),
        facility: Id([6; 16]),
        facility_name: "BHU Kot Radha".into(),
        issued_at: 1_795_000_000_000,
        revoked: false,
    };
    let device = Subject::Device { id: Id([2; 16]), name: "laptop".into() };
    let person = Subject::Person {
        id: Id([4; 16]),
        name: "Dr Amna".into(),
        role: "doctor".into(),
        registration: Some("12345-P".into()),
        qualification: None,
        specialty: None,
    };
    [device, person].map(|subject| SignedCert::sign(&key(1), &cert(subject)).to_bytes()).to_vec()
}

pub fn lease(bytes: &[u8]) {
    let hie = key(1).verifying_key();
    if let Ok(grant) = SignedGrant::open(bytes, &hie) {
        let ours = SignedGrant::open(&leases()[0], &hie).expect("our own");
        assert_eq!(grant, ours, "a forged lease");
    }
}

pub fn leases() -> Vec<Vec<u8>> {
    let grant = Grant { device: Id([2; 16]), issued_at: 1_795_000_000_000, days: 30 };
    vec![SignedGrant::sign(&key(1), &grant)]
}

/// Between the laptop (key 2) and the HIE (key 1).
fn secret() -> SharedSecret {
    SharedSecret::between(&key(2), &key(1).verifying_key(), Id([2; 16])).expect("a sound key")
}

pub fn stick_ask(bytes: &[u8]) {
    let _ = stick::asked_by(bytes);
    let read = stick::open_ask(&secret(), bytes);
    assert!(read.is_err() || bytes == stick_asks()[0], "a forged ask");
    round_trip::<stick::Ask>(bytes);
}

pub fn stick_asks() -> Vec<Vec<u8>> {
    let push = Push { envelopes: envelopes().into_iter().map(Into::into).collect() };
    let ask = stick::Ask { push, after: Some(Cursor { epoch: Id([9; 16]), seq: 4 }), person: Id([4; 16]) };
    vec![stick::seal_ask(&secret(), [7; 24], &ask), cbor(&ask)]
}

pub fn stick_answer(bytes: &[u8]) {
    let read = stick::open_answer(&secret(), bytes);
    assert!(read.is_err() || bytes == stick_answers()[0], "a forged answer");
    round_trip::<stick::Answer>(bytes);
}

pub fn stick_answers() -> Vec<Vec<u8>> {
    let answer = stick::Answer { push: reply(), asked: None, pages: vec![page()] };
    vec![stick::seal_answer(&secret(), [7; 24], cbor(&answer)), cbor(&answer)]
}

pub fn handover(bytes: &[u8]) {
    let _ = handed::device(bytes);
    let read = handed::open(&secret(), bytes);
    assert!(read.is_err() || bytes == handovers()[0], "a forged file");
}

pub fn handovers() -> Vec<Vec<u8>> {
    let push = Push { envelopes: envelopes().into_iter().map(Into::into).collect() };
    vec![handed::seal(&secret(), [7; 24], &push)]
}

/// The first byte says as what the channel marked it.
pub fn data_channel(bytes: &[u8]) {
    let Some((mark, bytes)) = bytes.split_first() else { return };
    let Ok(message) = data_channel::decode(mark % 2 == 0, bytes) else { return };
    if let data_channel::Message::Control(control) = &message {
        let again = data_channel::encode_control(control);
        let read = data_channel::decode(true, &again);
        assert!(again.len() > data_channel::CONTROL_BYTES || read.as_ref() == Ok(&message), "{read:?}");
    }
}

pub fn data_channels() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> =
        data_channel::encode_parts(7, &[1; 300]).map(|part| [vec![1], part].concat()).collect();
    let texts = [
        r#"{"type":"chat","id":1,"text":"salaam"}"#,
        r#"{"type":"still","id":2,"bytes":300,"width":640,"height":480}"#,
        r#"{"type":"answer","id":3,"about":1,"yes":true}"#,
        r#"{"type":"bye"}"#,
    ];
    seeds.extend(texts.map(|text| [&[0], text.as_bytes()].concat()));
    seeds
}

pub fn signal(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(frame) = decode_client::<Body>(text) {
        assert_eq!(decode_client::<Body>(&encode(&frame)).ok(), Some(frame));
    }
    if let Ok(frame) = decode_server::<Body>(text) {
        assert_eq!(decode_server::<Body>(&encode(&frame)).ok(), Some(frame));
    }
}

pub fn signals() -> Vec<Vec<u8>> {
    let (call, to) = (Id([1; 16]), Address { person: Id([2; 16]), device: Some(Id([3; 16])) });
    let says = [
        Signal::Ring { ask: Some(Id([4; 16])), video: true, round: 1 },
        Signal::Offer { n: 1, sdp: "v=0\r\n".into(), sig: "AAAA".into() },
        Signal::Candidate {
            candidate: "candidate:1 1 udp 1 10.0.0.1 9 typ host".into(),
            mid: None,
            index: Some(0),
        },
        Signal::Hangup { why: HangupWhy::HungUp },
    ];
    let body = |msg| Body { inst: 7, seq: 1, ack: 0, ack_inst: 0, msg };
    let mut seeds: Vec<Vec<u8>> =
        says.map(|msg| encode(&ClientFrame::To { v: 1, call, to, body: body(msg) }).into_bytes()).into();
    seeds.push(encode(&ClientFrame::<Body>::Leave { v: 1, call }).into_bytes());
    let refused: ServerFrame =
        ServerFrame::Refused { v: 1, call: Some(call), code: Refusal::NotHere, to: None };
    seeds.push(encode(&refused).into_bytes());
    seeds
}

fn cbor<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into memory cannot fail")
}
