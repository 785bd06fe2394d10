use leptos::prelude::*;

use crate::parts::{Empty, Kind, LinkButton};
use crate::router::Route;
use crate::{W, icon};

/// An address that has no page in this build.
#[component]
pub fn Elsewhere() -> impl IntoView {
    view! {
        <div class="page">
            <h1 class="sr">{crate::prefs::t(W::PageElsewhere)}</h1>
            <Empty icon=icon::DOCUMENT title=W::PageElsewhere body=W::PageElsewhereBody>
                <LinkButton label=W::Today t="to-today" kind=Kind::Main href=Route::Today.href() />
            </Empty>
        </div>
    }
}
