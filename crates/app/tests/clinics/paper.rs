//! What a visit leaves on paper: orders by whom, the code that proves them, pictures; and what is ordered again.

#![allow(clippy::unwrap_used)]

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::world::{World, ask, consent, form, one_ask, until};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_app::App;
use rabta_domain::{
    advice::{AdviceForm, Decision},
    ask::{State, Urgency},
    medicine::MedicineLine,
    patient::PatientCard,
    template::{self, Language, Picked, Whom},
};
use rabta_hie::admin::{Reply, Request};
use rabta_ipc::{
    ask::{Decide, GetRoster, OpenAsk, SaveAdvice, SendAsk, SignAdvice},
    gate::Lang,
    sync::GetSync,
    visit::{
        CorrectVisit, FavoriteMedicines, GetTemplates, LastMedicines, MedicineSheet, Paper, PaperVerdict,
        Prescription, SaveVisit, SignVisit, StartVisit, VerifyPaper, VisitView,
    },
};

fn line(generic: &str) -> MedicineLine {
    MedicineLine {
        id: uuid::Uuid::new_v4().to_string(),
        generic: generic.into(),
        form: "tablet".into(),
        strength: "500 mg".into(),
        dose: "1+0+1".into(),
        days: 5,
        ..MedicineLine::default()
    }
}

/// A visit with these medicines; the child was weighed.
async fn written(world: &World, patient: &PatientCard, medicines: &[&str]) -> VisitView {
    let visit = world.visit(&patient.id).await;
    let mut form = visit.form.clone();
    form.medicines = medicines.iter().map(|generic| line(generic)).collect();
    form.vitals =
        serde_json::from_value(serde_json::json!([{ "vital": "weight", "value": "16", "unit": "kg" }]))
            .unwrap();
    let rev = ask(&world.doctor, SaveVisit { id: visit.id.clone(), rev: visit.rev, form: form.clone() })
        .await
        .unwrap()
        .rev;
    VisitView { form, rev, ..visit }
}

async fn signed(world: &World, visit: &VisitView) {
    ask(&world.doctor, SignVisit { id: visit.id.clone() }).await.unwrap();
}

async fn prescription(app: &App, visit: &str, paper: Paper) -> (Vec<u8>, bool) {
    let pdf = ask(app, Prescription { visit: visit.to_owned(), paper, lang: Lang::En }).await.unwrap();
    (STANDARD.decode(pdf.base64.as_str()).unwrap(), pdf.draft)
}

/// poppler's tool on a PDF.
fn poppler(tool: &str, args: &[&str], pdf: &[u8]) -> Vec<u8> {
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{tool} of poppler-utils does not start: {e}"));
    let mut stdin = child.stdin.take().unwrap();
    let pdf = pdf.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output.stdout
}

fn text(pdf: &[u8]) -> String {
    let text = String::from_utf8(poppler("pdftotext", &["-", "-"], pdf)).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The code on the page, read as a camera does: from more than one distance.
fn scanned(pdf: &[u8]) -> Option<String> {
    ["220", "180", "260"].into_iter().find_map(|dpi| scanned_at(pdf, dpi))
}

fn scanned_at(pdf: &[u8], dpi: &str) -> Option<String> {
    let args = ["-r", dpi, "-gray", "-f", "1", "-l", "1", "-"];
    let pgm = poppler("pdftoppm", &args, pdf);
    let ends: Vec<usize> = (0..pgm.len()).filter(|i| pgm[*i].is_ascii_whitespace()).take(4).collect();
    let number =
        |n: usize| std::str::from_utf8(&pgm[ends[n] + 1..ends[n + 1]]).unwrap().parse::<usize>().unwrap();
    let (width, height, gray) = (number(0), number(1), &pgm[ends[3] + 1..]);
    let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| gray[y * width + x]);
    seen.detect_grids().iter().find_map(|grid| grid.decode().ok()).map(|(_, code)| code)
}

