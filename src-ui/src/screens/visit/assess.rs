//! The doctor's view: diagnoses, what was done, the plan.

use std::sync::Arc;

use leptos::prelude::*;
use rabta_domain::visit::Diagnosis;
use rabta_ipc::visit::{FindDiagnosis, Term};

use super::before::found;
use super::draft::{Draft, draft};
use super::words::CERTAINTY;
use crate::parts::{Area, Button, Card, Choice, Combobox, Found, Kind, Opt};
use crate::{W, dom, icon, ipc};

#[component]
pub fn Assessment() -> impl IntoView {
    let draft = draft();
    let procedures = draft.text(|f| f.procedures.0.clone(), |f, v| f.procedures = v.into());
    let plan = draft.text(|f| f.plan.0.clone(), |f, v| f.plan = v.into());
    let typed = RwSignal::new(String::new());
    let terms = StoredValue::new(Vec::<Term>::new());
    let ids =
        Memo::new(move |_| draft.form.with(|f| f.diagnoses.iter().map(|d| d.id.clone()).collect::<Vec<_>>()));
    let search: Arc<dyn Fn(String) -> std::pin::Pin<Box<dyn Future<Output = Vec<Found>>>> + Send + Sync> =
        Arc::new(move |q| {
            Box::pin(async move {
                let answer = ipc::call(FindDiagnosis { q }).await.unwrap_or_default();
                let shown = answer
                    .iter()
                    .map(|term| {
                        let mut one = found(term);
                        one.note = format!("{} {}", one.note, term.code).trim().to_owned();
                        one
                    })
                    .collect();
                terms.try_set_value(answer);
                shown
            })
        });
    let add = move |code: String, text: String| {
        let certainty = "provisional".to_owned();
        let diagnosis = Diagnosis { id: dom::uuid(), code, text: text.trim().into(), certainty };
        draft.edit(|f| f.diagnoses.push(diagnosis));
    };
    let take = move |one: Found| {
        let term = terms.with_value(|all| all.iter().find(|term| term.code == one.id).cloned());
        match term {
            Some(term) => add(term.code, term.en),
            None => add(String::new(), one.text),
        }
    };
    view! {
        <Card title=W::VisitAssessment t="assessment">
            <div class="stack">
                <For each=move || ids.get() key=String::clone let:id>
                    <DiagnosisRow draft id />
                </For>
                <Combobox
                    label=W::VisitDiagnosis
                    t="diagnosis"
                    text=typed
                    search
                    hint=W::VisitDiagnosisHint
                    clears=true
                    on_take=move |one| take(one)
                    on_free=move |words: String| add(String::new(), words)
                />
                <Area label=W::VisitProcedures t="procedures" value=procedures lines=2 />
                <Area label=W::VisitPlan t="plan" value=plan lines=3 />
            </div>
        </Card>
    }
}

#[component]
fn DiagnosisRow(draft: Draft, id: String) -> impl IntoView {
    let now =
        draft.form.with_untracked(|f| f.diagnoses.iter().find(|d| d.id == id).cloned()).unwrap_or_default();
    let same = id.clone();
    let certainty = draft.bound(now.certainty.clone(), move |f, v| {
        if let Some(one) = f.diagnoses.iter_mut().find(|d| d.id == same) {
            one.certainty = v;
        }
    });
    let options = CERTAINTY.into_iter().map(|(code, word)| Opt::new(code, word)).collect();
    view! {
        <div class="item row apart" data-t="diagnosis-line">
            <div class="grow" style="min-inline-size:180px">
                <bdi class="strong">{now.text.0}</bdi>
                " "
                <span class="small quiet ltr">{now.code}</span>
            </div>
            <Choice label=W::VisitCertainty hide_label=true t="certainty" value=certainty options />
            <Button
                label=W::Remove
                t="diagnosis-remove"
                kind=Kind::Plain
                icon=icon::TRASH
                icon_only=true
                on_press=move || draft.edit(|f| f.diagnoses.retain(|d| d.id != id))
            />
        </div>
    }
    .into_any()
}
