use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::advice::Decision;
use rabta_domain::medicine::MedicineLine;
use rabta_ipc::Error;
use rabta_ipc::ask::Decide;

use super::line::{LineEditor, LineWords};
use super::open::Open;
use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Field, Kind, Tag, Tint, toast};
use crate::prefs::{say_with, t};
use crate::{W, icon, ipc};

/// What is being decided on one line.
#[derive(Clone, Copy)]
struct Choosing {
    line: StoredValue<MedicineLine>,
    /// accept, change, decline; empty until pressed.
    what: RwSignal<&'static str>,
    to: RwSignal<MedicineLine>,
    reason: RwSignal<String>,
}

impl Choosing {
    fn new(line: MedicineLine) -> Self {
        Choosing {
            what: RwSignal::new(""),
            to: RwSignal::new(line.clone()),
            reason: RwSignal::new(String::new()),
            line: StoredValue::new(line),
        }
    }

    /// The decision, where it is complete (tracked).
    fn decision(&self) -> Option<Decision> {
        let line = self.line.with_value(|line| line.id.clone());
        let reason = self.reason.get().trim().to_owned();
        match self.what.get() {
            "accept" => Some(Decision::Accepted { line }),
            "change" if !reason.is_empty() => {
                Some(Decision::Changed { line, to: Box::new(self.to.get()), reason })
            }
            "decline" if !reason.is_empty() => Some(Decision::Declined { line, reason }),
            _ => None,
        }
    }
}

/// Each proposed medicine: accepted, changed or declined by the doctor who prescribes. Once signed it says what was
/// decided, and can be decided anew.
#[component]
pub fn Decisions(open: Open, lines: Vec<MedicineLine>) -> impl IntoView {
    let made = open.part(|view| view.decisions.clone());
    let anew = RwSignal::new(false);
    let proposed = StoredValue::new(lines);
    let decides = open.part(|view| (view.may_decide, view.orders));
    let prescribes = move || decides.get().is_some_and(|(may_decide, _)| may_decide);
    let orders = move || decides.get().is_some_and(|(_, orders)| orders);
    move || {
        let decided = made.get().unwrap_or_default();
        let about_these =
            proposed.with_value(|all| all.iter().all(|line| decided.iter().any(|d| d.line() == line.id)));
        if !prescribes() || (about_these && !decided.is_empty() && !anew.get()) {
            let rows =
                proposed.get_value().into_iter().map(|line| decided_line(line, &decided)).collect_view();
            return view! {
                <section class="part" data-t="decided">
                    <h3>{t(W::Medicines)}</h3>
                    {(!prescribes()).then(|| {
                        let (title, body) = match orders() {
                            true => (W::DecideOrdered, W::DecideOrderedBody),
                            false => (W::DecideOther, W::DecideOtherBody),
                        };
                        view! { <Banner title body t="not-deciding" /> }
                    })}
                    <ul>{rows}</ul>
                    <Show when=prescribes>
                        <div class="row end"><Button label=W::DecideAgain t="decide-again" kind=Kind::Plain icon=icon::UNDO on_press=move || anew.set(true) /></div>
                    </Show>
                </section>
            }
            .into_any();
        }
        view! { <Deciding open lines=proposed.get_value() anew /> }.into_any()
    }
}

fn decided_line(line: MedicineLine, decided: &[Decision]) -> AnyView {
    let found = decided.iter().find(|decision| decision.line() == line.id).cloned();
    let id = line.id.clone();
    let (tag, reason, shown) = match found {
        None => (None, String::new(), line),
        Some(Decision::Accepted { .. }) => {
            (Some((W::DecidedAccepted, Tint::Teal, "accepted")), String::new(), line)
        }
        Some(Decision::Changed { to, reason, .. }) => {
            (Some((W::DecidedChanged, Tint::Amber, "changed")), reason, *to)
        }
        Some(Decision::Declined { reason, .. }) => {
            (Some((W::DecidedDeclined, Tint::Grey, "declined")), reason, line)
        }
    };
    view! {
        <li class="picked" data-t="advice-line" data-id=id data-decision=tag.map(|tag| tag.2)>
            <LineWords line=shown />
            <span class="row">
                {(!reason.is_empty()).then(|| view! { <bdi class="small quiet">{reason}</bdi> })}
                {tag.map(|(word, tint, _)| view! { <Tag label=word tint t="decision" /> })}
            </span>
        </li>
    }
    .into_any()
}

