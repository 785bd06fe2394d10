//! Asking a specialist, the specialist's queue and case, the advice, the decisions.

use rabta_domain::{
    Private,
    advice::{AdviceForm, Decision},
    ask::{AskForm, State, Urgency},
    consent::ConsentForm,
    patient::{Custody, PatientCard},
    visit::{Finding, PhotoRef},
};
use serde::{Deserialize, Serialize};

use crate::{macros::commands, visit::SignedBy};

commands! {
    /// The small duty roster, as of the last contact, and whom to phone.
    GetRoster {} -> Roster = "roster";
    /// What will be sent, as the specialist will see it.
    PreviewNote { visit: String, ask: AskForm } -> Note = "preview-note";
    /// What was asked about a visit and not sent yet; `None` before the first answer.
    GetAskDraft { visit: String } -> Option<AskDraft> = "ask-draft";
    /// Durable when it replies; gone with [`SendAsk`] and [`RecordRefusal`].
    SaveAskDraft { visit: String, draft: AskDraft } -> () = "save-ask-draft";
    /// The patient said no: that is signed and kept, and nothing is asked.
    RecordRefusal { visit: String, consent: ConsentForm } -> () = "record-refusal";
    /// Errors: `consent-missing`, `stops`.
    SendAsk { visit: String, consent: ConsentForm, ask: AskForm } -> AskView = "send-ask";
    /// For a specialist: the queue. For a clinic: its own asks, open ones first.
    ListAsks { closed: bool } -> Vec<AskRow> = "list-asks";
    /// For the specialist: also sends the signed receipt, once each time that it is asked. One whom it was with before sees with whom it is now.
    OpenAsk { id: String } -> AskView = "open-ask";
    /// One of `AskView::moves`. `to_person`: to whom on the roster it is passed on; `None`: back to the specialty's pool.
    /// Errors: `not-allowed`, `invalid`.
    MoveAsk { id: String, to: State, reason: Private<String>, to_person: Option<String> } -> AskView = "move-ask";
    /// For the clinic that asked: the patient's consent is taken back, and the ask called off where it is still open.
    /// `reason` stands in the timeline. Errors: `not-allowed`.
    WithdrawConsent { ask: String, reason: Private<String> } -> AskView = "withdraw-consent";
    SendMessage { ask: String, text: Private<String> } -> AskView = "send-message";
    /// The specialist's draft, durable when it replies.
    SaveAdvice { ask: String, rev: u64, form: AdviceForm } -> crate::visit::Saved = "save-advice";
    CheckAdvice { ask: String } -> Vec<Finding> = "check-advice";
    SignAdvice { ask: String } -> AskView = "sign-advice";
    /// The treating doctor's decisions, one for each proposed line; makes the orders and signs them.
    Decide { ask: String, decisions: Vec<Decision> } -> AskView = "decide";
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Roster {
    pub entries: Vec<RosterRow>,
    /// Milliseconds since 1970; `None`: never fetched.
    pub as_of: Option<i64>,
    /// The country's emergency number and the referral hospital.
    pub emergency_phone: String,
    pub referral_hospital: String,
    pub referral_phone: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RosterRow {
    pub person: String,
    pub name: String,
    pub facility: String,
    pub specialty: String,
    pub phone: String,
    pub hours: String,
    pub on_duty: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskRow {
    /// The Task's id.
    pub id: String,
    pub card: PatientCard,
    pub state: State,
    pub urgency: Urgency,
    pub specialty: String,
    /// One line: why.
    pub question: Private<String>,
    /// The clinic that asked, and its doctor.
    pub from_facility: String,
    pub from_person: String,
    /// Whom it is with.
    pub to_person: Option<String>,
    /// Seconds since it was asked, by the HIE's receipt where known, else by this device.
    pub waiting_seconds: i64,
    pub custody: Custody,
    /// Something new that this person has not opened.
    pub unread: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskView {
    pub row: AskRow,
    /// The visit here, for the clinic that asked.
    pub visit: Option<String>,
    pub note: Note,
    pub timeline: Vec<TimelineRow>,
    pub messages: Vec<Message>,
    /// The signed advice; the newest.
    pub advice: Option<SignedAdvice>,
    /// The specialist's draft.
    pub draft: Option<AdviceDraft>,
    pub decisions: Vec<Decision>,
    /// The specialist's medicines are orders: who asked may not prescribe. Else they are proposals.
    pub orders: bool,
    /// This person decides on the proposed medicines.
    pub may_decide: bool,
    /// What this person may do next by the table.
    pub moves: Vec<State>,
    /// To whom this person may pass it on: who is on duty first, of its own specialty before others.
    pub pass_to: Vec<RosterRow>,
    /// This person is the specialist that it is with.
    pub mine_to_answer: bool,
    /// Urgent and unseen, or no one answers: with whom to phone.
    pub nobody_has_seen: bool,
    pub phone: Option<String>,
    pub can_call: bool,
    /// The other party is connected to the HIE now.
    pub other_online: bool,
}

/// An ask while it is filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskDraft {
    pub consent: ConsentForm,
    pub ask: AskForm,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdviceDraft {
    pub form: AdviceForm,
    pub rev: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedAdvice {
    pub form: AdviceForm,
    pub signed: SignedBy,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// `asked`, a State's code, `message`, `advice`, `decisions`, `call`.
    pub what: String,
    pub by: String,
    /// Milliseconds since 1970: the HIE's receipt where known.
    pub at: i64,
    pub at_hie: bool,
    pub reason: Private<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub by: String,
    pub mine: bool,
    pub at: i64,
    pub text: Private<String>,
    pub custody: Custody,
}

/// The referral note, as one readable page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub question: Private<String>,
    pub from_person: String,
    pub from_facility: String,
    /// Milliseconds since 1970 of the signature; 0 in a preview.
    pub at: i64,
    pub signed: Option<SignedBy>,
    pub danger_signs: Vec<String>,
    /// Abnormal ones first.
    pub vitals: Vec<NoteVital>,
    pub sections: Vec<NoteSection>,
    pub photos: Vec<PhotoRef>,
    pub consent: String,
    /// What the patient wishes: `AskForm::wishes`.
    #[serde(default)]
    pub wishes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoteVital {
    /// `rabta_domain::vitals` name in kebab case; `bp` for the pair.
    pub vital: String,
    pub value: String,
    pub unit: String,
    pub verdict: rabta_domain::vitals::Verdict,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoteSection {
    /// LOINC.
    pub code: String,
    /// `complaint`, `history`, `examination`, `assessment`, `plan`, `problems`, `allergies`, `medicines`, `tests`, `pregnancy`.
    pub title: String,
    pub lines: Vec<Private<String>>,
    /// Why it is empty: `nilknown`, `notasked`, `unavailable`; empty text where it is not.
    pub empty: String,
}
