//! Another passphrase or PIN for who is at work, while the vault is open. The passphrase of now is asked for both.

use rabta_domain::Private;
use rabta_ipc::Error;
use rabta_ipc::gate::{ChangePassphrase, ChangePin};

use super::ask::ask;
use super::el::El;
use super::enter;
use super::new_secrets::Twice;
use super::parts::{Slot, banner, form, para, quiet, stack, title};
use super::unlock::Entry;
use crate::W;
use crate::errors::Tone;

/// `pin`: the PIN; else the passphrase.
pub fn page(pin: bool) -> El {
    let asked = Slot::new();
    let word = if pin { W::SecretsPin } else { W::SecretsPass };
    let page =
        stack(20)
            .child(&title(word, None))
            .child(asked.place())
            .child(&quiet("back", W::SwitchBack, || enter(true)));
    asked.put(Some(fields(pin, &asked)));
    page
}

fn fields(pin: bool, asked: &Slot) -> El {
    let word = if pin { W::SecretsPin } else { W::SecretsPass };
    let entry = Entry::old_passphrase("change-secret", word.into());
    let twice = if pin { Twice::pin() } else { Twice::passphrase("") };
    let page = {
        let (entry, twice, asked) = (entry.clone(), twice.clone(), asked.clone());
        form(16, move || {
            let Some(passphrase) = entry.ready(1) else { return };
            let Some(new) = twice.take().map(Private) else { return };
            let (own, asked) = (entry.clone(), asked.clone());
            let answered = move |answer: Result<(), Error>| match answer {
                Ok(()) => {
                    let done = if pin { W::SecretsPinDone } else { W::SecretsPassDone };
                    asked.put(Some(banner(Tone::Info, "secret-changed", done, None, None)));
                }
                Err(problem) => {
                    if let Some(problem) = own.refused(problem) {
                        own.error.error(&problem);
                    }
                }
            };
            if pin {
                ask(&entry.button, ChangePin { passphrase, pin: new }, answered);
            } else {
                ask(&entry.button, ChangePassphrase { passphrase, new }, answered);
            }
        })
    };
    let page = page.child(&entry.field.frame).child(entry.pause.place());
    let page = if pin { page.child(&para("small quiet", W::PinBody)) } else { page };
    twice.onto(page).child(entry.error.place()).child(&entry.button.el)
}
