//! What a call is about.

use rabta_call::Invitation;
use rabta_ipc::call::LinkCall;
use rabta_wire::{Id, guest::LinkSecret, signal::Address};

/// What a call is about, and with that how its ends know each other.
pub(crate) enum About {
    /// Devices with certificates.
    Ask(Id),
    /// The same, about nothing that has a Task.
    Colleague,
    /// A patient's phone, by the link's secret.
    Link { secret: LinkSecret, name: String, link: LinkCall },
}

impl About {
    /// Whom to ring about it.
    pub fn invitation(&self, to: Address) -> Invitation {
        let ask = if let Self::Ask(ask) = self { Some(*ask) } else { None };
        Invitation { to, ask, patient: matches!(self, Self::Link { .. }) }
    }
}
