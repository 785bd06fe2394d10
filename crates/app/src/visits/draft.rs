//! Drafts: what was typed is on the disk before the window hears that it is.

use rabta_domain::{fhir::Slots, visit::VisitForm};
use rabta_ipc::{
    Error,
    visit::{DiscardDraft, SaveVisit, Saved, StartVisit, VisitView},
};
use rabta_store::{Draft, RecordStore, SaveDraft, Transaction};
use rabta_wire::Id;
use serde::{Deserialize, Serialize};

use crate::{Session, session::new_id};

/// A visit draft's body.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DraftBody {
    pub patient: String,
    pub form: VisitForm,
    /// When it was begun, by the device's clock, milliseconds since 1970.
    pub started: i64,
    /// The ids of what it is made of, the same in a note sent now, in the signed visit and in its corrections.
    #[serde(default)]
    pub slots: Slots,
    /// This corrects a signed visit: the envelope that holds it. The draft then has the visit's own id.
    #[serde(default)]
    pub replaces: Option<Id>,
    /// The ask that was sent while it was still a draft.
    #[serde(default)]
    pub ask: Option<String>,
    /// Who is writing it. Others at this laptop neither see it nor go on with it.
    #[serde(default)]
    pub by: Option<Id>,
}

impl DraftBody {
    pub fn read(draft: &Draft) -> Option<Self> {
        serde_json::from_slice(&draft.body).ok()
    }

    /// Ready to be saved as draft `id`.
    pub fn save(&self, id: &str, now: i64) -> SaveDraft {
        SaveDraft {
            id: id.to_owned(),
            kind: "visit".to_owned(),
            patient: Some(self.patient.clone()),
            updated_at: now,
            body: serde_json::to_vec(self).expect("a form is plain data").into(),
        }
    }
}

/// A draft as read.
pub(crate) struct VisitDraft {
    pub id: String,
    pub rev: u64,
    pub body: DraftBody,
}

impl Session {
    pub(crate) async fn find_visit_draft(&self, id: &str) -> Result<Option<VisitDraft>, Error> {
        let Some(draft) = self.store().draft(id).await.map_err(|e| self.told(e))? else { return Ok(None) };
        let body = DraftBody::read(&draft).ok_or_else(|| Error::detail("unexpected", "draft"))?;
        if !self.may_go_on_with(body.by) {
            return Ok(None);
        }
        Ok(Some(VisitDraft { id: draft.id, rev: draft.rev, body }))
    }

    pub(crate) async fn visit_draft(&self, id: &str) -> Result<VisitDraft, Error> {
        self.find_visit_draft(id).await?.ok_or_else(|| Error::new("not-found"))
    }

    /// Whether somebody else at this laptop is writing under this id.
    pub(super) async fn is_anothers_draft(&self, id: &str) -> Result<bool, Error> {
        let draft = self.store().draft(id).await.map_err(|e| self.told(e))?;
        Ok(draft.is_some_and(|draft| !self.is_ours(&draft)))
    }

    /// Whether a draft is this person's to go on with.
    pub(crate) fn is_ours(&self, draft: &Draft) -> bool {
        DraftBody::read(draft).is_none_or(|body| self.may_go_on_with(body.by))
    }

    /// The patient's open draft, or a new one that knows what is known: allergies.
    pub(super) async fn start_visit(&self, start: StartVisit) -> Result<VisitView, Error> {
        let drafts = self.store().drafts_of(&start.patient).await.map_err(|e| self.told(e))?;
        if let Some(open) = drafts.into_iter().find(|d| d.kind == "visit" && self.is_ours(d)) {
            return self.visit_view(&open.id).await;
        }
        self.must_be_ours(&start.patient).await?;
        self.card(&start.patient).await?;
        let form =
            VisitForm { allergies: self.known_allergies(&start.patient).await?, ..VisitForm::default() };
        let id = new_id();
        let mut slots = Slots::default();
        slots.id("encounter", &mut || id.clone());
        let patient = start.patient;
        let (started, by) = (self.millis(), Some(self.person_id));
        let body = DraftBody { patient, form, started, slots, replaces: None, ask: None, by };
        self.new_draft(&id, body).await
    }

    pub(super) async fn new_draft(&self, id: &str, body: DraftBody) -> Result<VisitView, Error> {
        let audit = self.audit("create", &format!("Encounter/{id}"), Some(&body.patient));
        self.commit(Transaction::new().save_draft(body.save(id, self.millis())).audit(audit)).await?;
        self.visit_view(id).await
    }

    pub(super) async fn save_visit(&self, save: SaveVisit) -> Result<Saved, Error> {
        let mut draft = self.visit_draft(&save.id).await?;
        if draft.rev != save.rev {
            return Err(Error::new("stale"));
        }
        draft.body.form = save.form;
        Ok(Saved { rev: self.save_draft(draft.body.save(&draft.id, self.millis())).await? })
    }

    pub(super) async fn discard_draft(&self, discard: DiscardDraft) -> Result<(), Error> {
        let draft = self.visit_draft(&discard.id).await?;
        if draft.body.ask.is_some() {
            // Somebody outside has it in front of them.
            return Err(Error::new("not-allowed"));
        }
        let audit = self.audit("delete", &format!("Encounter/{}", draft.id), Some(&draft.body.patient));
        let transaction = self.drop_ask_drafts(&draft.id, Transaction::new().audit(audit)).await?;
        self.commit(transaction.drop_draft(draft.id)).await?;
        Ok(())
    }
}
