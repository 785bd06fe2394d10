//! A visit, a registration and a call while something breaks: the disk, the power, the window, the devices, the server's
//! disk. Through the real windows.

mod in_a_window {
    use std::{
        fs,
        time::{Duration, Instant},
    };

    use anyhow::{Result, ensure};
    use rabta_tests::{
        disk::SmallDisk,
        story::{AYESHA, DOCTOR, World, begin_visit, find_visit_again},
        window::{Window, by},
    };
    use serde_json::json;

    /// `saved`, `saving` or `failed`, as the page says.
    async fn save_state(window: &Window) -> Result<String> {
        let script = format!("return document.querySelector('{}')?.dataset.state || ''", by("save-state"));
        Ok(window.eval(&script).await?.as_str().unwrap_or_default().to_owned())
    }

    async fn saves_fail(window: &Window) -> Result<()> {
        window
            .wait("the page to say that it is not saved", async || {
                Ok((save_state(window).await? == "failed").then_some(()))
            })
            .await
    }

    /// A sentence that no other is like.
    fn sentence(n: usize) -> String {
        format!("Sentence {n}: the fever came at {n} o'clock. ")
    }

    /// About so many bytes of text that no compression makes much smaller.
    fn noise(bytes: u64) -> String {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut text = String::new();
        while (text.len() as u64) < bytes * 3 / 2 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text += &format!("{state:016x} ");
        }
        text
    }

    #[tokio::test]
    async fn a_full_disk_is_said_at_once_and_nothing_typed_is_lost() -> Result<()> {
        let mut world = World::of_test("broken-disk").await?;
        let Some(disk) = SmallDisk::mount(&world.run.path(DOCTOR.key), 24)? else { return Ok(()) };
        let window = world.open_empty_clinic().await?;
        begin_visit(&mut world, &window).await?;
        let mut typed = String::from("Before the disk was full. ");
        window.type_into("history", &typed).await?;
        world.is_saved(&window).await?;

        disk.fill()?;
        // The database may still have as much room of its own as its log is long.
        let own = fs::metadata(world.vault(DOCTOR).join("records.db-wal"))?.len();
        let long = noise(own + 400_000);
        typed += &long;
        window.append("history", &long).await?;
        // From when it stands on the page: how long a driver takes to paste a megabyte is not the app's matter.
        let pasted = Instant::now();
        saves_fail(&window).await?;
        let told = pasted.elapsed();
        ensure!(told < Duration::from_secs(5), "it took {told:?} to say so");
        window.reads("not-saved", "The disk is full").await?;
        window.reads("not-saved", "still here on the page").await?;
        window.see("disk-full").await?;
        typed += "Typed while the disk was full. ";
        window.type_into("history", "Typed while the disk was full. ").await?;
        // Nobody gets on to signing what is not saved.
        window.click("check-and-sign").await?;
        window.gone_css(&format!("{}[aria-busy=true]", by("check-and-sign"))).await?;
        saves_fail(&window).await?;
        ensure!(window.screen_name().await? == "visit", "an unsaved visit cannot be left for signing");
        ensure!(window.value("history").await? == typed, "what was typed stays on the screen");

        disk.make_room()?;
        world.is_saved(&window).await?;
        window.gone("not-saved").await?;
        window.gone("disk-full").await?;
        ensure!(window.value("history").await? == typed, "what was typed is still there");
        window.kill()?;
        let window = find_visit_again(&mut world).await?;
        ensure!(window.value("history").await? == typed, "what the page called saved is on the disk");
        window.close().await
    }

    #[tokio::test]
    async fn a_power_cut_costs_at_most_half_a_second_of_typing() -> Result<()> {
        World::of_test("broken-kill").await?.power_cut().await
    }

    #[tokio::test]
    async fn a_reload_in_mid_visit_loses_nothing() -> Result<()> {
        let mut world = World::of_test("broken-reload").await?;
        let window = world.open_empty_clinic().await?;
        begin_visit(&mut world, &window).await?;
        let address = window.eval("return location.hash").await?;
        window.fill("complaint", "Cough").await?;
        let mut typed = String::new();
        for n in 0..5 {
            typed += &sentence(n);
            window.type_into("history", &sentence(n)).await?;
            // At once: the last keys have not been saved yet.
            window.reload().await?;
            window.screen("visit").await?;
            window.settled().await?;
            ensure!(window.value("history").await? == typed, "reload {n} lost something");
            ensure!(window.value("complaint").await? == "Cough");
        }
        ensure!(window.eval("return location.hash").await? == address, "it is the same page");
        world.is_saved(&window).await?;
        window.reads("band-name", AYESHA.name).await?;
        window.close().await
    }

    /// What the page's watch hears when its program panics.
    async fn trap(window: &Window) -> Result<()> {
        let script = "const error = new WebAssembly.RuntimeError('Unreachable code should not be executed'); \
            dispatchEvent(new ErrorEvent('error', { error })); return true";
        window.eval(script).await.map(|_| ())
    }

    /// Waits until the page is another one than that which [`mark`] marked.
    async fn is_opened_again(window: &Window) -> Result<()> {
        window
            .wait("the page to open itself again", async || {
                Ok((window.eval("return window.before === undefined").await? == json!(true)).then_some(()))
            })
            .await
    }

    async fn mark(window: &Window) -> Result<()> {
        window.eval("window.before = 1; return true").await.map(|_| ())
    }

    #[tokio::test]
    async fn a_page_that_stops_opens_itself_again_and_loses_nothing() -> Result<()> {
        let mut world = World::of_test("broken-page").await?;
        let window = world.open_empty_clinic().await?;
        begin_visit(&mut world, &window).await?;
        window.type_into("history", "Fever since Friday. ").await?;
        world.is_saved(&window).await?;

        mark(&window).await?;
        trap(&window).await?;
        is_opened_again(&window).await?;
        window.screen("visit").await?;
        window.settled().await?;
        ensure!(window.value("history").await? == "Fever since Friday. ");
        let log = fs::read_to_string(world.run.path("doctor.log"))?;
        ensure!(log.contains("the page stopped") && log.contains("Unreachable"), "the log says so: {log}");

        // Soon again: a page that cannot be opened must not blink for ever.
        trap(&window).await?;
        window.reads("page-stopped", "What you saved is safe").await?;
        mark(&window).await?;
        window.click("open-again").await?;
        is_opened_again(&window).await?;
        window.settled().await?;
        ensure!(window.value("history").await? == "Fever since Friday. ");

        // An answer that never comes, after a while in which all went well.
        window.eval("sessionStorage.clear(); return true").await?;
        mark(&window).await?;
        let never = "const e = document.createElement('p'); e.dataset.t = 'loading'; \
            document.querySelector('main').append(e); return true";
        window.eval(never).await?;
        is_opened_again(&window).await?;
        window.settled().await?;
        ensure!(window.value("history").await? == "Fever since Friday. ");
        window.close().await
    }

    /// What stands below a field.
    async fn note(window: &Window, t: &str) -> Result<String> {
        let script = format!("return document.getElementById('{t}-note')?.innerText || ''");
        Ok(window.eval(&script).await?.as_str().unwrap_or_default().to_owned())
    }

    async fn refused(window: &Window, t: &str, words: &str) -> Result<()> {
        window.click("register").await?;
        window
            .wait(&format!("{t} to be refused with \"{words}\""), async || {
                Ok(note(window, t).await?.contains(words).then_some(()))
            })
            .await?;
        ensure!(window.screen_name().await? == "register", "nobody was registered");
        Ok(())
    }

    /// Nothing is wider than the window or lies over the work.
    async fn is_in_shape(window: &Window) -> Result<()> {
        let script = "const r = document.documentElement, w = document.querySelector('[data-t=\"work\"]'), \
            b = document.querySelector('[data-t=\"band\"]'), edge = w.getBoundingClientRect(); \
            const wide = [...w.querySelectorAll('*')].filter(e => { const s = e.getBoundingClientRect(); \
                return s.width > 1 && (s.right > edge.right + 1 || s.left < edge.left - 1); }); \
            return { window: r.scrollWidth - r.clientWidth, work: w.scrollWidth - w.clientWidth, \
                covered: b ? Math.max(0, b.getBoundingClientRect().bottom - edge.top) : 0, left: w.clientHeight, \
                wide: wide.slice(0, 3).map(e => e.tagName + '.' + e.className) }";
        let shape = window.eval(script).await?;
        let side = |name: &str| shape[name].as_f64().unwrap_or(f64::MAX);
        let page = window.screen_name().await?;
        ensure!(side("window") <= 1.0 && side("work") <= 1.0, "{page} is wider than the window: {shape}");
        ensure!(side("covered") <= 1.0, "the band lies over {page}: {shape}");
        ensure!(side("left") >= 300.0, "{page} has no room: {shape}");
        Ok(())
    }

    #[tokio::test]
    async fn a_registration_takes_long_names_and_refuses_hidden_signs_and_the_future_in_words() -> Result<()>
    {
        let mut world = World::of_test("broken-names").await?;
        let window = world.open_empty_clinic().await?;
        world.find(&window, AYESHA.name).await?;
        window.click("new-patient").await?;
        world.fill_registration(&window, &AYESHA).await?;

        for hidden in ["Zubaida\u{7}Parveen", "Zubaida \u{202e}neevraP", "Zubaida\u{2028}Parveen"] {
            window.paste("name", hidden).await?;
            refused(&window, "name", "cannot be seen").await?;
        }
        // 300 letters in words as people have them, and one in a single word that nothing can break by itself.
        let word = "زبیدہ ";
        let long: String = word.chars().cycle().take(299).chain(['ن']).collect();
        window.paste("name", &format!("{long}ی")).await?;
        refused(&window, "name", "At most 300 letters").await?;
        is_in_shape(&window).await?;
        window.paste("name", &long).await?;
        let unbroken = "زبیدہ".chars().cycle().take(300).collect::<String>();
        window.paste("relation-name", &unbroken).await?;

        window.click("age-as-birth-date").await?;
        window.fill("birth-date", "01 01 2999").await?;
        refused(&window, "birth-date", "in the future").await?;
        window.fill("birth-date", "31 02 1990").await?;
        window.click("register").await?;
        window
            .wait("a day that is none to be refused", async || {
                let said = note(&window, "birth-date").await?;
                Ok((!said.is_empty() && !said.contains("in the future")).then_some(()))
            })
            .await?;
        window.fill("birth-date", "25 11 1992").await?;
        window.click("register").await?;
        window.screen("patient").await?;
        window.settled().await?;
        window.reads("band-name", &long).await?;
        for size in [(1366, 768), (360, 740)] {
            window.resize(size).await?;
            is_in_shape(&window).await?;
        }
        ensure!(world.find(&window, "Zubaida").await? == 1, "found by how the name sounds");
        is_in_shape(&window).await?;
        world.all_at_hie(&window).await?;
        is_in_shape(&window).await?;
        window.close().await
    }
}
