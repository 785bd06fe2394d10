//! A patient's demographics: a Bundle of the Patient and its RelatedPersons.
//!
//! A family head's CNIC stands on the RelatedPerson, never in `Patient.identifier`.

use super::{
    Builder, Bundle, BundleError, BundleType, Facility, Json, NewId, Resource, ResourceError, Stamp, dates,
    json::{JsonError, arr, obj},
    merge,
    parts::{coding, concept, ext, ext_bool, ext_of, ext_str, facility, reference, referenced},
    urls,
};
use crate::{
    Private,
    age::{AgeSaid, Born, Said},
    mr,
    paper::{self, Assurance, Paper},
    patient::{Guardian, Newborn, Phone, Place, Registration, Relation, Sex},
};

const NAME_EXTENSIONS: &[&str] = &[urls::LANGUAGE];
const PATIENT_EXTENSIONS: &[&str] = &[urls::AGE_SAID, urls::NO_PAPER, urls::UNDECIDED];
const PHONE_EXTENSIONS: &[&str] =
    &[urls::PHONE_OWNER, urls::SAFE_TO_CALL, urls::SAFE_TO_TEXT, urls::VOICE_ONLY, urls::PHONE_HOURS];

/// Whose Patient it is, and what it was before.
pub struct Ids<'a> {
    /// The Patient's id, a UUID.
    pub id: &'a str,
    /// The MR number, formatted ([`mr::format`]).
    pub mr: Option<&'a str>,
    /// The clinic that keeps it.
    pub facility: &'a Facility,
    /// The Patient as we have it, for an edit.
    pub existing: Option<&'a Resource>,
    /// Its RelatedPersons as we have them.
    pub related: &'a [Resource],
}

/// The payload: a collection of the Patient and its RelatedPersons. Of an existing Patient, only what the form
/// changed is rewritten; a relation that is no longer there becomes `active: false`.
pub fn to_bundle(
    form: &Registration,
    ids: &Ids<'_>,
    stamp: Stamp,
    new_id: NewId<'_>,
) -> Result<Vec<u8>, BundleError> {
    let mut bundle = Builder::new(BundleType::Collection, new_id(), stamp.at);
    bundle.push_resource(&patient(form, ids)?);
    for related in related_persons(form, ids, new_id)? {
        bundle.push_resource(&related);
    }
    Ok(bundle.into_bytes())
}

/// What a payload says: the Patient's id, its MR number, and the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub id: String,
    pub mr: Option<Private<String>>,
    pub form: Registration,
}

/// Reads the payload back.
pub fn from_bundle(payload: &[u8]) -> Result<Record, BundleError> {
    let bundle = Bundle::parse(payload)?;
    let patient = bundle.first("Patient").ok_or(BundleError::Missing("Patient"))?;
    let related: Vec<Resource> = bundle.of("RelatedPerson").cloned().collect();
    Ok(read(patient, &related)?)
}

/// Reads a Patient from anywhere, with those RelatedPersons that are known.
pub fn read(patient: &Resource, related: &[Resource]) -> Result<Record, ResourceError> {
    let json = patient.view()?;
    let related = related.iter().map(Resource::view).collect::<Result<Vec<_>, _>>()?;
    let mr = json.items("identifier").iter().find(|i| i.str("system") == mr::SYSTEM);
    Ok(Record {
        id: patient.id().to_owned(),
        mr: mr.and_then(|i| i.opt("value")).map(Private::from),
        form: registration(&json, &related),
    })
}

// --- Writing ------------------------------------------------------------------------------------------------

