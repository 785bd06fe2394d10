//! A patient's call that ends badly, a microphone that another app has, a door that asks to wait: with the words and the way on of each.

use anyhow::{Result, ensure};

use crate::ward::{LISTENS, Ward};

/// How a call may end that nobody wanted to end, and what is left after one that cannot be read.
pub async fn ends(ward: &Ward<'_>) -> Result<()> {
    let (phone, desk) = (&ward.phone, &ward.desk);
    let back_in_the_room = async || -> Result<()> {
        phone.tap("again").await?;
        phone.tap("join").await?;
        phone.screen("waiting").await
    };

    // Another app has the microphone; then it lets go of it.
    ward.fresh().await?;
    phone.before_load(LISTENS).await?;
    phone.before_load("const media = navigator.mediaDevices; const get = media.getUserMedia.bind(media); window.taken = true; \
        media.getUserMedia = (what) => (window.taken ? Promise.reject(new DOMException('', 'NotReadableError')) : get(what))").await?;
    let link = ward.link().await?;
    ward.say_the_word(&link).await?;
    phone.tap("consent-video").await?;
    phone.tap("join").await?;
    ward.shows("microphone", "Something else uses the microphone", "مائیک کہیں اور استعمال ہو رہا ہے")
        .await?;
    ward.aloud("busy").await?;
    phone.eval("window.taken = false").await?;
    phone.tap("retry").await?;
    phone.screen("waiting").await?;

    // The doctor rang, and gave up before the answer came through.
    let mut rung = desk.ring(&link).await?;
    rung.hang_up("no-answer").await?;
    ward.shows("ended", "The doctor did not answer", "ڈاکٹر نے جواب نہیں دیا").await?;
    ward.aloud("no_answer").await?;
    ward.can_phone().await?;
    back_in_the_room().await?;

    // The call breaks.
    let mut rung = desk.ring(&link).await?;
    rung.hang_up("failed").await?;
    ward.shows("ended", "The call broke off", "کال کٹ گئی").await?;
    ward.aloud("broken").await?;
    back_in_the_room().await?;

    // It breaks, and by then the link is over: what the page asks is held back until it is.
    phone.eval("const ask = window.fetch; window.fetch = (...what) => new Promise((go) => { window.hold = go; }).then(() => ask(...what))").await?;
    let mut rung = desk.ring(&link).await?;
    rung.hang_up("failed").await?;
    phone.screen("ended").await?;
    desk.act(&link, "close").await?;
    phone
        .wait("the page's question", async || {
            Ok((phone
                .eval("window.hold?.(); return document.querySelector('[data-t=again]')")
                .await?
                .is_null())
            .then_some(()))
        })
        .await?;
    ward.shows("ended", "The link is finished: ask the clinic", "لنک ختم ہو چکا ہے، کلینک سے").await?;
    ward.aloud("broken-over").await?;
    ward.can_phone().await?;

    // Somebody in between, who does not have the link's secret.
    ward.fresh().await?;
    phone.before_load(LISTENS).await?;
    let link = ward.link().await?;
    ward.wait_in_the_room(&link).await?;
    let mut rung = desk.ring(&link).await?;
    rung.offer_of_a_stranger().await?;
    ward.shows("ended", "We closed the call to keep you safe", "آپ کی حفاظت کے لیے کال بند کر دی").await?;
    ward.aloud("untrusted").await?;
    ward.can_phone().await?;
    ensure!(
        phone.eval("return document.querySelector('[data-t=again]')").await?.is_null(),
        "back to a stranger"
    );

    // What was left does not open with this link's key.
    ward.fresh().await?;
    phone.before_load(LISTENS).await?;
    let link = ward.link().await?;
    ward.wait_in_the_room(&link).await?;
    phone.tap("hang-up").await?;
    phone.tap("hang-up-yes").await?;
    desk.leave_another_links(&link).await?;
    ward.shows("after-broken", "This cannot be read", "یہ پڑھا نہیں جا سکتا").await?;
    ward.aloud("after-broken").await?;
    ward.can_phone().await?;

    // Somebody asked too often about this link: the page waits, and goes on by itself.
    ward.fresh().await?;
    phone.before_load(LISTENS).await?;
    let link = ward.link().await?;
    desk.ask_too_often(&link).await?;
    phone.go(&link.url()).await?;
    ward.shows("slow", "Please wait a little", "تھوڑا انتظار کریں").await?;
    ward.aloud("slow").await?;
    phone.screen("word").await
}
