//! Two laptops write about one patient without knowing of each other, and somebody chooses; a refused visit is mended. In the
//! real windows.

mod in_a_window {
    use anyhow::Result;
    use rabta_tests::{access::Problems, story::World};

    #[tokio::test]
    async fn two_values_stand_side_by_side_until_somebody_chooses() -> Result<()> {
        let mut world = World::of_test("two-values").await?;
        let mut problems = Problems::default();
        world.two_values(&mut problems).await?;
        problems.none()
    }

    #[tokio::test]
    async fn a_refused_visit_says_why_and_is_mended() -> Result<()> {
        let mut world = World::of_test("refused").await?;
        let mut problems = Problems::default();
        world.refused_and_mended(&mut problems).await?;
        problems.none()
    }
}
