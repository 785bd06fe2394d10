//! A message about an ask: a question back, its answer, chat, a voice note.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Builder, Bundle, BundleError, BundleType, Json, NewId, Signer, dates,
    json::{arr, obj},
    parts::{concept, read_signer, reference, referenced, signer},
    urls,
};
use crate::Private;

/// A photo or a voice note that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The Binary's id.
    pub id: String,
    /// `image/jpeg`, `audio/ogg`.
    pub content_type: String,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Communication id.
    pub id: String,
    /// question, answer, chat, voice-note.
    pub kind: String,
    pub task: String,
    pub patient: String,
    pub sender: Signer,
    /// By the sender's clock.
    pub sent: OffsetDateTime,
    pub text: Private<String>,
    pub attachments: Vec<Attachment>,
    /// The message that this one answers.
    pub in_response_to: Option<String>,
}

/// The payload: a collection of one Communication.
pub fn to_bundle(message: &Message, new_id: NewId<'_>) -> Vec<u8> {
    let text = super::clean(&message.text);
    let mut payload = vec![if text.is_empty() {
        Json::Null
    } else {
        obj! { "contentString": text }
    }];
    payload.extend(message.attachments.iter().map(|a| {
        obj! {
            "contentAttachment": obj! { "contentType": &a.content_type, "url": format!("Binary/{}", a.id) },
        }
    }));
    let answered = message.in_response_to.as_deref().map(|id| reference("Communication", id));
    let resource = obj! {
        "resourceType": "Communication",
        "id": &message.id,
        "inResponseTo": arr![answered],
        "status": "completed",
        "category": arr![concept(urls::MESSAGE, &message.kind, "")],
        "subject": reference("Patient", &message.patient),
        "about": arr![reference("Task", &message.task)],
        "sent": dates::instant(message.sent),
        "sender": signer(&message.sender),
        "payload": payload,
    };
    let mut bundle = Builder::new(BundleType::Collection, new_id(), message.sent);
    bundle.push(&resource);
    bundle.into_bytes()
}

/// Reads the payload back.
pub fn from_bundle(payload: &[u8]) -> Result<Message, BundleError> {
    let json = Bundle::parse(payload)?.view("Communication")?;
    let attachment = |p: &Json| {
        let id = p.str("contentAttachment.url").strip_prefix("Binary/")?.to_owned();
        Some(Attachment { id, content_type: p.str("contentAttachment.contentType").to_owned() })
    };
    let texts: Vec<&str> = json.items("payload").iter().filter_map(|p| p.opt("contentString")).collect();
    Ok(Message {
        id: json.str("id").to_owned(),
        kind: json.code_of("category", urls::MESSAGE).unwrap_or("chat").to_owned(),
        task: referenced(&json, "about", "Task").unwrap_or_default().to_owned(),
        patient: referenced(&json, "subject", "Patient").unwrap_or_default().to_owned(),
        sender: read_signer(json.get("sender")),
        sent: dates::parse_instant(json.str("sent")).ok_or(BundleError::Unreadable("Communication.sent"))?,
        text: texts.join("\n").into(),
        attachments: json.items("payload").iter().filter_map(attachment).collect(),
        in_response_to: referenced(&json, "inResponseTo", "Communication").map(str::to_owned),
    })
}
