//! A vault that cannot be opened, and a shell that does not answer.

use rabta_ipc::Error;

use super::el::{El, el};
use super::gate;
use super::parts::{banner, button, error_banner, ltr, para, stack, title};
use crate::errors::{self, Tone};
use crate::{W, icon};

/// What happened, that nothing was touched, whom to call.
pub fn page(code: &str, folder: &str) -> El {
    let (heading, body, what_to_do) = match code {
        "vault-newer" => (W::NewerTitle, W::NewerBody, W::NewerDo),
        "vault-in-use" => (W::InUseTitle, W::InUseBody, W::InUseDo),
        _ => (W::DamagedTitle, W::DamagedBody, W::DamagedDo),
    };
    let place = el("p").class("strong").child(&ltr(folder).t("folder"));
    stack(20)
        .child(&title(heading, Some(body.into())))
        .child(&banner(Tone::Look, "what-to-do", what_to_do, None, Some(code)))
        .child(&el("div").class("sheet stack").gap(4).child(&para("small quiet", W::Folder)).child(&place))
        .child(&again())
}

pub fn failed(error: &Error) -> El {
    let heading = el("h1").class("sr").say(errors::words_at_the_gate(&error.code).0);
    el("div").class("stack").child(&heading).child(&error_banner(error)).child(&again())
}

fn again() -> El {
    button("", "try-again", W::TryAgain, Some(icon::REFRESH)).press(|| gate().refresh()).el
}
