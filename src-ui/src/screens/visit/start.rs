//! How a visit begins: who tells, danger signs first, the complaint, its history, what is taken already.

use leptos::prelude::*;
use rabta_domain::patient::Sex;
use rabta_domain::visit::CurrentMedicine;

use super::draft::{Draft, draft};
use super::row::{Cell, PickCell};
use super::words::{DANGER, INFORMANT, SOURCE};
use crate::parts::{Area, Banner, Button, Card, Check, Choice, Field, Kind, Opt, Tone};
use crate::prefs::t;
use crate::{Text, W, dom, icon};

/// Who tells, and who else is in the room.
#[component]
pub fn Informant() -> impl IntoView {
    let draft = draft();
    let informant = draft.text(|f| f.informant.clone(), |f, v| f.informant = v);
    let present = draft.text(|f| f.present.clone(), |f, v| f.present = v);
    let options = INFORMANT.into_iter().map(|(code, word)| Opt::new(code, word)).collect();
    view! {
        <Card>
            <div class="grid-2" style="grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr))">
                <Choice label=W::VisitInformant t="informant" value=informant options />
                <Field label=W::VisitPresent t="present" value=present optional_word=true max=120 />
            </div>
        </Card>
    }
}

/// Danger signs, asked as a whole. Any of them turns the card red and may start an ask before the form is complete.
#[component]
pub fn Danger(#[prop(into)] on_ask: Callback<()>) -> impl IntoView {
    let draft = draft();
    let form = draft.form;
    let any = Memo::new(move |_| form.with(|f| !f.danger.signs.is_empty()));
    let none = RwSignal::new(form.with_untracked(|f| f.danger.asked && f.danger.signs.is_empty()));
    let months = draft.age();
    let may_be_pregnant = draft.sex() != Sex::Male && months.high >= 10 * 12;
    let signs = DANGER
        .into_iter()
        .filter(|(code, _)| {
            let fits = match *code {
                "high-fever-infant" => months.low < 24,
                "pregnancy-bleeding" | "pregnancy-headache" => may_be_pregnant,
                _ => true,
            };
            fits || form.with_untracked(|f| f.danger.signs.iter().any(|sign| sign == code))
        })
        .map(|(code, word)| view! { <Sign draft code word none /> })
        .collect_view();
    let no_sign = move || {
        let asked = none.get_untracked();
        draft.edit(|f| {
            f.danger.asked = asked;
            f.danger.signs.clear();
        });
    };
    view! {
        <section class="card danger" class:on=move || any.get() data-t="danger">
            <div class="head">
                <h2>{t(W::VisitDanger)}</h2>
                <Check label=W::VisitDangerNone t="danger-none" value=none on_change=no_sign />
            </div>
            <div class="body stack">
                <div class="signs">{signs}</div>
                <Show when=move || any.get()>
                    <Banner title=W::VisitDangerFound body=W::VisitDangerFoundBody tone=Tone::Stop t="danger-found">
                        <div class="row" style="padding-block-start:8px">
                            <Button label=W::VisitAskNow t="ask-now" kind=Kind::Danger icon=icon::ASKS on_press=on_ask />
                        </div>
                    </Banner>
                </Show>
            </div>
        </section>
    }
}

#[component]
fn Sign(draft: Draft, code: &'static str, word: W, none: RwSignal<bool>) -> impl IntoView {
    let has = move |f: &rabta_domain::visit::VisitForm| f.danger.signs.iter().any(|sign| sign == code);
    let on = Memo::new(move |_| draft.form.with(has));
    let change = move |event| {
        let checked = event_target_checked(&event);
        draft.edit(|f| {
            f.danger.signs.retain(|sign| sign != code);
            if checked {
                f.danger.signs.push(code.to_owned());
                f.danger.asked = true;
            } else if f.danger.signs.is_empty() {
                // Taken back: whether none is there has to be said anew.
                f.danger.asked = false;
            }
        });
        none.set(false);
    };
    view! {
        <label class="check">
            <input type="checkbox" data-t=format!("danger-{code}") prop:checked=on on:change=change />
            <span>{t(word)}</span>
        </label>
    }
    .into_any()
}

