//! A clinic without internet sends its records by stick. In the real windows.

mod in_a_window {
    use anyhow::Result;
    use rabta_tests::{access::Problems, story::World};

    #[tokio::test]
    async fn a_visit_goes_by_stick_and_comes_back_as_sent() -> Result<()> {
        let mut world = World::of_test("by-stick").await?;
        let mut problems = Problems::default();
        world.week_by_stick(&mut problems).await?;
        problems.none()
    }
}
