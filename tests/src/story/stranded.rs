//! What strands a patient: each thing that goes wrong, its words in both languages, and the way on. Each function reaches its states and
//! fails where one of them is not as it should be.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{World, ends};
use crate::{
    phone::TestCa,
    story::{DOCTOR, Person},
    ward::{HOUR, LISTENS, WORD, Ward, heard},
};

impl World {
    /// The states of a phone that is stranded, with a picture of each in both languages.
    pub async fn stranded(&mut self, ca: &TestCa) -> Result<()> {
        // Without a report there is nothing to show; the tests of each state fail by themselves.
        if self.report.is_none() {
            return Ok(());
        }
        let mut pictures: Vec<(String, Vec<u8>)> = Vec::new();
        for (name, asking) in [("links", false), ("phones", true), ("waits", false), ("ends", false)] {
            let who = if name == "links" { STRANGER } else { "Dr Bilal Ahmed" };
            let person = Person { key: name, name: who, ..DOCTOR };
            let phone = format!("stranded-{name}");
            let mut ward = Ward::open(&self.run, ca, &mut self.hie, &person, &phone, asking).await?;
            ward.phone.checks = false;
            match name {
                "links" => links(&ward).await?,
                "phones" => phones(&ward).await?,
                "ends" => ends::ends(&ward).await?,
                _ => waits(&mut ward).await?,
            }
            for (caption, png) in ward.phone.album() {
                if pictures.iter().all(|(before, _)| *before != caption) {
                    pictures.push((caption, png));
                }
            }
            ward.phone.close().await?;
        }
        if let Some(report) = &mut self.report {
            for (caption, png) in pictures {
                report.add("phone", png, &caption)?;
            }
        }
        Ok(())
    }
}

/// A name that somebody from outside may have typed.
pub const STRANGER: &str = "Dr <img src=x onerror=alert(1)>\u{202E}nahK\u{2066} LongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLong";

/// The life of a link, ms, that ends soon, but not before the HIE was asked to make it.
const SHORT: i64 = 2_000;

/// A link that does not open. The doctor's name is `Dr <img …`, from outside.
pub async fn links(ward: &Ward<'_>) -> Result<()> {
    let (phone, desk) = (&ward.phone, &ward.desk);

    ward.fresh().await?;
    phone.before_load(LISTENS).await?;

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
    ward.can_phone().await?;
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

    for (ended, life) in [("closed", HOUR), ("expired", SHORT)] {
        ward.fresh().await?;
        let link = desk.make_link(WORD, life).await?;
        if ended == "closed" {
            desk.act(&link, "close").await?;
        } else {
            tokio::time::sleep(Duration::from_millis(SHORT.unsigned_abs() + 50)).await;
        }
        phone.go(&link.url()).await?;
        ward.shows("over", "Ask the clinic for a new link", "کلینک سے نیا لنک مانگیں").await?;
        ward.can_phone().await?;
    }

    // The new link, tapped where the finished one still stands.
    phone.go(&desk.make_link(WORD, HOUR).await?.url()).await?;
    phone.screen("word").await?;

    // A clinic without a telephone: no button, and the words are a way on.
    ward.fresh().await?;
    let silent = desk.make_link_with(WORD, HOUR, None).await?;
    desk.act(&silent, "close").await?;
    phone.go(&silent.url()).await?;
    ward.shows("over", "Ask the clinic for a new link", "کلینک سے نیا لنک مانگیں").await?;
    ensure!(
        phone.eval("return document.querySelector('[data-t=dial]')").await?.is_null(),
        "a dialer without a number"
    );

    // No secret, a broken one, one of another server.
    for fragment in ["", "#abc", "#AAAAAAAAAAAAAAAAAAAAAA"] {
        ward.fresh().await?;
        phone.go(&format!("{}{fragment}", good.url().split('#').next().unwrap_or_default())).await?;
        phone.screen("no-link").await?;
    }
    ward.shows("no-link", "Press the link in the clinic's message again", "لنک دوبارہ دبائیں").await?;
    Ok(())
}

/// A phone that refuses something, or lacks it. Its owner is asked.
pub async fn phones(ward: &Ward<'_>) -> Result<()> {
    let phone = &ward.phone;
    // What a browser may lack; the rest of it works.
    for lacking in ["RTCPeerConnection", "WebAssembly", "WebSocket"] {
        ward.fresh().await?;
        phone.before_load(&format!("delete window.{lacking}")).await?;
        phone.go(&ward.link().await?.url()).await?;
        phone.screen("browser").await?;
    }
    ward.fresh().await?;
    phone.before_load("Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })").await?;
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
            Ok((phone.eval("return !document.querySelector('[data-t=note-battery]')").await? == json!(true))
                .then_some(()))
        })
        .await?;
    Ok(())
}

/// In the waiting room, and before it.
pub async fn waits(ward: &mut Ward<'_>) -> Result<()> {
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
    ward.shows_in("waiting", "[data-t=before-you]", "1 person is before you", "آپ سے پہلے 1 مریض ہے").await?;
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
    ward.shows_in("waiting", "[data-t=note-phone]", "until your phone call ends", "فون کال ختم ہونے").await?;
    phone.eval(&track("unmute")).await?;
    phone
        .wait("no note of a phone call", async || {
            Ok((phone.eval("return !document.querySelector('[data-t=note-phone]')").await? == json!(true))
                .then_some(()))
        })
        .await?;
    phone.eval(&track("ended")).await?;
    ward.shows_in("waiting", "[data-t=note-microphone]", "The microphone stopped", "مائیک رک گیا").await?;
    phone.tap("retry").await?;
    phone.wait("the room again, with a microphone", async || Ok((phone.eval("return document.documentElement.dataset.screen === 'waiting' && !document.querySelector('[data-t=note-microphone]')").await? == json!(true)).then_some(()))).await?;

    // The back button asks; a reload comes back to where it was.
    phone.back().await?;
    phone.tap("hang-up-no").await?;
    phone.screen("waiting").await?;
    phone.eval("window.addEventListener('beforeunload', (e) => e.stopImmediatePropagation(), true)").await?;
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
            Ok((phone.eval("return !document.querySelector('[data-t=note-offline]')").await? == json!(true))
                .then_some(()))
        })
        .await?;

    // No network before the room: the page waits for it.
    phone.eval("window.addEventListener('beforeunload', (e) => e.stopImmediatePropagation(), true)").await?;
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
    Ok(())
}
