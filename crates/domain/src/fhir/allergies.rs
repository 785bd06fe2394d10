//! What is known of a patient's allergies, as a visit's answer begins.

use super::{Resource, clinical};
use crate::visit::{AllergyAnswer, AllergyState, VisitForm};

/// The answer that AllergyIntolerances of any origin give. "None known" is not carried over: it is asked anew at each
/// visit.
pub fn answer(resources: &[Resource]) -> AllergyAnswer {
    let mut form = VisitForm::default();
    for json in resources.iter().filter_map(|r| r.view().ok()).filter(|json| !clinical::is_wrong(json)) {
        clinical::read(&json, &mut form);
    }
    let items = form.allergies.items;
    let state = if items.is_empty() { AllergyState::NotAsked } else { AllergyState::Known };
    AllergyAnswer { state, items }
}
