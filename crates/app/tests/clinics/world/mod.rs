//! Two app cores, a doctor's and a specialist's, and a real HIE between them.

#![allow(dead_code, clippy::unwrap_used)]

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use crate::ports::free_port;
use rabta_app::{App, Clock, Config, MediaConfig, SystemClock, Updates};
use rabta_domain::{
    age::{AgeSaid, Said},
    ask::{AskForm, Urgency},
    consent::ConsentForm,
    patient::{PatientCard, Registration, Sex},
    visit::{AllergyState, VisitForm},
};
use rabta_hie::{
    admin::{self, PersonFields, Reply, Request},
    guests::{DoorConfig, Source},
};
use rabta_ipc::{
    Command, Error,
    ask::{AskRow, ListAsks},
    gate::{ConfirmRecovery, Join},
    patient::Register,
    visit::{SaveVisit, StartVisit, VisitView},
};

/// What is waited for comes in seconds, on a machine that others use too in a minute.
pub const LONG: Duration = Duration::from_secs(180);

pub struct World {
    pub hie: Option<rabta_hie::Handle>,
    pub address: SocketAddr,
    pub folder: tempfile::TempDir,
    pub doctor: App,
    pub specialist: App,
}

/// Where a server can be stopped and started again.
pub fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

pub async fn serve(folder: &Path, listen: SocketAddr) -> rabta_hie::Handle {
    serve_with(folder, listen, None).await
}

async fn serve_with(folder: &Path, listen: SocketAddr, door: Option<DoorConfig>) -> rabta_hie::Handle {
    let mut config = rabta_hie::Config::new(folder.join("hie"));
    config.listen = listen;
    config.door = door;
    rabta_hie::serve(config).await.unwrap()
}

/// Where phones come in, with a certificate of its own.
fn door(folder: &Path) -> DoorConfig {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    DoorConfig { listen: "127.0.0.1:0".parse().unwrap(), certificate: Source::Files { cert, key }, url: None }
}

pub async fn tell(hie: &rabta_hie::Handle, request: Request) -> Reply {
    let now = (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64;
    admin::run(&hie.app.db, request, now).await.unwrap()
}

pub async fn facility(hie: &rabta_hie::Handle, name: &str, kind: &str) -> String {
    let new = serde_json::from_value(serde_json::json!({ "name": name, "kind": kind })).unwrap();
    match tell(hie, Request::AddFacility { new }).await {
        Reply::Facility(facility) => facility.id.to_string(),
        _ => panic!("no facility"),
    }
}

pub async fn code(hie: &rabta_hie::Handle, facility: &str, new: PersonFields) -> String {
    let request =
        Request::Enroll { facility: facility.to_owned(), person: None, new: Some(new), public: None };
    match tell(hie, request).await {
        Reply::Code { code, .. } => code,
        _ => panic!("no code"),
    }
}

/// A clinic and a hospital; the codes of somebody of `role` at the first and of a specialist at the second.
pub async fn invited(hie: &rabta_hie::Handle, role: &str) -> (String, String) {
    let clinic = facility(hie, "BHU Kot Radha", "clinic").await;
    let hospital = facility(hie, "DHQ Kasur", "hospital").await;
    let person = |name: &str, role: &str| PersonFields {
        name: name.into(),
        role: role.into(),
        registration: Some("12345-P".into()),
        ..PersonFields::default()
    };
    let amna = PersonFields { phone: Some("0300 005-5101".into()), ..person("Dr Amna", role) };
    let doctor = code(hie, &clinic, amna).await;
    let saira = PersonFields {
        specialty: Some("pediatrics".into()),
        phone: Some("+92 300 1234567".into()),
        hours: Some("always".into()),
        ..person("Dr Saira", "specialist")
    };
    (doctor, code(hie, &hospital, saira).await)
}

/// An app core on a folder, which it alone may use while it lives.
pub fn app(folder: &Path, clock: Arc<dyn Clock>) -> App {
    app_that_takes(Updates::off(), folder, clock)
}

pub fn app_that_takes(updates: Updates, folder: &Path, clock: Arc<dyn Clock>) -> App {
    App::new(Config {
        folder: folder.to_owned(),
        documents: folder.join("documents"),
        media: MediaConfig::none(),
        clock,
        idle_lock_seconds: 3_600,
        updates,
    })
}

pub async fn join(folder: &Path, code: String) -> App {
    join_at(folder, code, Arc::new(SystemClock { offset_minutes: 300 })).await
}

pub async fn join_at(folder: &Path, code: String, clock: Arc<dyn Clock>) -> App {
    let app = app(folder, clock);
    let join = Join { code, passphrase: "seven quiet herons wade".into(), pin: "4711".into() };
    let recovery = ask(&app, join).await.unwrap();
    assert!(ask(&app, ConfirmRecovery { typed: recovery.code }).await.unwrap());
    app
}

impl World {
    pub async fn new() -> Self {
        Self::with("doctor").await
    }

    /// Somebody of `role` at the clinic, and the specialist.
    pub async fn with(role: &str) -> Self {
        Self::at(tempfile::tempdir().unwrap(), role, None).await
    }

    /// One whose HIE phones can reach.
    pub async fn with_door() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let door = door(folder.path());
        Self::at(folder, "doctor", Some(door)).await
    }

    async fn at(folder: tempfile::TempDir, role: &str, door: Option<DoorConfig>) -> Self {
        let hie = serve_with(folder.path(), address(), door).await;
        let (doctor, specialist) = invited(&hie, role).await;
        let doctor = join(&folder.path().join("doctor"), doctor).await;
        let specialist = join(&folder.path().join("specialist"), specialist).await;
        Self { address: hie.addr, hie: Some(hie), folder, doctor, specialist }
    }

    /// One more of the hospital's pediatricians.
    pub async fn another_specialist(&self, name: &str, hours: &str) -> App {
        let hie = self.hie.as_ref().unwrap();
        let new = PersonFields {
            name: name.into(),
            role: "specialist".into(),
            specialty: Some("pediatrics".into()),
            phone: Some("+92 300 7654321".into()),
            hours: Some(hours.into()),
            ..PersonFields::default()
        };
        let code = code(hie, "DHQ Kasur", new).await;
        join(&self.folder.path().join(name), code).await
    }

    /// Sets the first specialist's duty hours.
    pub async fn hours(&self, hours: &str) {
        let hie = self.hie.as_ref().unwrap();
        let Reply::Roster(roster) = tell(hie, Request::Roster).await else { panic!("no roster") };
        let person = roster[0].person;
        let request = Request::SetRoster { person, specialty: None, phone: None, hours: hours.into() };
        tell(hie, request).await;
    }

    pub async fn stop_hie(&mut self) {
        self.hie.take().unwrap().shutdown().await;
    }

    pub async fn start_hie(&mut self) {
        self.hie = Some(serve(self.folder.path(), self.address).await);
    }

    pub async fn patient(&self, name: &str) -> PatientCard {
        patient_at(&self.doctor, name).await
    }

    pub async fn visit(&self, patient: &str) -> VisitView {
        visit_at(&self.doctor, patient).await
    }
}

