//! The operator's page in a real Chromium: in by the address that the command prints, every part of it without a fault that
//! axe finds, wide and narrow, in both languages; a laptop is shut out with two presses.

mod in_a_browser {
    use anyhow::{Context, Result, ensure};
    use rabta_tests::{
        Run,
        desk::Desk,
        hie::Hie,
        phone::{Phone, TestCa},
        run::alone,
        story::{DOCTOR, HOSPITAL, SPECIALIST},
    };
    use serde_json::json;

    const PARTS: [&str; 6] = ["/", "/facilities", "/people", "/devices", "/refused", "/roster"];

    #[tokio::test]
    async fn the_operator_enters_by_the_printed_address_reads_every_part_and_shuts_a_laptop_out() -> Result<()>
    {
        let _alone = alone().await;
        let run = Run::of_test("operator-page")?;
        let mut hie = Hie::new(&run)?;
        hie.start().await?;
        hie.add_facility(DOCTOR.facility, "clinic", &["--address", "Kot Fazil, Tehsil Rahimpur"])?;
        hie.add_facility(HOSPITAL, "hospital", &[])?;
        let desk = Desk::join(&hie, &DOCTOR).await?;
        hie.enroll(&SPECIALIST)?;
        hie.admin(&["backup", "--to", &run.path("backups").display().to_string()])?;
        // A browser at the operator's desk; the certificate is for other tests.
        let browser =
            Phone::open(&run, &TestCa::make(&run, std::net::Ipv4Addr::LOCALHOST)?, "operator", "en").await?;
        browser.be_wide(true).await?;

        let made = hie.admin(&["admin-link"])?;
        let url = made.pointer("/admin-link/url").and_then(|url| url.as_str()).context("an address")?;
        let base = url.split_once("/enter").context("its way in")?.0.to_owned();
        browser.go(&format!("{base}/devices")).await?;
        browser.reads("main", "rabta-hie admin-link").await?;
        browser.check_access("nobody is let in").await?;
        browser.go(url).await?;
        browser.check_access("the way in").await?;
        browser.tap("enter").await?;
        browser.reads("h1", "Is all well?").await?;

        for (lang, dir) in [("en", "ltr"), ("ur", "rtl")] {
            if lang == "ur" {
                browser.tap("lang").await?;
                browser.reads("nav", "سب ٹھیک ہے؟").await?;
            }
            for path in PARTS {
                browser.go(&format!("{base}{path}")).await?;
                ensure!(browser.eval("return document.dir").await? == json!(dir), "{path} in {lang}");
                let name = if path == "/" { "health" } else { path.trim_start_matches('/') };
                for wide in [true, false] {
                    browser.be_wide(wide).await?;
                    browser.check_access(&format!("{path} in {lang}, wide: {wide}")).await?;
                    let over =
                        "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
                    ensure!(
                        browser.eval(over).await? == json!(false),
                        "{path} in {lang} is wider than its screen"
                    );
                    let size = if wide { "wide" } else { "narrow" };
                    browser.keep_picture(&format!("{name}-{lang}-{size}")).await?;
                    if path == "/" {
                        browser.eval("document.querySelector('[data-t=backups]').scrollIntoView()").await?;
                        browser.keep_picture(&format!("backups-{lang}-{size}")).await?;
                    }
                }
                browser.be_wide(true).await?;
            }
        }
        browser.tap("lang").await?;
        browser.reads("nav", "Laptops").await?;
        browser.go(&format!("{base}/devices")).await?;
        // The page holds nothing that a program in it could take: there is none.
        ensure!(browser.eval("return document.scripts.length").await? == json!(0));
        ensure!(browser.eval("return document.cookie").await? == json!(""), "no script sees the cookie");
        browser.tap("revoke").await?;
        browser.check_access("the question before a laptop is revoked").await?;
        browser.keep_picture("revoke-en-wide").await?;
        browser.eval("document.querySelector('details[open] button').click()").await?;
        browser.reads(".tag.red", "revoked").await?;
        ensure!(desk.make_link("mango", 3_600_000).await.is_err(), "its token opens nothing any more");
        browser.tap("leave").await?;
        browser.reads("h1", "You have left").await?;
        browser.go(&format!("{base}/devices")).await?;
        browser.reads("main", "rabta-hie admin-link").await?;
        browser.close().await?;
        hie.stop()
    }
}
