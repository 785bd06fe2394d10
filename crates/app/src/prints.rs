//! The prescription and the picture sheet as paper: what is ordered, by whom, and what proves it.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_domain::{
    fhir::{self, advice::AdviceRecord, last_weight},
    medicine::MedicineLine,
    role::{Act, may},
    vitals::Vital,
};
use rabta_ipc::{
    Error,
    gate::Lang,
    visit::{
        MedicineSheet, Paper, Pdf, Prescription, PrintMedicineSheet, PrintPrescription, Printed, VisitStatus,
        VisitView,
    },
};
use rabta_print::{Clinic, Clinician, Mode, PrescriptionData, SheetData, Signed};
use rabta_store::RecordStore;
use rabta_wire::{Id, cert::Subject};
use time::{Date, OffsetDateTime};

use crate::{Session, cards::all_parsed};

/// A signed document that a paper may be printed from, and who signed it.
struct Document {
    id: Id,
    payload: Vec<u8>,
    by: Option<Id>,
}

/// What came of a visit's ask.
#[derive(Default)]
pub(crate) struct Consulted {
    advice: Option<(Document, AdviceRecord)>,
    /// What the treating doctor made of the proposals.
    pub orders: Vec<MedicineLine>,
    decided: Option<Document>,
}

/// What is ordered at a visit, by whom.
pub(crate) struct Orders {
    pub lines: Vec<MedicineLine>,
    /// When the visit was signed, or today.
    pub day: Date,
    /// Who saw the patient.
    by: Clinician,
    /// Who ordered, where that is somebody else.
    ordered_by: Option<Clinician>,
    /// Written by somebody who may not order.
    proposed: Vec<MedicineLine>,
    /// The code that proves exactly these lines.
    code: Option<String>,
    consulted: Consulted,
}

enum Sheet {
    Prescription,
    Pictures,
}

impl Session {
    pub(crate) async fn prescription(&self, wanted: Prescription) -> Result<Pdf, Error> {
        let (pdf, draft) = self.pdf(Sheet::Prescription, &wanted.visit, wanted.paper, wanted.lang).await?;
        Ok(Pdf { base64: STANDARD.encode(pdf).into(), draft })
    }

    /// The prescription's bytes.
    pub(crate) async fn prescription_bytes(&self, wanted: Prescription) -> Result<Vec<u8>, Error> {
        Ok(self.pdf(Sheet::Prescription, &wanted.visit, wanted.paper, wanted.lang).await?.0)
    }

    pub(crate) async fn medicine_sheet(&self, wanted: MedicineSheet) -> Result<Pdf, Error> {
        let (pdf, draft) = self.pdf(Sheet::Pictures, &wanted.visit, wanted.paper, wanted.lang).await?;
        Ok(Pdf { base64: STANDARD.encode(pdf).into(), draft })
    }

    pub(crate) async fn print_prescription(&self, wanted: PrintPrescription) -> Result<Printed, Error> {
        let (pdf, _) = self.pdf(Sheet::Prescription, &wanted.visit, wanted.paper, wanted.lang).await?;
        self.print("prescription", pdf, &wanted.visit, wanted.paper, wanted.lang).await
    }

    pub(crate) async fn print_medicine_sheet(&self, wanted: PrintMedicineSheet) -> Result<Printed, Error> {
        let (pdf, _) = self.pdf(Sheet::Pictures, &wanted.visit, wanted.paper, wanted.lang).await?;
        self.print("medicines", pdf, &wanted.visit, wanted.paper, wanted.lang).await
    }

