//! The training vault: everything works in it, and nothing leaves it.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use crate::world::{self, World, ask, patient_at, visit_at};
use rabta_app::{App, SystemClock};
use rabta_domain::Private;
use rabta_ipc::{
    call::HangUp,
    gate::{
        AddPerson, ChangePassphrase, ExportUnsent, GetLease, GetStatus, LeaveTraining, LockVault,
        OpenTraining, Phase, ResetTraining, Unlock,
    },
    link::MakeLink,
    patient::{Find, GetToday},
    sync::{GetSync, SyncNow},
    visit::SignVisit,
};

fn fresh(folder: &tempfile::TempDir) -> App {
    world::app(folder.path(), Arc::new(SystemClock { offset_minutes: 300 }))
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_screen_somebody_trains_and_nothing_of_it_can_leave() {
    let folder = tempfile::tempdir().unwrap();
    let app = fresh(&folder);
    let status = ask(&app, GetStatus {}).await.unwrap();
    assert!(matches!(status.phase, Phase::New) && !status.training);
    ask(&app, OpenTraining {}).await.unwrap();
    let status = ask(&app, GetStatus {}).await.unwrap();
    assert!(status.training);
    let Phase::Open { person } = status.phase else { panic!("not open: {:?}", status.phase) };
    assert!(person.facility.contains("not a clinic"), "{}", person.facility);
    let today = ask(&app, GetToday {}).await.unwrap();
    assert!(today.patients >= 1);
    let found = ask(&app, Find { q: Private("a".into()), offset: 0, limit: 50 }).await.unwrap();
    assert!(!found.rows.is_empty(), "the sample patients are found");

    // A whole visit.
    let patient = patient_at(&app, "Ayesha Bibi").await;
    assert!(patient.mr.as_ref().is_some_and(|mr| mr.0.starts_with("0000-")), "{:?}", patient.mr);
    let visit = visit_at(&app, &patient.id).await;
    let signed = ask(&app, SignVisit { id: visit.id }).await.unwrap().signed.unwrap();
    assert!(signed.verified && signed.name == "Dr Training");
    assert_eq!(ask(&app, GetToday {}).await.unwrap().done.len(), 1);

    // No way out.
    let sync = ask(&app, GetSync {}).await.unwrap();
    assert_eq!((sync.hie.as_str(), sync.chip.visits_here_only, sync.chip.reachable), ("", 1, false));
    ask(&app, SyncNow {}).await.unwrap();
    let refused = [
        ask(&app, ExportUnsent {}).await.unwrap_err(),
        ask(&app, GetLease {}).await.unwrap_err(),
        ask(&app, HangUp {}).await.unwrap_err(),
        ask(&app, MakeLink { patient: patient.id.clone(), word: Private("mango".into()), hours: 1 })
            .await
            .unwrap_err(),
        ask(
            &app,
            AddPerson { code: "x".into(), passphrase: Private("x".into()), pin: Private("1234".into()) },
        )
        .await
        .unwrap_err(),
        ask(&app, ChangePassphrase { passphrase: Private("x".into()), new: Private("y".into()) })
            .await
            .unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.code, "training");
    }
    assert!(!folder.path().join("vault").exists(), "no clinic's vault was made");

    // Left and come back to, then as it was at first.
    ask(&app, LeaveTraining {}).await.unwrap();
    let status = ask(&app, GetStatus {}).await.unwrap();
    assert!(matches!(status.phase, Phase::New) && !status.training);
    assert_eq!(ask(&app, GetToday {}).await.unwrap_err().code, "vault-locked");
    assert_eq!(ask(&app, ResetTraining {}).await.unwrap_err().code, "not-allowed");
    assert_eq!(ask(&app, LeaveTraining {}).await.unwrap_err().code, "vault-locked");
    ask(&app, OpenTraining {}).await.unwrap();
    let visits = async || ask(&app, GetToday {}).await.unwrap().done.len();
    assert_eq!(visits().await, 1);
    assert_eq!(ask(&app, OpenTraining {}).await.unwrap_err().code, "not-allowed", "it is open");
    ask(&app, ResetTraining {}).await.unwrap();
    assert!(ask(&app, GetStatus {}).await.unwrap().training);
    assert_eq!(visits().await, 0);
    let found = ask(&app, Find { q: Private("Ayesha Bibi".into()), offset: 0, limit: 50 }).await.unwrap();
    assert!(found.rows.iter().all(|hit| hit.id != patient.id));
    ask(&app, LockVault {}).await.unwrap();
    assert!(matches!(ask(&app, GetStatus {}).await.unwrap().phase, Phase::New));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_clinics_vault_it_touches_nothing_of_it() {
    let world = World::new().await;
    let laptop = &world.doctor;
    world.patient("Ayesha Bibi").await;
    assert_eq!(ask(laptop, OpenTraining {}).await.unwrap_err().code, "not-allowed", "not over an open vault");
    assert_eq!(ask(laptop, ResetTraining {}).await.unwrap_err().code, "not-allowed");
    assert_eq!(ask(laptop, LeaveTraining {}).await.unwrap_err().code, "not-allowed");
    ask(laptop, LockVault {}).await.unwrap();
    let records = world.folder.path().join("doctor/vault/vault.json");
    let before = std::fs::read(&records).unwrap();
    ask(laptop, OpenTraining {}).await.unwrap();
    let patient = patient_at(laptop, "Invented").await;
    ask(laptop, ResetTraining {}).await.unwrap();
    ask(laptop, LeaveTraining {}).await.unwrap();
    assert_eq!(std::fs::read(&records).unwrap(), before);
    let Phase::Locked { persons } = ask(laptop, GetStatus {}).await.unwrap().phase else {
        panic!("not locked")
    };
    let unlock =
        Unlock { person: persons[0].id.clone(), passphrase: Private("seven quiet herons wade".into()) };
    ask(laptop, unlock).await.unwrap();
    assert_eq!(ask(laptop, GetToday {}).await.unwrap().patients, 1);
    let found = ask(laptop, Find { q: Private("Invented".into()), offset: 0, limit: 5 }).await.unwrap();
    assert!(found.rows.iter().all(|hit| hit.id != patient.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_vault_where_the_clinics_belongs_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let app = fresh(&folder);
    app.open_training().await.unwrap();
    app.close().await;
    drop(app);
    std::fs::rename(folder.path().join("training"), folder.path().join("vault")).unwrap();
    let app = fresh(&folder);
    let status = ask(&app, GetStatus {}).await.unwrap();
    assert!(
        matches!(&status.phase, Phase::Broken { code, .. } if code == "vault-damaged"),
        "{:?}",
        status.phase
    );
    app.close().await;
}
