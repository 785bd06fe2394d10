use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Draw;
use super::field::Frame;
use crate::{Text, W, dom, icon};

/// One answer of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the caller knows it by.
    pub id: String,
    pub text: String,
    /// What tells it from its neighbors.
    pub note: String,
}

/// A search: what was typed, to what was found. Only the answer to the last question is shown.
pub type Search = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Vec<Found>>>> + Send + Sync>;

/// A field that finds while one types. Down and Up move, Enter takes, Esc closes; what was typed is never lost.
/// Answers are `data-t="<t>-option"`.
#[component]
pub fn Combobox(
    #[prop(into)] label: Text,
    t: &'static str,
    /// What is in the box.
    text: RwSignal<String>,
    search: Search,
    /// An answer was taken; the box then holds its text.
    #[prop(into)]
    on_take: Callback<(Found,)>,
    /// Enter on words that are not in the list: free text. Without it Enter does nothing then.
    #[prop(optional, into)]
    on_free: Option<Callback<(String,)>>,
    #[prop(optional, into)] on_input: Option<Callback<()>>,
    #[prop(optional, into)] hint: Option<Text>,
    #[prop(optional, into)] placeholder: Option<Text>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] optional_word: bool,
    /// Searches from this many letters on.
    #[prop(default = 1)]
    from: usize,
    /// Empties the box once something was taken (for lists that grow).
    #[prop(optional)]
    clears: bool,
) -> impl IntoView {
    let found = RwSignal::new(Vec::<Found>::new());
    let open = RwSignal::new(false);
    let at = RwSignal::new(0_usize);
    let round = StoredValue::new(0_u32);
    let searching = RwSignal::new(false);

    let ask = move |typed: String| {
        round.update_value(|n| *n += 1);
        let this = round.get_value();
        if typed.trim().chars().count() < from {
            open.set(false);
            found.set(Vec::new());
            return;
        }
        searching.set(true);
        let answer = search(typed);
        spawn_local(async move {
            let answer = answer.await;
            if round.try_get_value() == Some(this) {
                searching.set(false);
                at.set(0);
                found.set(answer);
                open.set(true);
            }
        });
    };
    let take = move |one: Found| {
        text.set(if clears { String::new() } else { one.text.clone() });
        open.set(false);
        round.update_value(|n| *n += 1);
        on_take.run((one,));
    };
    let step = move |by: isize| {
        let n = found.with_untracked(Vec::len);
        if n > 0 {
            at.update(|i| *i = (*i as isize + by).rem_euclid(n as isize) as usize);
            dom::after(0, move || dom::reveal(&format!("#{t}-list [aria-selected=true]")));
        }
    };
    let key = move |event: KeyboardEvent| match event.key().as_str() {
        "ArrowDown" => {
            event.prevent_default();
            if open.get_untracked() { step(1) } else { open.set(!found.with_untracked(Vec::is_empty)) }
        }
        "ArrowUp" => {
            event.prevent_default();
            step(-1);
        }
        "Enter" => {
            event.prevent_default();
            let one = found.with_untracked(|all| all.get(at.get_untracked()).cloned());
            match (open.get_untracked(), one) {
                (true, Some(one)) => take(one),
                _ => {
                    let typed = text.get_untracked();
                    if let Some(on_free) = on_free
                        && !typed.trim().is_empty()
                    {
                        if clears {
                            text.set(String::new());
                        }
                        open.set(false);
                        round.update_value(|n| *n += 1);
                        on_free.run((typed,));
                    }
                }
            }
        }
        "Escape" if open.get_untracked() => {
            event.stop_propagation();
            open.set(false);
        }
        _ => {}
    };
    view! {
        <Frame label for_id=t hint=hint error optional_word>
            <div class="combo">
                <div class="box">
                    <Draw icon=icon::SEARCH />
                    <input
                        id=t
                        data-t=t
                        class="in"
                        type="text"
                        dir=move || text.with(|text| !text.is_empty()).then_some("auto")
                        role="combobox"
                        autocomplete="off"
                        spellcheck="false"
                        maxlength="300"
                        placeholder=placeholder.map(Text::view)
                        aria-expanded=move || open.get().to_string()
                        aria-controls=format!("{t}-list")
                        aria-autocomplete="list"
                        aria-activedescendant=move || open.get().then(|| format!("{t}-{}", at.get()))
                        prop:value=text
                        on:input=move |event| {
                            let typed = event_target_value(&event);
                            text.set(typed.clone());
                            if let Some(call) = on_input {
                                call.run(());
                            }
                            ask(typed);
                        }
                        on:keydown=key
                        on:blur=move |_| open.set(false)
                    />
                </div>
                <Show when=move || open.get()>
                    <div class="list" role="listbox" id=format!("{t}-list")>
                        {move || {
                            let all = found.get();
                            if all.is_empty() && !searching.get() {
                                return view! { <p class="none">{crate::prefs::t(W::NothingFound)}</p> }.into_any();
                            }
                            all.into_iter()
                                .enumerate()
                                .map(|(i, one)| {
                                    let (words, note) = (one.text.clone(), one.note.clone());
                                    view! {
                                        <div
                                            class="opt"
                                            role="option"
                                            id=format!("{t}-{i}")
                                            data-t=format!("{t}-option")
                                            aria-selected=move || (at.get() == i).to_string()
                                            on:pointerdown=move |event| event.prevent_default()
                                            on:mousemove=move |_| at.set(i)
                                            on:click=move |_| take(one.clone())
                                        >
                                            <bdi>{words}</bdi>
                                            <bdi class="note">{note}</bdi>
                                        </div>
                                    }
                                })
                                .collect_view()
                                .into_any()
                        }}
                    </div>
                </Show>
            </div>
        </Frame>
    }
    .into_any()
}
