//! The pages as HTML. Every text from the database goes through [`esc`].

use axum::response::{Html, IntoResponse, Response};

use super::{
    keys::Session,
    look::{DutyLine, FacilityLine, PersonLine, RefusedLine},
    words::{self, Lang, Tab, W},
};
use crate::{
    admin::health::{DeviceLine, Finding, State},
    backup::Kept,
};

/// Text for HTML, in an element or an attribute (https://html.spec.whatwg.org/#escapingString). What would turn the
/// direction of what stands around it is left out.
fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => out.push(c),
        }
    }
    out
}

fn say(lang: Lang, words: W) -> String {
    esc(lang.say(words))
}

/// A word where there is one, else the code.
fn word(lang: Lang, known: Option<W>, code: &str) -> String {
    known.map_or_else(|| esc(code), |words| say(lang, words))
}

fn document(lang: Lang, title: &str, top: &str, main: &str) -> Response {
    let (code, dir, name) = (lang.code(), lang.dir(), say(lang, words::TITLE));
    Html(format!(
        "<!doctype html><html lang=\"{code}\" dir=\"{dir}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} · {name}</title>\
         <link rel=\"stylesheet\" href=\"/rabta.css\"><link rel=\"stylesheet\" href=\"/board.css\"></head>\
         <body class=\"board\"><header><strong>{name}</strong>{top}</header><main><h1>{title}</h1>{main}</main></body></html>"
    ))
    .into_response()
}

fn form(session: &Session, action: &str, fields: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\" class=\"stack\">\
         <input type=\"hidden\" name=\"form\" value=\"{}\">{fields}</form>",
        esc(&session.form_key)
    )
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", esc(value))
}

/// A page of a session, with the parts above it.
fn page(session: &Session, tab: Tab, main: &str) -> Response {
    let lang = session.lang;
    let links: String = Tab::ALL
        .into_iter()
        .map(|part| {
            let here = if part == tab { " aria-current=\"page\"" } else { "" };
            format!("<a href=\"{}\"{here}>{}</a>", part.path(), say(lang, part.words()))
        })
        .collect();
    let other = if lang == Lang::En { "ur" } else { "en" };
    let (change, leave) = (say(lang, words::OTHER_LANG), say(lang, words::LEAVE));
    let speak = format!(
        "{}{}<button class=\"b\" lang=\"{other}\" data-t=\"lang\">{change}</button>",
        hidden("lang", other),
        hidden("to", tab.path())
    );
    let top = format!(
        "<nav aria-label=\"{}\">{links}</nav><div class=\"row\">{}{}</div>",
        say(lang, words::PARTS),
        form(session, "/lang", &speak),
        form(session, "/leave", &format!("<button class=\"b\" data-t=\"leave\">{leave}</button>"))
    );
    document(lang, &say(lang, tab.words()), &top, main)
}

/// Rows, or a word that there are none.
fn rows(lang: Lang, all: Vec<String>, none: W) -> String {
    if all.is_empty() {
        return format!("<p class=\"quiet\">{}</p>", say(lang, none));
    }
    let items: String = all.into_iter().map(|row| format!("<li class=\"r\">{row}</li>")).collect();
    format!("<div class=\"card\"><ul class=\"body flush rows\">{items}</ul></div>")
}

fn tag(tint: &str, text: &str) -> String {
    format!("<span class=\"tag {tint}\">{text}</span>")
}

/// The head of a row, its facts below, and what stands beside it.
fn row(head: &str, facts: &[String], beside: &str) -> String {
    let facts: String = facts.iter().map(|fact| format!("<span>{fact}</span>")).collect();
    format!(
        "<div class=\"grow\"><p class=\"main-line\">{head}</p><p class=\"sub\">{facts}</p></div>\
         <div class=\"beside\">{beside}</div>"
    )
}

fn name(text: &str) -> String {
    format!("<bdi class=\"strong\">{}</bdi>", esc(text))
}

fn isolated(text: &str) -> String {
    format!("<bdi>{}</bdi>", esc(text))
}

/// An id, a code: Latin in any language.
fn latin(text: &str) -> String {
    format!("<span class=\"ltr small\">{}</span>", esc(text))
}

fn since(lang: Lang, what: W, at: Option<i64>, now: i64) -> String {
    let when = at.map_or_else(|| lang.say(words::NEVER).to_owned(), |at| lang.ago(at, now));
    format!("{}: {}", say(lang, what), esc(&when))
}

/// A button that asks again before it does something.
fn twice(t: &str, open: &str, inside: &str) -> String {
    format!("<details data-t=\"{t}\"><summary class=\"b\">{open}</summary>{inside}</details>")
}

