//! Records for the clinic's other laptops on the same Wi-Fi ([`rabta_sync::nearby`]): off until somebody turns it on here.

use std::sync::Arc;

use rabta_ipc::{
    Error, Event,
    sync::{Nearby as View, NearbyLaptop, SetNearby},
};
use rabta_store::{RecordStore, SqliteStore, Transaction};
use rabta_sync::nearby::{Host, Mdns, Met, Nearby, NearbyError};
use rabta_wire::Id;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

use crate::{Inner, Session, routes::routes, sync_task::told_chip};

/// Set where it is on.
const ON: &str = "nearby.on";

routes!(Session {
    SetNearby => set_nearby,
});

impl Session {
    async fn set_nearby(&self, ask: SetNearby) -> Result<(), Error> {
        let transaction = Transaction::new();
        let transaction = if ask.on { transaction.set(ON, *b"1") } else { transaction.unset(ON) };
        self.commit(transaction).await?;
        self.sync.set_nearby(ask.on).await
    }
}

/// Whether it is to be on when the vault is opened.
pub(crate) async fn is_on(store: &SqliteStore) -> bool {
    store.setting(ON).await.ok().flatten().is_some()
}

/// Where this laptop stands with the others.
#[derive(Default)]
pub(crate) enum Standing {
    #[default]
    Off,
    /// It is on, and nobody can be looked for.
    Failed,
    On {
        met: watch::Receiver<Vec<Met>>,
        stop: CancellationToken,
    },
}

impl Drop for Standing {
    fn drop(&mut self) {
        if let Self::On { stop, .. } = self {
            stop.cancel();
        }
    }
}

impl Standing {
    pub fn view(&self) -> View {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        match self {
            Self::Off => View::default(),
            Self::Failed => View { on: true, failed: true, met: Vec::new() },
            Self::On { met, .. } => View {
                on: true,
                failed: false,
                met: met
                    .borrow()
                    .iter()
                    .map(|met| NearbyLaptop {
                        name: met.name.clone(),
                        at: met.at,
                        handed: count(met.handed),
                        taken: count(met.taken),
                    })
                    .collect(),
            },
        }
    }
}

/// Starts to listen and to look; what is to be run until [`Standing::On`]'s token is cancelled, and the window's news.
pub(crate) async fn start(
    app: Arc<Inner>,
    facility: Id,
    host: Host<SqliteStore>,
) -> Result<(Standing, impl Future<Output = ()> + Send + 'static), NearbyError> {
    let listener = TcpListener::bind("0.0.0.0:0").await?;
    let (mdns, found) = Mdns::start(listener.local_addr()?.port())?;
    let (store, handle) = (host.store.clone(), host.sync.clone());
    let nearby = Nearby::new(host, mdns.name.clone());
    let (met, stop) = (nearby.watch(), CancellationToken::new());
    let (mut news, stopped) = (met.clone(), stop.clone());
    let going = async move {
        let _mdns = mdns;
        tokio::select! {
            () = nearby.run(listener, found) => {}
            () = async {
                // The Sync page asks again at each word of the chip.
                while news.changed().await.is_ok() {
                    let chip = told_chip(&store, facility, &handle.status()).await;
                    let _ = app.events.send(Event::Sync { chip });
                }
            } => {}
            () = stopped.cancelled() => {}
        }
    };
    Ok((Standing::On { met, stop }, going))
}