    /// Writes the file under a name that says nothing of the patient, and opens it with the system's viewer.
    async fn print(
        &self,
        what: &str,
        pdf: Vec<u8>,
        visit: &str,
        paper: Paper,
        lang: Lang,
    ) -> Result<Printed, Error> {
        let folder = &self.app.config.documents;
        let paper = match paper {
            Paper::A5 => "a5",
            Paper::A4 => "a4",
            Paper::Roll => "roll",
        };
        let lang = if lang == Lang::Ur { "ur" } else { "en" };
        let short: String = visit.chars().take(8).collect();
        let file = folder.join(format!("{what}-{short}-{paper}-{lang}.pdf"));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, pdf));
        written.map_err(|e| match e.kind() {
            std::io::ErrorKind::StorageFull => Error::new("disk-full"),
            kind => Error::detail("unexpected", kind),
        })?;
        let audit = self.audit("print", &format!("Encounter/{visit}"), None);
        self.commit(rabta_store::Transaction::new().audit(audit)).await?;
        open_with_system(file.as_os_str());
        Ok(Printed { file: file.display().to_string() })
    }

    /// The page, and whether it is a draft.
    async fn pdf(
        &self,
        sheet: Sheet,
        visit: &str,
        paper: Paper,
        lang: Lang,
    ) -> Result<(Vec<u8>, bool), Error> {
        let view = self.visit_view(visit).await?;
        let orders = self.orders(visit, view.ask.as_deref()).await?;
        let signed = match (&view.status, &view.signed) {
            (VisitStatus::Signed, Some(signed)) if signed.verified => Some(Signed {
                by: signed.name.clone(),
                at: instant(signed.at).to_offset(self.now().offset()),
                fingerprint: signed.fingerprint.to_uppercase(),
                code: orders.code.clone(),
            }),
            _ => None,
        };
        let paper = match paper {
            Paper::A5 => rabta_print::Paper::A5,
            Paper::A4 => rabta_print::Paper::A4,
            Paper::Roll => rabta_print::Paper::Roll,
        };
        let lang = match lang {
            Lang::En => rabta_print::Lang::En,
            Lang::Ur => rabta_print::Lang::Ur,
        };
        let draft = signed.is_none();
        // Type-setting takes a while on a slow laptop: not on the thread that answers the window.
        let made = match sheet {
            Sheet::Prescription => {
                let data = self.prescription_data(view, orders).await?;
                tokio::task::spawn_blocking(move || {
                    rabta_print::prescription(&data, paper, lang, signed.as_ref())
                })
            }
            Sheet::Pictures => {
                if orders.lines.is_empty() {
                    return Err(Error::new("no-medicines"));
                }
                let data = self.sheet_data(view, orders);
                tokio::task::spawn_blocking(move || rabta_print::medicine_sheet(&data, paper, lang, !draft))
            }
        };
        let pdf = made.await.map_err(|_| Error::detail("unexpected", "print"))?;
        Ok((pdf.map_err(|e| Error::detail("unexpected", e))?, draft))
    }

    fn sheet_data(&self, view: VisitView, orders: Orders) -> SheetData {
        SheetData {
            clinic: self.enrollment.enrolled.invitation.facility.name.clone(),
            date: orders.day,
            name: view.card.name,
            name_ur: view.card.name_ur,
            medicines: orders.lines,
        }
    }

    async fn prescription_data(&self, view: VisitView, orders: Orders) -> Result<PrescriptionData, Error> {
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
                last_weight(&all_parsed(&all)).map(|(weight, day)| format!("{weight} ({day})"))
            }
        };
        let advice = orders.consulted.advice.as_ref();
        let mode = match advice.map(|(_, a)| a.form.modality.as_slice()) {
            None => Mode::InPerson,
            Some(how) if how.iter().any(|m| m == "video") => Mode::Video,
            Some(how) if how.iter().any(|m| m == "voice") => Mode::Voice,
            Some(_) => Mode::Writing,
        };
        let mut diagnoses = form.diagnoses;
        if let Some((_, advice)) = advice.filter(|(_, a)| a.orders || orders.consulted.decided.is_some()) {
            let new =
                advice.form.diagnoses.iter().filter(|d| !diagnoses.iter().any(|have| have.text == d.text));
            let new: Vec<_> = new.cloned().collect();
            diagnoses.extend(new);
        }
        let specialist = match advice {
            Some((document, advice)) => Some(self.clinician(document.by, Some(&advice.author)).await?),
            None => None,
        };
        // One name once: who ordered has advised, too.
        let specialist = specialist.filter(|s| orders.ordered_by.as_ref() != Some(s));
        Ok(PrescriptionData {
            clinic: Clinic {
                name: facility.name.clone(),
                address: facility.address.clone().unwrap_or_default(),
                phone: String::new(),
            },
            doctor: orders.by,
            ordered_by: orders.ordered_by,
            specialist,
            mode,
            date: orders.day,
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
            medicines: orders.lines,
            proposed: orders.proposed,
            advice: form.plan,
            return_advice: form.return_advice,
            follow_up: form.follow_up,
        })
    }

    /// What is ordered at a visit. Who saw the patient orders, if they may; else whoever decided on the advice, else the
    /// specialist, where they issued orders (CLINIC.md, "People and who may do what").
    pub(crate) async fn orders(&self, visit: &str, ask: Option<&str>) -> Result<Orders, Error> {
        let consulted = self.consulted(ask).await?;
        let today = self.stamp().today;
        let (document, written, day) = match self.find_visit_draft(visit).await? {
            Some(draft) => (None, draft.body.form.tidied().medicines, today),
            None => {
                let id = self.brought_by("Encounter", visit).await?.ok_or_else(|| Error::new("not-found"))?;
                let (header, payload) = self.payload(id).await?;
                let record = fhir::visit::from_document(&payload).map_err(crate::error::bundle)?;
                let by = header.signed_by.map(|signature| signature.person);
                let day = record.signed.map_or(today, |at| at.to_offset(self.now().offset()).date());
                (Some(Document { id, payload, by }), record.form.medicines, day)
            }
        };
        let by = match &document {
            Some(document) => self.clinician(document.by, None).await?,
            None => self.clinician(Some(self.person_id), None).await?,
        };
        let mut orders =
            Orders { lines: vec![], day, by, ordered_by: None, proposed: vec![], code: None, consulted };
        let mut proof = Vec::new();
        if may(&orders.by.role, Act::Prescribe) {
            orders.lines = written;
            orders.lines.extend(orders.consulted.orders.clone());
            proof.extend(orders.consulted.decided.as_ref().into_iter().chain(document.as_ref()));
        } else {
            orders.proposed = written;
            if let Some(decided) = &orders.consulted.decided {
                orders.ordered_by = Some(self.clinician(decided.by, None).await?);
                orders.lines = orders.consulted.orders.clone();
                proof.push(decided);
            } else if let Some((document, advice)) =
                orders.consulted.advice.as_ref().filter(|(_, a)| a.orders)
            {
                orders.ordered_by = Some(self.clinician(document.by, Some(&advice.author)).await?);
                orders.lines = advice.form.medicines.clone();
                proof.push(document);
            }
        }
        for document in proof {
            // A code that counts other medicines than the page would call it forged.
            let code = self.own_code(document.id, &document.payload).await?;
            let count = u8::try_from(orders.lines.len()).unwrap_or(u8::MAX);
            if let Some(code) = code.filter(|code| code.statement.medicines == count) {
                orders.code = Some(code.to_text());
                break;
            }
        }
        Ok(orders)
    }

    /// A person by the HIE's certificate; as the document names them where it is not here yet.
    async fn clinician(&self, person: Option<Id>, named: Option<&fhir::Signer>) -> Result<Clinician, Error> {
        let cert = match person {
            Some(person) => self.person_cert(person).await?,
            None => None,
        };
        if let Some(Subject::Person { name, role, registration, qualification, .. }) =
            cert.map(|cert| cert.subject)
        {
            return Ok(Clinician {
                name,
                qualification: qualification.unwrap_or_default(),
                registration: registration.unwrap_or_default(),
                role,
            });
        }
        let me = self.signer();
        let named = match (named, person) {
            (Some(named), _) => named.clone(),
            (None, Some(person)) if person == self.person_id => me,
            (None, _) => fhir::Signer::default(),
        };
        Ok(Clinician {
            name: named.name,
            qualification: named.qualification,
            registration: named.registration,
            role: named.role,
        })
    }

    /// The newest advice on an ask and the newest decisions on it; nothing where there is no ask.
    pub(crate) async fn consulted(&self, ask: Option<&str>) -> Result<Consulted, Error> {
        let case = match ask {
            Some(ask) => match self.case(ask).await {
                Ok(case) => case,
                Err(error) if error.code == "not-found" => return Ok(Consulted::default()),
                Err(error) => return Err(error),
            },
            None => return Ok(Consulted::default()),
        };
        let document = |item: &crate::asks::Item| Document {
            id: item.header.id,
            payload: item.payload.clone(),
            by: item.header.signed_by.as_ref().map(|signature| signature.person),
        };
        let decisions = case.decisions();
        Ok(Consulted {
            advice: case.advice().map(|(item, advice)| (document(item), advice.clone())),
            orders: decisions.map(|(_, made)| made.orders.clone()).unwrap_or_default(),
            decided: decisions.map(|(item, _)| document(item)),
        })
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
