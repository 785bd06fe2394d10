//! A laptop is backed up to a stick, lost, and restored on another one.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::{AYESHA, DOCTOR, PASSPHRASE, PIN, Person, World};
use crate::{access::Problems, disk::SmallDisk, window::Window};

const NEW_LAPTOP: Person = Person { key: "new-laptop", ..DOCTOR };

/// Fills the page that asks for the operator's code and for what opens the backup.
pub async fn fill_restore(window: &Window, code: &str, given: &str) -> Result<()> {
    window.fill("code", code).await?;
    window.fill("given", given).await?;
    window.fill("passphrase", PASSPHRASE).await?;
    window.fill("passphrase-again", PASSPHRASE).await?;
    window.fill("pin", PIN).await?;
    window.fill("pin-again", PIN).await
}

/// The recovery code that is shown, asked back.
pub async fn read_back(window: &Window) -> Result<()> {
    window.screen("gate-recovery").await?;
    let code = window.eval("return document.querySelector('[data-code]').dataset.code").await?;
    window.click("written").await?;
    window.screen("gate-recovery-ask").await?;
    window.fill("recovery", code.as_str().context("the new code")?).await?;
    window.click("compare").await
}

impl World {
    /// A backup on a stick, the laptop lost, and the same records on a new one.
    pub async fn lost_and_restored(&mut self, problems: &mut Problems) -> Result<()> {
        let codes = self.found_empty_clinic().await?;
        let stick = self.run.path("stick");
        fs::create_dir_all(&stick)?;
        let window = self.open(DOCTOR).await?;
        let recovery = self.join(&window, DOCTOR, &codes.doctor.code).await?;
        // What is on this laptop only, and goes to the stick.
        self.hie.stop()?;
        self.register(&window, &AYESHA).await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.see("backup-place").await?;
        let nowhere = self.run.path("no-stick-here").display().to_string();
        window.fill("backup-place", &nowhere).await?;
        window.click("back-up").await?;
        window.reads("error", "backup-place").await?;
        let small = self.run.path("small-stick");
        if let Some(disk) = SmallDisk::mount(&small, 4)? {
            disk.fill()?;
            window.fill("backup-place", &small.display().to_string()).await?;
            window.click("back-up").await?;
            window.reads("error", "backup-full").await?;
            self.shoot_every_way(&window, "Me: the stick is full").await?;
            let left = fs::read_dir(&small)?.filter_map(Result::ok);
            ensure!(
                left.into_iter()
                    .all(|entry| !entry.file_name().to_string_lossy().starts_with("rabta-backup")),
                "nothing is left that looks like a backup"
            );
        }
        window.fill("backup-place", &stick.display().to_string()).await?;
        window.click("back-up").await?;
        window.see("backup-done").await?;
        self.shoot_every_way(&window, "Me: the backup is there and was read back").await?;
        window.click("change-key").await?;
        window
            .wait("the vault under another key", async || {
                Ok(self.vault(DOCTOR).join("records-1.db").exists().then_some(()))
            })
            .await?;
        // It goes on with the new key.
        ensure!(self.find(&window, AYESHA.name).await? == 1, "she is found");
        window.close().await?;
        fs::remove_dir_all(self.run.path(DOCTOR.key)).context("the laptop is lost")?;

        self.hie.start().await?;
        let again = self.hie.enroll_again(&DOCTOR, &codes.doctor.person)?;
        let window = self.open(NEW_LAPTOP).await?;
        window.click("lang-en").await?;
        window.screen("gate-code").await?;
        window.click("restore").await?;
        window.screen("restore").await?;
        window.fill("backup-place", &nowhere).await?;
        window.click("find-backups").await?;
        window.reads("error", "backup-none").await?;
        window.fill("backup-place", &stick.display().to_string()).await?;
        window.click("find-backups").await?;
        window.see("backup").await?;
        ensure!(window.count("backup").await? == 1, "the one that was made");
        self.shoot_every_way(&window, "A new laptop: which backup").await?;
        problems.check_every_way(self, &window, "restore").await?;
        window.click("choose-backup").await?;
        window.screen("restore-with").await?;
        fill_restore(&window, &again.code, "not what opens it at all").await?;
        window.click("restore-now").await?;
        window.reads("error", "backup-secret").await?;
        self.shoot_every_way(&window, "A new laptop: the operator's code, and what opens the backup").await?;
        problems.check_every_way(self, &window, "restore-with").await?;
        ensure!(!self.vault(NEW_LAPTOP).exists(), "nothing was made");
        window.fill("given", &recovery).await?;
        window.click("restore-now").await?;
        read_back(&window).await?;
        window.screen("gate-pull").await?;
        window.click("start").await?;
        window.screen("today").await?;
        ensure!(self.find(&window, AYESHA.name).await? == 1, "she is found on the new laptop");
        self.all_at_hie(&window).await?;
        self.shoot(&window, "What was on the lost laptop only is at the health exchange").await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.see("backup-place").await?;
        problems.check_every_way(self, &window, "me, with the backup").await?;
        window.close().await
    }
}
