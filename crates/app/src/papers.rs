//! The code on a printed prescription: made when a document is signed, printed without a key, proven from the paper.

use rabta_domain::{
    fhir,
    role::{Act, may},
};
use rabta_ipc::{
    Error,
    visit::{PaperProof, PaperSigner, PaperVerdict, VerifyPaper},
};
use rabta_store::{NewEnvelope, RecordStore, vault::KeyError};
use rabta_sync::Keyring;
use rabta_wire::{
    Id,
    cert::{Cert, Subject},
    envelope::Kind,
    paper::{KnownKey, PaperCode, PaperError, Standing, Statement},
};
use time::{Date, Month};

use crate::{Session, sync_task::hie_key};

impl Session {
    /// Puts the code of the paper into a payload that is about to be signed. Nothing where this person may order no
    /// medicines: what they print is no prescription.
    pub(crate) fn prove_paper(&self, envelope: &mut NewEnvelope, medicines: usize) -> Result<(), Error> {
        if !may(&self.person.role, Act::Prescribe) {
            return Ok(());
        }
        let signer = self.vault.signer().map_err(|e| match e {
            KeyError::ScreenLocked => Error::new("screen-locked"),
            KeyError::VaultLocked | KeyError::NotEnrolled => Error::new("vault-locked"),
        })?;
        let statement = Statement {
            document: envelope.id,
            person: self.person_id,
            day: day_number(self.stamp().today),
            medicines: u8::try_from(medicines).unwrap_or(u8::MAX),
        };
        let code = PaperCode::sign(signer.key(), statement).to_text();
        envelope.payload =
            fhir::paper::with_code(&envelope.payload, &code).map_err(crate::error::bundle)?.into();
        Ok(())
    }

    /// What the HIE's certificates say of a person: one for each key, newest first.
    async fn person_certs(&self, person: Id) -> Result<Vec<Cert>, Error> {
        let mut known = Keyring::new(hie_key(&self.enrollment)?);
        let stored = self.store().certs(person).await.map_err(|e| self.told(e))?;
        stored.iter().for_each(|cert| drop(known.learn(&cert.bytes)));
        let mut certs: Vec<Cert> = known.certs(person).into_iter().cloned().collect();
        let own = self.own_cert(person, &hie_key(&self.enrollment)?);
        certs.extend(own.filter(|own| !known.certs(person).iter().any(|cert| cert.key == own.key)));
        Ok(certs)
    }

    /// The newest of them.
    pub(crate) async fn person_cert(&self, person: Id) -> Result<Option<Cert>, Error> {
        Ok(self.person_certs(person).await?.into_iter().next())
    }

    /// The code that a payload carries, if it is the payload's own and holds.
    pub(crate) async fn own_code(&self, document: Id, payload: &[u8]) -> Result<Option<PaperCode>, Error> {
        let code = fhir::paper::code_of(payload).and_then(|text| PaperCode::parse(&text).ok());
        let Some(code) = code.filter(|code| code.statement.document == document) else { return Ok(None) };
        let keys = keys(&self.person_certs(code.statement.person).await?);
        Ok(code.check(&keys).is_ok().then_some(code))
    }

    pub(crate) async fn verify_paper(&self, verify: VerifyPaper) -> Result<PaperProof, Error> {
        let code = match PaperCode::parse(&verify.code) {
            Ok(code) => code,
            Err(why) => return Ok(nothing(verdict(why))),
        };
        let Statement { document, person, day, medicines } = code.statement;
        let certs = self.person_certs(person).await?;
        let standing = match code.check(&keys(&certs)) {
            Ok(standing) => standing,
            Err(why @ PaperError::Revoked { .. }) => {
                return Ok(PaperProof { day: Some(day_text(day)), ..nothing(verdict(why)) });
            }
            Err(why) => return Ok(nothing(verdict(why))),
        };
        let (visit, corrected) = self.printed_from(document, &code).await?;
        Ok(PaperProof {
            verdict: match standing.revoked_at {
                None => PaperVerdict::Genuine,
                Some(_) => PaperVerdict::GenuineSignerRevoked,
            },
            signer: signer(&certs, &standing),
            day: Some(day_text(day)),
            medicines: Some(medicines),
            visit,
            corrected,
        })
    }

