"""Who they are: names, fathers and husbands, papers, phones, villages and ages, as in a village of southern Punjab.

Nothing of Synthea's demographics is kept but sex and birth date, and the birth date only where it is "known".
"""

from datetime import timedelta

from common import EXT, LANGUAGE, PACKAGE, HERE, OURS, THO, TODAY, dice, ext, our_id, table

DAMM = ["0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
        "3674209581", "5869720134", "8945362017", "9438617205", "2581436790"]
MR_PREFIX = "3740"
TITLES = {"female": ("Mst", "مسماۃ"), "male": ("Haji", "حاجی")}
LANDMARKS = ["behind the flour mill", "near the mosque", "by the canal bridge", "opposite the primary school",
             "near the tube well", "by the shrine", "last house on the katcha road", "near the brick kiln"]

NAMES = {}
for row in table(HERE / "names.csv"):
    NAMES.setdefault(row["part"], []).append((row["latin"].split(";"), row["ur"], int(row["weight"])))
MUHAMMAD = (["Muhammad", "Mohammad", "Mohd", "M.", "Mohammed"], "محمد")
PLACES = {p["id"]: p for p in table(PACKAGE / "places.csv")}


def mr_number(n):
    """`3740-000123-4`: the check digit is Damm's, as in crates/domain/src/mr.rs."""
    body = f"{MR_PREFIX}{n:06}"
    check = 0
    for digit in body:
        check = int(DAMM[check][int(digit)])
    return f"{MR_PREFIX}-{n:06}-{check}"


def villages():
    """The sample district's villages with weights: Kot Fazil, where the clinic stands, most; then less and less."""
    found = [p for p in PLACES.values() if p["id"].startswith("pk-pb-sample-") and p["type"] in ("village", "basti", "chak")]
    order = sorted(found, key=lambda p: ("kot-fazil" not in p["id"], "-rahimpur-" not in p["id"], dice("village", p["id"]).random()))
    return order, [1 / (rank + 2) ** 0.85 for rank in range(len(order))]


VILLAGES, VILLAGE_WEIGHTS = villages()


def pick(part, r):
    latins, ur, _ = r.choices(NAMES[part], [w for *_, w in NAMES[part]])[0]
    return spell(latins, r), ur


def spell(latins, r):
    """The usual spelling most often, each rarer one less."""
    return r.choices(latins, [6 / (i + 1) ** 1.6 for i in range(len(latins))])[0]


def male_name(r):
    kind = r.random()
    if kind < 0.20:
        parts = [pick("male-whole", r)]
    elif kind < 0.62:
        parts = [(spell(MUHAMMAD[0], r), MUHAMMAD[1]), pick("male", r)]
    elif kind < 0.92:
        parts = [pick("male", r), pick("male-tail", r)]
    else:
        parts = [pick("male", r)]
    if parts[0][1] == parts[-1][1] and len(parts) > 1:
        parts = parts[:1]
    if r.random() < 0.12:
        parts.append(pick("caste", r))
    return joined(parts)


def female_name(r, age):
    parts = [pick("female", r)]
    if r.random() < (0.88 if age > 30 else 0.72):
        tail = pick("female-tail", r)
        if tail[1] not in parts[0][1]:
            parts.append(tail)
    return joined(parts)


def joined(parts):
    return " ".join(p[0] for p in parts), " ".join(p[1] for p in parts)


class Village:
    """The households so far: men by village, so that children and wives share a father, a phone, a CNIC."""

    def __init__(self):
        self.men = {}
        self.cnics = set()
        self.phones = set()

    def cnic(self, r, female):
        """Unique. `319..` is a district code that was never given out, so no living person has the number."""
        while True:
            last = r.choice("02468" if female else "13579")
            number = f"319{r.randrange(10, 99)}-{r.randrange(10**7):07}-{last}"
            if number not in self.cnics:
                self.cnics.add(number)
                return number

    def phone(self, r):
        """Unique. Mobile prefixes 0300 to 0349; subscriber numbers from 0000000 up, which networks do not give out."""
        while True:
            number = f"03{r.choice('00012344')}{r.randrange(10)}00{r.randrange(10**5):05}"
            if number not in self.phones:
                self.phones.add(number)
                return number


