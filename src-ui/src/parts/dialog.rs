use leptos::html;
use leptos::prelude::*;

use super::{Button, Kind};
use crate::{Text, W, icon};

/// A question that stops the work until it is answered. The browser keeps the keyboard inside; Esc closes; the
/// element that had the keyboard gets it back.
#[component]
pub fn Dialog(
    #[prop(into)] title: Text,
    open: RwSignal<bool>,
    #[prop(default = "dialog")] t: &'static str,
    children: ChildrenFn,
    /// The answers, the main one last.
    #[prop(into)]
    foot: ViewFn,
    /// Closed without an answer.
    #[prop(optional, into)]
    on_close: Option<Callback<()>>,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        if open.get() {
            if !dialog.open() {
                let _ = dialog.show_modal();
            }
        } else if dialog.open() {
            dialog.close();
        }
    });
    let children = StoredValue::new(children);
    let foot = StoredValue::new(foot);
    view! {
        <dialog
            class="d"
            node_ref=node
            autofocus=true
            tabindex="-1"
            data-t=t
            on:close=move |_| {
                if open.get_untracked() {
                    open.set(false);
                    if let Some(call) = on_close {
                        call.run(());
                    }
                }
            }
        >
            <Show when=move || open.get()>
                <div class="head">
                    <h2>{title.clone().view()}</h2>
                    <Button
                        label=W::Close
                        t="dialog-close"
                        kind=Kind::Plain
                        icon=icon::CLOSE
                        icon_only=true
                        on_press=move || {
                            open.set(false);
                            if let Some(call) = on_close {
                                call.run(());
                            }
                        }
                    />
                </div>
                <div class="body">{children.with_value(|children| children())}</div>
                <div class="foot">{foot.with_value(|foot| foot.run())}</div>
            </Show>
        </dialog>
    }
    .into_any()
}
