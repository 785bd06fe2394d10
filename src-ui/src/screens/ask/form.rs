use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::ask::{AskForm, Urgency};
use rabta_ipc::Error;
use rabta_ipc::ask::{GetRoster, Note, PreviewNote, Roster, SendAsk};
use rabta_ipc::visit::{GetVisit, VisitView};

use super::consent::{Consent, ConsentPart};
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

    spawn_local(async move {
        match ipc::call(GetVisit { id: visit.get_value() }).await {
            Ok(view) => prepare(&view, consent, fields, session),
            Err(problem) => {
                error.try_set(Some(problem));
            }
        }
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
        spawn_local(async move {
            let refusal = refused.get_untracked();
            let ask = if refusal { refused_question() } else { untrack(|| fields.form()) };
            let send = SendAsk { visit: visit.get_value(), consent: untrack(|| consent.form()), ask };
            let answer = ipc::call(send).await;
            busy.try_set(false);
            match answer {
                Ok(view) => router::go_instead(&Route::Case(view.row.id)),
                // What a recorded refusal is answered with.
                Err(problem) if refusal && problem.code == "consent-missing" => {
                    toast(W::AskRefusalRecorded);
                    router::go_instead(&Route::Visit(visit.get_value()));
                }
                Err(problem) => {
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
    /// woman-specialist, camera-off, chaperone.
    wishes: [RwSignal<bool>; 3],
}

const WISHES: [&str; 3] = ["woman-specialist", "camera-off", "chaperone"];

impl Question {
    fn new() -> Self {
        let fields = Question {
            specialty: RwSignal::new(String::new()),
            urgency: RwSignal::new("routine".to_owned()),
            question: RwSignal::new(String::new()),
            to: RwSignal::new(None),
            wishes: [false; 3].map(RwSignal::new),
        };
        // Somebody of another specialty is not whom one asks.
        Effect::new(move |before: Option<String>| {
            let now = fields.specialty.get();
            if before.is_some_and(|before| before != now) {
                fields.to.set(None);
            }
            now
        });
        fields
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
            wishes: WISHES
                .iter()
                .zip(self.wishes)
                .filter(|(_, on)| on.get())
                .map(|(code, _)| (*code).to_owned())
                .collect(),
        }
    }
}

/// A refusal travels with the same command, which wants a question: nothing of this one is kept.
fn refused_question() -> AskForm {
    AskForm { specialty: words::SPECIALTIES[0].0.to_owned(), question: "-".into(), ..AskForm::default() }
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
            <Specialty roster value=fields.specialty />
            <ToWhom roster specialty=fields.specialty chosen=fields.to />
            <fieldset class="f">
                <legend class="label">{t(W::AskWishes)}</legend>
                <div>
                <Check label=W::AskWishWoman t="wish-woman-specialist" value=fields.wishes[0] />
                <Check label=W::AskWishCamera t="wish-camera-off" value=fields.wishes[1] />
                <Check label=W::AskWishChaperone t="wish-chaperone" value=fields.wishes[2] />
                </div>
            </fieldset>
        </div>
    }
    .into_any()
}
