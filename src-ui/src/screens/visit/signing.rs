//! The signature: what it means before, what it is after.

use leptos::prelude::*;
use rabta_domain::patient::Custody;
use rabta_ipc::visit::SignedBy;

use crate::parts::{Card, Tag, Tint};
use crate::prefs::{say, say_with, t};
use crate::{Text, W, dom, format, icon};

/// Who signed, when, over which bytes, and whether it holds.
#[component]
pub fn Signed(by: SignedBy, custody: Custody) -> impl IntoView {
    let (word, tint) = format::custody(custody);
    let (name, role) = (by.name, by.role);
    let (verified, fingerprint, at) = (by.verified, by.fingerprint, by.at);
    let who = move || say_with(W::PageSignedBy, &[&name]);
    let mark = if verified {
        view! { <Tag label=W::PageVerified tint=Tint::Teal icon=icon::CIRCLE_CHECK t="verified" /> }
            .into_any()
    } else {
        view! { <Tag label=W::PageNotVerified tint=Tint::SolidRed icon=icon::STOP t="not-verified" /> }
            .into_any()
    };
    view! {
        <Card t="signature">
            <div class="stack" style="--gap:6px">
                <p class="strong" data-t="signed-by"><bdi>{who}</bdi></p>
                <p class="small quiet">
                    {move || format::role(&role)}
                    {by.registration.map(|number| view! { " \u{00B7} " <span class="ltr">{number}</span> })}
                    " \u{00B7} "
                    {move || moment(at)}
                </p>
                <div class="row">
                    {mark}
                    <Tag label=word tint t="custody" />
                    <span class="small quiet" data-t="fingerprint">
                        {move || say_with(W::PageFingerprint, &[&fingerprint])}
                    </span>
                </div>
            </div>
        </Card>
    }
    .into_any()
}

/// Before: one line.
#[component]
pub fn Meaning() -> impl IntoView {
    view! { <p class="small quiet" data-t="sign-means">{t(W::PageSignMeans)}</p> }
}

/// Day and time by the laptop's clock.
fn moment(at: i64) -> String {
    let (iso, time) = dom::local_moment(at as f64);
    let day = format::day(&iso);
    if day == say(W::TodayDay) { format!("{day} {time}") } else { format!("{day}, {time}") }
}

/// A title by what the page is.
pub fn title(signed: bool, replaced: bool) -> Text {
    match (signed, replaced) {
        (false, _) => W::PageCheckTitle.into(),
        (true, false) => W::PageSignedTitle.into(),
        (true, true) => W::PageReplacedTitle.into(),
    }
}