    /// The visit that a paper was printed from, where this laptop has the document with this very code, and whether a
    /// later document took its place.
    async fn printed_from(&self, document: Id, code: &PaperCode) -> Result<(Option<String>, bool), Error> {
        let Ok((header, payload)) = self.payload(document).await else { return Ok((None, false)) };
        if fhir::paper::code_of(&payload).as_deref() != Some(&code.to_text()) {
            return Ok((None, false));
        }
        let encounter = match header.kind {
            Kind::Visit => fhir::visit::from_document(&payload).ok().map(|record| record.encounter),
            Kind::Advice => fhir::advice::from_document(&payload).ok().map(|record| record.part_of),
            Kind::Decisions => match header.task {
                Some(task) => self.case(&task.to_string()).await.ok().map(|case| case.view.encounter),
                None => None,
            },
            _ => None,
        };
        let Some(encounter) = encounter else { return Ok((None, false)) };
        let newest = match (header.kind, header.task) {
            (Kind::Visit, _) | (_, None) => self.brought_by("Encounter", &encounter).await?,
            (kind, Some(task)) => {
                let case = self.case(&task.to_string()).await.ok();
                let items = case.iter().flat_map(|case| case.items.iter().rev());
                items.map(|item| &item.header).find(|header| header.kind == kind).map(|header| header.id)
            }
        };
        let corrected = match newest {
            Some(newest) if newest != document => {
                self.payload(newest).await.is_ok_and(|(newer, _)| newer.kind == header.kind)
            }
            _ => false,
        };
        Ok((Some(encounter), corrected))
    }
}

fn keys(certs: &[Cert]) -> Vec<KnownKey> {
    certs.iter().map(KnownKey::from).collect()
}

fn signer(certs: &[Cert], standing: &Standing) -> Option<PaperSigner> {
    let cert = certs.iter().find(|cert| cert.key == standing.key)?;
    let Subject::Person { name, role, registration, .. } = &cert.subject else { return None };
    Some(PaperSigner {
        name: name.clone(),
        role: role.clone(),
        registration: registration.clone(),
        facility: cert.facility_name.clone(),
    })
}

fn nothing(verdict: PaperVerdict) -> PaperProof {
    PaperProof { verdict, signer: None, day: None, medicines: None, visit: None, corrected: false }
}

fn verdict(why: PaperError) -> PaperVerdict {
    match why {
        PaperError::NotACode => PaperVerdict::NotACode,
        PaperError::Mistyped => PaperVerdict::Mistyped,
        PaperError::Newer(_) => PaperVerdict::NewerProgram,
        PaperError::UnknownPerson => PaperVerdict::UnknownSigner,
        PaperError::Signature => PaperVerdict::Forged,
        PaperError::Revoked { .. } => PaperVerdict::Revoked,
    }
}

const FIRST: Date = match Date::from_calendar_date(1970, Month::January, 1) {
    Ok(day) => day,
    Err(_) => unreachable!(),
};

/// Days since 1970. A dead clock's 1970 is day 0, and so is what lies before.
fn day_number(day: Date) -> u16 {
    u16::try_from((day - FIRST).whole_days().max(0)).unwrap_or(u16::MAX)
}

fn day_text(day: u16) -> String {
    (FIRST + time::Duration::days(i64::from(day))).to_string()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_day_comes_back_as_it_was_said() {
        for day in [date!(1970 - 01 - 01), date!(2026 - 11 - 22), date!(2100 - 02 - 28)] {
            assert_eq!(day_text(day_number(day)), day.to_string());
        }
        assert_eq!(day_text(day_number(date!(1965 - 05 - 05))), "1970-01-01");
    }
}
