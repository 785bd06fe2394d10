//! An ask that is not sent yet: kept as it is filled in, beside the visit that it is about.

use rabta_ipc::{
    Error,
    ask::{AskDraft, GetAskDraft, SaveAskDraft},
};
use rabta_store::{RecordStore, SaveDraft};

use crate::Session;

const DRAFT: &str = "ask";

impl Session {
    pub(super) async fn get_ask_draft(&self, get: GetAskDraft) -> Result<Option<AskDraft>, Error> {
        let draft = self.store().draft(&draft_id(&get.visit)).await.map_err(|e| self.told(e))?;
        // One of an older program, which cannot be read, is asked anew.
        Ok(draft.and_then(|draft| serde_json::from_slice(&draft.body).ok()))
    }

    pub(super) async fn save_ask_draft(&self, save: SaveAskDraft) -> Result<(), Error> {
        let asked = self.asked(&save.visit).await?;
        let draft = SaveDraft {
            id: draft_id(&save.visit),
            kind: DRAFT.to_owned(),
            patient: Some(asked.patient),
            updated_at: self.millis(),
            body: serde_json::to_vec(&save.draft).expect("a form is plain data").into(),
        };
        self.save_draft(draft).await?;
        Ok(())
    }
}

/// The draft of the ask about a visit.
pub(crate) fn draft_id(visit: &str) -> String {
    format!("ask.{visit}")
}
