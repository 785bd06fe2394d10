//! An ask that is not sent yet: kept as it is filled in, beside the visit that it is about. Whoever fills it in has it
//! alone: two people of one laptop may ask about the same visit.

use rabta_ipc::{
    Error,
    ask::{AskDraft, GetAskDraft, SaveAskDraft},
};
use rabta_store::{Draft, RecordStore, SaveDraft, Transaction};
use rabta_wire::Id;
use serde::{Deserialize, Serialize};

use crate::Session;

const DRAFT: &str = "ask";

/// An ask's draft as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Who fills it in; `None` in one of an older program.
    #[serde(default)]
    by: Option<Id>,
    #[serde(flatten)]
    draft: AskDraft,
}

impl Session {
    pub(super) async fn get_ask_draft(&self, get: GetAskDraft) -> Result<Option<AskDraft>, Error> {
        let drafts = self.ask_drafts(&get.visit).await?;
        // This person's own before what somebody left who is no longer at this laptop.
        let own = drafts.iter().find(|draft| draft.id == self.ask_draft_id(&get.visit));
        // One of an older program, which cannot be read, is asked anew.
        Ok(own.or(drafts.first()).and_then(read).map(|kept| kept.draft))
    }

    pub(super) async fn save_ask_draft(&self, save: SaveAskDraft) -> Result<(), Error> {
        let asked = self.asked(&save.visit).await?;
        let kept = Kept { by: Some(self.person_id), draft: save.draft };
        let draft = SaveDraft {
            id: self.ask_draft_id(&save.visit),
            kind: DRAFT.to_owned(),
            patient: Some(asked.patient),
            updated_at: self.millis(),
            body: serde_json::to_vec(&kept).expect("a form is plain data").into(),
        };
        self.save_draft(draft).await?;
        Ok(())
    }

    /// Forgets what this person had filled in about a visit; what others at this laptop fill in stays.
    pub(crate) async fn drop_ask_drafts(
        &self,
        visit: &str,
        transaction: Transaction,
    ) -> Result<Transaction, Error> {
        let drafts = self.ask_drafts(visit).await?;
        Ok(drafts.into_iter().fold(transaction, |transaction, draft| transaction.drop_draft(draft.id)))
    }

    /// The drafts of asks about a visit that are this person's to go on with.
    async fn ask_drafts(&self, visit: &str) -> Result<Vec<Draft>, Error> {
        let before = format!("{DRAFT}.{visit}");
        let mut drafts = self.store().drafts(Some(DRAFT)).await.map_err(|e| self.told(e))?;
        drafts.retain(|draft| {
            let about = draft.id == before || draft.id.starts_with(&format!("{before}."));
            about && self.may_go_on_with(read(draft).and_then(|kept| kept.by))
        });
        Ok(drafts)
    }

    fn ask_draft_id(&self, visit: &str) -> String {
        format!("{DRAFT}.{visit}.{}", self.person_id)
    }
}

fn read(draft: &Draft) -> Option<Kept> {
    serde_json::from_slice(&draft.body).ok()
}