async fn verified(app: &App, code: &str) -> rabta_ipc::visit::PaperProof {
    ask(app, VerifyPaper { code: code.to_owned().into() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printed_code_is_proven_by_this_laptop_another_one_and_the_hie() {
    let mut world = World::new().await;
    let patient = world.patient("Ayesha Bibi").await;
    let visit = written(&world, &patient, &["Paracetamol", "Cetirizine"]).await;
    let (draft, is_draft) = prescription(&world.doctor, &visit.id, Paper::Roll).await;
    assert!(is_draft && text(&draft).contains("DRAFT") && scanned(&draft).is_none(), "nothing to prove yet");

    signed(&world, &visit).await;
    let mut codes = Vec::new();
    for paper in [Paper::Roll, Paper::A5, Paper::A4] {
        let (pdf, is_draft) = prescription(&world.doctor, &visit.id, paper).await;
        assert!(!is_draft && text(&pdf).contains("Treating doctor Dr Amna"));
        codes.push(scanned(&pdf).unwrap());
    }
    codes.dedup();
    assert_eq!(codes.len(), 1, "the same on each paper, printed again");
    let code = &codes[0];

    let proof = verified(&world.doctor, code).await;
    let signer = proof.signer.clone().unwrap();
    assert_eq!((proof.verdict, proof.medicines, proof.corrected), (PaperVerdict::Genuine, Some(2), false));
    assert_eq!((signer.name.as_str(), signer.registration.as_deref()), ("Dr Amna", Some("12345-P")));
    assert_eq!(proof.visit.as_deref(), Some(visit.id.as_str()), "the document is here");
    until(&world.doctor, GetSync {}, |view| (view.chip.here_only == 0).then_some(())).await;
    let hie = world.hie.as_ref().unwrap();
    let reply = rabta_hie::admin::run(&hie.app.db, Request::VerifyPaper { code: code.clone() }, 0).await;
    let Reply::Paper(answer) = reply.unwrap() else { panic!("no answer") };
    assert!(answer.genuine && answer.name.as_deref() == Some("Dr Amna") && answer.medicines == Some(2));

    // Another facility's laptop knows the signer, without a network and without the document.
    let known =
        |proof: rabta_ipc::visit::PaperProof| (proof.verdict == PaperVerdict::Genuine).then_some(proof);
    let there = until(&world.specialist, VerifyPaper { code: code.clone().into() }, known).await;
    world.stop_hie().await;
    let offline = verified(&world.specialist, code).await;
    assert_eq!((&offline, offline.visit.as_ref()), (&there, None));
    let forged = format!("{}{}", &code[..code.len() - 1], if code.ends_with('0') { "8" } else { "0" });
    assert_eq!(verified(&world.specialist, &forged).await.verdict, PaperVerdict::Mistyped);
    assert_eq!(verified(&world.specialist, "0300 1234567").await.verdict, PaperVerdict::NotACode);

    // A correction has a code of its own, and the old paper says that it is old.
    let again = ask(&world.doctor, CorrectVisit { id: visit.id.clone() }).await.unwrap();
    let mut form = again.form.clone();
    form.medicines.pop();
    ask(&world.doctor, SaveVisit { id: again.id.clone(), rev: again.rev, form }).await.unwrap();
    signed(&world, &visit).await;
    let newer = scanned(&prescription(&world.doctor, &visit.id, Paper::A5).await.0).unwrap();
    let (old, new) = (verified(&world.doctor, code).await, verified(&world.doctor, &newer).await);
    assert_eq!((old.verdict, old.corrected), (PaperVerdict::Genuine, true));
    assert_eq!((new.medicines, new.corrected), (Some(1), false));
    world.doctor.close().await;
    world.specialist.close().await;
}

/// Asks, and the specialist answers with one medicine.
async fn advised(world: &World, visit: &VisitView) -> String {
    until(&world.doctor, GetRoster {}, |roster| (!roster.entries.is_empty()).then_some(())).await;
    let send = SendAsk { visit: visit.id.clone(), consent: consent(), ask: form(Urgency::Routine) };
    let id = ask(&world.doctor, send).await.unwrap().row.id;
    one_ask(&world.specialist, |row| row.id == id).await;
    ask(&world.specialist, OpenAsk { id: id.clone() }).await.unwrap();
    let advice = AdviceForm {
        plan: "Treat at home.".into(),
        medicines: vec![line("Amoxicillin")],
        danger_signs: "Not drinking".into(),
        ..AdviceForm::default()
    };
    ask(&world.specialist, SaveAdvice { ask: id.clone(), rev: 0, form: advice }).await.unwrap();
    ask(&world.specialist, SignAdvice { ask: id.clone() }).await.unwrap();
    one_ask(&world.doctor, |row| row.id == id && row.state == State::Answered).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_on_an_advice_is_counted_by_the_code() {
    let world = World::new().await;
    let patient = world.patient("Zainab").await;
    let visit = written(&world, &patient, &["Paracetamol"]).await;
    signed(&world, &visit).await;
    let id = advised(&world, &visit).await;
    let view = ask(&world.doctor, OpenAsk { id: id.clone() }).await.unwrap();
    assert!(view.may_decide && !view.orders);
    let seen = ask(&world.specialist, OpenAsk { id: id.clone() }).await.unwrap();
    assert!(!seen.may_decide && !seen.orders, "a proposal, and somebody else decides");
    let proposed = view.advice.unwrap().form.medicines[0].id.clone();
    let before = prescription(&world.doctor, &visit.id, Paper::A5).await.0;
    assert!(!text(&before).contains("Amoxicillin"), "a proposal is no order");
    let decide = Decide { ask: id, decisions: vec![Decision::Accepted { line: proposed }] };
    ask(&world.doctor, decide).await.unwrap();

    let pdf = prescription(&world.doctor, &visit.id, Paper::A5).await.0;
    let page = text(&pdf);
    for field in ["Paracetamol", "Amoxicillin", "Treating doctor Dr Amna", "On the advice of Dr Saira"] {
        assert!(
            page.contains(field) || field.split(" Dr ").all(|part| page.contains(part)),
            "{field} in {page}"
        );
    }
    let proof = verified(&world.doctor, &scanned(&pdf).unwrap()).await;
    assert_eq!((proof.verdict, proof.medicines), (PaperVerdict::Genuine, Some(2)));
    assert_eq!(proof.visit.as_deref(), Some(visit.id.as_str()));
    world.doctor.close().await;
    world.specialist.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_clinic_has_no_prescriber_the_specialist_orders_and_the_paper_says_so() {
    let world = World::with("lhv").await;
    let patient = world.patient("Zainab").await;
    let visit = written(&world, &patient, &["Paracetamol"]).await;
    signed(&world, &visit).await;
    // Before any doctor looked it is a slip, and proves nothing.
    let slip = prescription(&world.doctor, &visit.id, Paper::A5).await.0;
    let page = text(&slip);
    assert!(page.contains("Visit slip") && page.contains("Proposed only, not ordered"), "{page}");
    assert!(page.contains("Lady Health Visitor") && !page.contains("in the morning"), "{page}");
    assert_eq!(scanned(&slip), None);
    let sheet = MedicineSheet { visit: visit.id.clone(), paper: Paper::A5, lang: Lang::Ur };
    assert_eq!(ask(&world.doctor, sheet.clone()).await.unwrap_err().code, "no-medicines");

    let id = advised(&world, &visit).await;
    // She cannot decide, and need not: opening says that it was seen.
    let opened = ask(&world.doctor, OpenAsk { id: id.clone() }).await.unwrap();
    assert_eq!(opened.row.state, State::AdviceSeen);
    assert!(opened.orders && !opened.may_decide);
    let decided = Decide { ask: id, decisions: vec![] };
    assert_eq!(ask(&world.doctor, decided).await.unwrap_err().code, "not-allowed");

    let pdf = prescription(&world.doctor, &visit.id, Paper::Roll).await.0;
    let page = text(&pdf);
    assert!(page.contains("Medicines ordered by Dr Saira") && page.contains("Seen by Dr Amna"), "{page}");
    assert!(page.contains("1. Amoxicillin") && !page.contains("On the advice of"), "{page}");
    let proof = verified(&world.doctor, &scanned(&pdf).unwrap()).await;
    let signer = proof.signer.unwrap();
    assert_eq!((proof.verdict, signer.name.as_str()), (PaperVerdict::Genuine, "Dr Saira"));
    assert_eq!((proof.medicines, proof.visit.as_deref()), (Some(1), Some(visit.id.as_str())));
    let pdf = ask(&world.doctor, sheet).await.unwrap();
    let drawn = text(&STANDARD.decode(pdf.base64.as_str()).unwrap());
    assert!(!pdf.draft && drawn.contains("Amoxicillin") && !drawn.contains("Paracetamol"), "{drawn}");
    world.doctor.close().await;
    world.specialist.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_begins_a_visit_and_what_was_ordered_is_offered_again() {
    let world = World::new().await;
    let patient = world.patient("Ayesha Bibi").await;
    let doctor = &world.doctor;
    assert_eq!(ask(doctor, LastMedicines { patient: patient.id.clone() }).await.unwrap(), None);
    assert!(ask(doctor, FavoriteMedicines {}).await.unwrap().is_empty());
    let templates = ask(doctor, GetTemplates {}).await.unwrap();
    let cold = templates.iter().find(|t| t.id == "cough-cold").unwrap();

    // She is four: no adult's dose is offered, the rest is.
    let visit = ask(doctor, StartVisit { patient: patient.id.clone() }).await.unwrap();
    let mut page = visit.form.clone();
    let whom = Whom { months_low: patient.age.map(|age| age.months_low), may_be_pregnant: false };
    let picked = Picked { diagnoses: vec![0], medicines: vec![0, 1] };
    let mut new_id = || uuid::Uuid::new_v4().to_string();
    template::apply(cold, &picked, whom, Language::En, &mut page, &mut new_id);
    assert_eq!((page.medicines.len(), page.diagnoses[0].code.as_str()), (0, "J00"));
    page.history.0 = page.history.replacen(": \n", ": 3\n", 1);
    page.medicines = vec![line("Paracetamol"), line("Zinc")];
    page.allergies.state = rabta_domain::visit::AllergyState::NoneKnown;
    page.vitals =
        serde_json::from_value(serde_json::json!([{ "vital": "weight", "value": "16", "unit": "kg" }]))
            .unwrap();
    ask(doctor, SaveVisit { id: visit.id.clone(), rev: visit.rev, form: page }).await.unwrap();
    let record = ask(doctor, SignVisit { id: visit.id }).await.unwrap().form;
    assert_eq!(record.history.as_str(), "Days of cough: 3", "only what was answered");
    assert!(record.examination.is_empty() && record.complaint.as_str() == "cough and runny nose");

    let visit = written(&world, &patient, &["Paracetamol"]).await;
    signed(&world, &visit).await;
    let last = ask(doctor, LastMedicines { patient: patient.id.clone() }).await.unwrap().unwrap();
    let names: Vec<&str> = last.lines.iter().map(|l| l.generic.as_str()).collect();
    assert_eq!((names, last.lines[0].id == visit.form.medicines[0].id), (vec!["Paracetamol"], false));
    let favorites = ask(doctor, FavoriteMedicines {}).await.unwrap();
    let counted: Vec<(&str, u32)> = favorites.iter().map(|f| (f.line.generic.as_str(), f.times)).collect();
    assert_eq!(counted, [("Paracetamol", 2), ("Zinc", 1)]);
    world.doctor.close().await;
    world.specialist.close().await;
}
