//! A patient's link: made on the patient's page, opened on the patient's phone, for a call.

use rabta_domain::{Private, patient::PatientCard};
use serde::{Deserialize, Serialize};

use crate::macros::commands;

commands! {
    /// This person's open links, of one patient or of all. Also says whether links can be made here.
    GetLinks { patient: Option<String> } -> LinksView = "links";
    /// `word`: chosen with the patient, asked for on the phone.
    MakeLink { patient: String, word: Private<String>, hours: u32 } -> LinkView = "make-link";
    CloseLink { guest: String } -> () = "close-link";
    /// Opens the laptop's own program for it: `sms` or `whatsapp`.
    SendLink { guest: String, way: String } -> () = "send-link";
    /// Another phone or browser asks to have the call.
    MoveLink { guest: String, yes: bool } -> () = "move-link";
    /// What the patient's phone shows after the call, for a week: the next step; the medicines of a signed visit and its
    /// paper, if one is named and the patient was asked. Replaces what was left there before. Errors: `invalid` with
    /// `next_step`, or with `visit` where it is not a signed one of this patient, made here.
    LeaveNote {
        guest: String,
        next_step: Private<String>,
        /// The visit whose medicines and paper go, with the patient's yes.
        visit: Option<String>,
        lang: crate::gate::Lang,
    } -> () = "leave-note";
    /// Rings the patient's phone.
    StartLinkCall { guest: String, video: bool } -> () = "start-link-call";
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinksView {
    /// Whether the HIE has a page that phones can open. `None`: it was not reached.
    pub possible: Option<bool>,
    pub links: Vec<LinkView>,
    /// The number of this person's that a new link shows the patient, where nothing else works.
    pub phone: Option<Private<String>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkView {
    /// Opaque; in the page's address here.
    pub guest: String,
    pub card: PatientCard,
    pub word: Private<String>,
    /// Milliseconds since 1970.
    pub expires_at: i64,
    /// The whole address with its secret.
    pub url: Private<String>,
    /// What to send: names no illness, clinic or specialty.
    pub message: Private<String>,
    /// `sms:` (RFC 5724) with the patient's number, if it is known, and the message.
    pub sms: Private<String>,
    /// `https://wa.me/…` with the same.
    pub whatsapp: Private<String>,
    /// The address as a QR code: a data URL of an SVG.
    pub qr: Private<String>,
    /// Somebody pressed Join.
    pub joined: bool,
    /// The patient's page is connected now.
    pub here: bool,
    pub asks_to_move: bool,
}