/// A backup: when it was made, how large it is, and whether it is where it was put.
fn backup(lang: Lang, kept: &Kept, now: i64) -> String {
    let mb = |bytes: u64| latin(&format!("{:.1} MB", bytes as f64 / 1e6));
    let state = match kept.there {
        true => tag("teal", &say(lang, words::BACKUP_WHOLE)),
        false => tag("amber", &say(lang, words::BACKUP_AWAY)),
    };
    let facts = [
        mb(kept.bytes),
        format!("{}: {}", say(lang, words::BACKUP_NEW), mb(kept.new_bytes)),
        latin(&kept.file.display().to_string()),
    ];
    row(&since(lang, words::BACKUP_MADE, Some(kept.made_at), now), &facts, &state)
}

pub fn health(session: &Session, findings: &[Finding], backups: &[Kept], now: i64) -> Response {
    let lang = session.lang;
    let all = findings
        .iter()
        .map(|finding| {
            let state = match finding.state {
                State::Good => tag("teal", &say(lang, words::GOOD)),
                State::Look => tag("amber", &say(lang, words::LOOK)),
                State::Bad => tag("solid-red", &say(lang, words::BAD)),
            };
            let todo = finding
                .todo
                .iter()
                .map(|todo| format!("<p lang=\"en\" dir=\"ltr\" class=\"todo\">{}</p>", esc(todo)))
                .collect::<String>();
            format!(
                "<div class=\"grow stack\" data-finding=\"{}\"><p class=\"strong\">{}</p>\
                 <p lang=\"en\" dir=\"ltr\">{}</p>{todo}</div>{state}",
                esc(&finding.name),
                word(lang, words::finding(&finding.name), &finding.name),
                esc(&finding.seen)
            )
        })
        .collect();
    let backups = backups.iter().map(|kept| backup(lang, kept, now)).collect();
    let main = format!(
        "{}<section class=\"stack\" data-t=\"backups\"><h2>{}</h2>{}</section>",
        rows(lang, all, words::NOTHING),
        say(lang, words::BACKUPS),
        rows(lang, backups, words::NO_BACKUP)
    );
    page(session, Tab::Health, &main)
}

pub fn facilities(session: &Session, all: &[FacilityLine], now: i64) -> Response {
    let lang = session.lang;
    let all = all.iter().map(|line| {
        let place = [&line.facility.place, &line.facility.address];
        let mut facts = vec![word(lang, words::kind(&line.facility.kind), &line.facility.kind)];
        facts.extend(place.into_iter().flatten().map(|text| isolated(text)));
        facts.push(format!("{} {}", line.people, say(lang, words::PEOPLE_N)));
        facts.push(format!("{} {}", line.devices, say(lang, words::DEVICES_N)));
        facts.push(since(lang, words::CONTACT, line.seen, now));
        facts.push(latin(&line.facility.id.to_string()));
        row(&name(&line.facility.name), &facts, "")
    });
    page(session, Tab::Facilities, &rows(lang, all.collect(), words::NOTHING))
}

pub fn people(session: &Session, all: &[PersonLine], now: i64) -> Response {
    let lang = session.lang;
    let all = all.iter().map(|line| {
        let mut facts = vec![word(lang, words::role(&line.role), &line.role), isolated(&line.facility)];
        facts.extend(line.registration.iter().map(|number| latin(number)));
        facts.push(match line.keys {
            0 => say(lang, words::NO_LAPTOP),
            n => format!("{n} {}", say(lang, words::DEVICES_N)),
        });
        facts.push(latin(&line.id.to_string()));
        let mut head = name(&line.name);
        if line.revoked {
            head += &tag("red", &say(lang, words::REVOKED));
        }
        let mut beside = String::new();
        if let Some(until) = line.code_until {
            let days = (until - now).max(0) / 86_400_000;
            let left = format!("{} ({days} {})", say(lang, words::CODE_OPEN), say(lang, words::DAYS_LEFT));
            head += &tag("amber", &left);
            let inside = format!(
                "{}<p>{}</p><button class=\"b danger\">{}</button>",
                hidden("id", &line.id.to_string()),
                say(lang, words::CLOSE_CODE_SURE),
                say(lang, words::CLOSE_CODE_YES)
            );
            let inside = form(session, "/people/close-codes", &inside);
            beside = twice("close-code", &say(lang, words::CLOSE_CODE), &inside);
        }
        row(&head, &facts, &beside)
    });
    page(session, Tab::People, &rows(lang, all.collect(), words::NOTHING))
}