#[component]
fn Deciding(open: Open, lines: Vec<MedicineLine>, anew: RwSignal<bool>) -> impl IntoView {
    let all = StoredValue::new(lines.into_iter().map(Choosing::new).collect::<Vec<_>>());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Error>);
    let left =
        Memo::new(move |_| all.with_value(|all| all.iter().filter(|one| one.decision().is_none()).count()));
    let decide = move |_: ()| {
        let decisions: Vec<Decision> =
            untrack(|| all.with_value(|all| all.iter().filter_map(Choosing::decision).collect()));
        busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(Decide { ask: open.id(), decisions }).await;
            busy.try_set(false);
            match answer {
                Ok(view) => {
                    toast(W::DecideDone);
                    anew.try_set(false);
                    open.take(Ok(view));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let rows = all.with_value(|each| each.iter().map(|one| view! { <Row one=*one all /> }).collect_view());
    view! {
        <section class="part" data-t="deciding">
            <h3>{t(W::DecideTitle)}</h3>
            <p class="small quiet">{t(W::DecideBody)}</p>
            <ul>{rows}</ul>
            <MaybeError error />
            <div class="row end">
                <span class="small quiet">
                    {move || (left.get() > 0).then(|| say_with(W::DecideLeft, &[&left.get().to_string()]))}
                </span>
                <Button
                    label=W::DecideSign
                    t="decide"
                    kind=Kind::Main
                    icon=icon::SIGN
                    busy
                    off=Signal::derive(move || left.get() > 0)
                    on_press=decide
                />
            </div>
        </section>
    }
    .into_any()
}

/// One proposed line with its three answers. Only one line's fields are open at a time.
#[component]
fn Row(one: Choosing, all: StoredValue<Vec<Choosing>>) -> impl IntoView {
    let id = one.line.with_value(|line| line.id.clone());
    let open = RwSignal::new(false);
    let press = move |what: &'static str| {
        one.what.set(what);
        open.set(what != "accept");
        // Fields are known by their names: those of the other lines close.
        all.with_value(|all| {
            for other in all.iter().filter(|other| other.line != one.line) {
                if other.what.get_untracked() != "accept" && other.decision_untracked().is_none() {
                    other.what.set("");
                }
            }
        });
    };
    let answer = move |what: &'static str, word: W, t: &'static str, sign: icon::Icon| {
        view! {
            <span class="pressable" data-on=move || (one.what.get() == what).to_string()>
                <Button label=word t icon=sign on_press=move || press(what) />
            </span>
        }
    };
    let fields = move || {
        let what = one.what.get();
        if what.is_empty() || what == "accept" || !open.get() {
            return None;
        }
        let editor = (what == "change").then(|| {
            view! { <LineEditor line=one.to.get_untracked() on_change=move |to: MedicineLine| one.to.set(to) /> }
        });
        Some(view! {
            <div class="stack" style="--gap:8px">
                {editor}
                <Field label=W::DecideReason t="line-reason" value=one.reason />
            </div>
        })
    };
    view! {
        <li class="picked column" data-t="advice-line" data-id=id data-decision=move || one.what.get()>
            <div class="row apart">
                <LineWords line=one.line.get_value() />
                <div class="row">
                    {answer("accept", W::DecideAccept, "line-accept", icon::CHECK)}
                    {answer("change", W::DecideChange, "line-change", icon::PEN)}
                    {answer("decline", W::DecideDecline, "line-decline", icon::CLOSE)}
                </div>
            </div>
            {fields}
        </li>
    }
    .into_any()
}

impl Choosing {
    fn decision_untracked(&self) -> Option<Decision> {
        untrack(|| self.decision())
    }
}
