//! A laptop without a window: the app core on its real encrypted record.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use rabta_app::{App, Config, MediaConfig, SystemClock, Updates};
use rabta_ipc::{
    Command,
    gate::{ConfirmRecovery, GetStatus, Join, Phase, Unlock},
};

pub const PASSPHRASE: &str = "seven quiet herons wade";

/// The app core whose files are in `folder`.
pub fn app(folder: &Path) -> App {
    App::new(Config {
        folder: folder.to_owned(),
        documents: folder.join("documents"),
        media: MediaConfig::none(),
        clock: Arc::new(SystemClock { offset_minutes: 300 }),
        idle_lock_seconds: 3_600,
        updates: Updates::off(),
    })
}

/// What the window asks, as it asks it.
pub async fn ask<C: Command>(app: &App, command: C) -> Result<C::Reply> {
    let json = serde_json::to_value(&command)?;
    let reply =
        app.handle(C::NAME, json).await.map_err(|error| anyhow::anyhow!("{}: {}", C::NAME, error.code))?;
    Ok(serde_json::from_value(reply)?)
}

/// Joins with an enrollment code; the vault is open afterward.
pub async fn join(app: &App, code: String) -> Result<()> {
    let recovery = ask(app, Join { code, passphrase: PASSPHRASE.into(), pin: "4711".into() }).await?;
    ensure!(ask(app, ConfirmRecovery { typed: recovery.code }).await?, "the recovery code is right");
    Ok(())
}

pub async fn unlock(app: &App) -> Result<()> {
    let Phase::Locked { persons } = ask(app, GetStatus {}).await?.phase else { bail!("not locked") };
    let person = persons.first().context("somebody")?.id.clone();
    ask(app, Unlock { person, passphrase: PASSPHRASE.to_owned().into() }).await
}
