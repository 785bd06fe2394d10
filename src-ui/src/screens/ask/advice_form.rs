use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::advice::AdviceForm;
use rabta_domain::medicine::MedicineLine;
use rabta_domain::visit::Diagnosis;
use rabta_ipc::Error;
use rabta_ipc::ask::{AskView, SignAdvice};
use rabta_ipc::visit::{FindDiagnosis, FindMedicine, MedicineTerm};

use super::draft::{Draft, Saving};
use super::line::{LineEditor, LineWords, new_id};
use super::open::Open;
use super::words;
use crate::errors::MaybeError;
use crate::parts::{
    Area, Banner, Button, Card, Combobox, Field, Found, Kind, NumberField, Tag, Tint, Tone, toast,
};
use crate::prefs::{lang, say, t};
use crate::words::Lang;
use crate::{Text, W, dom, format, icon, ipc};

type Answer = std::pin::Pin<Box<dyn Future<Output = Vec<Found>>>>;

/// The specialist's form: diagnosis, what to do, medicines as proposals, danger signs, follow-up. Saved as it is typed.
#[component]
pub fn AdviceEditor(
    open: Open,
    /// Signed: where to go on.
    #[prop(into)]
    on_signed: Callback<()>,
) -> impl IntoView {
    // What is typed outlives every new view of the case: the draft is read once, and again when it went stale.
    let round = RwSignal::new(0_u32);
    let there = open.part(|view| view.row.id.clone());
    view! {
        {move || {
            round.track();
            there.get()?;
            let view = open.view.get_untracked()?;
            Some(view! { <Form open view on_signed again=round /> })
        }}
    }
    .into_any()
}

