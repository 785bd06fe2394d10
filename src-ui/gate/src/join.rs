//! The first start, page by page: language, code, whom it is for; then a passphrase, a PIN, and joining. Somebody who
//! joins an open vault goes the same way from the code on.

use std::rc::Rc;

use rabta_ipc::gate::CheckCode;

use super::ask::ask;
use super::code::{SHORTEST, clean, from_message};
use super::el::{El, el};
use super::field::{Field, code_area};
use super::parts::{Slot, button, face, form, para, quiet, role, send, stack, title};
use super::say::{Say, change_lang};
use super::training::practice;
use super::{ME, Step, gate, leave};
use crate::W;
use crate::words::Lang;

pub fn language() -> El {
    let pick = |t: &str, lang: Lang, inside: &str| {
        el("button")
            .attr("type", "button")
            .class("b")
            .t(t)
            .attr("lang", lang.code())
            .attr("dir", lang.dir())
            .markup(inside)
            .on("click", move |_| {
                change_lang(lang);
                gate().go(Step::Code);
            })
    };
    let heading = el("div").class("title").markup(
        "<h1><span lang=\"en\">Choose a language</span></h1>\
         <h1 lang=\"ur\" dir=\"rtl\" style=\"font-family:Nastaliq,Naskh,serif;font-weight:400;line-height:2\">زبان چنیں</h1>",
    );
    let choices = el("div")
        .class("pick")
        .child(&pick("lang-en", Lang::En, "<span>English</span><small>Left to right</small>"))
        .child(&pick("lang-ur", Lang::Ur, "<span class=\"ur\">اردو</span><small>دائیں سے بائیں</small>"));
    stack(24).child(&heading).child(&choices).child(&para("quiet", W::LanguageHint)).child(&practice())
}

pub fn code() -> El {
    let adding = gate().adding.get();
    let field = code_area(W::CodeLabel, "code", W::CodeHint);
    field.set(&gate().code.borrow());
    length(&field);
    let error = Slot::new();
    let button = send("check-code", W::CodeCheck, None);
    let check: Rc<dyn Fn()> = {
        let (field, error, button) = (field.clone(), error.clone(), button.clone());
        Rc::new(move || {
            let code = gate().code.borrow().clone();
            if clean(&code).is_empty() || button.is_busy() {
                return field.focus();
            }
            error.clear();
            let error = error.clone();
            ask(&button, CheckCode { code }, move |answer| match answer {
                Ok(invitation) => {
                    *gate().invitation.borrow_mut() = Some(invitation);
                    gate().go(Step::Confirm);
                }
                Err(problem) => error.error(&problem),
            });
        })
    };
    let (typed, said, entered) = (field.clone(), error.clone(), check.clone());
    let field = field
        .on_input(move || {
            *gate().code.borrow_mut() = typed.regroup(5, from_message);
            said.clear();
            length(&typed);
        })
        .on_enter(move || entered());
    field.focus_soon();
    let (heading, body) = if adding { (W::AddTitle, W::AddBody) } else { (W::CodeTitle, W::CodeBody) };
    let page = form(20, move || check())
        .child(&title(heading, Some(body.into())))
        .child(&field.frame)
        .child(error.place())
        .child(&button.el);
    if adding {
        page.child(&quiet("back", W::SwitchBack, || leave(ME)))
    } else {
        page.child(&quiet("restore", W::RestoreOpen, || gate().go(Step::Restore))).child(&practice())
    }
}

/// Below the code: what it is, or how much of it is there.
fn length(field: &Field) {
    match clean(&gate().code.borrow()).len() {
        n if n > 0 && n < SHORTEST => field.note(Say::one(W::CodeShort, &n.to_string())),
        _ => field.note(W::CodeHint.into()),
    }
}

pub fn confirm() -> El {
    let page = stack(20).child(&title(W::ConfirmTitle, Some(W::ConfirmBody.into())));
    let page = match gate().invitation.borrow().as_ref() {
        Some(invited) => {
            let name = el("div")
                .class("grow")
                .child(&el("h2").child(&el("bdi").t("invited-name").text(&invited.name)))
                .child(&para("quiet", role(&invited.role)));
            let line = |facts: El, word: W, t: &str, value: Option<&str>| match value {
                Some(value) if !value.is_empty() => {
                    facts.child(&el("dt").say(word)).child(&el("dd").child(&el("bdi").t(t).text(value)))
                }
                _ => facts,
            };
            let facts = el("dl").class("facts");
            let facts = line(facts, W::Registration, "invited-registration", invited.registration.as_deref());
            let facts =
                line(facts, W::Qualification, "invited-qualification", invited.qualification.as_deref());
            let facts = line(facts, W::Specialty, "invited-specialty", invited.specialty.as_deref());
            let facts = line(facts, W::Facility, "invited-facility", Some(&invited.facility));
            let facts = line(facts, W::HieAddress, "invited-hie", Some(&invited.hie));
            let who = el("div").class("row").gap(16).child(&face(&invited.name)).child(&name);
            let sheet = el("div").class("sheet stack").gap(16).child(&who).child(&el("hr")).child(&facts);
            page.child(&sheet)
        }
        None => page,
    };
    let yes = button("main big wide", "confirm", W::ConfirmYes, None).press(|| gate().go(Step::Passphrase));
    let no = quiet("other-code", W::ConfirmNo, || {
        gate().code.take();
        gate().go(Step::Code);
    });
    page.child(&para("small quiet", W::ConfirmWrong)).child(&yes.el).child(&no)
}
