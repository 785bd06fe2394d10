//! Templates of the commonest complaints: what is chosen fills what is empty, adds what was ticked, and can be taken
//! back. Nothing that somebody typed is changed.

use std::cell::RefCell;

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::patient::Sex;
use rabta_domain::template::{self, Change, Language, Picked, Template, Whom};

use super::draft::{Draft, draft};
use crate::parts::{Button, Card, Kind};
use crate::prefs::{lang, t};
use crate::words::Lang;
use crate::{W, dom, icon};

thread_local! {
    /// What the last template did, and to which visit: the page is drawn anew after it.
    static LAST: RefCell<Option<(String, Vec<Change>)>> = const { RefCell::new(None) };
}

fn language() -> Language {
    if lang() == Lang::Ur { Language::Ur } else { Language::En }
}

fn whom(draft: Draft) -> Whom {
    let months = draft.age();
    Whom {
        months_low: (months.high < 200 * 12).then_some(months.low),
        may_be_pregnant: draft.sex() != Sex::Male,
    }
}

/// One button for each complaint; then what of it is wanted.
#[component]
pub fn Templates(#[prop(into)] on_filled: Callback<()>) -> impl IntoView {
    let draft = draft();
    let all = StoredValue::new(super::offers().templates);
    let chosen = RwSignal::new(None::<Template>);
    let picked = RwSignal::new(Picked::default());
    let done = LAST.with_borrow(|last| last.as_ref().is_some_and(|(visit, _)| *visit == draft.id()));
    // The page shows what the form holds: it is drawn anew.
    let drawn_anew = move || {
        spawn_local(async move {
            if draft.flush().await {
                on_filled.run(());
            }
        });
    };
    let fill = move || {
        let Some(template) = chosen.get_untracked() else { return };
        let mut changes = Vec::new();
        draft.edit(|form| {
            let whom = whom(draft);
            let picked = picked.get_untracked();
            changes = template::apply(&template, &picked, whom, untrack(language), form, &mut dom::uuid);
        });
        LAST.set(Some((draft.id(), changes)));
        drawn_anew();
    };
    let undo = move || {
        if let Some((_, changes)) = LAST.take() {
            draft.edit(|form| template::undo(&changes, form));
        }
        drawn_anew();
    };
    let names = move || {
        let language = language();
        all.get_value()
            .into_iter()
            .map(|template| {
                let (id, name) = (template.id.clone(), template.name.get(language).to_owned());
                let me = id.clone();
                let press = move |_| {
                    picked.set(Picked::default());
                    chosen.set(Some(template.clone()));
                };
                let on = move || chosen.with(|c| c.as_ref().is_some_and(|c| c.id == me)).to_string();
                view! { <button type="button" class="b" data-t="template" data-id=id aria-pressed=on on:click=press>{name}</button> }
            })
            .collect_view()
    };
    let parts = move || {
        let template = chosen.get()?;
        let language = language();
        let offered = draft.form.with_untracked(|form| template::offered(&template, form, whom(draft)));
        let diagnoses = template.diagnoses.iter().enumerate();
        let diagnoses = diagnoses
            .map(|(n, choice)| {
                tick("template-diagnosis", choice.words.get(language).to_owned(), String::new(), move |on| {
                    picked.update(|p| set(&mut p.diagnoses, n, on));
                })
            })
            .collect_view();
        let medicines = offered
            .into_iter()
            .map(|n| {
                let proposal = &template.medicines[n];
                let dose = if language == Language::Ur {
                    proposal.line.in_urdu()
                } else {
                    proposal.line.in_english()
                };
                let name = format!("{} {}: {dose}", proposal.line.generic, proposal.line.strength);
                tick("template-medicine", name, proposal.when.get(language).to_owned(), move |on| {
                    picked.update(|p| set(&mut p.medicines, n, on));
                })
            })
            .collect_view();
        Some(view! {
            <div class="stack" data-t="template-parts">
                {diagnoses}
                {medicines}
                <div class="row">
                    <Button label=W::TemplateFill t="template-fill" kind=Kind::Main icon=icon::CHECK on_press=fill />
                    <Button label=W::Cancel t="template-cancel" kind=Kind::Plain on_press=move || chosen.set(None) />
                </div>
            </div>
        })
    };
    view! {
        <Card title=W::Templates t="templates">
            <div class="stack">
                <p class="small quiet">{t(W::TemplatesHint)}</p>
                <div class="row" style="flex-wrap:wrap">{names}</div>
                {parts}
                {done.then(|| view! { <div class="row"><Button label=W::TemplateUndo t="template-undo" kind=Kind::Plain on_press=undo /></div> })}
            </div>
        </Card>
    }
    .into_any()
}

fn set(list: &mut Vec<usize>, n: usize, on: bool) {
    list.retain(|have| *have != n);
    if on {
        list.push(n);
    }
}

fn tick(t: &'static str, name: String, hint: String, change: impl Fn(bool) + 'static) -> AnyView {
    view! {
        <label class="check">
            <input type="checkbox" data-t=t on:change=move |event| change(event_target_checked(&event)) />
            <span><bdi>{name}</bdi>{(!hint.is_empty()).then(|| view! { <span class="hint">{hint}</span> })}</span>
        </label>
    }
    .into_any()
}
