//! The ask that is open: asked of the shell once, and again whenever any ask changes. What did not change is not
//! drawn anew, so that nothing that is being typed or looked at goes away.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::ask::State;
use rabta_ipc::Error;
use rabta_ipc::ask::{AskView, OpenAsk};

use crate::ipc;
use crate::parts::{Card, Skeleton};
use crate::session::{Session, session};

/// Shared by all parts of a page about one ask. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Open {
    id: StoredValue<String>,
    session: Session,
    pub view: RwSignal<Option<AskView>>,
    pub error: RwSignal<Option<Error>>,
    /// When the view came, by this window's clock in milliseconds: waiting goes on from there.
    pub came: RwSignal<f64>,
}

/// In place of a page whose ask is still to come; where it does not come the error stands above.
#[component]
pub fn Coming(open: Open) -> impl IntoView {
    move || open.error.with(Option::is_none).then(|| view! { <Card><Skeleton lines=5 /></Card> })
}

/// Whether this person may answer it now.
pub fn writes(view: &AskView) -> bool {
    view.mine_to_answer && view.moves.contains(&State::Answered)
}

impl Open {
    /// Opens it: for the specialist this sends the signed receipt, once.
    pub fn new(id: String) -> Self {
        let session = session();
        let open = Open {
            id: StoredValue::new(id),
            session,
            view: RwSignal::new(None),
            error: RwSignal::new(None),
            came: RwSignal::new(0.0),
        };
        Effect::new(move |_| {
            session.asks_changed.track();
            open.fetch();
        });
        Effect::new(move |_| {
            if let Some(card) = open.part(|view| view.row.card.clone()).get() {
                session.open(card, None);
            }
        });
        open
    }

    pub fn id(&self) -> String {
        self.id.get_value()
    }

    /// Asks the shell again.
    pub fn fetch(&self) {
        let open = *self;
        let Some(id) = self.id.try_get_value() else { return };
        spawn_local(async move { open.take(ipc::call(OpenAsk { id }).await) });
    }

    /// An answer of the shell, to whichever question: the newest view, or what went wrong.
    pub fn take(&self, answer: Result<AskView, Error>) {
        match answer {
            Ok(view) => {
                self.error.try_set(None);
                self.came.try_set(crate::dom::now_ms());
                self.view.try_set(Some(view));
            }
            Err(error) => {
                let gone = matches!(error.code.as_str(), "consent-withdrawn" | "not-found");
                self.error.try_set(Some(error));
                // Not ours to read any more, also where it stands open.
                if gone && self.view.try_set(None).is_none() {
                    self.session.close();
                }
            }
        }
    }

    /// A part of the view that tells only of its own changes; `None` until the view is there.
    pub fn part<T: Clone + PartialEq + Send + Sync + 'static>(
        &self,
        part: fn(&AskView) -> T,
    ) -> Memo<Option<T>> {
        let view = self.view;
        Memo::new(move |_| view.with(|view| view.as_ref().map(part)))
    }

    /// Seconds that it waits now, ticking with `ticks`.
    pub fn waiting(&self, ticks: RwSignal<i64>) -> i64 {
        ticks.track();
        let since = ((crate::dom::now_ms() - self.came.get()) / 1000.0) as i64;
        self.view.with(|view| {
            view.as_ref().map_or(0, |view| {
                let runs = view.row.state.waits_for_specialist();
                view.row.waiting_seconds + if runs { since.max(0) } else { 0 }
            })
        })
    }
}
