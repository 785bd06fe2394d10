//! Whatever is typed: an answer, never a crash, and what was read can be read again.

mod made;

use made::typed;
use proptest::prelude::*;
use rabta_domain::{
    medicine::{MedicineLine, clashes},
    mr,
    paper::normalize_cnic,
    passphrase,
    patient::Sex,
    registration::{self, normalize_phone},
    visit::{self, Allergy, AllergyAnswer, AllergyState, Seen},
    vitals::{Months, number},
};
use time::macros::date;

proptest! {
    #[test]
    fn any_text_is_a_dose_or_not(dose in made::dose(), form in "[a-z]{0,9}", days in any::<u16>()) {
        let line = MedicineLine { dose, form, days, ..MedicineLine::default() };
        let course = line.course();
        prop_assert_eq!(line.in_english().is_empty(), course.is_none() && line.dose.trim().is_empty());
        let _ = (line.in_urdu(), line.quantity_in_english(), line.quantity_in_urdu());
        if let Some(course) = course {
            prop_assert!(!course.doses.is_empty());
            prop_assert!(course.doses.iter().all(|(_, a)| a.numerator > 0 && a.denominator > 0));
        }
    }

    #[test]
    fn a_normal_phone_stays_as_it_is(text in prop_oneof![typed(), "[+0-9 ()-]{0,20}", "(\\+92|0092|92|0)?3[0-9]{9}"]) {
        if let Some(phone) = normalize_phone(&text) {
            prop_assert_eq!(normalize_phone(&phone), Some(phone.clone()));
        }
    }

    #[test]
    fn a_number_read_is_read_the_same_again(text in prop_oneof![typed(), "-?[0-9۰-۹.,]{0,14}"]) {
        if let Some(n) = number(&text) {
            prop_assert!(n.to_f64().is_finite());
            prop_assert_eq!(number(n.as_str()).map(|m| m.as_str().to_owned()), Some(n.as_str().to_owned()));
        }
    }

    #[test]
    fn identities_are_read_or_refused(text in prop_oneof![typed(), "[0-9 -]{0,20}"]) {
        if let Some(cnic) = normalize_cnic(&text) {
            prop_assert_eq!(normalize_cnic(&cnic), Some(cnic.clone()));
        }
        if let Some(number) = mr::parse(&text) {
            prop_assert_eq!(mr::parse(&number), Some(number.clone()));
        }
        let _ = passphrase::hint(&text);
    }

    #[test]
    fn any_registration_is_checked(form in made::registration(), name in typed()) {
        let _ = registration::check(&form, date!(2026 - 11 - 22));
        let named = rabta_domain::patient::Registration { name: name.clone().into(), ..form };
        let findings = registration::check(&named, date!(2026 - 11 - 22));
        if name.chars().any(registration::is_forbidden) {
            prop_assert!(findings.iter().any(|f| f.stops && f.field == "name"));
        }
    }

    #[test]
    fn any_visit_is_checked(form in made::visit(), months in any::<(u16, u16)>()) {
        let age = Months { low: u32::from(months.0.min(months.1)), high: u32::from(months.0.max(months.1)) };
        for sex in [Sex::Female, Sex::Male, Sex::Unknown] {
            let seen = Seen { age: Some(age), sex, today: date!(2026 - 11 - 22), remote: true };
            let findings = visit::check(&form, &seen);
            prop_assert_eq!(visit::may_sign(&findings), !findings.iter().any(|f| f.stops));
            if form.tidied().complaint.is_empty() {
                prop_assert!(!visit::may_sign(&findings));
            }
        }
    }

    #[test]
    fn a_medicine_always_clashes_with_an_allergy_to_itself(name in "[a-z]{5,12}in") {
        let line = MedicineLine { generic: name.to_uppercase(), ..MedicineLine::default() };
        let item = Allergy { substance: format!(" {name}, rash").into(), ..Allergy::default() };
        prop_assert_eq!(clashes(&[line], &AllergyAnswer { state: AllergyState::Known, items: vec![item] }).len(), 1);
    }
}
