//! A patient is never stranded: each thing that goes wrong has its own words, in both languages, and a way on that works. A real Chromium
//! as a cheap Android phone, a real HIE; the doctor's device speaks to the HIE without a window.

mod on_a_phone {
    use anyhow::{Result, ensure};
    use rabta_tests::{
        Run,
        desk::{Desk, Link},
        hie::Hie,
        phone::{Phone, TestCa},
        run::alone,
        story::{AYESHA, DOCTOR, Person, World},
    };
    use serde_json::json;
    use tokio::sync::MutexGuard;

    const WORD: &str = "mango tree";
    const HOUR: i64 = 3_600_000;

    /// A server, a doctor's device and one browser; each story in a tab of its own.
    struct Ward {
        hie: Hie,
        desk: Desk,
        phone: Phone,
        first_tab: String,
        _alone: MutexGuard<'static, ()>,
    }

    impl Ward {
        async fn open(name: &str, doctor: &Person) -> Result<Self> {
            Self::with(name, doctor, false).await
        }

        async fn with(name: &str, doctor: &Person, asking: bool) -> Result<Self> {
            let alone = alone().await;
            let run = Run::of_test(name)?;
            let ca = TestCa::make(&run)?;
            let mut hie = Hie::new(&run)?;
            hie.open_door(&ca)?;
            hie.start().await?;
            hie.add_facility(doctor.facility, "clinic", &[])?;
            let desk = Desk::join(&hie, doctor).await?;
            let phone = if asking {
                Phone::open_asking(&run, &ca, "phone", "en").await?
            } else {
                Phone::open(&run, &ca, "phone", "en").await?
            };
            let first_tab = phone.tab().await?;
            Ok(Self { hie, desk, phone, first_tab, _alone: alone })
        }

        async fn link(&self) -> Result<Link> {
            self.desk.make_link(WORD, HOUR).await
        }

        /// Closes what is open, and takes a fresh tab.
        async fn fresh(&self) -> Result<()> {
            let old = self.phone.tab().await?;
            if old != self.first_tab {
                self.phone.close_tab(&self.first_tab).await?;
            }
            self.phone.new_tab().await.map(drop)
        }

        /// From the address to the question whether the doctor may see and hear.
        async fn say_the_word(&self, link: &Link) -> Result<()> {
            self.phone.go(&link.url()).await?;
            self.phone.screen("word").await?;
            self.phone.type_into("word", "Mango  TREE").await?;
            self.phone.tap("word-go").await
        }

        async fn wait_in_the_room(&self, link: &Link) -> Result<()> {
            self.say_the_word(link).await?;
            self.phone.tap("consent-video").await?;
            self.phone.tap("join").await?;
            self.phone.screen("waiting").await
        }

        async fn close(mut self) -> Result<()> {
            self.phone.close().await?;
            self.hie.stop()
        }

        /// See [`shows_in`].
        async fn shows(&self, screen: &str, en: &str, ur: &str) -> Result<()> {
            shows_in(&self.phone, screen, "#screen", en, ur).await
        }

        async fn shows_in(&self, screen: &str, css: &str, en: &str, ur: &str) -> Result<()> {
            shows_in(&self.phone, screen, css, en, ur).await
        }
    }

    /// This screen, with these words in English and in Urdu at `css`; nothing is cut off, nothing that axe would find, and it can be heard.
    async fn shows_in(phone: &Phone, screen: &str, css: &str, en: &str, ur: &str) -> Result<()> {
        phone.screen(screen).await?;
        for (lang, words) in [("en", en), ("ur", ur)] {
            phone.reads(css, words).await?;
            ensure!(phone.eval("return document.documentElement.lang").await? == json!(lang));
            let name = format!("{screen}-{lang}");
            let cut = "const d = document.documentElement; \
            const small = [...document.querySelectorAll('button')].filter((b) => b.offsetWidth && b.offsetHeight < 44); \
            return [d.scrollWidth - innerWidth, small.length]";
            ensure!(phone.eval(cut).await? == json!([0, 0]), "{name}: cut off at the side, or small buttons");
            phone.check_access(&name).await?;
            phone.keep_picture(&name).await?;
            if std::env::var_os("RABTA_WIDE").is_some() {
                phone.be_wide(true).await?;
                phone.keep_picture(&format!("{name}-wide")).await?;
                phone.be_wide(false).await?;
            }
            let heard = "return document.documentElement.dataset.stage === 'call' \
            || !document.querySelector('[data-t=speak]').hidden";
            ensure!(phone.eval(heard).await? == json!(true), "{name}: nothing to listen to");
            phone.tap("language").await?;
        }
        Ok(())
    }