fn patient(form: &Registration, ids: &Ids<'_>) -> Result<Resource, ResourceError> {
    let wanted = elements(form, ids.mr);
    let Some(existing) = ids.existing else {
        let mut members = vec![
            ("resourceType".to_owned(), Json::from("Patient")),
            ("id".to_owned(), ids.id.into()),
            ("active".to_owned(), true.into()),
        ];
        members.extend(wanted.into_iter().filter(|(_, v)| !v.is_nothing()).map(|(k, v)| (k.to_owned(), v)));
        members.push(("managingOrganization".to_owned(), facility(ids.facility)));
        return Resource::from_json(&Json::Object(members));
    };
    let before = read(existing, ids.related)?;
    let before = elements(&before.form, before.mr.as_ref().map(|m| m.as_str()));
    let mut patient = existing.clone();
    for ((key, old), (_, new)) in before.into_iter().zip(wanted) {
        if old.canonical() != new.canonical() {
            let value = match existing.raw(key) {
                Some(raw) => merged(key, raw, &new)?,
                None => new,
            };
            patient.set(key, value)?;
        }
    }
    Ok(patient)
}

/// The Patient's elements that the form speaks of, always the same keys in the same order.
pub(crate) fn elements(form: &Registration, mr: Option<&str>) -> Vec<(&'static str, Json)> {
    let mut identifiers = Vec::new();
    if let Some(mr) = mr {
        identifiers.push(obj! {
            "type": concept(urls::V2_0203, "MR", ""),
            "system": mr::SYSTEM,
            "value": mr,
        });
    }
    identifiers.extend(form.papers.iter().map(paper_identifier));
    let born = form.age.as_ref().map(AgeSaid::born);
    vec![
        (
            "extension",
            arr![
                form.age.as_ref().map(age_said),
                ext(urls::NO_PAPER, "valueCode", form.no_paper.as_deref()),
                ext(
                    urls::UNDECIDED,
                    "valueString",
                    (!form.undecided.is_empty()).then(|| form.undecided.join(" "))
                ),
            ],
        ),
        ("identifier", identifiers.into()),
        ("name", names(form)),
        ("telecom", form.phones.iter().map(phone).collect()),
        ("gender", sex_code(form.sex).into()),
        ("birthDate", born.map(birth_date).into()),
        ("address", arr![place(&form.place)]),
        ("multipleBirthInteger", form.newborn_of.as_ref().map(|n| n.birth_order).into()),
    ]
}

fn merged(key: &str, raw: &str, new: &Json) -> Result<Json, JsonError> {
    let items: &[Json] = match new {
        Json::Array(items) => items,
        _ => &[],
    };
    match key {
        "extension" => merge::extensions(raw, &obj! { "extension": new.clone() }, PATIENT_EXTENSIONS),
        "identifier" => merge::array(
            raw,
            items,
            |old, new| old.str("system") == new.str("system") && old.str("value") == new.str("value"),
            |_, old| old.str("system") == mr::SYSTEM || paper_kind(old).is_some(),
            |old, new| merge::object(old, new, &["period", "assigner"], &[urls::ASSURANCE]),
        ),
        "name" => {
            let text = |json: &Json| human_name(json);
            merge::array(
                raw,
                items,
                |old, new| !is_past(old) && language(old) == language(new),
                |i, old| !is_past(old) && (i == 0 || old.extension(urls::LANGUAGE).is_some()),
                |old, new| {
                    let same = text(&Json::parse(old)?) == text(new);
                    let managed: &[&str] =
                        if same { &["prefix"] } else { &["prefix", "family", "given", "suffix"] };
                    merge::object(old, new, managed, NAME_EXTENSIONS)
                },
            )
        }
        "telecom" => merge::array(
            raw,
            items,
            |old, new| old.str("value") == new.str("value"),
            |_, old| is_phone(old),
            |old, new| merge::object(old, new, &[], PHONE_EXTENSIONS),
        ),
        "address" => merge::array(
            raw,
            items,
            |_, _| true,
            |i, _| i == 0,
            |old, new| {
                let moved = Json::parse(old)?.str("city") != new.str("city");
                let managed: &[&str] = if moved {
                    &["text", "line", "district", "state", "postalCode", "city"]
                } else {
                    &["text", "line"]
                };
                merge::object(old, new, managed, &[urls::PLACE])
            },
        ),
        _ => Ok(new.clone()),
    }
}