/// Registers somebody at a laptop.
pub async fn patient_at(app: &App, name: &str) -> PatientCard {
    let age = AgeSaid {
        said: Said::Years { n: 4 },
        on: time::OffsetDateTime::now_utc().date(),
        by: "mother".into(),
    };
    let registration = Registration {
        name: name.into(),
        sex: Sex::Female,
        age: Some(age),
        no_paper: Some("none".into()),
        ..Registration::default()
    };
    ask(app, Register { registration, shared_cnic: None }).await.unwrap()
}

/// A visit that is ready to be signed.
pub async fn visit_at(app: &App, patient: &str) -> VisitView {
    let visit = ask(app, StartVisit { patient: patient.to_owned() }).await.unwrap();
    let mut form = VisitForm {
        complaint: "fever and cough".into(),
        history: "since Monday".into(),
        ..visit.form.clone()
    };
    form.danger.asked = true;
    form.allergies.state = AllergyState::NoneKnown;
    let save = SaveVisit { id: visit.id.clone(), rev: visit.rev, form: form.clone() };
    let rev = ask(app, save).await.unwrap().rev;
    VisitView { form, rev, ..visit }
}

pub async fn ask<C: Command>(app: &App, command: C) -> Result<C::Reply, Error> {
    let answer = app.handle(C::NAME, serde_json::to_value(&command).unwrap()).await?;
    Ok(serde_json::from_value(answer).unwrap())
}

/// Asks again whenever the app says that something changed, until `good` answers.
pub async fn until<C: Command + Clone, T>(app: &App, command: C, good: impl Fn(C::Reply) -> Option<T>) -> T {
    let mut events = app.events();
    let found = async {
        loop {
            let answer = ask(app, command.clone()).await;
            if let Some(found) = answer.ok().and_then(&good) {
                return found;
            }
            // A missed event is one more reason to look.
            let _ = events.recv().await;
        }
    };
    let waited = tokio::time::timeout(LONG, found).await;
    waited.unwrap_or_else(|_| panic!("it never came: {}", C::NAME))
}

pub fn form(urgency: Urgency) -> AskForm {
    AskForm {
        specialty: "pediatrics".into(),
        urgency,
        question: "Pneumonia? Refer?".into(),
        to_person: None,
        wishes: vec![],
    }
}

pub fn consent() -> ConsentForm {
    ConsentForm {
        decision: "given".into(),
        given_by: "guardian".into(),
        guardian_name: "Bushra".into(),
        guardian_relation: "MTH".into(),
        how: "spoken".into(),
        language: "pa".into(),
        witness: "LHV Nasreen".into(),
        scope: vec!["this-consultation".into()],
        ..ConsentForm::default()
    }
}

pub async fn one_ask(app: &App, good: impl Fn(&AskRow) -> bool) -> AskRow {
    until(app, ListAsks { closed: true }, |rows| rows.into_iter().find(|row| good(row))).await
}