    /// Waits until this recording was played to its end, or has been playing.
    async fn heard(phone: &Phone, file: &str) -> Result<()> {
        let script = format!("return window.heard?.includes({file:?}) ?? false");
        phone
            .wait(&format!("{file} to be heard"), async || {
                Ok((phone.eval(&script).await? == json!(true)).then_some(()))
            })
            .await
    }

    #[tokio::test]
    async fn a_link_that_does_not_open_says_why_and_what_to_do() -> Result<()> {
        let hostile = format!("Dr <img src=x onerror=alert(1)>\u{202E}nahK\u{2066} {}", "Long".repeat(38));
        let name: &'static str = Box::leak(hostile.into_boxed_str());
        let ward = Ward::open("stranded-links", &Person { name, ..DOCTOR }).await?;
        let (phone, desk) = (&ward.phone, &ward.desk);

        ward.fresh().await?;
        phone.before_load("window.heard = []; window.Audio = class extends Audio { constructor(src) { super(src); \
            this.addEventListener('timeupdate', () => { if (this.currentTime > 0.3) window.heard.push(src); }); } }").await?;

        // A name from outside is text, short, and turns nothing around.
        let good = ward.link().await?;
        ward.say_the_word(&good).await?;
        ward.shows("consent", "will see and hear you", "آپ کو دیکھیں گے").await?;
        let shown = phone.eval("return document.querySelector('h1 bdi').textContent").await?;
        let shown = shown.as_str().unwrap_or_default().to_owned();
        ensure!(
            shown.starts_with("Dr <img src=x onerror=alert(1)> nahK") && shown.chars().count() == 60,
            "{shown:?}"
        );
        ensure!(phone.eval("return document.images.length").await? == json!(0));
        phone.tap("consent-no").await?;
        ward.shows("declined", "You said no", "آپ نے منع کیا").await?;
        phone.tap("again").await?;
        phone.screen("consent").await?;

        // The loudspeaker plays a recording, and the next screen's too.
        phone.tap("speak").await?;
        heard(phone, "say-en-consent.ogg").await?;
        phone.tap("consent-voice").await?;
        heard(phone, "say-en-join.ogg").await?;
        phone.tap("language").await?;
        heard(phone, "say-ur-join.ogg").await?;
        phone.tap("speak").await?;

        // The wrong word, until the link ends.
        ward.fresh().await?;
        phone.go(&good.url()).await?;
        phone.screen("word").await?;
        ward.shows("word", "Type your word", "اپنا لفظ لکھیں").await?;
        phone.tap("word-go").await?;
        phone.reads("[data-t=error]", "Type the word first.").await?;
        for left in ["4 more times", "3 more times", "2 more times", "one more time"] {
            phone.eval("document.getElementById('word').value = ''").await?;
            phone.type_into("word", "apple").await?;
            phone.tap("word-go").await?;
            phone.reads("[data-t=error]", left).await?;
        }
        ward.shows("word", "one more time", "ایک بار اور").await?;
        phone.tap("word-go").await?;
        ward.shows("over", "This link is finished", "یہ لنک ختم ہو چکا ہے").await?;

        for (ended, life) in [("closed", HOUR), ("expired", 1)] {
            ward.fresh().await?;
            let link = desk.make_link(WORD, life.max(300)).await?;
            if ended == "closed" {
                desk.act(&link, "close").await?;
            } else {
                tokio::time::sleep(std::time::Duration::from_millis(350)).await;
            }
            phone.go(&link.url()).await?;
            ward.shows("over", "They send you a new link", "نیا لنک بھیجیں گے").await?;
            phone.see("dial").await?;
        }

        // No secret, a broken one, one of another server.
        for fragment in ["", "#abc", "#AAAAAAAAAAAAAAAAAAAAAA"] {
            ward.fresh().await?;
            phone.go(&format!("{}{fragment}", good.url().split('#').next().unwrap_or_default())).await?;
            phone.screen("no-link").await?;
        }
        ward.shows("no-link", "Press the link in the clinic's message again", "لنک دوبارہ دبائیں").await?;
        ward.close().await
    }

