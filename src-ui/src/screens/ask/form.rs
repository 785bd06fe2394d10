use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::ask::{AskForm, Urgency};
use rabta_ipc::Error;
use rabta_ipc::ask::{AskDraft, GetAskDraft, GetRoster, Note, PreviewNote, RecordRefusal, Roster, SendAsk};
use rabta_ipc::visit::{GetVisit, VisitView};

use super::consent::{Consent, ConsentPart};
use super::keep::Keep;
use super::note::NotePage;
use super::to_whom::{Specialty, ToWhom};
use super::words;
use crate::errors::MaybeError;
use crate::parts::{Button, Card, Check, Choice, Field, Kind, LinkButton, Opt, Skeleton, toast};
use crate::prefs::{say, say_with, t};
use crate::router::{self, Route};
use crate::session::session;
use crate::{W, dom, format, icon, ipc};

/// After the last key, before the page that will be sent is drawn again.
const PREVIEW_MS: i32 = 400;

/// Asking about a visit: consent first, then the question, and beside it the very page that will be sent.
#[component]
pub fn AskScreen(visit: String) -> impl IntoView {
    let session = session();
    let visit = StoredValue::new(visit);
    let error = RwSignal::new(None::<Error>);
    let busy = RwSignal::new(false);
    let roster = RwSignal::new(None::<Roster>);
    let note = RwSignal::new(None::<Note>);
    let consent = Consent::new();
    let fields = Question::new();

    let keep = StoredValue::new(Keep::new(visit.get_value()));
    // What is there before the first answer is no draft.
    let ready = RwSignal::new(false);
    Effect::new(move |before: Option<bool>| {
        let draft = AskDraft { consent: consent.form(), ask: fields.form() };
        let ready = ready.get();
        if before == Some(true) {
            keep.with_value(|keep| keep.put(draft));
        }
        ready
    });
    spawn_local(async move {
        let id = visit.get_value();
        let draft = ipc::call(GetAskDraft { visit: id.clone() }).await.ok().flatten();
        match ipc::call(GetVisit { id }).await {
            Ok(view) => prepare(&view, consent, fields, session),
            Err(problem) => {
                error.try_set(Some(problem));
            }
        }
        if let Some(draft) = draft {
            consent.restore(draft.consent);
            fields.restore(draft.ask);
        }
        ready.try_set(true);
        if let Ok(answer) = ipc::call(GetRoster {}).await {
            roster.try_set(Some(answer));
        }
    });
    preview(visit, fields, note);

    let missing = Memo::new(move |_| {
        let mut parts = Vec::new();
        let form = consent.form();
        if !form.allows_consultation() || (form.decision == "emergency" && fields.urgency.get() == "routine")
        {
            parts.push(say(W::AskMissingConsent));
        }
        if fields.specialty.with(String::is_empty) {
            parts.push(say(W::AskMissingSpecialty));
        }
        if fields.question.with(|q| q.trim().is_empty()) {
            parts.push(say(W::AskMissingQuestion));
        }
        parts.join(format::comma())
    });
    let refused = Memo::new(move |_| consent.decision.get() == "refused");
    let send = move |_: ()| {
        busy.set(true);
        let keep = keep.get_value();
        spawn_local(async move {
            keep.stop().await;
            let (visit, draft) =
                (visit.get_value(), untrack(|| AskDraft { consent: consent.form(), ask: fields.form() }));
            let AskDraft { consent, ask } = draft.clone();
            let answer = if refused.get_untracked() {
                let answer = ipc::call(RecordRefusal { visit: visit.clone(), consent }).await;
                answer.map(|()| {
                    toast(W::AskRefusalRecorded);
                    Route::Visit(visit)
                })
            } else {
                ipc::call(SendAsk { visit, consent, ask }).await.map(|view| Route::Case(view.row.id))
            };
            busy.try_set(false);
            match answer {
                Ok(route) => router::go_instead(&route),
                Err(problem) => {
                    keep.put(draft);
                    error.try_set(Some(problem));
                    dom::focus_soon("[data-t=error]");
                }
            }
        });
    };
    view! {
        <div class="page">
            <div class="page-head">
                <h1>{t(W::AskTitle)}</h1>
                <LinkButton label=W::AskVisitBack t="back-to-visit" kind=Kind::Plain icon=icon::BACK href=visit.with_value(|id| Route::Visit(id.clone()).href()) />
            </div>
            <div class="halves">
                <div class="stack">
                    <Card title=W::AskConsentHead t="consent-card"><ConsentPart consent /></Card>
                    <Show when=move || !refused.get()>
                        <Card title=W::AskQuestionHead t="question-card"><QuestionPart fields roster /></Card>
                    </Show>
                    <MaybeError error />
                    <div class="row end">
                        <Show
                            when=move || !refused.get()
                            fallback=move || view! { <Button label=W::AskRecordRefusal t="record-refusal" kind=Kind::Main big=true icon=icon::PEN busy on_press=send /> }
                        >
                            <p class="small quiet grow" data-t="still-missing">
                                {move || missing.with(|list| (!list.is_empty()).then(|| say_with(W::AskMissing, &[list])))}
                            </p>
                            <Button
                                label=W::AskSend
                                t="send-ask"
                                kind=Kind::Main
                                big=true
                                icon=icon::SEND
                                busy
                                off=Signal::derive(move || missing.with(|list| !list.is_empty()))
                                on_press=send
                            />
                        </Show>
                    </div>
                </div>
                <Show when=move || !refused.get()>
                    <Card title=W::AskPreview t="preview">
                        {move || match note.get() {
                            None => view! { <Skeleton lines=5 /> }.into_any(),
                            Some(note) => {
                                let question = note.question.0.clone();
                                view! {
                                    <div class="stack">
                                        {(!question.is_empty()).then(|| view! { <p class="question" dir="auto">{question}</p> })}
                                        <NotePage note />
                                    </div>
                                }
                                .into_any()
                            }
                        }}
                    </Card>
                </Show>
            </div>
        </div>
    }
}