pub fn devices(session: &Session, all: &[DeviceLine], now: i64) -> Response {
    let lang = session.lang;
    let all = all.iter().map(|line| {
        let mut head = name(&line.name);
        if line.revoked {
            head += &tag("red", &say(lang, words::REVOKED));
        }
        if line.forked {
            head += &tag("solid-red", &say(lang, words::FORKED));
        }
        if line.refused > 0 {
            head += &tag("amber", &format!("{} {}", line.refused, say(lang, words::REFUSED_N)));
        }
        let mut facts = vec![isolated(&line.facility)];
        facts.extend(line.persons.iter().map(|person| isolated(person)));
        facts.push(since(lang, words::CONTACT, line.last_seen, now));
        facts.push(since(lang, words::SENT, line.last_sent, now));
        facts.push(latin(&line.id.to_string()));
        let inside = format!(
            "{}<p>{}</p><button class=\"b danger\">{}</button>",
            hidden("id", &line.id.to_string()),
            say(lang, words::REVOKE_SURE),
            say(lang, words::REVOKE_YES)
        );
        let inside = form(session, "/devices/revoke", &inside);
        let beside =
            if line.revoked { String::new() } else { twice("revoke", &say(lang, words::REVOKE), &inside) };
        row(&head, &facts, &beside)
    });
    page(session, Tab::Devices, &rows(lang, all.collect(), words::NOTHING))
}

pub fn refused(session: &Session, all: &[RefusedLine], now: i64) -> Response {
    let lang = session.lang;
    let all = all.iter().map(|line| {
        let head = format!("{}{}", name(&line.name), tag("amber", &latin(&line.code)));
        let facts = [
            isolated(&line.facility),
            format!("{} {}", line.count, say(lang, words::REFUSED_N)),
            since(lang, words::FIRST, Some(line.first), now),
            since(lang, words::LAST, Some(line.last), now),
            latin(&line.device.to_string()),
        ];
        row(&head, &facts, "")
    });
    page(session, Tab::Refused, &rows(lang, all.collect(), words::NONE_REFUSED))
}

pub fn roster(session: &Session, all: &[DutyLine]) -> Response {
    let lang = session.lang;
    let all = all.iter().map(|line| {
        let entry = &line.entry;
        let state = match line.now {
            true => tag("teal", &say(lang, words::ON_DUTY)),
            false => tag("", &say(lang, words::OFF_DUTY)),
        };
        let facts = [
            latin(&entry.specialty),
            isolated(&entry.facility),
            latin(&entry.hours),
            latin(&entry.phone),
        ];
        let id = entry.person.to_string();
        let field = |label: W, name: &str, value: &str| {
            format!(
                "<label class=\"f\"><span class=\"label\">{}</span><span class=\"box\">\
                 <input class=\"in ltr-in\" name=\"{name}\" value=\"{}\" maxlength=\"200\" required></span></label>",
                say(lang, label),
                esc(value)
            )
        };
        let save = format!(
            "{}{}{}<button class=\"b main\">{}</button>",
            hidden("id", &id),
            field(words::HOURS, "hours", &entry.hours),
            field(words::PHONE, "phone", &entry.phone),
            say(lang, words::SAVE)
        );
        let off =
            format!("{}<button class=\"b danger\">{}</button>", hidden("id", &id), say(lang, words::TAKE_OFF));
        let inside =
            format!("{}{}", form(session, "/roster/set", &save), form(session, "/roster/leave", &off));
        let head = format!("{}{state}", name(&entry.name));
        row(&head, &facts, &twice("change-duty", &say(lang, words::CHANGE), &inside))
    });
    page(session, Tab::Roster, &rows(lang, all.collect(), words::NOTHING))
}

/// A one-time address was opened: nothing is used up before somebody presses.
pub fn threshold(lang: Lang, key: &str) -> Response {
    let body = format!(
        "<form method=\"post\" action=\"/enter\" class=\"stack\"><p>{}</p>{}\
         <div><button class=\"b main big\" data-t=\"enter\">{}</button></div></form>",
        say(lang, words::ENTER_BODY),
        hidden("key", key),
        say(lang, words::ENTER)
    );
    document(lang, &say(lang, words::ENTER), "", &body)
}

const COMMAND: &str = "<p><code class=\"ltr\" dir=\"ltr\">rabta-hie admin-link --data \"$DATA\"</code></p>";

pub fn no_session(lang: Lang) -> Response {
    let body = format!("<p>{}</p>{COMMAND}", say(lang, words::CLOSED_BODY));
    document(lang, &say(lang, words::CLOSED), "", &body)
}

pub fn left(lang: Lang) -> Response {
    let body = format!("<p>{}</p>{COMMAND}", say(lang, words::CLOSED_BODY));
    document(lang, &say(lang, words::LEFT), "", &body)
}

/// A command that was refused, in its own words.
pub fn failed(session: &Session, why: &str) -> Response {
    let lang = session.lang;
    let body = format!(
        "<div class=\"banner stop\" role=\"alert\"><p lang=\"en\" dir=\"ltr\">{}</p></div><p><a href=\"/\">{}</a></p>",
        esc(why),
        say(lang, words::BACK)
    );
    document(lang, &say(lang, words::NOT_DONE), "", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_entered_stays_text() {
        assert_eq!(esc("<b onload='x'>&\"\u{202e}"), "&lt;b onload=&#39;x&#39;&gt;&amp;&quot;");
        assert_eq!(name("<script>"), "<bdi class=\"strong\">&lt;script&gt;</bdi>");
    }
}
