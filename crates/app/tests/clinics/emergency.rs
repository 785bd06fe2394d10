//! Another facility's patient: the lookup, the broken glass, the notice to the owner, and the end of it, with a real HIE.

#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use crate::world::{World, ask, code, join_at, tell, until, visit_at};
use rabta_app::{App, Clock};
use rabta_domain::{
    Private,
    age::{AgeSaid, Said},
    paper::{Assurance, Paper},
    patient::{PatientCard, Registration, Sex},
};
use rabta_hie::admin::{PersonFields, Reply, Request};
use rabta_ipc::{
    care::{BreakGlass, Elsewhere, Emergency, FetchEmergency, LookUp, SeeNotice},
    gate::{AddPerson, ConfirmRecovery, GetStatus, LockVault, SwitchPerson, Unlock},
    patient::{Amend, Find, GetToday, OpenPatient, Register},
    sync::GetSync,
    visit::{SignVisit, StartVisit},
};
use rabta_store::{
    RecordStore,
    vault::{Passphrase, Vault},
};
use time::OffsetDateTime;

const CNIC: &str = "35202-1234567-2";
const PASSPHRASE: &str = "seven quiet herons wade";

/// A wall clock in the test's hand.
#[derive(Default)]
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + time::Duration::hours(self.0.load(Relaxed))
    }

    fn offset_minutes(&self) -> i16 {
        300
    }
}

struct Emergencies {
    world: World,
    /// A doctor of the hospital, who has nothing to do with the patient.
    far: App,
    clock: Arc<Ahead>,
    patient: PatientCard,
}

fn person(name: &str, role: &str) -> PersonFields {
    PersonFields { name: name.into(), role: role.into(), ..PersonFields::default() }
}

impl Emergencies {
    /// A patient of the clinic with a signed visit, at the HIE.
    async fn new() -> Self {
        let world = World::new().await;
        let code = code(world.hie.as_ref().unwrap(), "DHQ Kasur", person("Dr Bilal", "doctor")).await;
        let clock = Arc::<Ahead>::default();
        let far = join_at(&world.folder.path().join("far"), code, clock.clone()).await;
        let on = OffsetDateTime::now_utc().date();
        let paper = Paper {
            kind: "cnic".into(),
            number: CNIC.into(),
            assurance: Assurance::CardSeen,
            issuer: None,
            expires: None,
        };
        let registration = Registration {
            name: "Zohra Bibi".into(),
            sex: Sex::Female,
            age: Some(AgeSaid { said: Said::Years { n: 34 }, on, by: "self".into() }),
            papers: vec![paper],
            ..Registration::default()
        };
        let patient = ask(&world.doctor, Register { registration, shared_cnic: None }).await.unwrap();
        let visit = visit_at(&world.doctor, &patient.id).await;
        ask(&world.doctor, SignVisit { id: visit.id }).await.unwrap();
        until(&world.doctor, GetSync {}, |sync| (sync.chip.here_only == 0).then_some(())).await;
        Self { world, far, clock, patient }
    }

    async fn look(&self, number: &str) -> Result<Vec<Elsewhere>, String> {
        ask(&self.far, LookUp { number: number.into() }).await.map_err(|error| error.code)
    }

    fn wish(&self, text: &str) -> BreakGlass {
        BreakGlass {
            patient: self.patient.id.clone(),
            facility: "BHU Kot Radha".into(),
            reason: "unconscious".into(),
            text: text.into(),
            restricted: None,
        }
    }

    async fn break_glass(&self) -> Emergency {
        ask(&self.far, self.wish("found on the road, nobody knows her")).await.unwrap()
    }

    async fn opens(&self) -> Result<usize, String> {
        let chart = ask(&self.far, OpenPatient { id: self.patient.id.clone() }).await;
        chart.map(|chart| chart.visits.len()).map_err(|error| error.code)
    }

    async fn found(&self) -> usize {
        let find = Find { q: "Zohra Bibi".into(), offset: 0, limit: 10 };
        ask(&self.far, find).await.unwrap().rows.len()
    }