    #[tokio::test]
    async fn a_phone_that_refuses_or_lacks_something_has_a_way_on() -> Result<()> {
        let ward = Ward::with("stranded-phones", &DOCTOR, true).await?;
        let phone = &ward.phone;
        // What a browser may lack; the rest of it works.
        for lacking in ["RTCPeerConnection", "WebAssembly", "WebSocket"] {
            ward.fresh().await?;
            phone.before_load(&format!("delete window.{lacking}")).await?;
            phone.go(&ward.link().await?.url()).await?;
            phone.screen("browser").await?;
        }
        ward.fresh().await?;
        phone
            .before_load("Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })")
            .await?;
        let link = ward.link().await?;
        phone.go(&link.url()).await?;
        ward.shows("browser", "Open this in Chrome", "اسے Chrome میں کھولیں").await?;
        for wish in ["clipboard-write", "camera", "microphone"] {
            phone.permit(wish, "granted").await?;
        }
        phone.tap("copy").await?;
        phone.see("copied").await?;

        // Too old for the page's language: no module runs. Or one of them does not come, and then it does.
        ward.fresh().await?;
        phone.before_load("delete Promise.any").await?;
        phone.block(&["*/page.js"]).await?;
        phone.go(&link.url()).await?;
        phone.screen("old").await?;
        phone.reads("#screen", "Update Chrome").await?;
        phone.reads("#screen", "Chrome اپڈیٹ کریں").await?;
        phone.check_access("old").await?;
        ward.fresh().await?;
        phone.block(&["*/show.js"]).await?;
        phone.go(&link.url()).await?;
        phone.screen("half").await?;
        phone.reads("#screen", "نیٹ ورک").await?;
        phone.keep_picture("half").await?;
        phone.block(&[]).await?;
        phone.tap("retry").await?;
        phone.screen("word").await?;

        // Another app's browser without a microphone: Chrome is asked for by name, and no element holds the secret.
        ward.fresh().await?;
        phone.before_load("Object.defineProperty(navigator, 'userAgent', { get: () => 'Mozilla/5.0 (Linux; Android 13; SM-A045F; wv) Chrome/120.0.0.0 WhatsApp/2.23' }); \
            Object.defineProperty(navigator, 'mediaDevices', { get: () => undefined })").await?;
        ward.say_the_word(&link).await?;
        phone.tap("consent-video").await?;
        phone.tap("join").await?;
        ward.shows("microphone", "Open the link in Chrome", "لنک Chrome میں کھولیں").await?;
        phone.see("chrome").await?;
        ensure!(
            phone
                .eval("return document.documentElement.outerHTML")
                .await?
                .as_str()
                .is_some_and(|html| !html.contains(&link.fragment()))
        );

        // The microphone refused: words for it, and to listen only is a way in.
        phone.permit("microphone", "denied").await?;
        ward.fresh().await?;
        let link = ward.link().await?;
        ward.say_the_word(&link).await?;
        phone.tap("consent-video").await?;
        phone.tap("join").await?;
        ward.shows("microphone", "The doctor cannot hear you yet", "ڈاکٹر ابھی آپ کو سن نہیں سکتے").await?;
        phone.tap("listen-only").await?;
        phone.screen("waiting").await?;
        ward.shows_in("waiting", "[data-t=note-listen]", "You only listen", "آپ صرف سن رہے ہیں").await?;
        phone.permit("microphone", "granted").await?;
        phone.tap("retry").await?;
        phone.wait("the note is gone", async || {
            Ok((phone.eval("return !document.querySelector('[data-t=note-listen]') && document.documentElement.dataset.screen").await? == json!("waiting")).then_some(()))
        }).await?;

        // The camera refused: it goes on by voice.
        phone.permit("camera", "denied").await?;
        ward.fresh().await?;
        ward.wait_in_the_room(&ward.link().await?).await?;
        ward.shows_in("waiting", "[data-t=note-camera]", "That is enough", "یہ کافی ہے").await?;
        phone.permit("camera", "granted").await?;

        // A low battery: voice goes first, and a picture can be given up.
        ward.fresh().await?;
        phone.before_load("const battery = Object.assign(new EventTarget(), { level: 0.08, charging: false }); navigator.getBattery = async () => battery").await?;
        let link = ward.link().await?;
        ward.say_the_word(&link).await?;
        ward.shows_in("consent", "[data-t=note-battery]", "The battery is low", "بیٹری کم ہے").await?;
        let first = "return document.querySelector('.buttons button').dataset.t";
        ensure!(phone.eval(first).await? == json!("consent-voice"), "voice is the first button");
        phone.tap("consent-video").await?;
        phone.tap("join").await?;
        phone.screen("waiting").await?;
        phone.tap("voice-only").await?;
        phone
            .wait("no note", async || {
                Ok((phone.eval("return !document.querySelector('[data-t=note-battery]')").await?
                    == json!(true))
                .then_some(()))
            })
            .await?;
        ward.close().await
    }

