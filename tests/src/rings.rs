//! A doctor's device that rings a patient's phone and says what a test wants it to say: with it a page meets a doctor who gives up, a link
//! that fails, and somebody who is not the doctor. The frames are those of `crates/wire/src/signal.rs`, written by hand.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use reqwest::{StatusCode, Upgraded, header};
use serde_json::{Value, json};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::{
    desk::{Desk, Link, new_id, random},
    window::PATIENCE,
};

/// Our instance in the call: any number but zero.
const INST: u32 = 7;

/// A call that rang on the phone. Its socket is ours: what was said may be lost when it is dropped before the phone showed it.
pub struct Rung {
    socket: WebSocketStream<Upgraded>,
    call: String,
    phone: Value,
    said: u32,
}

impl Desk {
    /// Rings the phone of a link, and waits for its first word.
    pub async fn ring(&self, link: &Link) -> Result<Rung> {
        let mut socket = self.socket().await?;
        let call = new_id()?;
        let body = json!({ "inst": INST, "msg": { "type": "ring", "video": true, "round": 1 } });
        let hello = json!({ "hello": { "v": 1, "token": self.token() } });
        let ring = json!({ "ring": { "v": 1, "call": call, "to": { "person": link.guest }, "body": body } });
        for frame in [hello, ring] {
            socket.send(Message::Text(frame.to_string().into())).await?;
        }
        let answered = async {
            loop {
                let message = socket.next().await.context("the HIE closed the socket")??;
                let Message::Text(text) = message else { continue };
                let frame: Value = serde_json::from_str(&text)?;
                // Who is not there yet gets the ring when they are.
                if let Some(refused) = frame.get("refused").filter(|refused| refused["code"] != "not-here") {
                    bail!("the ring was refused: {refused}");
                }
                let ours = frame.pointer("/from/call") == Some(&json!(call));
                if let Some(from) = frame.pointer("/from/from").filter(|_| ours) {
                    return Ok(from.clone());
                }
            }
        };
        let phone = tokio::time::timeout(PATIENCE, answered).await.context("the phone says nothing")??;
        Ok(Rung { socket, call, phone, said: 0 })
    }

    async fn socket(&self) -> Result<WebSocketStream<Upgraded>> {
        let key = STANDARD.encode(random::<16>()?);
        let asked =
            self.get("/v1/ws").header(header::CONNECTION, "Upgrade").header(header::UPGRADE, "websocket");
        let asked = asked.header("sec-websocket-version", "13").header("sec-websocket-key", key);
        let answer = asked.timeout(Duration::from_secs(60)).send().await?;
        ensure!(answer.status() == StatusCode::SWITCHING_PROTOCOLS, "no socket: {}", answer.status());
        Ok(WebSocketStream::from_raw_socket(answer.upgrade().await?, Role::Client, None).await)
    }
}

impl Rung {
    /// One message of the protocol, in its order.
    async fn say(&mut self, message: Value) -> Result<()> {
        self.said += 1;
        let body = json!({ "inst": INST, "seq": self.said, "msg": message });
        let frame = json!({ "to": { "v": 1, "call": self.call, "to": self.phone, "body": body } });
        Ok(self.socket.send(Message::Text(frame.to_string().into())).await?)
    }

    /// `no-answer`, `hung-up` or `failed`; and leaves the room, so that a ring that the HIE kept rings no more.
    pub async fn hang_up(&mut self, why: &str) -> Result<()> {
        self.say(json!({ "type": "hangup", "why": why })).await?;
        let leave = json!({ "leave": { "v": 1, "call": self.call } });
        Ok(self.socket.send(Message::Text(leave.to_string().into())).await?)
    }

    /// An offer whose fingerprint nobody authenticated who has the link.
    pub async fn offer_of_a_stranger(&mut self) -> Result<()> {
        let sdp = format!("v=0\r\na=fingerprint:sha-256 {}\r\n", ["AB"; 32].join(":"));
        let mac = STANDARD.encode(random::<32>()?);
        self.say(json!({ "type": "offer", "n": 1, "sdp": sdp, "sig": mac })).await
    }
}
