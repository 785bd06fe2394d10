//! The page's words. The Urdu is to be checked by native-speaking clinicians.

use rabta_domain::patient::{AgeShown, Sex};
use time::Date;

use crate::prescription::{Lang, Mode};

/// Labels by key, as the template names them.
pub(crate) fn labels(lang: Lang) -> serde_json::Value {
    let table: &[(&str, &str, &str)] = &[
        ("title", "Prescription", "نسخہ"),
        ("draft", "DRAFT", "DRAFT"),
        ("draft_note", "Draft: not valid until it is signed.", "مسودہ: دستخط سے پہلے قابلِ استعمال نہیں۔"),
        ("date", "Date", "تاریخ"),
        ("mr", "MR number", "ایم آر نمبر"),
        ("age", "Age", "عمر"),
        ("sex", "Sex", "جنس"),
        ("weight", "Weight", "وزن"),
        ("not_weighed", "not weighed", "نہیں کیا گیا"),
        ("pregnant", "Pregnant", "حاملہ"),
        ("allergies", "Allergies", "الرجی"),
        ("diagnosis", "Diagnosis", "تشخیص"),
        ("medicines", "Medicines", "دوائیں"),
        ("no_medicines", "No medicines.", "کوئی دوا نہیں۔"),
        ("give", "Give", "کل مقدار"),
        ("advice", "What to do", "ہدایات"),
        ("return_advice", "Come back at once if", "فوراً واپس آئیں اگر"),
        ("follow_up", "Come again", "دوبارہ معائنہ"),
        ("ordered_by", "Medicines ordered by", "دوائیں تجویز کیں"),
        ("proposed", "Proposed only, not ordered", "صرف رائے، نسخہ نہیں"),
        (
            "proposed_note",
            "Who saw the patient may not prescribe. Do not hand these out until a doctor orders them.",
            "معائنہ کرنے والا نسخہ نہیں لکھ سکتا۔ ڈاکٹر کے لکھنے سے پہلے یہ دوائیں نہ دیں۔",
        ),
        ("proof", "Scan to verify", "تصدیق کے لیے سکین کریں"),
        ("specialist", "On the advice of", "ماہر ڈاکٹر کے مشورے سے"),
        ("pmdc", "PMDC", "پی ایم ڈی سی"),
        ("signed", "Signed electronically by", "الیکٹرانک دستخط"),
        ("fingerprint", "Fingerprint", "شناختی نشان"),
        ("unsigned", "Not signed", "دستخط نہیں ہوئے"),
        ("mode", "Consultation", "معائنے کا طریقہ"),
        ("page", "Page", "صفحہ"),
        ("of", "of", "از"),
        ("provisional", "provisional", "عارضی"),
    ];
    table
        .iter()
        .map(|(key, en, ur)| ((*key).to_owned(), if lang == Lang::En { *en } else { *ur }.into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The picture sheet's words by key.
pub(crate) fn sheet(lang: Lang) -> serde_json::Value {
    let table: &[(&str, &str, &str)] = &[
        ("title", "When to take what", "دوا کب اور کتنی لینی ہے"),
        ("draft", "DRAFT", "DRAFT"),
        ("morning", "morning", "صبح"),
        ("noon", "noon", "دوپہر"),
        ("evening", "evening", "شام"),
        ("night", "night", "رات"),
        ("bedtime", "bedtime", "سوتے وقت"),
        ("before", "before food", "کھانے سے پہلے"),
        ("after", "after food", "کھانے کے بعد"),
        ("with", "with food", "کھانے کے ساتھ"),
        ("none", "No medicines.", "کوئی دوا نہیں۔"),
        ("ask", "Not sure? Ask before you take it.", "سمجھ نہ آئے تو دوا لینے سے پہلے پوچھ لیں۔"),
    ];
    table
        .iter()
        .map(|(key, en, ur)| ((*key).to_owned(), if lang == Lang::En { *en } else { *ur }.into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A prescription, or a slip where nobody ordered what stands on it.
pub(crate) fn title(slip: bool, lang: Lang) -> &'static str {
    match (slip, lang) {
        (false, Lang::En) => "Prescription",
        (false, Lang::Ur) => "نسخہ",
        (true, Lang::En) => "Visit slip",
        (true, Lang::Ur) => "معائنے کی پرچی",
    }
}

/// What stands over the name of who was with the patient.
pub(crate) fn doctor(is_doctor: bool, lang: Lang) -> &'static str {
    match (is_doctor, lang) {
        (true, Lang::En) => "Treating doctor",
        (true, Lang::Ur) => "معالج ڈاکٹر",
        (false, Lang::En) => "Seen by",
        (false, Lang::Ur) => "معائنہ کیا",
    }
}

pub(crate) fn mode(mode: Mode, lang: Lang) -> &'static str {
    match (mode, lang) {
        (Mode::InPerson, Lang::En) => "In person",
        (Mode::Video, Lang::En) => "In person, with a specialist by video call",
        (Mode::Voice, Lang::En) => "In person, with a specialist by voice call",
        (Mode::Writing, Lang::En) => "In person, with a specialist's written advice",
        (Mode::InPerson, Lang::Ur) => "بالمشافہ",
        (Mode::Video, Lang::Ur) => "بالمشافہ، ماہر ڈاکٹر سے ویڈیو کال پر مشورہ",
        (Mode::Voice, Lang::Ur) => "بالمشافہ، ماہر ڈاکٹر سے فون پر مشورہ",
        (Mode::Writing, Lang::Ur) => "بالمشافہ، ماہر ڈاکٹر کا تحریری مشورہ",
    }
}

/// What a person is who is no doctor; `None` for doctors and for what is not known.
pub(crate) fn role(role: &str, lang: Lang) -> Option<&'static str> {
    Some(match (role, lang) {
        ("lhv", Lang::En) => "Lady Health Visitor",
        ("lhv", Lang::Ur) => "لیڈی ہیلتھ وزیٹر",
        ("midwife", Lang::En) => "Midwife",
        ("midwife", Lang::Ur) => "مڈوائف",
        ("nurse", Lang::En) => "Nurse",
        ("nurse", Lang::Ur) => "نرس",
        ("vaccinator", Lang::En) => "Vaccinator",
        ("vaccinator", Lang::Ur) => "ویکسینیٹر",
        ("chw", Lang::En) => "Community health worker",
        ("chw", Lang::Ur) => "کمیونٹی ہیلتھ ورکر",
        _ => return None,
    })
}

pub(crate) fn sex(sex: Sex, lang: Lang) -> &'static str {
    match (sex, lang) {
        (Sex::Female, Lang::En) => "Female",
        (Sex::Male, Lang::En) => "Male",
        (Sex::Other, Lang::En) => "Other",
        (Sex::Unknown, Lang::En) => "Not known",
        (Sex::Female, Lang::Ur) => "عورت",
        (Sex::Male, Lang::Ur) => "مرد",
        (Sex::Other, Lang::Ur) => "دیگر",
        (Sex::Unknown, Lang::Ur) => "معلوم نہیں",
    }
}

/// Months under two years, years and months under five, years; `~` where it is a span.
pub(crate) fn age(age: Option<AgeShown>, lang: Lang) -> String {
    let Some(age) = age else {
        return if lang == Lang::En { "not known" } else { "معلوم نہیں" }.to_owned();
    };
    let span = age.approximate && age.months_low != age.months_high;
    let sign = match (span, lang) {
        (false, _) => "",
        (true, Lang::En) => "~",
        // A tilde changes sides among letters that run the other way.
        (true, Lang::Ur) => "تقریباً ",
    };
    let (years, months) = (age.months_low / 12, age.months_low % 12);
    let unit = |n: u32, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    match lang {
        Lang::En if age.months_low < 24 => format!("{sign}{}", unit(age.months_low, "month", "months")),
        Lang::En if years < 5 && months > 0 => {
            format!("{sign}{} {}", unit(years, "year", "years"), unit(months, "month", "months"))
        }
        Lang::En => format!("{sign}{}", unit(years, "year", "years")),
        Lang::Ur if age.months_low < 24 => format!("{sign}{} ماہ", age.months_low),
        Lang::Ur if years < 5 && months > 0 => format!("{sign}{years} سال {months} ماہ"),
        Lang::Ur => format!("{sign}{years} سال"),
    }
}

/// S/O, D/O, W/O before a name.
pub(crate) fn relation(code: &str, of: Sex, lang: Lang) -> &'static str {
    match (code, of, lang) {
        ("HUSB", _, Lang::En) => "W/O",
        ("HUSB", _, Lang::Ur) => "زوجہ",
        (_, Sex::Female, Lang::En) => "D/O",
        (_, Sex::Female, Lang::Ur) => "بنت",
        (_, Sex::Male, Lang::En) => "S/O",
        (_, Sex::Male, Lang::Ur) => "ولد",
        (_, _, Lang::En) => "C/O",
        (_, _, Lang::Ur) => "معرفت",
    }
}

pub(crate) fn date(day: Date, lang: Lang) -> String {
    const EN: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const UR: [&str; 12] = [
        "جنوری",
        "فروری",
        "مارچ",
        "اپریل",
        "مئی",
        "جون",
        "جولائی",
        "اگست",
        "ستمبر",
        "اکتوبر",
        "نومبر",
        "دسمبر",
    ];
    let names = if lang == Lang::En { EN } else { UR };
    format!("{} {} {}", day.day(), names[usize::from(u8::from(day.month())) - 1], day.year())
}
