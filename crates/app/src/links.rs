//! Patients' links: made here with the secret and the word, which the HIE never learns; kept in the vault until they end.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::{QrCode, render::svg};
use rabta_domain::{Private, role::Act};
use rabta_ipc::{
    Error,
    call::{LinkCall, Third, ThirdId},
    link::{CloseLink, GetLinks, LinkView, LinksView, MakeLink, MoveLink, SendLink, StartLinkCall},
};
use rabta_store::{RecordStore, Transaction};
use rabta_sync::HieError;
use rabta_wire::{
    Id,
    guest::{self, LinkAct, LinkSecret, OpenLink},
    signal::Address,
};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::{Session, calls::About, routes::routes, session::new_wire_id};

routes!(Session {
    GetLinks => get_links,
    MakeLink => make_link,
    CloseLink => close_link,
    SendLink => send_link,
    MoveLink => move_link,
    StartLinkCall => start_link_call,
});

/// A word that is said aloud and typed on a phone.
const SHORTEST_WORD: usize = 3;
const LONGEST_WORD: usize = 30;
const HOUR_MS: i64 = 3_600_000;

/// A link as this vault keeps it.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    guest: Id,
    /// The fragment.
    secret: String,
    patient: String,
    word: String,
    expires_at: i64,
    page: String,
}

impl Session {
    /// Several persons share a vault: each has their own.
    fn links_setting(&self) -> String {
        format!("links.{}", self.person_id)
    }

    /// The links that have not ended.
    async fn kept_links(&self) -> Result<Vec<Kept>, Error> {
        let kept = self.store().setting(&self.links_setting()).await.map_err(|e| self.told(e))?;
        let mut links: Vec<Kept> =
            kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
        let now = self.millis();
        links.retain(|link| link.expires_at > now);
        Ok(links)
    }

    async fn keep_links(&self, links: &[Kept], transaction: Transaction) -> Result<(), Error> {
        let text = serde_json::to_vec(links).expect("strings and numbers");
        self.commit(transaction.set(self.links_setting(), text)).await.map(drop)
    }

    async fn kept_link(&self, guest: &str) -> Result<Kept, Error> {
        let links = self.kept_links().await?;
        links.into_iter().find(|link| link.guest.to_string() == guest).ok_or_else(|| Error::new("not-found"))
    }

    async fn get_links(&self, get: GetLinks) -> Result<LinksView, Error> {
        let kept = self.kept_links().await?;
        // Today asks all the time: on a prepaid link only whoever made one pays for it.
        if kept.is_empty() && get.patient.is_none() {
            return Ok(LinksView { possible: None, links: Vec::new(), phone: None });
        }
        let asked = self.sync.client()?.links().await;
        let (possible, open) = match &asked {
            Ok(answer) => (Some(answer.page.is_some()), Some(&answer.open)),
            // A server from before there were links.
            Err(HieError::Refused { status: 404, .. }) => (Some(false), None),
            Err(_) => (None, None),
        };
        let mut links = Vec::new();
        for link in kept.iter().filter(|link| get.patient.as_ref().is_none_or(|id| *id == link.patient)) {
            let there = open.map(|open| open.iter().find(|open| open.guest == link.guest));
            // Closed at the HIE: guessed at too often.
            if there == Some(None) {
                continue;
            }
            match self.link_view(link, there.flatten()).await {
                Ok(view) => links.push(view),
                // The ask is over, and the other clinic's patient has left this laptop with it.
                Err(error) if error.code == "not-found" => {}
                Err(error) => return Err(error),
            }
        }
        let phone = self.contact().await?.map(Private);
        Ok(LinksView { possible, links, phone })
    }

