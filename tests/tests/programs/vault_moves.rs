//! A laptop is backed up to a stick, lost, and restored on another one; in the real windows.

mod in_a_window {
    use std::{fs, path::Path};

    use anyhow::{Result, ensure};
    use rabta_tests::{
        access::Problems,
        story::{AYESHA, DOCTOR, NewPatient, PASSPHRASE, Person, World, fill_restore, read_back},
    };

    const OTHER: NewPatient = NewPatient { name: "Sakina Mai", cnic: "31950-9955125-2", ..AYESHA };
    #[tokio::test]
    async fn a_backup_a_loss_and_the_same_records_on_a_new_laptop() -> Result<()> {
        let mut world = World::of_test("vault-moves").await?;
        let mut problems = Problems::default();
        world.lost_and_restored(&mut problems).await?;
        problems.none()
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
