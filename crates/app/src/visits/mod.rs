//! The visit: a draft saved as it is typed, checked, signed; corrected only by a new version.

mod draft;
mod photo;
mod sign;
mod view;

pub(crate) use draft::DraftBody;
use rabta_ipc::{
    Error,
    visit::{
        AddPhoto, Check, CheckVisit, CorrectVisit, DiscardDraft, FavoriteMedicines, FindAllergen,
        FindDiagnosis, FindMedicine, GetPhoto, GetTemplates, GetVisit, LastMedicines, MedicineSheet,
        MedicineTerm, Prescription, PrintMedicineSheet, PrintPrescription, SaveVisit, SignVisit, StartVisit,
        Term, VerifyPaper,
    },
};

use crate::{Session, routes::routes};

routes!(Session {
    StartVisit => start_visit,
    GetVisit => get_visit,
    SaveVisit => save_visit,
    AddPhoto => add_photo,
    GetPhoto => get_photo,
    CheckVisit => check_visit,
    SignVisit => sign_visit,
    CorrectVisit => correct_visit,
    DiscardDraft => discard_draft,
    FindDiagnosis => find_diagnosis,
    FindMedicine => find_medicine,
    FindAllergen => find_allergen,
    Prescription => prescription,
    PrintPrescription => print_prescription,
    MedicineSheet => medicine_sheet,
    PrintMedicineSheet => print_medicine_sheet,
    VerifyPaper => verify_paper,
    GetTemplates => get_templates,
    LastMedicines => last_medicines,
    FavoriteMedicines => favorite_medicines,
});

impl Session {
    async fn find_diagnosis(&self, find: FindDiagnosis) -> Result<Vec<Term>, Error> {
        Ok(self.app.country.find_diagnosis(&find.q))
    }

    async fn find_medicine(&self, find: FindMedicine) -> Result<Vec<MedicineTerm>, Error> {
        Ok(self.app.country.find_medicine(&find.q))
    }

    async fn find_allergen(&self, find: FindAllergen) -> Result<Vec<Term>, Error> {
        Ok(self.app.country.find_allergen(&find.q))
    }

    /// What stops the signature of a draft, and what deserves a look.
    async fn check_visit(&self, check: CheckVisit) -> Result<Check, Error> {
        let draft = self.visit_draft(&check.id).await?;
        self.findings(&draft.body).await
    }
}