    fn vault(&self) -> std::path::PathBuf {
        self.world.folder.path().join("far").join("vault")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_found_by_a_whole_number_opened_with_a_reason_and_its_owner_is_told() {
    let it = Emergencies::new().await;
    assert_eq!(it.look("Zohra").await.unwrap_err(), "not-a-number");
    assert_eq!(it.look("35202-1234567").await.unwrap_err(), "not-a-number");
    assert_eq!(it.look("35202-7654321-2").await.unwrap(), []);
    // As typed on an Urdu keyboard, without dashes.
    for number in [CNIC, "۳۵۲۰۲۱۲۳۴۵۶۷۲", it.patient.mr.as_ref().unwrap().as_str()] {
        let found = it.look(number).await.unwrap();
        let [row] = found.as_slice() else { panic!("{number}: {}", found.len()) };
        assert_eq!((row.id.as_str(), row.name.as_str()), (it.patient.id.as_str(), "Zohra Bibi"));
        assert_eq!((row.facility.as_str(), row.here, row.may_open), ("BHU Kot Radha", false, true));
        assert!(row.born.is_some() && row.sex == Sex::Female);
    }
    // A look opens nothing.
    assert_eq!((it.opens().await, it.found().await), (Err("not-found".into()), 0));

    let refused = ask(&it.far, it.wish("x")).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.field.as_deref()), ("invalid", Some("text")));
    let open = it.break_glass().await;
    assert!(open.complete && open.facility == "BHU Kot Radha");
    let day = 24 * 3_600_000;
    assert!((open.until - it.clock.millis()).abs_diff(day) < 120_000);
    assert_eq!((it.opens().await, it.found().await), (Ok(1), 1));
    assert!(it.look(CNIC).await.unwrap()[0].here);
    let chart = ask(&it.far, OpenPatient { id: it.patient.id.clone() }).await.unwrap();
    assert_eq!(chart.emergency.unwrap().reason, "unconscious");
    assert_eq!(chart.visits[0].facility, "BHU Kot Radha");
    assert!(!chart.visits[0].ours);
    // It is read, and not written into.
    let visit = ask(&it.far, StartVisit { patient: it.patient.id.clone() }).await.unwrap_err();
    assert_eq!(visit.code, "emergency-read-only");
    let amend =
        Amend { id: it.patient.id.clone(), registration: chart.registration.clone(), shared_cnic: None };
    assert_eq!(ask(&it.far, amend).await.unwrap_err().code, "emergency-read-only");
    let today = ask(&it.far, GetToday {}).await.unwrap();
    assert_eq!(today.emergencies.len(), 1);
    assert!(today.notices.is_empty(), "it is not told to who did it");

