//! The ways back in, and what stays shut, through the real window: a forgotten passphrase, a lease that ended, a laptop
//! that was taken out of service with visits that were never sent, a vault that is broken.

mod in_a_window {
    use std::{fs, time::Duration};

    use anyhow::{Context, Result, ensure};
    use rabta_tests::{
        access::{ENGLISH, Problems},
        story::{AYESHA, DOCTOR, PASSPHRASE, PIN, World},
        window::{Window, by},
    };

    const NEW_PASSPHRASE: &str = "blue kettle over nine rivers";
    const NEW_PIN: &str = "7302";

    /// How long it may take until the laptop looks at its clock.
    const NOTICES: Duration = Duration::from_secs(120);

    /// From now on the shell refuses everything.
    const SILENT_SHELL: &str = "const t = window.__TAURI__; \
        const core = { ...t.core, invoke: () => Promise.reject({ code: 'unexpected' }) }; \
        Object.defineProperty(window, '__TAURI__', { value: { ...t, core } })";

    /// A code that the page shows to be read out or copied.
    async fn code_of(window: &Window, t: &str) -> Result<String> {
        window.see(t).await?;
        let code = window.eval(&format!("return document.querySelector('{}').dataset.code", by(t))).await?;
        code.as_str().map(str::to_owned).with_context(|| format!("{t} has a code"))
    }

    #[tokio::test]
    async fn a_forgotten_passphrase_is_replaced_with_the_recovery_code_and_the_old_one_opens_nothing()
    -> Result<()> {
        let mut world = World::of_test("shut-recovery").await?;
        let mut problems = Problems::default();
        let codes = world.found_empty_clinic().await?;
        let window = world.open(DOCTOR).await?;
        let recovery = world.join(&window, DOCTOR, &codes.doctor.code).await?;
        world.register(&window, &AYESHA).await?;
        window.close().await?;

        let window = world.reopen(DOCTOR).await?;
        window.click("forgot").await?;
        window.screen("use-recovery").await?;
        window.reads("who", DOCTOR.name).await?;
        problems.check_every_way(&world, &window, "use-recovery").await?;
        world.shoot_every_way(&window, "Forgotten: the recovery code, and a new passphrase and PIN").await?;
        let wrong: String = recovery.chars().rev().map(|c| if c == '7' { '8' } else { c }).collect();
        for (code, opens) in [(wrong.as_str(), false), (recovery.as_str(), true)] {
            window.fill("recovery", code).await?;
            for (t, text) in [("passphrase", NEW_PASSPHRASE), ("pin", NEW_PIN)] {
                window.fill(t, text).await?;
                window.fill(&format!("{t}-again"), text).await?;
            }
            window.click("use-recovery").await?;
            if opens {
                window.screen("today").await?;
            } else {
                window.see("field-error").await?;
                problems.check(&window, ENGLISH, "use-recovery, wrong").await?;
                window.gone("wait").await?;
            }
        }
        ensure!(world.find(&window, AYESHA.name).await? == 1, "the record is as it was");
        window.control('l').await?;
        window.screen("screen-lock").await?;
        window.fill("pin", NEW_PIN).await?;
        window.click("unlock-pin").await?;
        window.screen("find").await?;
        window.close().await?;

        let window = world.reopen(DOCTOR).await?;
        window.fill("passphrase", PASSPHRASE).await?;
        window.click("unlock").await?;
        window.see("field-error").await?;
        window.gone("wait").await?;
        window.fill("passphrase", NEW_PASSPHRASE).await?;
        window.click("unlock").await?;
        window.screen("today").await?;
        problems.none()?;
        window.close().await
    }