#[component]
fn Form(open: Open, view: AskView, on_signed: Callback<()>, again: RwSignal<u32>) -> impl IntoView {
    let orders = view.orders;
    let signed = view.advice.map(|advice| advice.form);
    let draft = Draft::new(open.id(), view.draft, signed);
    let error = RwSignal::new(None::<Error>);
    let busy = RwSignal::new(false);
    let sign = move |_: ()| {
        busy.set(true);
        spawn_local(async move {
            let ready = draft.flush().await && !draft.check().await.iter().any(|finding| finding.stops);
            if !ready {
                busy.try_set(false);
                dom::focus_soon("[data-t=advice-findings]");
                return;
            }
            let answer = ipc::call(SignAdvice { ask: open.id() }).await;
            busy.try_set(false);
            match answer {
                Ok(view) => {
                    draft.stop();
                    toast(W::AdviceSigned);
                    open.take(Ok(view));
                    on_signed.run(());
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    Effect::new(move |_| {
        if draft.stale.get() {
            open.fetch();
        }
    });
    let state = move || match draft.state.get() {
        Saving::Saved => ("saved", W::VisitSaved),
        Saving::Saving => ("saving", W::VisitSaving),
        Saving::Failed => ("failed", W::VisitNotSaved),
    };
    let plan = draft.text(|form| form.plan.0.clone(), |form, text| form.plan = text.into());
    let danger = draft.text(|form| form.danger_signs.0.clone(), |form, text| form.danger_signs = text.into());
    let leave = Callback::new(move |()| draft.save_now());
    view! {
        <Card
            title=W::AdviceWrite
            t="advice-editor"
            beside=view! { <span class="small quiet" data-t="save-state" data-state=move || state().0 aria-live="polite">{move || say(state().1)}</span> }.into_any()
        >
            <div class="stack">
                <Show when=move || draft.stale.get()>
                    <Banner title=W::AdviceStaleTitle body=W::AdviceStaleBody tone=Tone::Look t="advice-stale">
                        <div class="row"><Button label=W::TryAgain t="advice-reload" on_press=move || again.update(|n| *n += 1) /></div>
                    </Banner>
                </Show>
                <Diagnoses draft />
                <Area label=W::AdvicePlan t="advice-plan" value=plan hint=W::AdvicePlanHint lines=4 on_leave=leave />
                <Medicines draft orders />
                <Area label=W::AdviceDanger t="advice-danger" value=danger lines=2 on_leave=leave />
                <FollowUp draft />
                <Findings draft />
                <MaybeError error />
                <div class="row end">
                    <Button label=W::AdviceSign t="sign-advice" kind=Kind::Main big=true icon=icon::SIGN busy on_press=sign />
                </div>
            </div>
        </Card>
    }
    .into_any()
}

#[component]
fn Diagnoses(draft: Draft) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let search = Arc::new(|q: String| {
        let urdu = untrack(lang) == Lang::Ur;
        Box::pin(async move {
            let terms = ipc::call(FindDiagnosis { q }).await.unwrap_or_default();
            let found = |term: rabta_ipc::visit::Term| {
                let text = if urdu && !term.ur.is_empty() { term.ur } else { term.en };
                Found { note: term.code.clone(), id: term.code, text }
            };
            terms.into_iter().map(found).collect()
        }) as Answer
    });
    let add = move |code: String, text: String| {
        draft.edit(|form| {
            let id = new_id();
            form.diagnoses.push(Diagnosis {
                id,
                code,
                text: text.into(),
                certainty: "provisional".to_owned(),
            });
        });
    };
    let chosen = move || {
        let all = draft.form.with(|form| form.diagnoses.clone());
        all.into_iter()
            .map(|one| {
                let id = one.id.clone();
                view! {
                    <li class="picked" data-t="advice-diagnosis-line">
                        <bdi class="strong grow">{one.text.0}</bdi>
                        <span class="small quiet ltr">{one.code}</span>
                        <Button
                            label=W::Remove
                            t="advice-diagnosis-remove"
                            kind=Kind::Plain
                            icon=icon::CLOSE
                            icon_only=true
                            on_press=move || draft.edit(|form| form.diagnoses.retain(|d| d.id != id))
                        />
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <div class="stack" style="--gap:8px">
            <Combobox
                label=W::VisitDiagnosis
                t="advice-diagnosis"
                text=typed
                search
                hint=W::VisitDiagnosisHint
                clears=true
                on_take=move |found: Found| add(found.id, found.text)
                on_free=move |text: String| add(String::new(), text.trim().to_owned())
            />
            <ul>{chosen}</ul>
        </div>
    }
    .into_any()
}

/// The proposed lines in words; one of them open to be written.
#[component]
fn Medicines(draft: Draft, orders: bool) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let editing = RwSignal::new(None::<String>);
    let terms = StoredValue::new(Vec::<MedicineTerm>::new());
    let search = Arc::new(move |q: String| {
        Box::pin(async move {
            let found = ipc::call(FindMedicine { q }).await.unwrap_or_default();
            let rows = found.iter().enumerate().map(|(i, term)| Found {
                id: i.to_string(),
                text: if term.brand.is_empty() {
                    term.generic.clone()
                } else {
                    format!("{} ({})", term.generic, term.brand)
                },
                note: [term.form.as_str(), &term.strengths.join(", ")].join(" \u{00B7} "),
            });
            let rows = rows.collect();
            terms.try_set_value(found);
            rows
        }) as Answer
    });
    let add = move |line: MedicineLine| {
        editing.set(Some(line.id.clone()));
        draft.edit(|form| form.medicines.push(line));
        dom::focus_soon("#advice-dose");
    };
    let take = move |found: Found| {
        let term = found.id.parse().ok().and_then(|i: usize| terms.with_value(|all| all.get(i).cloned()));
        let Some(term) = term else { return };
        let strength = if let [one] = term.strengths.as_slice() { one.clone() } else { String::new() };
        add(MedicineLine {
            id: new_id(),
            generic: term.generic,
            brand: term.brand,
            form: term.form,
            strength,
            atc: term.atc,
            classes: term.classes,
            controlled: term.controlled,
            ..MedicineLine::default()
        });
    };
    let ids = Memo::new(move |_| {
        draft.form.with(|form| form.medicines.iter().map(|line| line.id.clone()).collect::<Vec<_>>())
    });
    let known = move |line: &MedicineLine| {
        terms.with_value(|all| {
            all.iter()
                .find(|term| term.generic == line.generic)
                .map(|term| term.strengths.clone())
                .unwrap_or_default()
        })
    };
    let row = move |id: String| {
        let find = {
            let id = id.clone();
            move |form: &AdviceForm| form.medicines.iter().find(|line| line.id == id).cloned()
        };
        let (this, gone) = (id.clone(), id.clone());
        let open = Memo::new(move |_| editing.get().as_deref() == Some(this.as_str()));
        let body = move || {
            let id = id.clone();
            if open.get() {
                let line = draft.form.with_untracked(&find)?;
                let strengths = known(&line);
                let name = words::medicine(&MedicineLine {
                    strength: String::new(),
                    form: String::new(),
                    ..line.clone()
                });
                let clashes = {
                    let field = format!("medicines.{id}");
                    Signal::derive(move || {
                        draft.findings.with(|all| {
                            all.iter()
                                .any(|f| f.field.starts_with(&field) && f.code.starts_with("allergy-clash"))
                        })
                    })
                };
                let set = move |to: MedicineLine| {
                    draft.edit(|form| {
                        if let Some(line) = form.medicines.iter_mut().find(|line| line.id == to.id) {
                            *line = to;
                        }
                    });
                };
                Some(
                    view! {
                        <div class="stack grow" style="--gap:8px">
                            <p class="row"><bdi class="strong">{name}</bdi>
                                {line.controlled.then(|| view! { <Tag label=W::VisitControlled tint=Tint::Red /> })}</p>
                            <LineEditor line strengths clashes on_change=set />
                            <div class="row end"><Button label=W::LineReady t="advice-line-ready" icon=icon::CHECK on_press=move || editing.set(None) /></div>
                        </div>
                    }
                    .into_any(),
                )
            } else {
                let line = draft.form.with(&find)?;
                Some(
                    view! {
                        <LineWords line />
                        <Button label=W::LineEdit t="advice-line-edit" kind=Kind::Plain icon=icon::PEN on_press=move || editing.set(Some(id.clone())) />
                    }
                    .into_any(),
                )
            }
        };
        view! {
            <li class="picked" data-t="advice-medicine-line">
                {body}
                <Button
                    label=W::Remove
                    t="advice-line-remove"
                    kind=Kind::Plain
                    icon=icon::TRASH
                    icon_only=true
                    on_press=move || draft.edit(|form| form.medicines.retain(|line| line.id != gone))
                />
            </li>
        }
    };
    view! {
        <div class="stack" style="--gap:8px">
            <Combobox
                label=W::VisitMedicine
                t="advice-medicine"
                text=typed
                search
                hint=Text::live(move || say(if orders { W::AdviceOrders } else { W::AdviceProposal }).to_owned())
                clears=true
                on_take=take
                on_free=move |text: String| add(MedicineLine { id: new_id(), generic: text.trim().to_owned(), ..MedicineLine::default() })
            />
            <ul><For each=move || ids.get() key=Clone::clone children=row /></ul>
        </div>
    }
    .into_any()
}

/// In how many days, or after what.
#[component]
fn FollowUp(draft: Draft) -> impl IntoView {
    let now = format::local_date();
    let days = draft.text(
        |form| {
            let today = format::local_date();
            form.follow_up.day.map(|day| (day - today).whole_days().max(0).to_string()).unwrap_or_default()
        },
        |form, text| {
            let days = text.parse::<i64>().ok();
            form.follow_up.day =
                days.and_then(|days| format::local_date().checked_add(time::Duration::days(days)));
        },
    );
    let event = draft.text(|form| form.follow_up.event.clone(), |form, text| form.follow_up.event = text);
    let hint = Text::live(move || {
        let days = days.get().parse::<i64>().ok();
        days.and_then(|days| now.checked_add(time::Duration::days(days)))
            .map(format::date)
            .unwrap_or_default()
    });
    view! {
        <div class="grid-2">
            <NumberField label=W::AdviceFollowDays t="advice-follow-days" value=days max_digits=3 hint=hint />
            <Field label=W::VisitFollowUpEvent t="advice-follow-event" value=event hint=W::VisitFollowUpEventHint />
        </div>
    }
    .into_any()
}

#[component]
fn Findings(draft: Draft) -> impl IntoView {
    move || {
        let findings = draft.findings.get();
        if findings.is_empty() {
            return None;
        }
        let tone = if findings.iter().any(|finding| finding.stops) { Tone::Look } else { Tone::Info };
        let lines = findings
            .into_iter()
            .map(|finding| {
                let name = draft.form.with_untracked(|form| {
                    let line = form.medicines.iter().find(|line| finding.field.contains(&line.id));
                    line.map(|line| line.generic.clone()).unwrap_or_default()
                });
                let (code, word) =
                    (finding.code.clone(), if finding.stops { W::PageStop } else { W::PageLook });
                view! {
                    <li data-t="advice-finding" data-code=finding.code data-stops=finding.stops.to_string()>
                        <span class="strong">{t(word)}</span> ": " {move || words::finding(&code, &name)}
                    </li>
                }
            })
            .collect_view();
        Some(view! {
            <div tabindex="-1" data-t="advice-findings">
                <Banner title=W::AdviceFindings tone t="advice-findings-list"><ul>{lines}</ul></Banner>
            </div>
        })
    }
}
