//! A laptop is backed up to a stick, lost, and restored on another one; in the real windows.

mod in_a_window {
    use std::{fs, path::Path};

    use anyhow::{Context, Result, ensure};
    use rabta_tests::{
        access::Problems,
        disk::SmallDisk,
        story::{AYESHA, DOCTOR, NewPatient, PASSPHRASE, PIN, Person, World},
        window::Window,
    };

    const OTHER: NewPatient = NewPatient { name: "Sakina Mai", cnic: "31950-9955125-2", ..AYESHA };
    const NEW_LAPTOP: Person = Person { key: "new-laptop", ..DOCTOR };

    async fn fill_restore(window: &Window, code: &str, given: &str) -> Result<()> {
        window.fill("code", code).await?;
        window.fill("given", given).await?;
        window.fill("passphrase", PASSPHRASE).await?;
        window.fill("passphrase-again", PASSPHRASE).await?;
        window.fill("pin", PIN).await?;
        window.fill("pin-again", PIN).await
    }

    #[tokio::test]
    async fn a_backup_a_loss_and_the_same_records_on_a_new_laptop() -> Result<()> {
        let mut world = World::of_test("vault-moves").await?;
        let codes = world.found_empty_clinic().await?;
        let stick = world.run.path("stick");
        fs::create_dir_all(&stick)?;
        let window = world.open(DOCTOR).await?;
        let recovery = world.join(&window, DOCTOR, &codes.doctor.code).await?;
        // What is on this laptop only, and goes to the stick.
        world.hie.stop()?;
        world.register(&window, &AYESHA).await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.see("backup-place").await?;
        let nowhere = world.run.path("no-stick-here").display().to_string();
        window.fill("backup-place", &nowhere).await?;
        window.click("back-up").await?;
        window.reads("error", "backup-place").await?;
        let small = world.run.path("small-stick");
        if let Some(disk) = SmallDisk::mount(&small, 4)? {
            disk.fill()?;
            window.fill("backup-place", &small.display().to_string()).await?;
            window.click("back-up").await?;
            window.reads("error", "backup-full").await?;
            world.shoot_every_way(&window, "Me: the stick is full").await?;
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
        world.shoot_every_way(&window, "Me: the backup is there and was read back").await?;
        let mut problems = Problems::default();
        window.click("change-key").await?;
        window
            .wait("the vault under another key", async || {
                Ok(world.vault(DOCTOR).join("records-1.db").exists().then_some(()))
            })
            .await?;
        // It goes on with the new key.
        ensure!(world.find(&window, AYESHA.name).await? == 1, "she is found");
        window.close().await?;
        fs::remove_dir_all(world.run.path(DOCTOR.key)).context("the laptop is lost")?;

        world.hie.start().await?;
        let again = world.hie.enroll_again(&DOCTOR, &codes.doctor.person)?;
        let window = world.open(NEW_LAPTOP).await?;
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
        world.shoot_every_way(&window, "A new laptop: which backup").await?;
        problems.check_every_way(&world, &window, "restore").await?;
        window.click("choose-backup").await?;
        window.screen("restore-with").await?;
        fill_restore(&window, &again.code, "not what opens it at all").await?;
        window.click("restore-now").await?;
        window.reads("error", "backup-secret").await?;
        world
            .shoot_every_way(&window, "A new laptop: the operator's code, and what opens the backup")
            .await?;
        problems.check_every_way(&world, &window, "restore-with").await?;
        ensure!(!world.vault(NEW_LAPTOP).exists(), "nothing was made");
        window.fill("given", &recovery).await?;
        window.click("restore-now").await?;
        read_back(&window).await?;
        window.screen("gate-pull").await?;
        window.click("start").await?;
        window.screen("today").await?;
        ensure!(world.find(&window, AYESHA.name).await? == 1, "she is found on the new laptop");
        world.all_at_hie(&window).await?;
        world.shoot(&window, "What was on the lost laptop only is at the health exchange").await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.see("backup-place").await?;
        problems.check_every_way(&world, &window, "me, with the backup").await?;
        problems.none()?;
        window.close().await
    }

    const IMAGE: Person = Person { key: "image", ..DOCTOR };

    fn copy(from: &Path, to: &Path) -> Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let to = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                copy(&entry.path(), &to)?;
            } else if entry.file_type()?.is_file() {
                fs::copy(entry.path(), to)?;
            }
        }
        Ok(())
    }

    /// The recovery code that is shown, asked back.
    async fn read_back(window: &Window) -> Result<()> {
        window.screen("gate-recovery").await?;
        let code = window.eval("return document.querySelector('[data-code]').dataset.code").await?;
        window.click("written").await?;
        window.screen("gate-recovery-ask").await?;
        window.fill("recovery", code.as_str().context("the new code")?).await?;
        window.click("compare").await
    }

    #[tokio::test]
    async fn a_copied_laptop_says_so_and_starts_anew_with_all_its_records() -> Result<()> {
        let mut world = World::of_test("vault-copied").await?;
        let codes = world.found_empty_clinic().await?;
        world.open_and_join(DOCTOR, &codes.doctor.code).await?.close().await?;
        copy(&world.run.path(DOCTOR.key), &world.run.path(IMAGE.key))?;
        // Both go on, one after the other.
        let first = world.reopen(DOCTOR).await?;
        world.unlock(&first).await?;
        world.register(&first, &AYESHA).await?;
        world.all_at_hie(&first).await?;
        first.close().await?;
        let window = world.reopen(IMAGE).await?;
        world.unlock(&window).await?;
        world.register(&window, &OTHER).await?;
        window.click("sync-chip").await?;
        window.screen("sync").await?;
        window.click("sync-now").await?;
        window.reads("sync-state", "device-copied").await?;
        world.shoot_every_way(&window, "Sync: two copies of one laptop").await?;
        window.click("go-today").await?;
        window.screen("today").await?;
        window.see("device-copied").await?;
        world.shoot_every_way(&window, "Today: two copies of one laptop, and the way on").await?;
        window.click("start-anew").await?;
        window.screen("restore-with").await?;
        world.shoot_every_way(&window, "Start anew: a code of the operator").await?;
        let again = world.hie.enroll_again(&DOCTOR, &codes.doctor.person)?;
        fill_restore(&window, &again.code, PASSPHRASE).await?;
        window.click("restore-now").await?;
        read_back(&window).await?;
        window.screen("gate-pull").await?;
        window.click("start").await?;
        window.screen("today").await?;
        window.gone("device-copied").await?;
        ensure!(world.find(&window, OTHER.name).await? == 1, "what was written on this copy is here");
        window.close().await
    }
}
