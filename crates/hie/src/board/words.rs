//! What the operator reads on the page, in English and Urdu. The Urdu is to be checked by native speakers.

use axum::http::{HeaderMap, header};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    #[default]
    En,
    Ur,
}

impl Lang {
    pub fn of(code: &str) -> Self {
        if code == "ur" { Self::Ur } else { Self::En }
    }

    /// What the browser asks for first, until somebody chooses.
    pub fn asked(headers: &HeaderMap) -> Self {
        let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if asked.trim_start().to_ascii_lowercase().starts_with("ur") { Self::Ur } else { Self::En }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ur => "ur",
        }
    }

    pub fn dir(self) -> &'static str {
        match self {
            Self::En => "ltr",
            Self::Ur => "rtl",
        }
    }

    pub fn say(self, words: W) -> &'static str {
        match self {
            Self::En => words.0,
            Self::Ur => words.1,
        }
    }

    /// How long ago `at` was at `now`; milliseconds since 1970.
    pub fn ago(self, at: i64, now: i64) -> String {
        let (n, unit) = match (now - at).max(0) / 60_000 {
            m if m < 120 => (m, W("minutes ago", "منٹ پہلے")),
            m if m < 48 * 60 => (m / 60, W("hours ago", "گھنٹے پہلے")),
            m => (m / 1440, W("days ago", "دن پہلے")),
        };
        format!("{n} {}", self.say(unit))
    }
}

/// English and Urdu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct W(pub &'static str, pub &'static str);

/// The page's parts, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Health,
    Facilities,
    People,
    Devices,
    Refused,
    Roster,
}

impl Tab {
    pub const ALL: [Self; 6] =
        [Self::Health, Self::Facilities, Self::People, Self::Devices, Self::Refused, Self::Roster];

    pub fn path(self) -> &'static str {
        match self {
            Self::Health => "/",
            Self::Facilities => "/facilities",
            Self::People => "/people",
            Self::Devices => "/devices",
            Self::Refused => "/refused",
            Self::Roster => "/roster",
        }
    }

    pub fn words(self) -> W {
        match self {
            Self::Health => W("Is all well?", "سب ٹھیک ہے؟"),
            Self::Facilities => W("Facilities", "ادارے"),
            Self::People => W("People", "لوگ"),
            Self::Devices => W("Laptops", "لیپ ٹاپ"),
            Self::Refused => W("Refused", "مسترد"),
            Self::Roster => W("Duty roster", "ڈیوٹی روسٹر"),
        }
    }
}

pub const TITLE: W = W("Rabta HIE", "رابطہ مرکز");
pub const PARTS: W = W("Parts of this page", "اس صفحے کے حصے");
pub const LEAVE: W = W("Leave", "باہر جائیں");
pub const OTHER_LANG: W = W("اردو", "English");
pub const LEFT: W = W("You have left", "آپ باہر آ گئے");
pub const CLOSED: W = W("Nobody is let in here", "یہاں داخلہ بند ہے");
pub const CLOSED_BODY: W = W(
    "Run this on the server, as the user of the service, and open the address that it prints. It works once, for ten minutes.",
    "یہ سرور پر سروس کے صارف کے طور پر چلائیں، اور جو پتہ ملے اسے کھولیں۔ وہ ایک بار، دس منٹ تک چلتا ہے۔",
);
pub const ENTER: W = W("Enter", "داخل ہوں");
pub const ENTER_BODY: W = W(
    "You have opened a one-time address. Press Enter to use it; the session ends half an hour after you last used it.",
    "آپ نے ایک بار چلنے والا پتہ کھولا ہے۔ استعمال کے لیے داخل ہوں دبائیں؛ آخری استعمال کے آدھ گھنٹے بعد یہ بند ہو جاتا ہے۔",
);
pub const NOT_DONE: W = W("This was not done", "یہ نہیں ہوا");
pub const BACK: W = W("Back", "واپس");

pub const GOOD: W = W("good", "ٹھیک");
pub const LOOK: W = W("look at it", "دیکھیں");
pub const BAD: W = W("act today", "آج ہی کریں");