/// The complaint as the patient says it, since when, and the story.
#[component]
pub fn Complaint() -> impl IntoView {
    let draft = draft();
    let complaint = draft.text(|f| f.complaint.0.clone(), |f, v| f.complaint = v.into());
    let since = draft.text(|f| f.complaint_since.clone(), |f, v| f.complaint_since = v);
    let history = draft.text(|f| f.history.0.clone(), |f, v| f.history = v.into());
    view! {
        <Card>
            <div class="stack">
                <div class="name-row" style="grid-template-columns:minmax(0,1fr) minmax(120px,200px)">
                    <Area label=W::VisitComplaint t="complaint" value=complaint hint=W::VisitComplaintHint lines=2 />
                    <Field label=W::VisitSince t="complaint-since" value=since hint=W::VisitSinceHint max=60 />
                </div>
                <Area label=W::VisitHistory t="history" value=history lines=3 />
            </div>
        </Card>
    }
}

/// A row of what is taken now. Rows live as long as the page; empty ones are not kept.
#[derive(Clone, Copy, PartialEq)]
struct Taken {
    key: u32,
    text: RwSignal<String>,
    source: RwSignal<String>,
}

impl Taken {
    fn new(key: u32, from: CurrentMedicine) -> Self {
        Taken { key, text: RwSignal::new(from.text.0), source: RwSignal::new(from.source) }
    }
}

/// What is taken already, also from the hakeem.
#[component]
pub fn CurrentMedicines() -> impl IntoView {
    let draft = draft();
    let begin = draft.form.with_untracked(|f| f.current_medicines.clone());
    let first: Vec<Taken> = begin
        .into_iter()
        .chain([CurrentMedicine::default()])
        .zip(0..)
        .map(|(m, key)| Taken::new(key, m))
        .collect();
    let keys = StoredValue::new(first.len() as u32);
    let rows = RwSignal::new(first);
    let all = Memo::new(move |_| {
        let taken = rows
            .get()
            .into_iter()
            .map(|row| CurrentMedicine { text: row.text.get().into(), source: row.source.get() });
        taken.filter(|m| !m.text.trim().is_empty()).collect::<Vec<_>>()
    });
    Effect::new(move |before: Option<()>| {
        let all = all.get();
        if before.is_some() {
            draft.edit(|f| f.current_medicines = all);
        }
    });
    let add = move || {
        let empty = rows.with_untracked(|rows| {
            rows.iter().find(|row| row.text.with_untracked(|t| t.trim().is_empty())).map(|row| row.key)
        });
        let key = empty.unwrap_or_else(|| {
            let key = keys.get_value();
            keys.set_value(key + 1);
            rows.update(|rows| rows.push(Taken::new(key, CurrentMedicine::default())));
            key
        });
        dom::after(0, move || dom::focus(&format!("#taken-{key}")));
    };
    let remove = move |key: u32| {
        rows.update(|rows| {
            rows.retain(|row| row.key != key);
            if rows.is_empty() {
                let key = keys.get_value();
                keys.set_value(key + 1);
                rows.push(Taken::new(key, CurrentMedicine::default()));
            }
        });
    };
    view! {
        <Card title=W::VisitCurrentMedicines>
            <div class="stack" style="--gap:8px">
                <For each=move || rows.get() key=|row| row.key let:row>
                    <div class="line-row">
                        <Cell label=W::VisitCurrentMedicines t="current-medicine" id=format!("taken-{}", row.key) value=row.text on_enter=add />
                        <PickCell
                            label=W::VisitSource
                            t="current-source"
                            id=format!("taken-from-{}", row.key)
                            value=row.source
                            options=sources()
                        />
                        <Button
                            label=W::Remove
                            t="current-remove"
                            kind=Kind::Plain
                            icon=icon::TRASH
                            icon_only=true
                            on_press=move || remove(row.key)
                        />
                    </div>
                </For>
                <p class="hint small quiet">{t(W::VisitCurrentHint)}</p>
            </div>
        </Card>
    }
}

fn sources() -> Vec<(String, Text)> {
    let all = SOURCE.into_iter().map(|(code, word)| (code.to_owned(), Text::from(word)));
    [(String::new(), Text::from(W::VisitNotSaid))].into_iter().chain(all).collect()
}
