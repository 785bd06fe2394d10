use leptos::prelude::*;
pub use rabta_ui_base::errors::Tone;

use super::Draw;
use crate::{Text, icon};

/// What happened, what is safe, what to do; and a code in small print for support.
#[component]
pub fn Banner(
    #[prop(into)] title: Text,
    #[prop(optional)] tone: Tone,
    #[prop(optional, into)] body: Option<Text>,
    #[prop(optional, into)] code: Option<String>,
    #[prop(default = "banner")] t: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let (class, sign, role) = match tone {
        Tone::Info => ("banner info", icon::INFO, "status"),
        Tone::Look => ("banner look", icon::ALERT, "status"),
        Tone::Stop => ("banner stop", icon::STOP, "alert"),
    };
    view! {
        <div class=class role=role data-t=t>
            <Draw icon=sign />
            <div class="grow stack" style="--gap:4px">
                <p class="title">{title.view()}</p>
                {body.map(|body| view! { <p>{body.view()}</p> })}
                {children.map(|children| children())}
                {code.map(|code| view! { <p class="code"><span class="ltr">{code}</span></p> })}
            </div>
        </div>
    }
    .into_any()
}