    let notice = until(&it.world.doctor, GetToday {}, |today| today.notices.into_iter().next()).await;
    assert_eq!((notice.by.as_str(), notice.role.as_str()), ("Dr Bilal", "doctor"));
    assert_eq!((notice.facility.as_str(), notice.reason.as_str()), ("DHQ Kasur", "unconscious"));
    assert_eq!(notice.text.as_str(), "found on the road, nobody knows her");
    assert_eq!(notice.card.map(|card| card.id), Some(it.patient.id.clone()));
    assert!(!notice.restricted && (notice.at - it.clock.millis()).abs() < 120_000);
    ask(&it.world.doctor, SeeNotice { id: notice.id }).await.unwrap();
    assert!(ask(&it.world.doctor, GetToday {}).await.unwrap().notices.is_empty());
    let unknown = SeeNotice { id: it.patient.id.clone() };
    assert_eq!(ask(&it.world.doctor, unknown).await.unwrap_err().code, "not-found");
    // The clinic's own record needs no glass.
    let own = ask(&it.world.doctor, it.wish("found on the road")).await.unwrap_err();
    assert_eq!(own.code, "emergency-not-needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_time_is_over_the_record_leaves_the_laptop_without_a_link() {
    let mut it = Emergencies::new().await;
    it.break_glass().await;
    it.world.stop_hie().await;
    it.clock.0.store(23, Relaxed);
    assert_eq!(it.opens().await, Ok(1), "it is read without a link");
    it.clock.0.store(25, Relaxed);
    assert_eq!((it.opens().await, it.found().await), (Err("not-found".into()), 0));
    assert!(ask(&it.far, GetToday {}).await.unwrap().emergencies.is_empty());

    // And out of the vault, not only out of sight: whatever closed while it was shut goes before anybody sees anything.
    let Some(me) = ask(&it.far, GetStatus {}).await.unwrap().people.pop() else { panic!("nobody") };
    ask(&it.far, LockVault {}).await.unwrap();
    let unlock = Unlock { person: me.person.id.clone(), passphrase: PASSPHRASE.into() };
    ask(&it.far, unlock).await.unwrap();
    assert_eq!((it.opens().await, it.found().await), (Err("not-found".into()), 0));
    it.far.close().await;
    let (vault, patient) = (it.vault(), it.patient.id.clone());
    let passphrase = Passphrase::new(PASSPHRASE.to_owned());
    let person = me.person.id.parse().unwrap();
    let open = Vault::unlock(&vault, person, &passphrase, None, 0).await.unwrap();
    assert!(open.store().history("Patient", &patient).await.unwrap().is_empty());
    for kind in ["Encounter", "Observation", "Condition", "AllergyIntolerance"] {
        assert!(open.store().of_patient(&patient, kind, None, 10).await.unwrap().is_empty(), "{kind}");
    }
    assert!(open.store().find_patients("Zohra", 0, 10).await.unwrap().hits.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_ends_early_is_gone_at_the_next_word_with_the_hie() {
    let it = Emergencies::new().await;
    it.break_glass().await;
    let hie = it.world.hie.as_ref().unwrap();
    let Reply::BreakGlass(lines) = tell(hie, Request::BreakGlass { open: true }).await else { panic!() };
    let note = "the clinic was reachable".to_owned();
    tell(hie, Request::ReviewBreakGlass { grant: lines[0].grant.id, note, end: true }).await;
    let again = ask(&it.far, FetchEmergency { patient: it.patient.id.clone() }).await.unwrap_err();
    assert_eq!(again.code, "emergency-over");
    assert_eq!((it.opens().await, it.found().await), (Err("not-found".into()), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_at_the_same_laptop_sees_nothing_of_it() {
    let it = Emergencies::new().await;
    let hie = it.world.hie.as_ref().unwrap();
    let nurse = code(hie, "DHQ Kasur", person("Nasreen", "nurse")).await;
    let clerk = code(hie, "DHQ Kasur", person("Aslam", "registration")).await;
    for code in [nurse, clerk] {
        let add = AddPerson { code, passphrase: "the well is deep".into(), pin: "2580".into() };
        ask(&it.far, add).await.unwrap();
    }
    it.break_glass().await;
    let people = ask(&it.far, GetStatus {}).await.unwrap().people;
    for role in ["nurse", "registration"] {
        let member = people.iter().find(|member| member.person.role == role).unwrap();
        let unlock = Unlock { person: member.person.id.clone(), passphrase: "the well is deep".into() };
        ask(&it.far, unlock).await.unwrap();
        let fresh = ask(&it.far, rabta_ipc::gate::NewRecovery {}).await.unwrap();
        assert!(ask(&it.far, ConfirmRecovery { typed: fresh.code }).await.unwrap());
        assert_eq!((it.opens().await, it.found().await), (Err("not-found".into()), 0), "{role}");
        assert!(ask(&it.far, GetToday {}).await.unwrap().emergencies.is_empty());
        // Who registers may look; only who treats may open.
        let found = it.look(CNIC).await.unwrap();
        assert_eq!((found[0].here, found[0].may_open), (false, role == "nurse"));
    }
    let refused = ask(&it.far, it.wish("found on the road")).await.unwrap_err();
    assert_eq!(refused.code, "not-allowed");
    // The one who broke it still reads it.
    let doctor = people.iter().find(|member| member.person.role == "doctor").unwrap();
    let switch = SwitchPerson { person: doctor.person.id.clone(), pin: Private("4711".into()) };
    ask(&it.far, switch).await.unwrap();
    assert_eq!(it.opens().await, Ok(1));
}
