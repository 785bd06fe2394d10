//! Two laptops on one Wi-Fi, the health exchange out of reach. In the real windows, in a network of their own.

mod in_a_window {
    use rabta_tests::{access::Problems, left_out, story::World};

    async fn played() -> anyhow::Result<()> {
        let mut world = World::of_test("by-wifi").await?;
        let mut problems = Problems::default();
        world.week_by_wifi(&mut problems).await?;
        problems.none()
    }

    #[test]
    fn a_visit_is_on_a_colleagues_laptop_without_internet() {
        const NAME: &str = "by_wifi::in_a_window::a_visit_is_on_a_colleagues_laptop_without_internet";
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("it starts");
        // The one that is started there has the windows for itself.
        let _alone = (!rabta_netlab::is_own_network()).then(|| runtime.block_on(rabta_tests::run::alone()));
        let left = rabta_netlab::in_own_network(NAME, || {
            runtime.block_on(played()).expect("it is played to its end");
        });
        left.iter().for_each(|why| left_out(why));
    }
}