fn paper_identifier(paper: &Paper) -> Json {
    let kind = match paper.kind.as_str() {
        "passport" => concept(urls::V2_0203, "PPN", ""),
        "por" | "acc" => obj! { "text": &paper.kind },
        _ => concept(urls::V2_0203, "NI", ""),
    };
    obj! {
        "extension": arr![ext(urls::ASSURANCE, "valueCode", assurance_code(paper.assurance))],
        "type": kind,
        "system": paper::system(&paper.kind),
        "value": &paper.number,
        "period": obj! { "end": paper.expires },
        "assigner": obj! { "display": paper.issuer.as_deref() },
    }
}

fn names(form: &Registration) -> Json {
    let name_use = if form.newborn_of.is_some() { "temp" } else { "usual" };
    let name = |text: &str, prefix: Option<&str>| {
        obj! {
            "extension": arr![ext(urls::LANGUAGE, "valueCode", script(text))],
            "use": name_use,
            "text": text,
            "prefix": arr![prefix],
        }
    };
    let other = form.name_other_script.as_ref().filter(|n| !n.is_empty());
    arr![name(&form.name, form.prefix.as_deref()), other.map(|n| name(n, None))]
}

fn phone(phone: &Phone) -> Json {
    obj! {
        "extension": arr![
            ext(urls::PHONE_OWNER, "valueString", phone.owner.as_str()),
            ext(urls::SAFE_TO_CALL, "valueBoolean", phone.safe_to_call),
            ext(urls::SAFE_TO_TEXT, "valueBoolean", phone.safe_to_text),
            ext(urls::VOICE_ONLY, "valueBoolean", phone.voice_only),
            ext(urls::PHONE_HOURS, "valueString", phone.hours.as_str()),
        ],
        "system": "phone",
        "value": &phone.number,
    }
}

fn place(place: &Place) -> Json {
    obj! {
        "extension": arr![ext(urls::PLACE, "valueString", place.id.as_deref())],
        "line": arr![&place.landmark],
        "city": &place.text,
    }
}

fn age_said(age: &AgeSaid) -> Json {
    let born = age.born();
    let (code, n) = match &age.said {
        Said::BirthDate { .. } => ("birth-date", None),
        Said::BirthYear { year } => ("birth-year", Some(*year)),
        Said::Years { n } => ("years", Some(i32::from(*n))),
        Said::Months { n } => ("months", Some(i32::from(*n))),
        Said::Weeks { n } => ("weeks", Some(i32::from(*n))),
        Said::Days { n } => ("days", Some(i32::from(*n))),
        Said::Event { .. } => ("event", None),
    };
    let mut parts = vec![ext("as", "valueCode", code), ext("n", "valueInteger", n)];
    match &age.said {
        Said::BirthDate { date } => parts.push(ext("date", "valueDate", *date)),
        Said::Event { text, from_year, to_year } => parts.extend([
            ext("text", "valueString", text),
            ext("from", "valueInteger", *from_year),
            ext("to", "valueInteger", *to_year),
        ]),
        _ => {}
    }
    parts.extend([
        ext("on", "valueDate", age.on),
        ext("by", "valueString", &age.by),
        ext("earliest", "valueDate", born.earliest),
        ext("latest", "valueDate", born.latest),
    ]);
    ext_of(urls::AGE_SAID, parts)
}

/// As precise as it is known; across two years, the year in the middle (the extension has the bounds).
fn birth_date(born: Born) -> String {
    let (a, b) = (born.earliest, born.latest);
    if a == b {
        dates::date(a)
    } else if (a.year(), a.month()) == (b.year(), b.month()) {
        format!("{:04}-{:02}", a.year(), u8::from(a.month()))
    } else {
        let middle = a.saturating_add((b - a) / 2);
        format!("{:04}", middle.year())
    }
}

