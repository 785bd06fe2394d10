//! The main job, from joining to ten visits without the server, through the real windows; and what its programs
//! wrote into their logs meanwhile.

mod in_a_window {
    use anyhow::{Result, ensure};
    use rabta_tests::{
        sample,
        story::{AYESHA, World},
    };

    #[tokio::test]
    async fn the_main_job_is_done_and_no_log_names_anybody() -> Result<()> {
        let mut world = World::of_test("story").await?;
        let figures = world.tell().await?;
        ensure!(
            figures.visits_saved == 10 && figures.visits_at_hie_after >= 10,
            "every visit is at the server"
        );
        let mut never = sample::secrets()?;
        never.extend(
            [AYESHA.name, AYESHA.name_ur, AYESHA.relation_name, AYESHA.phone, AYESHA.cnic].map(str::to_owned),
        );
        let mut read = 0;
        for file in std::fs::read_dir(world.run.folder())? {
            let path = file?.path();
            if path.extension().is_some_and(|e| e == "log") {
                let log = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
                read += 1;
                for (i, line) in log.lines().enumerate() {
                    let told = never.iter().any(|secret| line.contains(secret.as_str()));
                    ensure!(!told, "{}, line {}: a log names a patient", path.display(), i + 1);
                }
            }
        }
        ensure!(read >= 3, "the server's and both apps' logs are there");
        Ok(())
    }
}
