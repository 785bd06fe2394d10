//! Asking a specialist: the note that goes out, the Task that both sides move, messages, the advice and what the
//! doctor makes of it.
//!
//! What the window sees is read from the ask's signed envelopes, this device's and everybody else's
//! ([`case::Case`]); nothing is kept beside them that could say something else.

mod advice;
mod case;
mod decisions;
mod draft;
mod list;
mod messages;
mod moves;
mod note;
mod roster;
mod send;
mod view;
mod withdraw;

pub(crate) use case::Item;

use rabta_ipc::ask::{
    CheckAdvice, Decide, GetAskDraft, GetRoster, ListAsks, MoveAsk, OpenAsk, PreviewNote, RecordRefusal,
    SaveAdvice, SaveAskDraft, SendAsk, SendMessage, SignAdvice, WithdrawConsent,
};

use crate::{Session, routes::routes};

routes!(Session {
    GetRoster => get_roster,
    PreviewNote => preview_note,
    GetAskDraft => get_ask_draft,
    SaveAskDraft => save_ask_draft,
    RecordRefusal => record_refusal,
    SendAsk => send_ask,
    ListAsks => list_asks,
    OpenAsk => open_ask,
    MoveAsk => move_ask,
    WithdrawConsent => withdraw_consent,
    SendMessage => send_message,
    SaveAdvice => save_advice,
    CheckAdvice => check_advice,
    SignAdvice => sign_advice,
    Decide => decide,
});