pub const BACKUPS: W = W("Backups", "بیک اپ");
pub const BACKUP_MADE: W = W("made", "بنا");
pub const BACKUP_NEW: W = W("of it new", "اس میں سے نیا");
pub const BACKUP_WHOLE: W = W("read back whole", "پورا پڑھ کر جانچا گیا");
pub const BACKUP_AWAY: W = W("not in its folder now", "اب اپنے فولڈر میں نہیں");
pub const NO_BACKUP: W = W("No backup was made yet.", "ابھی کوئی بیک اپ نہیں بنا۔");
pub const NOTHING: W = W("Nothing here.", "یہاں کچھ نہیں۔");
pub const NONE_REFUSED: W = W("No entry of any laptop is refused.", "کسی لیپ ٹاپ کا کوئی اندراج مسترد نہیں۔");
pub const PEOPLE_N: W = W("people", "لوگ");
pub const DEVICES_N: W = W("laptops", "لیپ ٹاپ");
pub const CONTACT: W = W("last contact", "آخری رابطہ");
pub const SENT: W = W("last sent", "آخری ترسیل");
pub const NEVER: W = W("never", "کبھی نہیں");
pub const REVOKED: W = W("revoked", "منسوخ");
pub const FORKED: W = W("copied: two histories", "نقل شدہ: دو تاریخیں");
pub const REFUSED_N: W = W("refused", "مسترد");
pub const NO_LAPTOP: W = W("at no laptop", "کسی لیپ ٹاپ پر نہیں");
pub const CODE_OPEN: W = W("a code waits to be used", "ایک کوڈ استعمال کا منتظر ہے");
pub const DAYS_LEFT: W = W("days left", "دن باقی");
pub const FIRST: W = W("first", "پہلا");
pub const LAST: W = W("last", "آخری");
pub const ON_DUTY: W = W("on duty now", "ابھی ڈیوٹی پر");
pub const OFF_DUTY: W = W("off duty", "ڈیوٹی پر نہیں");

pub const REVOKE: W = W("Revoke…", "منسوخ کریں…");
pub const REVOKE_SURE: W = W(
    "It can read and send nothing more from that moment. This cannot be undone: the laptop would need a new code.",
    "اسی لمحے سے یہ کچھ پڑھ یا بھیج نہیں سکے گا۔ یہ واپس نہیں ہو سکتا: لیپ ٹاپ کو نیا کوڈ چاہیے ہو گا۔",
);
pub const REVOKE_YES: W = W("Revoke this laptop", "یہ لیپ ٹاپ منسوخ کریں");
pub const CLOSE_CODE: W = W("Close the code…", "کوڈ بند کریں…");
pub const CLOSE_CODE_SURE: W = W("Nobody can join with it any more.", "اس سے اب کوئی شامل نہیں ہو سکے گا۔");
pub const CLOSE_CODE_YES: W = W("Close this code", "یہ کوڈ بند کریں");
pub const CHANGE: W = W("Change…", "بدلیں…");
pub const HOURS: W =
    W("Hours, like mon-fri 08:00-16:00 or always", "اوقات، جیسے mon-fri 08:00-16:00 یا always");
pub const PHONE: W = W("Phone", "فون");
pub const SAVE: W = W("Save", "محفوظ کریں");
pub const TAKE_OFF: W = W("Take off the roster", "روسٹر سے ہٹائیں");

/// What the doctor looks at; its own name where there is no word. What was seen is in English, as on the command line.
pub fn finding(name: &str) -> Option<W> {
    Some(match name {
        "key" => W("Key file", "کلید کی فائل"),
        "disk" => W("Disk", "ڈسک"),
        "folder" => W("Data folder", "ڈیٹا فولڈر"),
        "clock" => W("Clock", "گھڑی"),
        "set" => W("Clock since the start", "شروع سے گھڑی"),
        "backup" => W("Backup", "بیک اپ"),
        "refused" => W("Refused records", "مسترد ریکارڈ"),
        "forks" => W("Copied laptops", "نقل شدہ لیپ ٹاپ"),
        "cert" => W("Phones' certificate", "فونوں کا سرٹیفکیٹ"),
        _ => return None,
    })
}

/// A role, as certificates name it.
pub fn role(code: &str) -> Option<W> {
    Some(match code {
        "doctor" => W("Doctor", "ڈاکٹر"),
        "specialist" => W("Specialist", "ماہر ڈاکٹر"),
        "lhv" => W("Lady Health Visitor", "لیڈی ہیلتھ وزیٹر"),
        "midwife" => W("Midwife", "دائی"),
        "nurse" => W("Nurse", "نرس"),
        "technician" => W("Technician", "ٹیکنیشن"),
        "dispenser" => W("Dispenser", "ڈسپنسر"),
        "vaccinator" => W("Vaccinator", "ویکسینیٹر"),
        "chw" => W("Community health worker", "کمیونٹی ہیلتھ ورکر"),
        "registration" => W("Registration desk", "رجسٹریشن"),
        "operator" => W("Operator", "نگران"),
        _ => return None,
    })
}

/// A facility's kind.
pub fn kind(code: &str) -> Option<W> {
    Some(match code {
        "clinic" => W("clinic", "کلینک"),
        "hospital" => W("hospital", "ہسپتال"),
        _ => return None,
    })
}