    #[tokio::test]
    async fn whoever_waits_knows_where_they_stand() -> Result<()> {
        let mut ward = Ward::open("stranded-waiting", &DOCTOR).await?;
        // Someone is there before.
        ward.fresh().await?;
        let before = ward.link().await?;
        ward.wait_in_the_room(&before).await?;
        ward.shows_in("waiting", "[data-t=before-you]", "You are next", "اب آپ کی باری ہے").await?;
        let first = ward.phone.tab().await?;
        ward.phone.new_tab().await?;
        // This one has a slow processor and a thin link.
        ward.phone.be_cheap(true).await?;
        let link = ward.link().await?;
        ward.wait_in_the_room(&link).await?;
        ward.phone.be_cheap(false).await?;
        ward.shows_in("waiting", "[data-t=before-you]", "1 person is before you", "آپ سے پہلے 1 مریض ہے")
            .await?;
        let second = ward.phone.tab().await?;
        ward.phone.switch(&first).await?;
        ward.desk.act(&before, "close").await?;
        ward.shows("over", "This link is finished", "یہ لنک ختم ہو چکا ہے").await?;
        ward.phone.close_tab(&second).await?;

        // The doctor is late: eleven minutes later by the phone's clock. The tab was away, and asks at once when it is back.
        let phone = &ward.phone;
        phone.eval("const now = Date.now; Date.now = () => now() + 11 * 60000").await?;
        phone.put_away(true).await?;
        phone.put_away(false).await?;
        phone.see("note-back").await?;
        phone.reads("[data-t=before-you]", "You are next").await?;
        ward.shows("waiting", "The doctor is late", "ڈاکٹر کو دیر ہو گئی ہے").await?;

        // A phone call takes the microphone, and gives it back; a headset that is pulled ends it.
        let track = |what: &str| {
            format!(
                "document.querySelector('[data-t=near]').srcObject.getAudioTracks()[0].dispatchEvent(new Event('{what}'))"
            )
        };
        phone.eval(&track("mute")).await?;
        ward.shows_in("waiting", "[data-t=note-phone]", "until your phone call ends", "فون کال ختم ہونے")
            .await?;
        phone.eval(&track("unmute")).await?;
        phone
            .wait("no note of a phone call", async || {
                Ok((phone.eval("return !document.querySelector('[data-t=note-phone]')").await?
                    == json!(true))
                .then_some(()))
            })
            .await?;
        phone.eval(&track("ended")).await?;
        ward.shows_in("waiting", "[data-t=note-microphone]", "The microphone stopped", "مائیک رک گیا")
            .await?;
        phone.tap("retry").await?;
        phone.wait("the room again, with a microphone", async || Ok((phone.eval("return document.documentElement.dataset.screen === 'waiting' && !document.querySelector('[data-t=note-microphone]')").await? == json!(true)).then_some(()))).await?;

        // The back button asks; a reload comes back to where it was.
        phone.back().await?;
        phone.tap("hang-up-no").await?;
        phone.screen("waiting").await?;
        phone
            .eval("window.addEventListener('beforeunload', (e) => e.stopImmediatePropagation(), true)")
            .await?;
        phone.reload().await?;
        ward.shows("join", "Your call is still open", "آپ کی کال ابھی کھلی ہے").await?;
        phone.tap("join").await?;
        phone.screen("waiting").await?;

        // The server is away, then there again: the room says so, and goes on.
        ward.hie.stop()?;
        let phone = &ward.phone;
        phone.put_away(true).await?;
        phone.put_away(false).await?;
        phone.see("note-offline").await?;
        ward.shows_in("waiting", "[data-t=note-offline]", "No network. We keep trying.", "نیٹ ورک نہیں ہے")
            .await?;
        ward.hie.start().await?;
        ward.desk.sign_in().await?;
        let phone = &ward.phone;
        phone
            .wait("the doctor's list has the phone again", async || {
                Ok((ward.desk.link(&link).await?["here"] == json!(true)).then_some(()))
            })
            .await?;
        phone
            .wait("no note of a network", async || {
                Ok((phone.eval("return !document.querySelector('[data-t=note-offline]')").await?
                    == json!(true))
                .then_some(()))
            })
            .await?;

        // No network before the room: the page waits for it.
        phone
            .eval("window.addEventListener('beforeunload', (e) => e.stopImmediatePropagation(), true)")
            .await?;
        phone.reload().await?;
        phone.screen("join").await?;
        phone.offline(true).await?;
        phone.tap("join").await?;
        phone.screen("offline").await?;
        phone.reads("#screen", "Check your mobile data").await?;
        phone.see("retry").await?;
        // It goes on by itself.
        phone.offline(false).await?;
        phone.screen("waiting").await?;

        // Another browser with the same link: the doctor says no, then yes.
        let first = phone.tab().await?;
        let second = phone.new_tab().await?;
        ward.say_the_word(&link).await?;
        ward.shows("elsewhere", "The call is open on another phone", "کال کسی اور فون پر کھلی ہے").await?;
        phone.tap("move").await?;
        phone.tap("consent-voice").await?;
        ward.shows("asked", "We asked the doctor", "ہم نے ڈاکٹر سے پوچھا ہے").await?;
        ensure!(ward.desk.link(&link).await?["asks_to_move"] == json!(true));
        ward.desk.act(&link, "do-not-move").await?;
        ward.shows("not-moved", "The call stays on the other phone", "کال دوسرے فون پر ہی ہے").await?;
        let third = phone.new_tab().await?;
        ward.say_the_word(&link).await?;
        phone.tap("move").await?;
        phone.tap("consent-voice").await?;
        phone.screen("asked").await?;
        ward.desk.act(&link, "move").await?;
        phone.screen("waiting").await?;
        phone.switch(&first).await?;
        phone.screen("elsewhere").await?;
        phone.close_tab(&second).await?;
        phone.close_tab(&third).await?;
        phone.tap("hang-up").await?;
        phone.tap("hang-up-yes").await?;
        ward.shows("ended", "You left the waiting room", "آپ نے انتظار گاہ چھوڑ دی").await?;
        phone.tap("again").await?;
        phone.screen("consent").await?;
        ward.close().await
    }