/// The fields of the question. Cheap to copy.
#[derive(Clone, Copy)]
struct Question {
    specialty: RwSignal<String>,
    urgency: RwSignal<String>,
    question: RwSignal<String>,
    to: RwSignal<Option<String>>,
    /// In the order of [`words::WISHES`].
    wishes: [RwSignal<bool>; 3],
}

impl Question {
    fn new() -> Self {
        Question {
            specialty: RwSignal::new(String::new()),
            urgency: RwSignal::new("routine".to_owned()),
            question: RwSignal::new(String::new()),
            to: RwSignal::new(None),
            wishes: [false; 3].map(RwSignal::new),
        }
    }

    /// As it was left.
    fn restore(&self, form: AskForm) {
        for (code, on) in words::WISHES.iter().zip(self.wishes) {
            on.try_set(form.wishes.iter().any(|wish| wish == code.0));
        }
        let urgency = match form.urgency {
            Urgency::Emergency => "emergency",
            Urgency::Urgent => "urgent",
            Urgency::Routine => "routine",
        };
        self.urgency.try_set(urgency.to_owned());
        self.question.try_set(form.question.0);
        self.specialty.try_set(form.specialty);
        self.to.try_set(form.to_person);
    }

    fn urgency(&self) -> Urgency {
        match self.urgency.get().as_str() {
            "emergency" => Urgency::Emergency,
            "urgent" => Urgency::Urgent,
            _ => Urgency::Routine,
        }
    }

    fn form(&self) -> AskForm {
        AskForm {
            specialty: self.specialty.get(),
            urgency: self.urgency(),
            question: self.question.get().trim().to_owned().into(),
            to_person: self.to.get(),
            wishes: words::WISHES
                .iter()
                .zip(self.wishes)
                .filter(|(_, on)| on.get())
                .map(|((code, _), _)| (*code).to_owned())
                .collect(),
        }
    }
}

/// What the visit already says: whose record, a child's guardian, danger signs that make it an emergency.
fn prepare(view: &VisitView, consent: Consent, fields: Question, session: crate::session::Session) {
    session.open(view.card.clone(), None);
    if !view.form.danger.signs.is_empty() {
        fields.urgency.try_set("emergency".to_owned());
    }
    if view.card.age.is_some_and(|age| age.months_high < 18 * 12) {
        consent.of_child();
    }
}

/// Draws the page that will be sent, again whenever what is asked changes.
fn preview(visit: StoredValue<String>, fields: Question, note: RwSignal<Option<Note>>) {
    let round = StoredValue::new(0_u32);
    Effect::new(move |before: Option<()>| {
        let ask = fields.form();
        round.update_value(|n| *n += 1);
        let this = round.get_value();
        let show = move || {
            if round.try_get_value() != Some(this) {
                return;
            }
            spawn_local(async move {
                let Some(visit) = visit.try_get_value() else { return };
                let answer = ipc::call(PreviewNote { visit, ask }).await;
                if let (Ok(page), Some(now)) = (answer, round.try_get_value())
                    && now == this
                {
                    note.try_set(Some(page));
                }
            });
        };
        dom::after(if before.is_some() { PREVIEW_MS } else { 0 }, show);
    });
}

#[component]
fn QuestionPart(fields: Question, roster: RwSignal<Option<Roster>>) -> impl IntoView {
    view! {
        <div class="stack">
            <Choice
                label=W::AskUrgency
                t="urgency"
                value=fields.urgency
                even=true
                options=vec![
                    Opt::new("emergency", W::Emergency),
                    Opt::new("urgent", W::Urgent),
                    Opt::new("routine", W::Routine),
                ]
            />
            <p class="small" data-t="promise" aria-live="polite">{move || say(words::promise(fields.urgency()))}</p>
            <Field
                label=W::AskQuestion
                t="question"
                value=fields.question
                hint=W::AskQuestionHint
                max=300
            />
            <Specialty roster value=fields.specialty chosen=fields.to />
            <ToWhom roster specialty=fields.specialty chosen=fields.to />
            <fieldset class="f">
                <legend class="label">{t(W::AskWishes)}</legend>
                <div>
                {words::WISHES
                    .into_iter()
                    .zip(["wish-woman-specialist", "wish-camera-off", "wish-chaperone"])
                    .zip(fields.wishes)
                    .map(|(((_, label), t), value)| view! { <Check label t value /> })
                    .collect_view()}
                </div>
            </fieldset>
        </div>
    }
    .into_any()
}
