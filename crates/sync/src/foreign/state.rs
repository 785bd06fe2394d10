//! Where things stand with one foreign server: settings of the store, so that each is written with what it is about.
//!
//! `foreign/<server>/push`, `…/held`, `…/pull/<Type>` are JSON; `…/r/<Type>/<id>` is what is known of one resource over there.
//! Ids and versions only, except for the server's own words in `held`; all of it lies in the encrypted store.

use rabta_domain::Private;
use rabta_store::{RecordStore, StoreError, Transaction};
use rabta_wire::Id;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A place in this device's log: the log's epoch and the sequence in it.
pub(crate) type Place = (u32, u64);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PushState {
    /// Everything up to here was sent, or is held.
    pub place: Place,
    /// What was being sent when this was written: whether it arrived is not known.
    pub trying: Option<Id>,
    /// Up to here the server had everything once and may have lost it: looked for before it is sent.
    pub doubt: Place,
}

/// Why an envelope is not at the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    /// The server said no, in these words. It waits for a person.
    Refused { status: u16, words: Private<String> },
    /// Somebody changed the resource over there since it was last known. It waits for a person.
    Conflict { words: Private<String> },
    /// The server failed on it, or answered what cannot be used; tried again each time.
    PutOff { words: Private<String> },
    /// It depends on another one that is held.
    Waits { on: Id },
}

/// An envelope that is held back; others go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub envelope: Id,
    #[serde(flatten)]
    pub why: Why,
}

/// How far the changes of one type were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PullState {
    /// Changes after this instant of the server's clock are still to be read.
    pub since: Option<String>,
    /// Patients that came later here (by the store's order) were not asked about yet.
    pub covered: i64,
    /// A reading that is under way.
    pub round: Option<Round>,
    /// How often in a row the server promised more than it gave.
    pub short: u8,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Round {
    /// The server's time when it began; `None` where it does not say.
    pub began: Option<String>,
    /// The newest patient here when it began.
    pub top: i64,
    /// Patients from here on (newest first) are still to be asked about.
    pub before: Option<i64>,
    /// Of the patients at hand everything before this instant is here.
    pub high: Option<String>,
    /// Something of it was not given.
    pub short: bool,
    /// Something of it cannot be used: it is asked for again each time.
    pub broken: bool,
}

/// What is known of a resource at the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// `meta.versionId` there; empty where it was not told.
    pub version: String,
    pub origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Origin {
    /// This version was sent from here.
    Ours,
    /// It came from there and is stored here.
    Theirs,
    /// It was written here, and changed over there: ours is shown here.
    Differs,
    /// It was there before anything was sent, and is not stored from there.
    There,
}

/// Reads and writes the settings of one server.
#[derive(Debug, Clone)]
pub(crate) struct Keys(pub String);

impl Keys {
    pub fn push(&self) -> String {
        format!("foreign/{}/push", self.0)
    }

    pub fn held(&self) -> String {
        format!("foreign/{}/held", self.0)
    }

    pub fn pull(&self, kind: &str) -> String {
        format!("foreign/{}/pull/{kind}", self.0)
    }

    pub fn resource(&self, reference: &str) -> String {
        format!("foreign/{}/r/{reference}", self.0)
    }
}

/// The setting, or its default where there is none or it is not readable: then what is known is asked again, and nothing is lost.
pub(crate) async fn load<T: DeserializeOwned + Default>(
    store: &impl RecordStore,
    key: &str,
) -> Result<T, StoreError> {
    Ok(load_if(store, key).await?.unwrap_or_default())
}

pub(crate) async fn load_if<T: DeserializeOwned>(
    store: &impl RecordStore,
    key: &str,
) -> Result<Option<T>, StoreError> {
    Ok(store.setting(key).await?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

pub(crate) fn put<T: Serialize>(transaction: Transaction, key: String, value: &T) -> Transaction {
    transaction.set(key, serde_json::to_vec(value).expect("a struct of texts and numbers is always JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_survives_its_writing_and_prints_no_words() {
        let held = Held {
            envelope: Id([1; 16]),
            why: Why::Refused { status: 422, words: Private("Ayesha is unknown".into()) },
        };
        let text = serde_json::to_string(&held).expect("JSON");
        assert_eq!(serde_json::from_str::<Held>(&text).expect("the same"), held);
        assert!(!format!("{held:?}").contains("Ayesha"));
    }
}