    #[tokio::test]
    async fn what_the_doctor_left_is_read_days_later_on_that_phone_only() -> Result<()> {
        let ward = Ward::open("stranded-after", &DOCTOR).await?;
        let phone = &ward.phone;
        let link = ward.link().await?;
        ward.fresh().await?;
        ward.wait_in_the_room(&link).await?;
        let note = json!({
            "next_step": "Drink a glass of water after each loose stool.\nCome back on Monday.", "lang": "en",
            "doctor": "Dr Ayesha\u{202E} Khan", "date": "2026-11-22", "paper": true,
            "warning": "Blood in the stool or no urine for a day: come at once.",
            "medicines": [
                { "name": "ORS <b>sachet</b>", "how": "one in a liter of boiled water", "days": 3, "when": ["morning", "noon", "evening", "night"] },
                { "name": "Zinc 20 mg", "how": "one tablet", "days": 1, "when": ["night", "tea-time"] },
            ],
        });
        let paper: Vec<u8> =
            b"%PDF-1.7\n".iter().copied().chain((0..90_000_u32).map(|n| (n % 251) as u8)).collect();
        // Who has left sees it come, and may still talk to the doctor.
        phone.tap("hang-up").await?;
        phone.tap("hang-up-yes").await?;
        phone.screen("ended").await?;
        ward.desk.leave(&link, &note, Some(&paper)).await?;
        phone.screen("after").await?;
        phone.tap("talk").await?;
        phone.screen("consent").await?;
        ward.desk.act(&link, "close").await?;

        // Another tab, as on the next day: the word, and it is there.
        ward.fresh().await?;
        ward.say_the_word(&link).await?;
        ward.shows("after", "Drink a glass of water", "اب کیا کرنا ہے").await?;
        let read = phone.eval("return [...document.querySelectorAll('.medicine')].map((m) => [m.querySelector('h3').textContent, [...m.querySelectorAll('.take')].map((t) => t.innerText.trim()).join()])").await?;
        ensure!(
            read == json!([["ORS <b>sachet</b>", "Morning,Noon,Evening,Night"], ["Zinc 20 mg", "Night"]]),
            "{read}"
        );
        phone.eval("window.kept = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { blob.arrayBuffer().then((b) => window.kept.push([blob.type, b.byteLength, String.fromCharCode(...new Uint8Array(b, 0, 5))])); return make.call(URL, blob); }").await?;
        phone.tap("paper").await?;
        let kept = phone
            .wait("the prescription", async || {
                let kept = phone.eval("return window.kept[0] ?? null").await?;
                Ok((!kept.is_null()).then_some(kept))
            })
            .await?;
        ensure!(kept == json!(["application/pdf", paper.len(), "%PDF-"]), "{kept}");

        // A phone that never had the call: its memory of it is gone.
        ward.fresh().await?;
        phone.go(&link.url()).await?;
        phone.eval("localStorage.clear()").await?;
        ward.say_the_word(&link).await?;
        ward.shows("after-elsewhere", "Open it on the other phone", "اسے دوسرے فون پر کھولیں").await?;
        ward.close().await
    }

