//! The two cores, and people to put into them.

use rabta_hie::{
    db::Db,
    envelopes::{EnvelopeCore, SqliteCore, model::ModelCore},
    identity::{self, DeviceInfo, NewFacility, NewPerson, PersonKey},
};
use rabta_wire::Id;

use crate::support::{self, Member, NOON, id, key};

/// A core and who is known to it.
pub trait World {
    type Core: EnvelopeCore;
    async fn new() -> Self;
    fn core(&self) -> &Self::Core;
    async fn facility(&self) -> Id;
    async fn join_as(&self, role: &str, facility: Id) -> Member;
    async fn join(&self, facility: Id) -> Member {
        self.join_as("doctor", facility).await
    }
    async fn revoke(&self, device: Id);
    /// Puts a person on the duty roster.
    async fn on_duty(&self, person: Id, specialty: &str);
}

pub struct Sqlite {
    db: Db,
    core: SqliteCore,
    _temp: tempfile::TempDir,
}

impl World for Sqlite {
    type Core = SqliteCore;

    async fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let db = Db::open(&temp.path().join("hie"), &temp.path().join("hie.key"), NOON).await.unwrap();
        Self { core: SqliteCore::new(db.clone()), db, _temp: temp }
    }

    fn core(&self) -> &SqliteCore {
        &self.core
    }

    async fn facility(&self) -> Id {
        let mut tx = self.db.write().await.unwrap();
        let new = NewFacility {
            id: None,
            name: "a place".into(),
            kind: "clinic".into(),
            place: None,
            address: None,
            mr_prefix: None,
        };
        let made = identity::add_facility(&mut tx, &new, NOON).await.unwrap();
        tx.commit().await.unwrap();
        made.id
    }

    async fn join_as(&self, role: &str, facility: Id) -> Member {
        let mut tx = self.db.write().await.unwrap();
        let new = NewPerson {
            facility,
            name: "a person".into(),
            role: role.into(),
            registration: None,
            qualification: None,
            specialty: None,
            phone: None,
        };
        let person = identity::add_person(&mut tx, &new, NOON).await.unwrap().id;
        let secret = identity::invite(&mut tx, person, NOON).await.unwrap();
        let code =
            rabta_wire::code::EnrollmentCode { address: String::new(), spki_sha256_16: [0; 16], secret };
        let (ask, mut member) = support::server::Server::enrollment(&code);
        member.device = identity::enroll(&self.db, &mut tx, &ask, NOON).await.unwrap().device;
        (member.person, member.facility) = (person, facility);
        tx.commit().await.unwrap();
        member
    }

    async fn revoke(&self, device: Id) {
        rabta_hie::admin::run(&self.db, rabta_hie::admin::Request::RevokeDevice { device }, NOON)
            .await
            .unwrap();
    }

    async fn on_duty(&self, person: Id, specialty: &str) {
        let mut tx = self.db.write().await.unwrap();
        identity::set_roster(&self.db, &mut tx, person, specialty, "1", "always", NOON).await.unwrap();
        tx.commit().await.unwrap();
    }
}

pub struct Model(ModelCore);

impl World for Model {
    type Core = ModelCore;

    async fn new() -> Self {
        Self(ModelCore::default())
    }

    fn core(&self) -> &ModelCore {
        &self.0
    }

    async fn facility(&self) -> Id {
        id()
    }

    async fn join_as(&self, role: &str, facility: Id) -> Member {
        let (device_key, person_key) = (key(), key());
        let member =
            Member { device: id(), device_key, person: id(), person_key, facility, seq: 0, prev: [0; 32] };
        self.0.add_device(DeviceInfo {
            id: member.device,
            facility,
            key: member.device_key.verifying_key(),
            revoked: false,
            revoked_at: None,
            forked: false,
        });
        let key = member.person_key.verifying_key();
        self.0
            .add_person(member.person, PersonKey { key, device: member.device, facility, role: role.into() });
        member
    }

    async fn revoke(&self, device: Id) {
        self.0.revoke_device(device);
    }

    async fn on_duty(&self, person: Id, specialty: &str) {
        self.0.add_to_roster(person, specialty);
    }
}
