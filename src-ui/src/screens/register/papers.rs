use leptos::prelude::*;

use super::form::{Form, is_cnic_like};
use crate::parts::{Check, Field, Pick};
use crate::prefs::say;
use crate::{Text, W};

const KINDS: [(&str, W); 10] = [
    ("cnic", W::PaperCnic),
    ("b-form", W::PaperBForm),
    ("nicop", W::PaperNicop),
    ("poc", W::PaperPoc),
    ("por", W::PaperPor),
    ("acc", W::PaperAcc),
    ("passport", W::PaperPassport),
    ("old-nic", W::PaperOldNic),
    ("none", W::PaperNone),
    ("unconscious", W::PaperUnconscious),
];

/// The kind of paper, in words.
pub fn paper_word(kind: &str) -> W {
    KINDS.iter().find(|known| known.0 == kind).map_or(W::PaperNumber, |known| known.1)
}

/// The paper that the patient has, if any, and how sure we are of its number.
#[component]
pub fn Papers() -> impl IntoView {
    let form = expect_context::<Form>();
    let has =
        Memo::new(move |_| form.paper_kind.with(|kind| !matches!(kind.as_str(), "none" | "unconscious")));
    let label = Text::live(move || {
        say(if form.paper_kind.get() == "cnic" { W::CnicNumber } else { W::PaperNumber }).to_owned()
    });
    let hint = Text::live(move || {
        if is_cnic_like(&form.paper_kind.get()) { say(W::CnicHint).to_owned() } else { String::new() }
    });
    view! {
        <div class="stack" style="--gap:12px">
            <div class="grid-2">
                <Pick
                    label=W::PaperKind
                    t="paper-kind"
                    value=form.paper_kind
                    options=KINDS.into_iter().map(|(code, word)| (code, Text::from(word))).collect()
                />
                <Show when=move || has.get()>
                    <Field
                        label=label.clone()
                        t="paper-number"
                        value=form.paper_number
                        ltr=true
                        hint=hint.clone()
                        max=40
                        error=form.error("paper-number")
                        warning=form.cnic_warning()
                    />
                </Show>
            </div>
            <Show when=move || has.get() && form.paper_number.with(|n| !n.trim().is_empty())>
                <Check label=W::PaperSeen t="paper-seen" value=form.paper_seen />
                <Show when=move || form.paper_kind.with(|kind| matches!(kind.as_str(), "por" | "acc" | "passport" | "nicop" | "poc"))>
                    <div class="grid-2">
                        <Field label=W::PaperIssuer t="paper-issuer" value=form.paper_issuer optional_word=true />
                        <Field
                            label=W::PaperExpires
                            t="paper-expires"
                            value=form.paper_expires
                            ltr=true
                            hint=W::DateHint
                            optional_word=true
                            error=form.error("paper-expires")
                        />
                    </div>
                </Show>
            </Show>
        </div>
    }
}