    #[tokio::test]
    async fn a_call_survives_what_happens_to_a_phone() -> Result<()> {
        let mut world = World::of_test("stranded-call").await?;
        let ca = world.let_phones_in()?;
        let window = world.open_empty_clinic().await?;
        world.register(&window, &AYESHA).await?;
        window.click("call-at-home").await?;
        window.screen("phone").await?;
        let url = world.make_link(&window, WORD).await?;
        let phone = Phone::open(&world.run, &ca, "phone", "en").await?;
        phone.go(&url).await?;
        phone.screen("word").await?;
        phone.type_into("word", WORD).await?;
        phone.tap("word-go").await?;
        phone.tap("consent-video").await?;
        phone.tap("join").await?;
        phone.screen("waiting").await?;
        phone.reads("#screen", "The doctor is here").await?;
        window.click("link-call").await?;
        phone.screen("call").await?;
        world.sees_the_patient(&window).await?;
        shows_in(&phone, "call", "#screen", "Mute", "آواز بند").await?;

        // Back asks first.
        phone.back().await?;
        phone.see("hang-up-no").await?;
        phone.check_access("end-dialog").await?;
        phone.tap("hang-up-no").await?;
        phone.sees_them().await?;

        // Put away, the picture stops; back, it goes on.
        let sends = "return document.querySelector('[data-t=near]').srcObject.getVideoTracks()[0].enabled";
        for (away, sending) in [(true, false), (false, true)] {
            phone.put_away(away).await?;
            phone
                .wait("the camera's state", async || {
                    Ok((phone.eval(sends).await? == json!(sending)).then_some(()))
                })
                .await?;
        }
        phone.see("note-back").await?;

        // The phone rings.
        let track = |what: &str| {
            format!(
                "document.querySelector('[data-t=near]').srcObject.getAudioTracks()[0].dispatchEvent(new Event('{what}'))"
            )
        };
        phone.eval(&track("mute")).await?;
        shows_in(&phone, "call", "[data-t=note-phone]", "until your phone call ends", "فون کال ختم ہونے")
            .await?;
        phone.eval(&track("unmute")).await?;

        // The doctor writes; it is read in large letters until it is put away, and markup is text.
        window.click("chat-go").await?;
        window.fill("chat-box", "Take <b>two</b> tablets now").await?;
        window.click("chat-send").await?;
        shows_in(
            &phone,
            "call",
            "[data-t=said]",
            "Take <b>two</b> tablets now",
            "Take <b>two</b> tablets now",
        )
        .await?;
        phone.tap("said-done").await?;
        phone
            .wait("no line", async || {
                Ok((phone.eval("return !document.querySelector('[data-t=said]')").await? == json!(true))
                    .then_some(()))
            })
            .await?;

        // A picture is asked for, and goes.
        phone.tap("still").await?;
        phone.tap("still-no").await?;
        phone.tap("still").await?;
        phone.check_access("still-dialog").await?;
        phone.tap("still-yes").await?;
        phone.reads("[data-t=still-state]", "The doctor has your picture").await?;
        window.see("still-line").await?;

        // A reload: the phone offers to go back, and the doctor's next ring is taken at once.
        phone
            .eval("window.addEventListener('beforeunload', (e) => e.stopImmediatePropagation(), true)")
            .await?;
        phone.reload().await?;
        phone.screen("join").await?;
        phone.reads("#screen", "Your call is still open").await?;
        phone.tap("join").await?;
        phone.screen("waiting").await?;
        window.click("hang-up").await?;
        window.click("link-call").await?;
        phone.screen("call").await?;
        phone.sees_them().await?;
        window.click("hang-up").await?;
        shows_in(&phone, "ended", "#screen", "the doctor may send what to do next", "ڈاکٹر بھیج سکتے ہیں")
            .await?;
        phone.close().await?;
        window.close().await?;
        world.hie.stop()
    }
}