def months_before(day, months):
    total = day.year * 12 + day.month - 1 - months
    year, month = divmod(total, 12)
    last = [31, 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def completed_months(born, day):
    return (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)


def age_said(born, on, r):
    """The age as somebody says it on `on`, and the birthDate that follows: the same rules as domain's age.rs."""
    months = completed_months(born, on)
    years = months // 12
    if months < 60:
        said = r.choices(["birth-date", "months"], [65, 35])[0]
    elif years < 18:
        said = r.choices(["birth-date", "years"], [45, 55])[0]
    else:
        said = r.choices(["birth-date", "birth-year", "years"], [32, 10, 58])[0]
    by = "guardian" if years < 15 else "paper" if said == "birth-date" else "patient"
    parts, day = [], timedelta(days=1)
    if said == "birth-date":
        parts = [{"url": "date", "valueDate": born.isoformat()}]
        low = high = born
    elif said == "birth-year":
        parts = [{"url": "n", "valueInteger": born.year}]
        low, high = born.replace(month=1, day=1), min(born.replace(month=12, day=31), on)
    elif said == "months":
        parts = [{"url": "n", "valueInteger": months}]
        low, high = months_before(on, months + 1) + day, months_before(on, months)
    else:
        # The old say a round age.
        if years > 44 and r.random() < 0.55:
            years = 5 * round(years / 5)
        parts = [{"url": "n", "valueInteger": years}]
        low, high = months_before(on, 12 * (years + 1)) + day, months_before(on, 12 * years)
    if low == high:
        birth = low.isoformat()
    elif (low.year, low.month) == (high.year, high.month):
        birth = low.isoformat()[:7]
    else:
        birth = str((low + (high - low) // 2).year)
    whole = [{"url": "as", "valueCode": said}, *parts, {"url": "on", "valueDate": on.isoformat()}, {"url": "by", "valueString": by},
             {"url": "earliest", "valueDate": low.isoformat()}, {"url": "latest", "valueDate": high.isoformat()}]
    return {"url": f"{EXT}/age-as-said", "extension": whole}, birth


def identifier(kind, number, assurance):
    return {"extension": [ext("identifier-assurance", valueCode=assurance)], "type": concept_ni(),
            "system": f"{OURS}/sid/pk-{kind}", "value": number}


def concept_ni():
    return {"coding": [{"system": f"{THO}/v2-0203", "code": "NI"}]}


def telecom(number, owner, r):
    safe_text = r.random() < (0.8 if owner == "self" else 0.45)
    return {"extension": [ext("phone-owner", valueString=owner), ext("phone-safe-to-call", valueBoolean=True),
                          ext("phone-safe-to-text", valueBoolean=safe_text), ext("phone-voice-only", valueBoolean=r.random() < 0.3)],
            "system": "phone", "value": number}


def human_name(text, language, prefix=None):
    name = {"extension": [{"url": LANGUAGE, "valueCode": language}], "use": "usual", "text": text}
    if prefix:
        name["prefix"] = [prefix]
    return name


def person(source, number, born, sex, registered, village):
    """The Patient and its RelatedPersons. `source` is Synthea's id, `registered` the day of the first visit kept."""
    r = dice("person", source)
    age = completed_months(born, TODAY) // 12
    female = sex == "female"
    latin, urdu = female_name(r, age) if female else male_name(r)
    place = r.choices(VILLAGES, VILLAGE_WEIGHTS)[0]
    married = female and age >= 19 and r.random() < min(0.95, 0.35 + (age - 19) * 0.06)

    # Whose name stands after D/O, S/O or W/O.
    here = village.men.setdefault(place["id"], [])
    fits = [m for m in here if (abs(m["age"] - age - 4) < 8 if married else 18 <= m["age"] - age <= 45)]
    if fits and r.random() < 0.55:
        man = r.choice(fits)
    else:
        man = {"name": male_name(r)[0], "cnic": None, "phone": None, "age": age + (4 if married else 26)}
        here.append(man)
    relation = "HUSB" if married else "FTH"

    patient_id = our_id("Patient", source)
    identifiers = [{"type": {"coding": [{"system": f"{THO}/v2-0203", "code": "MR"}]}, "system": f"{OURS}/sid/mr", "value": mr_number(number)}]
    cnic = None
    if age >= 18 and r.random() < 0.65:
        cnic = village.cnic(r, female)
        identifiers.append(identifier("cnic", cnic, r.choices(["stated", "card-seen", "verified"], [45, 45, 10])[0]))
    elif age < 18 and r.random() < 0.35:
        identifiers.append(identifier("b-form", village.cnic(r, female), r.choices(["stated", "card-seen"], [60, 40])[0]))

    phones = []
    if r.random() < 0.70:
        if age >= 18 and r.random() < (0.45 if female else 0.9):
            phones.append(telecom(village.phone(r), "self", r))
        else:
            man["phone"] = man["phone"] or village.phone(r)
            phones.append(telecom(man["phone"], "husband" if married else "father", r))
    if not female and age >= 18:
        here.append({"name": latin, "cnic": cnic, "phone": phones[0]["value"] if phones else None, "age": age})

    said, birth = age_said(born, min(registered, TODAY), r)
    prefix = TITLES["female"][0] if female and age > 18 and r.random() < 0.12 else TITLES["male"][0] if not female and age > 55 and r.random() < 0.12 else None
    aliases = [a for a in place["aliases"].split(";") if a]
    city = r.choice(aliases) if aliases and r.random() < 0.15 else place["name"]
    address = {"extension": [ext("place", valueString=place["id"])], "city": city, "district": "Rahimpur", "state": "Punjab", "country": "PK"}
    if r.random() < 0.18:
        address["line"] = [r.choice(LANDMARKS)]
    patient = {
        "resourceType": "Patient", "id": patient_id, "extension": [said], "identifier": identifiers, "active": True,
        "name": [human_name(latin, "en", prefix), human_name(urdu, "ur")], "telecom": phones, "gender": sex,
        "birthDate": birth, "address": [address],
    }
    if not phones:
        del patient["telecom"]

    related = [related_person(source, patient_id, "name", [relation], man["name"])]
    if age < 18 and r.random() < 0.6:
        guardian = related_person(source, patient_id, "guardian", ["FTH", "GUARD"], man["name"])
        if r.random() < 0.6:
            man["cnic"] = man["cnic"] or village.cnic(r, False)
            guardian["identifier"] = [{"type": concept_ni(), "system": f"{OURS}/sid/pk-cnic", "value": man["cnic"]}]
        if phones:
            guardian["telecom"] = [{"system": "phone", "value": phones[0]["value"]}]
        related.append(guardian)
    return patient, related


def related_person(source, patient_id, role, codes, name):
    return {
        "resourceType": "RelatedPerson", "id": our_id("RelatedPerson", source, role), "extension": [ext("related-as", valueCode=role)],
        "active": True, "patient": {"reference": f"Patient/{patient_id}"},
        "relationship": [{"coding": [{"system": f"{THO}/v3-RoleCode", "code": code}]} for code in codes],
        "name": [{"text": name}],
    }
