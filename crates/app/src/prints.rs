//! The prescription as paper.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_domain::{
    fhir::{advice::AdviceRecord, decisions, last_weight},
    medicine::MedicineLine,
    vitals::Vital,
};
use rabta_ipc::{
    Error,
    gate::Lang,
    visit::{Paper, Pdf, Prescription, PrintPrescription, Printed, VisitStatus, VisitView},
};
use rabta_print::{Clinic, Clinician, Mode, PrescriptionData, Signed};
use rabta_store::RecordStore;
use rabta_wire::{Id, envelope::Kind};
use time::OffsetDateTime;

use crate::{Session, cards::all_parsed};

/// What a specialist added to a visit.
#[derive(Default)]
struct Consulted {
    advice: Option<AdviceRecord>,
    /// What the treating doctor made of the proposals.
    orders: Vec<MedicineLine>,
    decided: bool,
}

impl Session {
    pub(crate) async fn prescription(&self, wanted: Prescription) -> Result<Pdf, Error> {
        let (pdf, draft) = self.prescription_pdf(&wanted.visit, wanted.paper, wanted.lang).await?;
        Ok(Pdf { base64: STANDARD.encode(pdf).into(), draft })
    }

    /// Writes the file under a name that says nothing of the patient, and opens it with the system's viewer.
    pub(crate) async fn print_prescription(&self, wanted: PrintPrescription) -> Result<Printed, Error> {
        let (pdf, _) = self.prescription_pdf(&wanted.visit, wanted.paper, wanted.lang).await?;
        let folder = &self.app.config.documents;
        let paper = if wanted.paper == Paper::A4 { "a4" } else { "a5" };
        let lang = if wanted.lang == Lang::Ur { "ur" } else { "en" };
        let short: String = wanted.visit.chars().take(8).collect();
        let file = folder.join(format!("prescription-{short}-{paper}-{lang}.pdf"));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, pdf));
        written.map_err(|e| match e.kind() {
            std::io::ErrorKind::StorageFull => Error::new("disk-full"),
            kind => Error::detail("unexpected", kind),
        })?;
        let audit = self.audit("print", &format!("Encounter/{}", wanted.visit), None);
        self.commit(rabta_store::Transaction::new().audit(audit)).await?;
        open_with_system(file.as_os_str());
        Ok(Printed { file: file.display().to_string() })
    }

    async fn prescription_pdf(
        &self,
        visit: &str,
        paper: Paper,
        lang: Lang,
    ) -> Result<(Vec<u8>, bool), Error> {
        let view = self.visit_view(visit).await?;
        let consulted = match &view.ask {
            Some(ask) => self.consulted(ask).await?,
            None => Consulted::default(),
        };
        let signed = match (&view.status, &view.signed) {
            (VisitStatus::Signed, Some(signed)) if signed.verified => Some(Signed {
                by: signed.name.clone(),
                at: instant(signed.at).to_offset(self.now().offset()),
                fingerprint: signed.fingerprint.to_uppercase(),
            }),
            _ => None,
        };
        let data = self.prescription_data(view, consulted).await?;
        let paper = match paper {
            Paper::A5 => rabta_print::Paper::A5,
            Paper::A4 => rabta_print::Paper::A4,
        };
        let lang = match lang {
            Lang::En => rabta_print::Lang::En,
            Lang::Ur => rabta_print::Lang::Ur,
        };
        let draft = signed.is_none();
        // Type-setting takes a while on a slow laptop: not on the thread that answers the window.
        let made = tokio::task::spawn_blocking(move || {
            rabta_print::prescription(&data, paper, lang, signed.as_ref())
        });
        let pdf = made.await.map_err(|_| Error::detail("unexpected", "print"))?;
        Ok((pdf.map_err(|e| Error::detail("unexpected", e))?, draft))
    }

    async fn prescription_data(
        &self,
        view: VisitView,
        consulted: Consulted,
    ) -> Result<PrescriptionData, Error> {
        let card = view.card;
        let form = view.form;
        let facility = &self.enrollment.enrolled.invitation.facility;
        let measured = form.vitals.iter().find(|m| m.vital == Vital::Weight);
        let weight = match measured {
            Some(m) => Some(format!("{}{} {}", if m.estimated { "~" } else { "" }, m.value, m.unit)),
            None => {
                let all = self
                    .store()
                    .of_patient(&card.id, "Observation", None, 100)
                    .await
                    .map_err(|e| self.told(e))?;
                last_weight(&all_parsed(&all)).map(|(kg, day)| format!("{kg} kg ({day})"))
            }
        };
        let me = self.signer();
        let advice = consulted.advice;
        let mode = match advice.as_ref().map(|a| a.form.modality.as_slice()) {
            None => Mode::InPerson,
            Some(how) if how.iter().any(|m| m == "video") => Mode::Video,
            Some(how) if how.iter().any(|m| m == "voice") => Mode::Voice,
            Some(_) => Mode::Writing,
        };
        let mut diagnoses = form.diagnoses;
        if let (Some(advice), true) = (&advice, consulted.decided) {
            let new =
                advice.form.diagnoses.iter().filter(|d| !diagnoses.iter().any(|have| have.text == d.text));
            let new: Vec<_> = new.cloned().collect();
            diagnoses.extend(new);
        }
        let mut medicines = form.medicines;
        medicines.extend(consulted.orders);
        Ok(PrescriptionData {
            clinic: Clinic {
                name: facility.name.clone(),
                address: facility.address.clone().unwrap_or_default(),
                phone: String::new(),
            },
            doctor: Clinician {
                name: me.name,
                qualification: me.qualification,
                registration: me.registration,
            },
            specialist: advice.map(|a| Clinician {
                name: a.author.name,
                qualification: a.author.qualification,
                registration: a.author.registration,
            }),
            mode,
            date: self.stamp().today,
            name: card.name,
            name_ur: card.name_ur,
            relation: card.relation,
            mr: card.mr,
            sex: card.sex,
            age: card.age,
            weight,
            pregnant_weeks: card.pregnant_weeks,
            allergies: card.allergies,
            diagnoses,
            medicines,
            advice: form.plan,
            return_advice: form.return_advice,
            follow_up: form.follow_up,
        })
    }

    /// The newest advice on an ask and the decisions on it.
    async fn consulted(&self, ask: &str) -> Result<Consulted, Error> {
        let task: Id = ask.parse().map_err(|_| Error::new("not-found"))?;
        let mut consulted = Consulted::default();
        let received = self.store().received_of_task(task).await.map_err(|e| self.told(e))?;
        for entry in received.iter().filter(|e| e.kind == Kind::Advice) {
            let (_, payload) = self.payload(entry.id).await?;
            let read = rabta_domain::fhir::advice::from_document(&payload).map_err(crate::error::bundle)?;
            consulted.advice = Some(read);
        }
        let own = self.store().log_of_task(task).await.map_err(|e| self.told(e))?;
        for entry in own.iter().filter(|e| e.kind == Kind::Decisions) {
            let (_, payload) = self.payload(entry.id).await?;
            let read = decisions::from_bundle(&payload).map_err(crate::error::bundle)?;
            consulted.orders = read.orders;
            consulted.decided = true;
        }
        Ok(consulted)
    }
}

/// The system's viewer, which prints, or its program for an address. Where there is none the window still shows where
/// the file is, or what to send.
pub(crate) fn open_with_system(file: &std::ffi::OsStr) {
    let program = if cfg!(windows) {
        "explorer"
    } else if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let quiet = std::process::Stdio::null;
    let started =
        std::process::Command::new(program).arg(file).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    match started {
        // Waited for, so that no finished viewer is left as a zombie.
        Ok(mut viewer) => drop(std::thread::spawn(move || viewer.wait())),
        Err(error) => tracing::info!(%error, "no viewer"),
    }
}

fn instant(millis: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
