//! A medicine against a recorded allergy stops the work and asks: remove it, or keep it with a reason.

use leptos::prelude::*;
use rabta_domain::medicine::{Clash, MedicineLine, clashes};

use super::draft::{Draft, draft};
use crate::parts::{Area, Banner, Button, Dialog, Kind, Tone};
use crate::prefs::say;
use crate::{Text, W, icon};

/// The first clash nobody has decided on, with its line.
fn undecided(draft: Draft) -> Option<(MedicineLine, Clash)> {
    draft.form.with(|f| {
        clashes(&f.medicines, &f.allergies).into_iter().find_map(|clash| {
            let line = f.medicines.iter().find(|m| m.id == clash.line)?;
            line.clash_reason.is_none().then(|| (line.clone(), clash))
        })
    })
}

/// Opens by itself when a clash comes up, by a new medicine or by a new allergy. Closed without an answer, the line
/// stays marked and stops the signature.
#[component]
pub fn ClashQuestion(open: RwSignal<bool>) -> impl IntoView {
    let draft = draft();
    let clash = Memo::new(move |_| undecided(draft));
    let reason = RwSignal::new(String::new());
    let missing = RwSignal::new(false);
    Effect::new(move |before: Option<Option<String>>| {
        let line = clash.with(|c| c.as_ref().map(|(line, _)| line.id.clone()));
        if before.as_ref() != Some(&line) {
            reason.set(String::new());
            missing.set(false);
            // What was there when the page was opened was asked before; it stays marked in its line.
            open.set(line.is_some() && before.is_some());
        }
        line
    });
    let remove = move || {
        if let Some((line, _)) = clash.get_untracked() {
            draft.edit(|f| f.medicines.retain(|m| m.id != line.id));
        }
        open.set(false);
    };
    let keep = move || {
        let why = reason.get_untracked().trim().to_owned();
        if why.is_empty() {
            missing.set(true);
            crate::dom::focus("#clash-reason");
            return;
        }
        if let Some((line, _)) = clash.get_untracked() {
            draft.edit(|f| {
                if let Some(kept) = f.medicines.iter_mut().find(|m| m.id == line.id) {
                    kept.clash_reason = Some(why);
                }
            });
        }
        open.set(false);
    };
    let foot = move || {
        view! {
            <Button label=W::VisitClashKeep t="clash-keep" on_press=keep />
            <Button label=W::VisitClashRemove t="clash-remove" kind=Kind::Danger icon=icon::TRASH on_press=remove />
        }
    };
    let error = Signal::derive(move || missing.get().then(|| say(W::VisitClashReasonMissing).to_owned()));
    view! {
        <Dialog title=W::VisitClashTitle open t="clash-dialog" foot>
            {move || {
                clash
                    .get()
                    .map(|(line, clash)| {
                        let title = Text::with(W::VisitClashBody, vec![line.generic.clone(), clash.allergy.0.clone()]);
                        let body = (!clash.through.is_empty()).then(|| Text::with(W::VisitClashThrough, vec![clash.through.clone()]));
                        view! {
                            <Banner title tone=Tone::Stop>{body.map(|body| view! { <p>{body.view()}</p> })}</Banner>
                        }
                    })
            }}
            <div style="padding-block-start:16px">
                <Area
                    label=W::VisitClashReason
                    t="clash-reason"
                    value=reason
                    error
                    lines=2
                    on_input=move || missing.set(false)
                />
            </div>
        </Dialog>
    }
}
