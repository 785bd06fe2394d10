//! The line between a laptop and the HIE: loses, doubles, delays, cuts. It is what the driver ships with a client for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rabta_hie::envelopes::Caller;
use rabta_sync::{Carrier, Clock, HieError, Identity, Offset, utc};
use rabta_wire::{
    Id,
    cursor::Cursor,
    envelope::{Envelope, Kind},
    log::{PullReply, PushReply},
};

use crate::{
    chance::Chance,
    hie::Hie,
    story::{Story, short, tell},
    time::Time,
};

/// As the client's: it gives up on a line that says nothing for so long.
const SILENCE_MS: u64 = 40_000;

/// How bad the line is. Shares in per mille of requests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    pub up: bool,
    pub lost: u64,
    /// The request arrives and its answer does not.
    pub answer_lost: u64,
    pub doubled: u64,
    /// The sender gives up, and the request arrives afterwards.
    pub late: u64,
    /// 401 in the middle: the token ran out.
    pub expired: u64,
    /// 503.
    pub busy: u64,
    /// The longest delay of each direction, in milliseconds.
    pub delay: u64,
}

impl Weather {
    pub fn fair() -> Self {
        Self { up: true, delay: 200, ..Self::default() }
    }

    pub fn from(chance: &Chance) -> Self {
        Self {
            up: true,
            lost: chance.below(250),
            answer_lost: chance.below(250),
            doubled: chance.below(150),
            late: chance.below(150),
            expired: chance.below(80),
            busy: chance.below(80),
            delay: chance.between(50, 30_000),
        }
    }
}

/// What the rest of the world may turn at a line.
pub type Sky = Arc<Mutex<Weather>>;

/// A laptop's line.
pub struct Line {
    pub name: String,
    pub caller: Caller,
    pub identity: Identity,
    pub clock: Arc<dyn Clock>,
    pub offset: Offset,
    pub hie: Hie,
    pub sky: Sky,
    pub time: Time,
    pub chance: Chance,
    pub story: Story,
    /// Visits whose push had no answer.
    pub doubtful: Arc<Mutex<Vec<Id>>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unreachable() -> HieError {
    HieError::Unreachable("the line is cut".into())
}

fn refused(status: u16, code: &str) -> HieError {
    HieError::Refused { status, code: code.into(), text: code.into() }
}

impl Line {
    fn weather(&self) -> Weather {
        *held(&self.sky)
    }

    /// The way there: an error where it does not arrive.
    async fn out(&self) -> Result<i64, HieError> {
        let weather = self.weather();
        let sent = self.clock.unix_ms();
        if !weather.up {
            self.time.sleep(500).await;
            return Err(unreachable());
        }
        let ms = self.chance.between(10, weather.delay.max(10));
        self.time.sleep(ms).await;
        if self.chance.falls(weather.lost) {
            self.time.sleep(SILENCE_MS).await;
            return Err(unreachable());
        }
        if self.hie.is_down() {
            return Err(unreachable());
        }
        if self.chance.falls(weather.expired) {
            tell!(self.story, "{}: the token ran out", self.name);
            return Err(refused(401, "invalid_token"));
        }
        if self.chance.falls(weather.busy) {
            return Err(refused(503, "busy"));
        }
        Ok(sent)
    }

    /// The way back.
    async fn back(&self, sent: i64) -> Result<(), HieError> {
        let weather = self.weather();
        let date = http_date(self.time.unix_ms());
        let ms = self.chance.between(10, weather.delay.max(10));
        self.time.sleep(ms).await;
        // Cut while it was on its way.
        if !self.weather().up || self.chance.falls(weather.answer_lost) {
            self.time.sleep(SILENCE_MS).await;
            return Err(unreachable());
        }
        self.offset.learn(&date, sent, self.clock.unix_ms());
        Ok(())
    }

    async fn changes(&self, after: Option<Cursor>, limit: u32, lately: bool) -> Result<PullReply, HieError> {
        let sent = self.out().await?;
        let reply = self.hie.pull(self.caller, after, limit, lately);
        self.back(sent).await?;
        if let Ok(reply) = &reply
            && !lately
            && !reply.changes.is_empty()
        {
            let (count, next) = (reply.changes.len(), reply.next.seq);
            tell!(self.story, "{}: pulled {count} changes up to {next}", self.name);
        }
        reply
    }

    fn doubt(&self, envelopes: &[Vec<u8>]) {
        let headers = envelopes.iter().filter_map(|b| Envelope::from_bytes(b).and_then(|e| e.header()).ok());
        held(&self.doubtful).extend(headers.filter(|h| h.kind == Kind::Visit).map(|h| h.id));
    }
}

impl Carrier for Line {
    async fn push(&self, envelopes: Vec<Vec<u8>>) -> Result<PushReply, HieError> {
        let weather = self.weather();
        if weather.up && self.chance.falls(weather.late) {
            let ms = self.chance.between(SILENCE_MS, 20 * 60_000);
            tell!(self.story, "{}: a push of {} stays on the way", self.name, envelopes.len());
            self.hie.arrives_late(ms, self.caller, envelopes.clone());
            self.time.sleep(SILENCE_MS).await;
            self.doubt(&envelopes);
            return Err(unreachable());
        }
        let sent = self.out().await?;
        let reply = self.hie.push(self.caller, envelopes.clone());
        let doubled = self.chance.falls(weather.doubled);
        // Twice at once, or once more after a while.
        let reply = if doubled && self.chance.falls(500) {
            self.hie.push(self.caller, envelopes.clone())
        } else {
            if doubled {
                let ms = self.chance.below(600_000);
                self.hie.arrives_late(ms, self.caller, envelopes.clone());
            }
            reply
        };
        if let Err(error) = self.back(sent).await {
            tell!(self.story, "{}: pushed {} and had no answer", self.name, envelopes.len());
            self.doubt(&envelopes);
            return Err(error);
        }
        for ack in &reply.acks {
            tell!(self.story, "{}: pushed {}: {:?}", self.name, short(ack.id), ack.outcome);
        }
        Ok(reply)
    }

    async fn pull(&self, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        self.changes(after, limit, false).await
    }

    async fn pull_lately(&self, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        self.changes(after, limit, true).await
    }

    fn identity(&self) -> Option<&Identity> {
        Some(&self.identity)
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn offset(&self) -> &Offset {
        &self.offset
    }
}

/// RFC 9110, section 5.6.7.
fn http_date(unix_ms: i64) -> String {
    let at = utc(unix_ms);
    let (day, month) = (&at.weekday().to_string()[..3], &at.month().to_string()[..3]);
    let (hour, minute, second) = at.to_hms();
    format!("{day}, {:02} {month} {} {hour:02}:{minute:02}:{second:02} GMT", at.day(), at.year())
}
