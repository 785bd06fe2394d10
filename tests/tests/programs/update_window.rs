//! A new version of the program through the real window: offered by the HIE's program, signed with minisign's own, fetched, put in place.

mod in_a_window {
    use std::{
        fs,
        path::Path,
        process::{Command, Stdio},
    };

    use anyhow::{Context, Result, ensure};
    use rabta_tests::story::{DOCTOR, World};
    use serde_json::json;
    use sha2::{Digest, Sha256};

    fn minisign(args: &[&str], folder: &Path) -> Result<()> {
        let out = Command::new("minisign").args(args).current_dir(folder).stdin(Stdio::null()).output()?;
        ensure!(out.status.success(), "minisign {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        Ok(())
    }

    /// Puts a version into the folder that the HIE serves.
    fn offer(folder: &Path, keys: &Path, version: &str, package: &[u8]) -> Result<()> {
        let file = format!("Rabta_{version}_x86_64.AppImage");
        let list = json!({
            "version": version,
            "notes": { "en": "Calls are clearer.", "ur": "کال صاف سنائی دیتی ہے۔" },
            "packages": [{ "kind": "appimage", "arch": std::env::consts::ARCH, "file": file, "size": package.len(),
                "sha256": format!("{:x}", Sha256::digest(package)) }],
        });
        fs::create_dir_all(folder)?;
        fs::write(folder.join(file), package)?;
        fs::write(folder.join("release.json"), list.to_string())?;
        let list = folder.join("release.json").display().to_string();
        minisign(&["-S", "-s", "rabta.key", "-m", &list], keys)
    }

    #[tokio::test]
    async fn a_person_is_told_what_there_is_fetches_it_and_puts_it_in_place() -> Result<()> {
        if Command::new("minisign").arg("-v").output().is_err() {
            rabta_tests::left_out("there is no minisign (`cargo xtask setup` installs it)");
            return Ok(());
        }
        let mut world = World::of_test("update").await?;
        let (keys, offered) = (world.run.path("keys"), world.run.path("offered"));
        fs::create_dir_all(&keys)?;
        minisign(&["-G", "-W", "-p", "rabta.pub", "-s", "rabta.key"], &keys)?;
        let public = fs::read_to_string(keys.join("rabta.pub"))?;
        let public = public.lines().last().context("a public key has two lines")?.to_owned();
        let own = world.run.path("Rabta.AppImage");
        fs::write(&own, b"the version that runs")?;
        world.hie.updates = Some(offered.clone());

        world.open_empty_clinic().await?.close().await?;
        let (key, image) = (public, own.display().to_string());
        let window =
            world.open_with(DOCTOR, |app| app.env("RABTA_UPDATE_KEY", key).env("APPIMAGE", image)).await?;
        world.unlock(&window).await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.click("update-look").await?;
        window.reads("error", "update-none").await?;

        offer(&offered, &keys, "0.0.1", b"before this one")?;
        window.click("update-look").await?;
        window.reads("error", "update-older").await?;
        let into_view =
            "document.querySelector('[data-t=\"update\"]').scrollIntoView({ block: 'center' }); return 1";
        window.eval(into_view).await?;
        world.shoot_every_way(&window, "An older version is refused").await?;

        let package: Vec<u8> = (0_u32..3_000_000).map(|n| (n >> 5) as u8).collect();
        offer(&offered, &keys, "99.0.0", &package)?;
        window.click("update-look").await?;
        window.reads("update-words", "99.0.0").await?;
        window.reads("update-notes", "Calls are clearer.").await?;
        window.gone("error").await?;
        window.eval(into_view).await?;
        world.shoot_every_way(&window, "A newer version is there").await?;
        window.click("update-fetch").await?;
        window.see("update-apply").await?;
        ensure!(fs::read(&own)? == b"the version that runs", "nothing is put in place unasked");
        window.eval(into_view).await?;
        world.shoot_every_way(&window, "The new version is here and it is genuine").await?;
        window.click("update-apply").await?;
        window.gone("update-apply").await?;
        window.reads("update-words", "99.0.0").await?;
        ensure!(fs::read(&own)? == package, "it is in place");
        world.shoot(&window, "The new version starts the next time").await?;
        window.close().await
    }

    /// As most programs run in these tests: built without a key.
    #[tokio::test]
    async fn a_program_without_a_key_takes_no_updates_and_says_so() -> Result<()> {
        let mut world = World::of_test("update-off").await?;
        let window = world.open_empty_clinic().await?;
        window.click("go-me").await?;
        window.screen("me").await?;
        window.reads("update", "Ask who looks after this laptop").await?;
        ensure!(!window.sees_now("update-look").await?, "there is nothing to press");
        window.close().await
    }
}