    async fn make_link(&self, make: MakeLink) -> Result<LinkView, Error> {
        self.must(Act::Visit)?;
        self.must_be_ours(&make.patient).await?;
        let word = normalized(&make.word);
        if !(SHORTEST_WORD..=LONGEST_WORD).contains(&word.chars().count())
            || word.chars().any(char::is_control)
        {
            return Err(Error { field: Some("word".into()), ..Error::new("invalid") });
        }
        let hours = i64::from(make.hours).clamp(1, guest::LONGEST / HOUR_MS);
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| Error::detail("unexpected", "no randomness"))?;
        let secret = LinkSecret::from_random(random);
        // By the HIE's clock, which is the one that ends it.
        let offset = self.sync.clock_offset().unwrap_or_default();
        let open_key = secret.open_key();
        // A moment less than asked for: the clocks were compared a while ago.
        let expires_at = self.millis() + hours * HOUR_MS - 60_000;
        let link = guest::MakeLink {
            guest: new_wire_id(),
            open: guest::text(&guest::open_hash(&open_key)),
            word: guest::text(&guest::word_proof(&open_key, &word)),
            expires_at: expires_at + offset,
            contact: Some(self.sealed_contact(&secret).await?),
        };
        let client = self.sync.client()?;
        let page = client.links().await.map_err(crate::gate::hie)?.page;
        let page = page.ok_or_else(|| Error::new("no-certificate"))?;
        client.make_link(&link).await.map_err(crate::gate::hie)?;
        let kept = Kept {
            guest: link.guest,
            secret: secret.fragment(),
            patient: make.patient.clone(),
            word: make.word.0.trim().to_owned(),
            expires_at,
            page,
        };
        let mut links = self.kept_links().await?;
        links.push(kept.clone());
        let audit = self.audit("link", &format!("Patient/{}", make.patient), Some(&make.patient));
        self.keep_links(&links, Transaction::new().audit(audit)).await?;
        self.link_view(&kept, None).await
    }

    /// Whom the patient phones where nothing else works: this person's duty telephone, else their own.
    async fn contact(&self) -> Result<Option<String>, Error> {
        let own = self.enrollment.enrolled.invitation.person.phone.clone();
        let duty = self.roster_entries().await?.into_iter().find(|entry| entry.person == self.person_id);
        let mut numbers = duty.map(|entry| entry.phone).into_iter().chain(own);
        Ok(numbers.find_map(|text| guest::dialable(&text)))
    }

    /// The same for the link's holder only.
    async fn sealed_contact(&self, secret: &LinkSecret) -> Result<String, Error> {
        let contact = guest::Contact { phone: self.contact().await? };
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce).map_err(|_| Error::detail("unexpected", "no randomness"))?;
        Ok(URL_SAFE_NO_PAD.encode(secret.seal_contact(nonce, &contact)))
    }

    async fn link_view(&self, link: &Kept, open: Option<&OpenLink>) -> Result<LinkView, Error> {
        let card = self.card(&link.patient).await?;
        let chart = crate::chart::chart(self, &link.patient).await?;
        let phone = chart.registration.phones.iter().find(|phone| phone.safe_to_text && !phone.voice_only);
        let digits: String = phone
            .map(|phone| phone.number.0.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect())
            .unwrap_or_default();
        let url = format!("{}#{}", link.page, link.secret);
        let message = format!("{}\n{url}", self.app.country.link_message(&self.person.name));
        let body = utf8_percent_encode(&message, NON_ALPHANUMERIC);
        let qr = QrCode::new(url.as_bytes()).map_err(|e| Error::detail("unexpected", e))?;
        let qr = qr.render::<svg::Color<'_>>().min_dimensions(220, 220).quiet_zone(true).build();
        Ok(LinkView {
            guest: link.guest.to_string(),
            card,
            word: link.word.clone().into(),
            expires_at: link.expires_at,
            sms: format!("sms:{digits}?body={body}").into(),
            whatsapp: format!("https://wa.me/{}?text={body}", digits.trim_start_matches('+')).into(),
            qr: format!("data:image/svg+xml;base64,{}", STANDARD.encode(qr)).into(),
            url: url.into(),
            message: message.into(),
            joined: open.is_some_and(|open| open.joined_at.is_some()),
            here: open.is_some_and(|open| open.here),
            asks_to_move: open.is_some_and(|open| open.asks_to_move),
        })
    }

    async fn close_link(&self, close: CloseLink) -> Result<(), Error> {
        let link = self.kept_link(&close.guest).await?;
        match self.sync.client()?.act_on_link(link.guest, LinkAct::Close).await {
            // It had ended there already.
            Ok(()) | Err(HieError::Refused { status: 404, .. }) => {}
            Err(error) => return Err(crate::gate::hie(error)),
        }
        let mut links = self.kept_links().await?;
        links.retain(|kept| kept.guest != link.guest);
        self.keep_links(&links, Transaction::new()).await
    }

    async fn send_link(&self, send: SendLink) -> Result<(), Error> {
        let link = self.link_view(&self.kept_link(&send.guest).await?, None).await?;
        let address = if send.way == "sms" { &link.sms } else { &link.whatsapp };
        crate::prints::open_with_system(address.0.as_ref());
        Ok(())
    }

    async fn move_link(&self, wish: MoveLink) -> Result<(), Error> {
        let link = self.kept_link(&wish.guest).await?;
        let act = if wish.yes { LinkAct::Move } else { LinkAct::DoNotMove };
        self.sync.client()?.act_on_link(link.guest, act).await.map_err(crate::gate::hie)?;
        if wish.yes {
            self.call_goes_to(link.guest).await;
        }
        Ok(())
    }

    /// A patient's open links, as people who may be brought into a call.
    pub(crate) async fn waiting_links(&self, patient: &str) -> Result<Vec<Third>, Error> {
        let kept = self.kept_links().await?;
        let kept: Vec<Kept> = kept.into_iter().filter(|link| link.patient == patient).collect();
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let open = self.sync.client()?.links().await.map_err(crate::gate::hie)?.open;
        let mut thirds = Vec::new();
        for link in kept {
            let Some(there) = open.iter().find(|open| open.guest == link.guest) else { continue };
            thirds.push(Third {
                id: ThirdId::Guest(link.guest.to_string()),
                name: self.card(&link.patient).await?.name,
                specialty: String::new(),
                here: there.here,
            });
        }
        Ok(thirds)
    }

    /// The guest, the secret and the patient of a link that has not ended.
    pub(crate) async fn link_secret(&self, guest: &str) -> Result<(Id, LinkSecret, String), Error> {
        let link = self.kept_link(guest).await?;
        let secret = LinkSecret::from_fragment(&link.secret).ok_or_else(|| Error::new("not-found"))?;
        Ok((link.guest, secret, link.patient))
    }

    async fn start_link_call(&self, start: StartLinkCall) -> Result<(), Error> {
        let (guest, secret, patient) = self.link_secret(&start.guest).await?;
        let name = self.card(&patient).await?.name.0;
        let about = About::Link { secret, name, link: LinkCall { guest: start.guest, patient } };
        self.ring(about, Address { person: guest, device: None }, start.video).await
    }
}

