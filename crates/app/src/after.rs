//! What the patient's phone shows after a call: the next step in the doctor's words and, if the patient agrees, the medicines
//! of a signed visit with the paper. Sealed here with the link's secret; the HIE keeps it for a week and cannot read it.

use rabta_domain::{
    medicine::{MedicineLine, Moment},
    role::Act,
};
use rabta_ipc::{
    Error,
    gate::Lang,
    link::LeaveNote,
    visit::{Paper, Prescription},
};
use rabta_store::Transaction;
use rabta_wire::guest::{AfterMedicine, AfterNote, AfterPart, LinkSecret, When};

use crate::{Session, routes::routes};

routes!(Session {
    LeaveNote => leave_note,
});

impl Session {
    async fn leave_note(&self, leave: LeaveNote) -> Result<(), Error> {
        self.must(Act::Visit)?;
        let next_step = leave.next_step.trim();
        if next_step.is_empty() || next_step.chars().count() > 2_000 {
            return Err(Error::field("invalid", "next_step"));
        }
        let (guest, secret, patient) = self.link_secret(&leave.guest).await?;
        let visit = leave.visit;
        if let Some(visit) = &visit {
            self.must_be_signed_visit_of(&patient, visit).await?;
        }
        let entity =
            visit.as_ref().map_or(format!("Patient/{patient}"), |visit| format!("Encounter/{visit}"));
        let mut note = AfterNote {
            next_step: next_step.to_owned(),
            medicines: vec![],
            warning: None,
            doctor: self.person.name.clone(),
            date: self.stamp().today.to_string(),
            lang: Some(if leave.lang == Lang::Ur { "ur" } else { "en" }.to_owned()),
            paper: visit.is_some(),
        };
        let mut paper = None;
        if let Some(visit) = visit {
            let view = self.visit_view(&visit).await?;
            let orders = self.orders(&visit, view.ask.as_deref()).await?;
            note.medicines = orders.lines.iter().map(|line| medicine(line, leave.lang)).collect();
            note.warning = Some(view.form.return_advice.0.trim().to_owned()).filter(|text| !text.is_empty());
            let wanted = Prescription { visit, paper: Paper::A5, lang: leave.lang };
            paper = Some(self.prescription_bytes(wanted).await?);
        }
        let sealed = seal(&secret, AfterPart::Note, &serde_json::to_vec(&note).expect("plain data"))?;
        let client = self.sync.client()?;
        client.leave_after(guest, AfterPart::Note, sealed).await.map_err(crate::gate::hie)?;
        if let Some(paper) = paper {
            let sealed = seal(&secret, AfterPart::Paper, &paper)?;
            client.leave_after(guest, AfterPart::Paper, sealed).await.map_err(crate::gate::hie)?;
        }
        // It left the record, with the patient's word and to the patient's phone.
        let audit = self.audit("export", &entity, Some(&patient));
        self.commit(Transaction::new().audit(audit)).await.map(drop)
    }
}

impl Session {
    /// A visit of this patient that was made here, and is not being written or corrected.
    async fn must_be_signed_visit_of(&self, patient: &str, visit: &str) -> Result<(), Error> {
        let chart = crate::chart::chart(self, patient).await?;
        let theirs = chart.visits.iter().any(|row| row.ours && row.id == visit);
        let open = self.find_visit_draft(visit).await?.is_some();
        if theirs && !open { Ok(()) } else { Err(Error::field("invalid", "visit")) }
    }
}

/// Error `too-large` where the HIE would not take it.
fn seal(secret: &LinkSecret, part: AfterPart, plain: &[u8]) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; 12];
    getrandom::fill(&mut nonce).map_err(|_| Error::detail("unexpected", "no randomness"))?;
    let sealed = secret.seal_after(part, nonce, plain);
    if sealed.len() > part.most() { Err(Error::new("too-large")) } else { Ok(sealed) }
}

fn medicine(line: &MedicineLine, lang: Lang) -> AfterMedicine {
    let name = [line.generic.as_str(), line.strength.as_str()];
    let doses = line.course().map(|course| course.doses).unwrap_or_default();
    let mut when: Vec<When> = doses.iter().filter_map(|(moment, _)| picture(*moment)).collect();
    when.dedup();
    AfterMedicine {
        name: name.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        how: if lang == Lang::Ur { line.in_urdu() } else { line.in_english() },
        days: (line.days > 0).then_some(line.days.into()),
        when,
    }
}

fn picture(moment: Moment) -> Option<When> {
    match moment {
        Moment::Morning => Some(When::Morning),
        Moment::Noon => Some(When::Noon),
        Moment::Evening => Some(When::Evening),
        Moment::Night | Moment::Bedtime => Some(When::Night),
        Moment::AnyTime => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dose_becomes_pictures_of_the_day() {
        let line = MedicineLine {
            generic: "Amoxicillin".into(),
            strength: "500 mg".into(),
            form: "capsule".into(),
            dose: "1+0+1".into(),
            days: 5,
            ..MedicineLine::default()
        };
        let said = medicine(&line, Lang::En);
        assert_eq!((said.name.as_str(), said.days), ("Amoxicillin 500 mg", Some(5)));
        assert!(said.when.contains(&When::Morning) && !said.when.contains(&When::Noon));
        let needed = MedicineLine { dose: "as told".into(), ..line };
        assert!(medicine(&needed, Lang::Ur).when.is_empty(), "no picture where the dose is not read");
    }
}