fn related_persons(
    form: &Registration,
    ids: &Ids<'_>,
    new_id: NewId<'_>,
) -> Result<Vec<Resource>, ResourceError> {
    let patient = reference("Patient", ids.id);
    let related = |role: &str, codes: Vec<Json>| {
        vec![
            ("extension", arr![ext(urls::RELATED_AS, "valueCode", role)]),
            ("active", true.into()),
            ("patient", patient.clone()),
            ("relationship", codes.into_iter().map(|c| obj! { "coding": arr![c] }).collect::<Json>()),
        ]
    };
    let mut wanted: Vec<(&str, Vec<(&str, Json)>)> = Vec::new();
    if let Some(relation) = &form.relation {
        let mut elements = related("name", vec![coding(urls::V3_ROLE_CODE, &relation.code)]);
        elements.push(("name", arr![obj! { "text": &relation.name }]));
        wanted.push(("name", elements));
    }
    if let Some(guardian) = &form.guardian {
        let mut codes = vec![coding(urls::V3_ROLE_CODE, &guardian.relation)];
        if guardian.relation != "GUARD" {
            codes.push(coding(urls::V3_ROLE_CODE, "GUARD"));
        }
        let mut elements = related("guardian", codes);
        let cnic = guardian.cnic.as_ref().map(|number| {
            obj! { "type": concept(urls::V2_0203, "NI", ""), "system": paper::system("cnic"), "value": number }
        });
        let phone = guardian.phone.as_ref().map(|number| obj! { "system": "phone", "value": number });
        elements.push(("identifier", arr![cnic]));
        elements.push(("name", arr![obj! { "text": &guardian.name }]));
        elements.push(("telecom", arr![phone]));
        wanted.push(("guardian", elements));
    }
    if let Some(newborn) = &form.newborn_of {
        let mut elements = related("mother", vec![coding(urls::V3_ROLE_CODE, "MTH")]);
        let mother = ext(urls::IS_PATIENT, "valueReference", reference("Patient", &newborn.mother));
        elements[0].1 = arr![ext(urls::RELATED_AS, "valueCode", "mother"), mother];
        wanted.push(("mother", elements));
    }

    let mut all = Vec::new();
    for (role, elements) in &wanted {
        let existing = ids.related.iter().find(|r| role_of(r).as_deref() == Some(role));
        all.push(match existing {
            Some(existing) => {
                let mut edited = existing.clone();
                for (key, value) in elements {
                    let same = existing.raw(key).and_then(|raw| Json::parse(raw).ok());
                    if same.unwrap_or(Json::Null).canonical() != value.canonical() {
                        edited.set(key, value.clone())?;
                    }
                }
                edited
            }
            None => {
                let mut members =
                    vec![("resourceType", Json::from("RelatedPerson")), ("id", new_id().into())];
                members.extend(elements.iter().cloned());
                Resource::from_json(&super::json::object(members))?
            }
        });
    }
    for gone in ids.related {
        let role = role_of(gone);
        if role.is_some() && !wanted.iter().any(|(r, _)| Some(*r) == role.as_deref()) {
            let mut gone = gone.clone();
            gone.set("active", false)?;
            all.push(gone);
        }
    }
    Ok(all)
}

// --- Reading ------------------------------------------------------------------------------------------------

