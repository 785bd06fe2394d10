//! The prescription: which paper, which language; the PDF is written into the documents folder and opened from there.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::Error;
use rabta_ipc::gate::Lang as PrintLang;
use rabta_ipc::visit::{Paper, PrintMedicineSheet, PrintPrescription};

use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Card, Choice, Kind, Opt, Tone};
use crate::prefs::{lang, t};
use crate::words::Lang;
use crate::{W, dom, icon, ipc};

/// Where the window keeps which paper and language were used last.
const PAPER: &str = "rabta.paper";
const LANGUAGE: &str = "rabta.paper.lang";

/// Below the page, once it was asked for. `at_once`: prints the prescription by itself, as the last one was.
#[component]
pub fn Prescription(
    visit: String,
    #[prop(into)] draft: Signal<bool>,
    #[prop(optional)] at_once: bool,
) -> impl IntoView {
    let visit = StoredValue::new(visit);
    let paper = RwSignal::new(dom::stored(PAPER).unwrap_or_else(|| "a5".to_owned()));
    let here = if untrack(lang) == Lang::Ur { "ur" } else { "en" };
    let language = RwSignal::new(dom::stored(LANGUAGE).unwrap_or_else(|| here.to_owned()));
    let file = RwSignal::new(None::<String>);
    let error = RwSignal::new(None::<Error>);
    let busy = RwSignal::new(false);
    let print = move |pictures: bool| {
        dom::store(PAPER, &paper.get_untracked());
        dom::store(LANGUAGE, &language.get_untracked());
        let paper = match paper.get_untracked().as_str() {
            "a4" => Paper::A4,
            "roll" => Paper::Roll,
            _ => Paper::A5,
        };
        let lang = if language.get_untracked() == "ur" { PrintLang::Ur } else { PrintLang::En };
        busy.set(true);
        error.set(None);
        file.set(None);
        spawn_local(async move {
            let visit = visit.get_value();
            let answer = match pictures {
                true => ipc::call(PrintMedicineSheet { visit, paper, lang }).await,
                false => ipc::call(PrintPrescription { visit, paper, lang }).await,
            };
            busy.try_set(false);
            match answer {
                Ok(printed) => {
                    file.try_set(Some(printed.file));
                    dom::after(30, || dom::reveal("[data-t=printed-file]"));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    if at_once {
        print(false);
    }
    view! {
        <Card title=W::PagePrescription t="prescription-panel">
            <div class="stack">
                {move || draft.get().then(|| view! { <Banner title=W::PageDraftNote tone=Tone::Look t="draft-note" /> })}
                <div class="grid-2">
                    <Choice
                        label=W::PagePaper
                        t="paper"
                        value=paper
                        options=vec![Opt::new("a5", "A5"), Opt::new("a4", "A4"), Opt::new("roll", W::PaperRoll)]
                    />
                    <Choice
                        label=W::Language
                        t="print-lang"
                        value=language
                        options=vec![Opt::new("ur", W::LanguageUrdu), Opt::new("en", W::LanguageEnglish)]
                    />
                </div>
                <div class="row">
                    <Button label=W::PagePrint t="print" kind=Kind::Main icon=icon::PRINT busy on_press=move || print(false) />
                    <Button label=W::PagePictures t="print-pictures" icon=icon::SUN busy on_press=move || print(true) />
                </div>
                <MaybeError error />
                {move || {
                    file.get()
                        .map(|file| {
                            view! {
                                <div>
                                    <p class="small">{t(W::PagePrinted)}</p>
                                    <p class="strong"><span class="ltr" data-t="printed-file">{file}</span></p>
                                </div>
                            }
                        })
                }}
            </div>
        </Card>
    }
    .into_any()
}
