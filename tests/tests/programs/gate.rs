//! Joining, unlocking, and every way in which a vault does not open, through the real window.

mod in_a_window {
    use std::{collections::BTreeMap, fs, path::Path};

    use anyhow::{Context, Result, ensure};
    use rabta_tests::{
        hie::Hie,
        process,
        story::{DOCTOR, PASSPHRASE, PIN, World},
        window::Window,
    };

    /// Every file below a folder, with its bytes.
    fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                found.extend(contents(&path)?);
            } else {
                found.insert(path.display().to_string(), fs::read(&path)?);
            }
        }
        Ok(found)
    }

    async fn type_passphrase(window: &Window, text: &str) -> Result<()> {
        window.fill("passphrase", text).await?;
        window.click("unlock").await
    }

    #[tokio::test]
    async fn a_person_joins_locks_unlocks_and_changes_the_language() -> Result<()> {
        let mut world = World::of_test("gate-join").await?;
        let window = world.open_empty_clinic().await?;
        world.lock_and_open(&window).await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.reads("me-name", DOCTOR.name).await?;
        world.speak(&window, "ur").await?;
        world.speak(&window, "en").await?;
        window.click("lock-vault").await?;
        world.unlock(&window).await?;
        window.close().await?;
        let window = world.reopen(DOCTOR).await?;
        world.unlock(&window).await?;
        window.close().await
    }

    #[tokio::test]
    async fn a_wrong_passphrase_is_told_and_delayed_and_costs_nothing_else() -> Result<()> {
        let mut world = World::of_test("gate-wrong").await?;
        world.open_empty_clinic().await?.close().await?;
        let window = world.reopen(DOCTOR).await?;
        let before = fs::read(world.vault(DOCTOR).join("records.db"))?;
        let mut delayed = false;
        for _ in 0..6 {
            type_passphrase(&window, "not the passphrase").await?;
            window
                .wait("to be told that it was wrong", async || {
                    let told = window.sees_now("field-error").await? || window.sees_now("wait").await?;
                    Ok(told.then_some(()))
                })
                .await?;
            if window.sees_now("wait").await? {
                delayed = true;
                break;
            }
        }
        ensure!(delayed, "the next try has to wait after some wrong ones");
        // A restart is no way around it: the next wrong one has to wait at once.
        window.close().await?;
        let window = world.reopen(DOCTOR).await?;
        window.gone("wait").await?;
        type_passphrase(&window, "not this one either").await?;
        window.see("wait").await?;
        ensure!(fs::read(world.vault(DOCTOR).join("records.db"))? == before, "the records are as they were");
        window.gone("wait").await?;
        world.unlock(&window).await?;
        window.close().await
    }

    #[tokio::test]
    async fn five_wrong_pins_lock_the_vault() -> Result<()> {
        let mut world = World::of_test("gate-pin").await?;
        let window = world.open_empty_clinic().await?;
        window.control('l').await?;
        window.screen("screen-lock").await?;
        for _ in 0..5 {
            if window.screen_name().await? == "unlock" {
                break;
            }
            window.fill("pin", "0000").await?;
            window.click("unlock-pin").await?;
            window
                .wait("an answer to the PIN", async || {
                    let locked = window.screen_name().await? == "unlock";
                    Ok((locked || window.sees_now("field-error").await? || window.sees_now("wait").await?)
                        .then_some(()))
                })
                .await?;
            if window.sees_now("wait").await? {
                window.gone("wait").await?;
            }
        }
        ensure!(PIN != "0000");
        world.unlock(&window).await?;
        window.close().await
    }

    #[tokio::test]
    async fn a_vault_that_does_not_open_is_reported_and_left_exactly_as_it_is() -> Result<()> {
        let mut world = World::of_test("gate-broken").await?;
        world.open_empty_clinic().await?.close().await?;
        let folder = world.vault(DOCTOR);
        let (vault, records) = (folder.join("vault.json"), folder.join("records.db"));
        let (good_vault, good_records) = (fs::read(&vault)?, fs::read(&records)?);

        let newer = String::from_utf8(good_vault.clone())?;
        let newer: serde_json::Value = serde_json::from_str(&newer)?;
        let mut newer = newer.as_object().context("vault.json is an object")?.clone();
        newer.insert("format".to_owned(), 999.into());
        let newer = serde_json::to_vec(&newer)?;
        let half = good_vault[..good_vault.len() / 2].to_vec();

        for (what, bytes, words) in [
            ("truncated", half, "vault-damaged"),
            ("empty", Vec::new(), "vault-damaged"),
            ("of a newer program", newer, "vault-newer"),
        ] {
            fs::write(&vault, &bytes)?;
            let window = world.open(DOCTOR).await?;
            window.screen("broken").await?;
            window.reads("what-to-do", words).await.with_context(|| format!("vault.json {what}"))?;
            window.close().await?;
            ensure!(fs::read(&vault)? == bytes, "vault.json, {what}, was touched");
            ensure!(fs::read(&records)? == good_records, "the records were touched, with vault.json {what}");
        }
        fs::write(&vault, &good_vault)?;

        let mut foreign = good_records.clone();
        foreign.reverse();
        for (what, bytes) in [
            ("replaced", foreign),
            ("truncated", good_records[..good_records.len() / 2].to_vec()),
            ("empty", Vec::new()),
        ] {
            fs::write(&records, &bytes)?;
            let window = world.open(DOCTOR).await?;
            if window.one_of_screens(&["unlock", "broken"]).await? == "unlock" {
                type_passphrase(&window, PASSPHRASE).await?;
                window.screen("broken").await.with_context(|| format!("records.db {what}"))?;
            }
            window.reads("what-to-do", "vault-damaged").await?;
            window.close().await?;
            ensure!(fs::read(&records)? == bytes, "records.db, {what}, was touched");
        }
        fs::write(&records, &good_records)?;
        let window = world.reopen(DOCTOR).await?;
        world.unlock(&window).await?;
        window.close().await
    }

    #[tokio::test]
    async fn a_second_program_on_the_same_folder_is_told_so_and_touches_nothing() -> Result<()> {
        let mut world = World::of_test("gate-second").await?;
        let first = world.open_empty_clinic().await?;
        let before = contents(&world.run.path("doctor"))?;
        let second = world.open(DOCTOR).await?;
        second.screen("broken").await?;
        second.reads("what-to-do", "vault-in-use").await?;
        second.close().await?;
        let after = contents(&world.run.path("doctor"))?;
        ensure!(before.keys().eq(after.keys()), "no file came or went");
        first.click("go-find").await?;
        first.screen("find").await?;
        first.close().await
    }

    #[tokio::test]
    async fn a_code_opens_once() -> Result<()> {
        let mut world = World::of_test("gate-code").await?;
        let codes = world.found_empty_clinic().await?;
        world.open_and_join(DOCTOR, &codes.doctor.code).await?.close().await?;
        let other = rabta_tests::story::Person { key: "other", ..DOCTOR };
        let window = world.open(other).await?;
        window.click("lang-en").await?;
        window.fill("code", &codes.doctor.code).await?;
        window.click("check-code").await?;
        window.reads("error", "code-used").await?;
        window.fill("code", "NOT-A-CODE").await?;
        window.click("check-code").await?;
        window.reads("error", "code-malformed").await?;
        ensure!(!world.vault(other).join("records.db").exists(), "nothing was made");
        window.close().await
    }

    #[tokio::test]
    async fn a_server_with_another_key_is_refused_in_words() -> Result<()> {
        let mut world = World::of_test("gate-key").await?;
        let window = world.open_empty_clinic().await?;
        world.hie.stop()?;
        let mut impostor = Hie::at(&world.run, "impostor")?;
        impostor.take_the_place_of(&world.hie);
        impostor.start().await?;
        window.click("sync-chip").await?;
        window.screen("sync").await?;
        window.click("sync-now").await?;
        window.reads("sync-state", "hie-key-changed").await?;
        impostor.stop()?;
        world.hie.start().await?;
        window.click("sync-now").await?;
        window
            .wait("the right server to be taken again", async || {
                Ok((!window.text("sync-state").await?.contains("hie-key-changed")).then_some(()))
            })
            .await?;
        window.close().await
    }

    #[tokio::test]
    async fn a_laptop_in_1970_still_joins_unlocks_and_is_told_of_its_clock() -> Result<()> {
        let mut world = World::of_test("gate-1970").await?;
        let codes = world.found_empty_clinic().await?;
        let words = ["faketime", "-f", "@1970-01-01 05:00:10"].map(str::to_owned).to_vec();
        let window = world
            .open_with(DOCTOR, |mut app| {
                app.wrapper = words;
                // A clock that is wrong still runs: only the time of day is another.
                app.env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            })
            .await?;
        world.join(&window, DOCTOR, &codes.doctor.code).await?;
        window.click("sync-chip").await?;
        window.screen("sync").await?;
        window.see("clock-wrong").await?;
        window.close().await
    }

    #[tokio::test]
    async fn after_a_vault_lock_the_passphrase_is_not_in_the_shell_s_memory() -> Result<()> {
        let mut world = World::of_test("gate-memory").await?;
        let window = world.open_empty_clinic().await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.click("lock-vault").await?;
        window.screen("unlock").await?;
        let shell = window.pid()?;
        let known = process::memory_holds(shell, DOCTOR.name)?;
        ensure!(known, "the scan finds what is there: the name on the unlock page");
        ensure!(!process::memory_holds(shell, PASSPHRASE)?, "the passphrase stayed in memory");
        window.close().await
    }

    #[tokio::test]
    async fn the_logs_of_a_run_name_no_secret() -> Result<()> {
        let mut world = World::of_test("gate-logs").await?;
        let codes = world.found_empty_clinic().await?;
        let window = world.open(DOCTOR).await?;
        let recovery = world.join(&window, DOCTOR, &codes.doctor.code).await?;
        window.close().await?;
        world.hie.stop()?;
        let logs: Vec<String> =
            world.run.logs().iter().filter_map(|log| fs::read_to_string(log).ok()).collect();
        ensure!(logs.iter().any(|log| log.contains("INFO")), "the programs log");
        for secret in [PASSPHRASE, PIN, &recovery, &codes.doctor.code] {
            // A PIN's four digits may stand in any number; only as a word they are the PIN.
            let words = |log: &String| log.split(|c: char| !c.is_alphanumeric()).any(|word| word == secret);
            let found = if secret.len() > 4 {
                logs.iter().any(|l| l.contains(secret))
            } else {
                logs.iter().any(words)
            };
            ensure!(!found, "a log holds a secret");
        }
        Ok(())
    }
}
