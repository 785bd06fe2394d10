use std::sync::Arc;

use leptos::prelude::*;

use super::{Button, Kind};
use crate::{Text, W, dom, icon};

#[derive(Clone)]
struct Toast {
    id: u32,
    text: Text,
    undo: Option<Undo>,
}

/// Not a `Callback`, which would go with the page that it was made on: the message stays longer.
type Undo = Arc<dyn Fn() + Send + Sync>;

thread_local! {
    static TOASTS: ArcRwSignal<Vec<Toast>> = ArcRwSignal::new(Vec::new());
    static NEXT: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// How long a message stays; one that can be undone stays longer.
const SHOWN_MS: i32 = 5_000;
const UNDO_MS: i32 = 10_000;

/// Says in passing that something was done.
pub fn toast(text: impl Into<Text>) {
    show(text.into(), None);
}

/// The same, with a way back.
pub fn toast_with_undo(text: impl Into<Text>, undo: impl Fn() + Send + Sync + 'static) {
    show(text.into(), Some(Arc::new(undo)));
}

fn show(text: Text, undo: Option<Undo>) {
    let id = NEXT.with(|next| {
        next.set(next.get() + 1);
        next.get()
    });
    let ms = if undo.is_some() { UNDO_MS } else { SHOWN_MS };
    TOASTS.with(|all| all.update(|all| all.push(Toast { id, text, undo })));
    dom::after(ms, move || close(id));
}

fn close(id: u32) {
    TOASTS.with(|all| all.update(|all| all.retain(|toast| toast.id != id)));
}

/// Where they appear: once, in the frame.
#[component]
pub fn Toasts() -> impl IntoView {
    let all = TOASTS.with(ArcRwSignal::clone);
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For
                each=move || all.get()
                key=|toast| toast.id
                children=|toast| {
                    let id = toast.id;
                    view! {
                        <div class="toast" data-t="toast">
                            <span class="grow">{toast.text.view()}</span>
                            {toast
                                .undo
                                .map(|undo| {
                                    view! {
                                        <Button
                                            label=W::Undo
                                            t="undo"
                                            kind=Kind::Plain
                                            icon=icon::UNDO
                                            on_press=move || {
                                                close(id);
                                                undo();
                                            }
                                        />
                                    }
                                })}
                            <Button
                                label=W::Close
                                t="toast-close"
                                kind=Kind::Plain
                                icon=icon::CLOSE
                                icon_only=true
                                on_press=move || close(id)
                            />
                        </div>
                    }
                }
            />
        </div>
    }
    .into_any()
}
