//! An error of the shell on a page of the app; its words are in [`rabta_ui_base::errors`].

use leptos::prelude::*;
use rabta_ipc::Error;
pub use rabta_ui_base::errors::words;
use rabta_ui_base::errors::{small_print, tone};

use crate::parts::Banner;

/// The banner for an error. `data-t="error"`, its code readable below.
#[component]
pub fn ErrorBanner(error: Error) -> impl IntoView {
    let (title, body) = words(&error.code);
    let code = small_print(&error);
    view! { <Banner title=title body=body tone=tone(&error.code) code=code t="error" /> }
}

/// An error where there may be one.
#[component]
pub fn MaybeError(#[prop(into)] error: Signal<Option<Error>>) -> impl IntoView {
    move || error.get().map(|error| view! { <ErrorBanner error /> })
}
