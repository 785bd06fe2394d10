use leptos::prelude::*;

use super::gate;
use super::shape::Title;
use crate::parts::{Banner, Button, Tone};
use crate::prefs::t;
use crate::{W, icon};

/// A vault that cannot be opened: what happened, that nothing was touched, whom to call.
#[component]
pub fn BrokenPage(code: String, folder: String) -> impl IntoView {
    let (title, body, what_to_do) = match code.as_str() {
        "vault-newer" => (W::NewerTitle, W::NewerBody, W::NewerDo),
        "vault-in-use" => (W::InUseTitle, W::InUseBody, W::InUseDo),
        _ => (W::DamagedTitle, W::DamagedBody, W::DamagedDo),
    };
    view! {
        <div class="stack" style="--gap:20px">
            <Title title=title body=body />
            <Banner title=what_to_do tone=Tone::Look code=code t="what-to-do" />
            <div class="sheet stack" style="--gap:4px">
                <p class="small quiet">{t(W::Folder)}</p>
                <p class="strong"><span class="ltr" data-t="folder">{folder}</span></p>
            </div>
            <Button label=W::TryAgain t="try-again" icon=icon::REFRESH on_press=move || gate().refresh() />
        </div>
    }
}