    #[tokio::test]
    async fn a_lease_that_ended_shows_nothing_until_the_operators_code() -> Result<()> {
        let mut world = World::of_test("shut-lease").await?;
        let mut problems = Problems::default();
        let codes = world.found_empty_clinic().await?;
        // The laptop's clocks, all of them, are this file's.
        let time = world.run.folder().join("laptop-time");
        fs::write(&time, "+0")?;
        let library = library()?;
        let words = [
            "env".to_owned(),
            format!("LD_PRELOAD={library}"),
            format!("FAKETIME_TIMESTAMP_FILE={}", time.display()),
            "FAKETIME_CACHE_DURATION=1".to_owned(),
        ];
        let window = world
            .open_with(DOCTOR, |mut app| {
                app.wrapper = words.to_vec();
                app
            })
            .await?;
        world.join(&window, DOCTOR, &codes.doctor.code).await?;
        world.register(&window, &AYESHA).await?;
        world.hie.stop()?;
        // Thirty days of use are thirty times eight hours with the records open.
        fs::write(&time, "+11d")?;
        // Nobody was at the keyboard all that time: the screen has locked itself, too.
        window
            .wait_within(NOTICES, "the lock", async || {
                Ok((window.screen_name().await? == "screen-lock").then_some(()))
            })
            .await?;
        window.fill("pin", PIN).await?;
        window.click("unlock-pin").await?;
        window.screen("lease-ended").await?;
        ensure!(!window.all_text().await?.contains(AYESHA.name), "nobody's name is shown");
        problems.check_every_way(&world, &window, "lease-ended").await?;
        world
            .shoot_every_way(&window, "The lease ended: what to read out, and that nothing is deleted")
            .await?;
        window.click("try-server").await?;
        window.see("no-server").await?;

        window.fill("lease-code", "AAAAA-AAAAA").await?;
        window.click("renew-lease").await?;
        window.see("field-error").await?;
        let (device, challenge) =
            (code_of(&window, "lease-device").await?, code_of(&window, "lease-challenge").await?);
        let made =
            world.hie.admin(&["device", "lease-code", "--device", &device, "--challenge", &challenge])?;
        let code = made.pointer("/lease-code/code").and_then(|code| code.as_str());
        window.fill("lease-code", code.with_context(|| format!("a code in {made}"))?).await?;
        window.click("renew-lease").await?;
        // Where one was when the screen locked itself.
        window.screen("patient").await?;
        ensure!(world.find(&window, AYESHA.name).await? == 1, "the record is as it was");
        problems.none()?;
        window.close().await
    }

    /// The library by which a program sees other clocks.
    fn library() -> Result<String> {
        let out = std::process::Command::new("faketime")
            .args(["-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""])
            .output()
            .context("starting faketime")?;
        let path = String::from_utf8_lossy(&out.stdout).into_owned();
        ensure!(!path.is_empty(), "faketime names no library");
        Ok(path)
    }

    #[tokio::test]
    async fn a_revoked_laptop_keeps_shows_and_hands_over_what_it_never_sent() -> Result<()> {
        let mut world = World::of_test("shut-revoked").await?;
        let mut problems = Problems::default();
        let window = world.open_empty_clinic().await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.click("ask-lease").await?;
        window.screen("more-days").await?;
        let device = code_of(&window, "lease-device").await?;
        window.click("back").await?;
        window.screen("me").await?;
        world.hie.stop()?;
        world.register(&window, &AYESHA).await?;
        world.write_visit(&window).await?;
        world.sign_visit(&window).await?;
        world.hie.admin(&["device", "revoke", "--device", &device])?;
        world.hie.start().await?;
        window.click("sync-chip").await?;
        window.screen("sync").await?;
        window.click("sync-now").await?;
        window.screen("revoked").await?;
        window.see("unsent").await?;
        window.reads("revoked-device", &device).await?;
        ensure!(!window.all_text().await?.contains(AYESHA.name), "nobody's name is shown");
        problems.check_every_way(&world, &window, "revoked").await?;
        world.shoot_every_way(&window, "Taken out of service: what was never sent is kept").await?;

        window.click("export-unsent").await?;
        let file = window.text("export-file").await?;
        problems.check(&window, ENGLISH, "revoked, handed over").await?;
        let bytes = fs::read(file.trim()).with_context(|| format!("reading {file}"))?;
        let name = AYESHA.name.as_bytes();
        ensure!(!bytes.windows(name.len()).any(|part| part == name), "the file is for the HIE alone");
        let done = world.hie.admin(&["import", file.trim()])?;
        let taken = done.pointer("/imported/taken").and_then(|n| n.as_u64());
        ensure!(taken.is_some_and(|n| n >= 2), "the patient and the visit: {done}");
        let again = world.hie.admin(&["import", file.trim()])?;
        ensure!(again.pointer("/imported/taken").and_then(|n| n.as_u64()) == Some(0), "once: {again}");

        // Opened again, it says the same, and still has all of it.
        window.close().await?;
        let window = world.reopen(DOCTOR).await?;
        window.fill("passphrase", PASSPHRASE).await?;
        window.click("unlock").await?;
        window.screen("revoked").await?;
        window.see("unsent").await?;
        problems.none()?;
        window.close().await?;
        world.hie.stop()
    }

    #[tokio::test]
    async fn a_broken_vault_says_so_to_everybody() -> Result<()> {
        let mut world = World::of_test("shut-broken").await?;
        let mut problems = Problems::default();
        world.open_empty_clinic().await?.close().await?;
        fs::write(world.vault(DOCTOR).join("vault.json"), b"{")?;
        let window = world.open(DOCTOR).await?;
        window.screen("broken").await?;
        problems.check_every_way(&world, &window, "broken").await?;
        world.shoot_every_way(&window, "A vault that does not open").await?;
        // And a shell that does not answer.
        window.eval(SILENT_SHELL).await?;
        window.click("try-again").await?;
        window.screen("failed").await?;
        problems.check(&window, ENGLISH, "failed").await?;
        problems.none()?;
        window.close().await
    }
}