fn registration(patient: &Json, related: &[Json]) -> Registration {
    let current: Vec<&Json> = patient.items("name").iter().filter(|n| !is_past(n)).collect();
    let first = current.first().copied();
    let other = current.iter().skip(1).find(|n| n.extension(urls::LANGUAGE).is_some());
    let active = |role: &str| {
        let is =
            |r: &&Json| ext_str(r, urls::RELATED_AS) == Some(role) && *r.get("active") != Json::Bool(false);
        related.iter().find(is)
    };
    let relation = active("name").or_else(|| {
        let plain =
            |r: &&Json| r.extension(urls::RELATED_AS).is_none() && matches!(role_code(r), "FTH" | "HUSB");
        related.iter().find(plain)
    });
    Registration {
        name: first.map(human_name).unwrap_or_default().into(),
        name_other_script: other.map(|n| human_name(n).into()),
        prefix: first.and_then(|n| n.opt("prefix")).map(str::to_owned),
        relation: relation.map(|r| Relation { code: role_code(r).to_owned(), name: first_name(r).into() }),
        sex: sex(patient.str("gender")),
        age: age(patient),
        phones: patient.items("telecom").iter().filter(|t| is_phone(t)).map(read_phone).collect(),
        place: patient.items("address").first().map(read_place).unwrap_or_default(),
        papers: patient.items("identifier").iter().filter_map(read_paper).collect(),
        no_paper: ext_str(patient, urls::NO_PAPER).map(str::to_owned),
        guardian: active("guardian").map(|r| Guardian {
            name: first_name(r).into(),
            relation: role_code(r).to_owned(),
            cnic: r.opt("identifier.value").map(Private::from),
            phone: r.opt("telecom.value").map(Private::from),
        }),
        newborn_of: active("mother").and_then(|r| {
            let mother = r.extension(urls::IS_PATIENT)?;
            Some(Newborn {
                mother: referenced(mother, "valueReference", "Patient")?.to_owned(),
                birth_order: patient
                    .int("multipleBirthInteger")
                    .and_then(|n| u8::try_from(n).ok())
                    .unwrap_or(0),
            })
        }),
        undecided: ext_str(patient, urls::UNDECIDED)
            .map(|codes| codes.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
    }
}

/// The age as said, or what the birth date allows us to say for another system's patient.
pub(crate) fn age(patient: &Json) -> Option<AgeSaid> {
    if let Some(ext) = patient.extension(urls::AGE_SAID) {
        if let Some(age) = read_age_said(ext) {
            return Some(age);
        }
    }
    let text = patient.opt("birthDate")?;
    let (first, last) = dates::bounds(text)?;
    let said =
        if first == last { Said::BirthDate { date: first } } else { Said::BirthYear { year: first.year() } };
    // Nobody said when; the latest day that it can be keeps the bounds as wide as they are.
    let on = last.replace_month(time::Month::December).and_then(|d| d.replace_day(31)).unwrap_or(last);
    Some(AgeSaid { said, on, by: String::new() })
}

/// The earliest and latest birth date.
pub(crate) fn born(patient: &Json) -> Option<Born> {
    let said = patient.extension(urls::AGE_SAID).and_then(read_age_said);
    said.map(|a| a.born()).or_else(|| {
        let (earliest, latest) = dates::bounds(patient.opt("birthDate")?)?;
        Some(Born { earliest, latest })
    })
}

fn read_age_said(ext: &Json) -> Option<AgeSaid> {
    let int = |url: &str| ext.extension(url)?.int("valueInteger");
    let small = |url: &str| u16::try_from(int(url)?).ok();
    let year = |url: &str| i32::try_from(int(url)?).ok();
    let said = match ext_str(ext, "as")? {
        "birth-date" => Said::BirthDate { date: dates::parse_date(ext_str(ext, "date")?)? },
        "birth-year" => Said::BirthYear { year: year("n")? },
        "years" => Said::Years { n: small("n")? },
        "months" => Said::Months { n: small("n")? },
        "weeks" => Said::Weeks { n: small("n")? },
        "days" => Said::Days { n: small("n")? },
        "event" => Said::Event {
            text: ext_str(ext, "text").unwrap_or_default().to_owned(),
            from_year: year("from")?,
            to_year: year("to")?,
        },
        _ => return None,
    };
    Some(AgeSaid {
        said,
        on: dates::parse_date(ext_str(ext, "on")?)?,
        by: ext_str(ext, "by").unwrap_or_default().to_owned(),
    })
}

fn read_phone(telecom: &Json) -> Phone {
    Phone {
        number: telecom.str("value").into(),
        owner: ext_str(telecom, urls::PHONE_OWNER).unwrap_or_default().to_owned(),
        // A number that another system lists is there to be called; nobody said that a text is safe.
        safe_to_call: ext_bool(telecom, urls::SAFE_TO_CALL).unwrap_or(true),
        safe_to_text: ext_bool(telecom, urls::SAFE_TO_TEXT).unwrap_or(false),
        voice_only: ext_bool(telecom, urls::VOICE_ONLY).unwrap_or(false),
        hours: ext_str(telecom, urls::PHONE_HOURS).unwrap_or_default().to_owned(),
    }
}

fn read_place(address: &Json) -> Place {
    let lines = texts(address, "line");
    let village = address.opt("city").or(address.opt("text")).or(address.opt("district")).unwrap_or_default();
    Place {
        id: ext_str(address, urls::PLACE).map(str::to_owned),
        text: village.into(),
        landmark: lines.join(", ").into(),
    }
}

fn read_paper(identifier: &Json) -> Option<Paper> {
    Some(Paper {
        kind: paper_kind(identifier)?.to_owned(),
        number: identifier.opt("value")?.into(),
        assurance: match ext_str(identifier, urls::ASSURANCE) {
            Some("card-seen") => Assurance::CardSeen,
            Some("verified") => Assurance::Verified,
            _ => Assurance::Stated,
        },
        issuer: identifier.opt("assigner.display").map(str::to_owned),
        expires: identifier.opt("period.end").and_then(dates::parse_date),
    })
}

fn paper_kind(identifier: &Json) -> Option<&str> {
    identifier.str("system").strip_prefix("https://rabta.health/fhir/sid/pk-").filter(|kind| *kind != "pmdc")
}

fn texts(json: &Json, path: &str) -> Vec<String> {
    let text = |j: &Json| match j {
        Json::String(s) => Some(s.clone()),
        _ => None,
    };
    json.items(path).iter().filter_map(text).collect()
}

/// The full name: its text, or its parts in the order of speech.
pub(crate) fn human_name(name: &Json) -> String {
    if let Some(text) = name.opt("text") {
        return text.to_owned();
    }
    let mut parts = texts(name, "given");
    parts.extend(name.opt("family").map(str::to_owned));
    parts.join(" ")
}

fn first_name(related: &Json) -> String {
    related.items("name").first().map(human_name).unwrap_or_default()
}

fn is_past(name: &Json) -> bool {
    matches!(name.str("use"), "old" | "maiden" | "nickname" | "anonymous")
}

fn language(name: &Json) -> String {
    ext_str(name, urls::LANGUAGE).map_or_else(|| script(&human_name(name)).to_owned(), str::to_owned)
}

/// `ur` for text in Arabic letters, else `en`.
pub(crate) fn script(text: &str) -> &'static str {
    let arabic =
        |c: char| matches!(c, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb50}'..='\u{fefc}');
    if text.chars().any(arabic) { "ur" } else { "en" }
}

fn is_phone(telecom: &Json) -> bool {
    matches!(telecom.str("system"), "phone" | "sms")
}

fn role_code(related: &Json) -> &str {
    related.code_of("relationship", urls::V3_ROLE_CODE).unwrap_or_default()
}

fn role_of(related: &Resource) -> Option<String> {
    ext_str(&related.view().ok()?, urls::RELATED_AS).map(str::to_owned)
}

fn assurance_code(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Stated => "stated",
        Assurance::CardSeen => "card-seen",
        Assurance::Verified => "verified",
    }
}

pub(crate) fn sex_code(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
        Sex::Other => "other",
        Sex::Unknown => "unknown",
    }
}

pub(crate) fn sex(code: &str) -> Sex {
    match code {
        "male" => Sex::Male,
        "female" => Sex::Female,
        "other" => Sex::Other,
        _ => Sex::Unknown,
    }
}
