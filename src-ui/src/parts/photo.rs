use leptos::prelude::*;

use super::Draw;
use crate::{Text, W, icon};

/// A photo in small. An intimate one is blurred until somebody taps it, and again when they tap once more.
#[component]
pub fn PhotoThumb(
    /// A `blob:` or `data:` address.
    #[prop(into)]
    src: String,
    #[prop(into)] caption: Text,
    #[prop(optional)] intimate: bool,
    /// Tapped while visible: open it large.
    #[prop(optional, into)]
    on_open: Option<Callback<()>>,
) -> impl IntoView {
    let hidden = RwSignal::new(intimate);
    view! {
        <button
            type="button"
            class="photo"
            class:hid=hidden
            data-t="photo"
            on:click=move |_| {
                if intimate && hidden.get_untracked() {
                    hidden.set(false);
                } else if let Some(open) = on_open {
                    open.run(());
                } else if intimate {
                    hidden.set(true);
                }
            }
        >
            <img src=src alt=caption.view() />
            <Show when=move || hidden.get()>
                <span class="cover"><Draw icon=icon::EYE_OFF />{crate::prefs::t(W::TapToSee)}</span>
            </Show>
        </button>
    }
    .into_any()
}
