//! Messages about an ask: questions back, their answers, chat.

use rabta_domain::{
    Private,
    ask::{Party, State},
    fhir,
};
use rabta_ipc::{
    Error, Event,
    ask::{AskView, SendMessage},
};
use rabta_store::{NewEnvelope, Transaction};
use rabta_wire::envelope::Kind;

use super::{case::Case, moves::Moving};
use crate::{Session, outbox::purpose, session::new_id};

/// A message, in characters.
const LONGEST: usize = 4_000;

impl Session {
    pub(super) async fn send_message(&self, send: SendMessage) -> Result<AskView, Error> {
        self.append_message(&send.ask, &send.text).await?;
        self.emit(Event::Asks { ask: Some(send.ask.clone()) });
        self.ask_view(&send.ask).await
    }

    /// Appends a message. The clinic's answer to a question back hands the case to the specialist again.
    pub(crate) async fn append_message(&self, ask: &str, text: &Private<String>) -> Result<(), Error> {
        if text.trim().is_empty() {
            return Err(Error::field("invalid", "text"));
        }
        if text.chars().count() > LONGEST {
            return Err(Error::field("too-large", "text"));
        }
        let case = self.case(ask).await?;
        let party = self.must_be_party(&case)?;
        if case.view.state.is_closed() {
            return Err(Error::new("not-allowed"));
        }
        let answers = party == Party::Requester && case.view.state == State::AskedBack;
        let message = self.message(&case, if answers { "answer" } else { "chat" }, text)?;
        let after = message.id;
        let mut transaction = Transaction::new().append(message);
        if answers {
            let moving = Moving { to: State::Accepted, after: Some(after), ..Moving::default() };
            transaction = transaction.append(self.moved(&case, party, &moving)?);
        }
        self.commit(transaction).await?;
        self.sync.hurry();
        Ok(())
    }

    fn message(&self, case: &Case, kind: &str, text: &Private<String>) -> Result<NewEnvelope, Error> {
        let theirs = case.messages().rev().find(|(_, message)| message.sender.id != self.person.id);
        let message = fhir::communication::Message {
            id: new_id(),
            kind: kind.to_owned(),
            task: case.view.id.clone(),
            patient: case.view.patient.clone(),
            sender: self.signer(),
            sent: self.now(),
            text: text.clone(),
            attachments: vec![],
            in_response_to: theirs.map(|(_, message)| message.id.clone()).filter(|_| kind == "answer"),
        };
        let payload = fhir::communication::to_bundle(&message, &mut new_id);
        let mut envelope = self.envelope(Kind::Communication, Some(&case.view.patient), payload);
        envelope.task = Some(case.id);
        envelope.depends.extend(case.note_item().map(|item| item.header.id));
        self.sign(envelope, purpose::AUTHOR)
    }
}