/// As the page normalizes it before it makes the proof (`src-page/public/link.js`): what two keyboards write differently
/// and people do not see is the same.
fn normalized(word: &Private<String>) -> String {
    let folded: String = word.0.nfkc().collect::<String>().to_lowercase().chars().filter_map(plain).collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn plain(c: char) -> Option<char> {
    match c {
        'ي' | 'ى' => Some('ی'),
        'ك' => Some('ک'),
        'ه' | 'ۀ' => Some('ہ'),
        // Joiners, direction marks, the vowel signs that hardly anybody types, the long joining line.
        '\u{200B}'..='\u{200F}' | '\u{2066}'..='\u{2069}' | '\u{064B}'..='\u{0652}' | '\u{0640}' => None,
        '\u{0660}'..='\u{0669}' => char::from_digit(c as u32 - 0x0660, 10),
        '\u{06F0}'..='\u{06F9}' => char::from_digit(c as u32 - 0x06F0, 10),
        _ => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_however_it_is_typed() {
        let same = |a: &str, b: &str| normalized(&a.to_owned().into()) == normalized(&b.to_owned().into());
        assert!(same("  Mango  tree ", "mango TREE"));
        assert!(same("آم", "ﺁم"));
        assert!(same("علي", "علی") && same("كتاب", "کتاب") && same("گھر\u{200C}", "گھر"));
        assert!(same("آم ۱۲", "آم 12") && same("آم ١٢", "آم 12"));
        assert!(!same("mango", "mangos"));
    }
}
