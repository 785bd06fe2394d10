//! A clinic without internet: its records go to the health exchange on a stick that a colleague carries, and the answer comes
//! back on it. In the real windows.

mod in_a_window {
    use anyhow::Result;
    use rabta_tests::{
        access::Problems,
        story::{AYESHA, DOCTOR, SPECIALIST, World},
        window::Window,
    };

    /// Presses on the Sync page, and waits for what is said.
    async fn use_stick(world: &World, window: &Window, says: &str) -> Result<()> {
        window.click("sync-chip").await?;
        window.screen("sync").await?;
        window.fill("stick-place", &world.run.path("stick").display().to_string()).await?;
        window.click("use-stick").await?;
        window.reads("stick-said", says).await
    }

    #[tokio::test]
    async fn a_visit_goes_by_stick_and_comes_back_as_sent() -> Result<()> {
        let mut world = World::of_test("by-stick").await?;
        let codes = world.found_empty_clinic().await?;
        let mut problems = Problems::default();
        let doctor = world.open_and_join(DOCTOR, &codes.doctor.code).await?;
        let specialist = world.open_and_join(SPECIALIST, &codes.specialist.code).await?;
        std::fs::create_dir(world.run.path("stick"))?;

        world.hie.stop()?;
        world.register(&doctor, &AYESHA).await?;
        world.write_visit(&doctor).await?;
        world.sign_visit(&doctor).await?;
        doctor.click("sync-chip").await?;
        doctor.screen("sync").await?;
        doctor.fill("stick-place", "/nonexistent").await?;
        doctor.click("use-stick").await?;
        doctor.reads("error", "no stick that can be written to").await?;
        use_stick(&world, &doctor, "of them visits").await?;
        doctor.reads("sync-chip", "1 visit only here").await?;
        world.shoot_every_way(&doctor, "Without internet: the visit is on the stick").await?;
        problems.check_every_way(&world, &doctor, "sync, the visit is on the stick").await?;
        doctor.click("go-me").await?;
        doctor.screen("me").await?;
        doctor.click("lock-vault").await?;
        doctor.screen("unlock").await?;

        use_stick(&world, &specialist, "stay on the stick until").await?;
        world.hie.start().await?;
        world.all_at_hie(&specialist).await?;
        use_stick(&world, &specialist, "Give the stick back").await?;
        world.shoot_every_way(&specialist, "A colleague's laptop brought it there").await?;

        // Back in the village there is still no line.
        world.hie.stop()?;
        world.unlock(&doctor).await?;
        use_stick(&world, &doctor, "The stick brought an answer").await?;
        doctor.reads("sync-chip", "No link").await?;
        world.shoot_every_way(&doctor, "The answer is back: the visit is at the health exchange").await?;
        problems.check_every_way(&world, &doctor, "sync, the answer is back").await?;
        problems.none()
    }
}
