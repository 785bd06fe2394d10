"""What happened to them: Synthea's record, thinned to what a basic health unit would hold, coded as Rabta codes it."""

from datetime import timedelta

from common import (ATC, CVX, HERE, ICD10, LOINC, OURS, PACKAGE, SNOMED, THO, TODAY, UCUM, clinic_time, concept, day_of, dice, ext,
                    instant, our_id, table)

CLINIC = "Basic Health Unit Kot Fazil"
CONDITIONS = {r["snomed"]: r for r in table(HERE / "conditions.csv")}
MEDICINES = [(r["pattern"], r) for r in table(HERE / "medicines-map.csv")]
ALLERGIES = {r["code"]: r for r in table(HERE / "allergies-map.csv")}
VACCINES = {r["cvx"]: r for r in table(HERE / "vaccines-map.csv")}
ENCOUNTERS = [(r["pattern"], r["text"]) for r in table(HERE / "encounters-map.csv")]
FORMULARY = {(r["generic"], r["form"]): r for r in table(PACKAGE / "medicines.csv")}
ALLERGENS = {r["code"]: r for r in table(PACKAGE / "allergens.csv")}
# Worth a place among three; dust and pollen come last.
ALLERGY_ORDER = {"medicine": 0, "food": 1, "environment": 2}

# Synthea's LOINC -> (ours, name, unit, UCUM, decimals, how many to keep). Glucose in a lab becomes glucose by meter,
# which is what a basic health unit does; temperature becomes Fahrenheit.
SIGNS = {
    "85354-9": ("85354-9", "Blood pressure", None, None, 0, 3),
    "8867-4": ("8867-4", "Heart rate", "/min", "/min", 0, 2),
    "9279-1": ("9279-1", "Respiratory rate", "/min", "/min", 0, 1),
    "2708-6": ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "%", "%", 0, 1),
    "8310-5": ("8310-5", "Body temperature", "°F", "[degF]", 1, 1),
    "29463-7": ("29463-7", "Body weight", "kg", "kg", 1, 3),
    "8302-2": ("8302-2", "Body height", "cm", "cm", 0, 1),
    "9843-4": ("9843-4", "Head Occipital-frontal circumference", "cm", "cm", 1, 1),
}
LABS = {
    "718-7": ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", "g/dL", 1, 2),
    "2339-0": ("41653-7", "Glucose [Mass/volume] in Capillary blood by Glucometer", "mg/dL", "mg/dL", 0, 2),
    "4548-4": ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", "%", 1, 1),
    "38483-4": ("38483-4", "Creatinine [Mass/volume] in Blood", "mg/dL", "mg/dL", 1, 1),
}
PREGNANCY = "72892002"


class Record:
    """One patient's resources of Synthea, by type, newest first."""

    def __init__(self, bundle):
        self.by_type = {}
        for entry in bundle["entry"]:
            resource = entry["resource"]
            self.by_type.setdefault(resource["resourceType"], []).append(resource)
        for resources in self.by_type.values():
            resources.sort(key=lambda r: (when(r), r["id"]), reverse=True)
        self.patient = self.by_type["Patient"][0]
        self.visits = {}

    def of(self, resource_type):
        return self.by_type.get(resource_type, [])


def when(r):
    return (r.get("effectiveDateTime") or r.get("onsetDateTime") or r.get("authoredOn") or r.get("occurrenceDateTime")
            or r.get("recordedDate") or r.get("period", {}).get("start") or "")


def thin(record, patient_id):
    """All resources but Patient and RelatedPerson, and the day of the oldest visit."""
    subject = {"reference": f"Patient/{patient_id}"}
    visits = encounters(record, subject)
    made = [
        *visits,
        *conditions(record, subject),
        *allergies(record, subject),
        *observations(record, subject),
        *medicines(record, subject),
        *immunizations(record, subject),
    ]
    days = [day_of(v["period"]["start"]) for v in visits]
    return made, min(days, default=TODAY)


def visit_of(record, source):
    """A reference to the visit, if it was kept, and its time."""
    key = source.get("encounter", {}).get("reference", "").removeprefix("urn:uuid:")
    if key in record.visits:
        return {"encounter": {"reference": f"Encounter/{our_id('Encounter', key)}"}}, record.visits[key]
    return {}, clinic_time(when(source), key or source["id"])


def encounters(record, subject):
    kept = []
    for source in record.of("Encounter"):
        words = source["type"][0]["text"].lower()
        text = next((t for pattern, t in ENCOUNTERS if pattern in words), None)
        if source["class"]["code"] != "AMB" or text is None or "vaccine" in words and len(kept) > 2:
            continue
        if day_of(source["period"]["start"]) > TODAY:
            continue
        reason = source.get("reasonCode", [{}])[0].get("coding", [{}])[0].get("code")
        if reason in CONDITIONS and reason != PREGNANCY:
            text = CONDITIONS[reason]["text"]
        start = clinic_time(source["period"]["start"], source["id"])
        # A dialysis or a cancer course is no twenty visits to the clinic.
        if sum(k["reasonCode"][0]["text"] == text for k in kept) >= 3:
            continue
        record.visits[source["id"]] = start
        kept.append({
            "resourceType": "Encounter", "id": our_id("Encounter", source["id"]), "status": "finished",
            "class": {"system": f"{THO}/v3-ActCode", "code": "AMB"}, "subject": subject,
            "period": {"start": instant(start), "end": instant(start + timedelta(minutes=12))},
            "reasonCode": [{"text": text}], "serviceProvider": {"display": CLINIC},
        })
        if len(kept) == 6:
            break
    return kept


def conditions(record, subject):
    kept, seen, past = [], set(), 0
    for source in record.of("Condition"):
        row = CONDITIONS.get(source["code"]["coding"][0]["code"])
        active = "abatementDateTime" not in source
        if row is None or (row["icd10"], active) in seen and row["icd10"] != "Z34.9":
            continue
        if not active:
            past += 1
            if past > 5:
                continue
        seen.add((row["icd10"], active))
        encounter, at = visit_of(record, source)
        made = {
            "resourceType": "Condition", "id": our_id("Condition", source["id"]),
            "clinicalStatus": concept(f"{THO}/condition-clinical", "active" if active else "resolved"),
            "verificationStatus": concept(f"{THO}/condition-ver-status", "confirmed"),
            "category": [concept(f"{THO}/condition-category", "problem-list-item" if active else "encounter-diagnosis")],
            "code": {"coding": [{"system": ICD10, "code": row["icd10"]}], "text": row["text"]},
            "subject": subject, **encounter, "onsetDateTime": source["onsetDateTime"][:10], "recordedDate": instant(at),
        }
        if not active:
            made["abatementDateTime"] = source["abatementDateTime"][:10]
        if row["security"]:
            made["meta"] = {"security": [{"system": f"{THO}/v3-Confidentiality", "code": "R"},
                                         {"system": f"{THO}/v3-ActCode", "code": row["security"]}]}
        kept.append(made)
    return kept


def allergies(record, subject):
    found = {}
    for source in record.of("AllergyIntolerance"):
        row = ALLERGIES.get(source["code"]["coding"][0]["code"])
        if row:
            found.setdefault(row["allergen"], (row, source))
    order = sorted(found.values(), key=lambda f: (ALLERGY_ORDER[ALLERGENS[f[0]["allergen"]]["kind"]], f[0]["allergen"]))
    if not order:
        # Three states: most were asked and know of none, the rest were never asked.
        if dice("allergy", record.patient["id"]).random() > 0.6 or not record.visits:
            return []
        visit, at = next(iter(record.visits.items()))
        return [allergy(our_id("AllergyIntolerance", record.patient["id"]), concept(SNOMED, "716186003", "No known allergy"),
                        {"encounter": {"reference": f"Encounter/{our_id('Encounter', visit)}"}}, at, subject, "confirmed")]
    kept = []
    for row, source in order[:3]:
        encounter, at = visit_of(record, source)
        codings = [{"system": f"{OURS}/CodeSystem/allergy-class", "code": c} for c in ALLERGENS[row["allergen"]]["classes"].split(";") if c]
        made = allergy(our_id("AllergyIntolerance", source["id"]), {"coding": codings, "text": row["text"]}, encounter, at, subject, "unconfirmed")
        words = [reaction["manifestation"][0]["coding"][0]["display"].split(" (")[0] for reaction in source.get("reaction", [])]
        severe = {"Anaphylaxis", "Dyspnea", "Allergic angioedema", "Wheezing"}
        made["criticality"] = "high" if severe & set(words) else "low" if words else "unable-to-assess"
        if words:
            made["reaction"] = [{"manifestation": [{"text": words[0]}]}]
        kept.append(made)
    return kept


def allergy(id_, code, encounter, at, subject, verification):
    return {
        "resourceType": "AllergyIntolerance", "id": id_, "clinicalStatus": concept(f"{THO}/allergyintolerance-clinical", "active"),
        "verificationStatus": concept(f"{THO}/allergyintolerance-verification", verification), "code": code,
        "patient": subject, **encounter, "recordedDate": instant(at),
    }


def observations(record, subject):
    counts, kept = {}, []
    for source in record.of("Observation"):
        code = source["code"]["coding"][0]["code"]
        row = SIGNS.get(code) or LABS.get(code)
        if row is None or counts.get(code, 0) >= row[5]:
            continue
        category = "vital-signs" if code in SIGNS else "laboratory"
        value = reading(source, row)
        if value is None:
            continue
        counts[code] = counts.get(code, 0) + 1
        coding = [{"system": LOINC, "code": row[0], "display": row[1]}]
        if row[0] == "59408-5":
            coding.append({"system": LOINC, "code": "2708-6", "display": "Oxygen saturation in Arterial blood"})
        kept.append(observation(record, source, our_id("Observation", source["id"]), category, coding, value, subject))
    return [*kept[:15], *pregnancy(record, subject)]


def observation(record, source, id_, category, coding, value, subject):
    encounter, at = visit_of(record, source)
    return {
        "resourceType": "Observation", "id": id_, "status": "final", "category": [concept(f"{THO}/observation-category", category)],
        "code": {"coding": coding}, "subject": subject, **encounter, "effectiveDateTime": instant(at), **value,
    }


def reading(source, row):
    if row[0] == "85354-9":
        parts = {c["code"]["coding"][0]["code"]: c.get("valueQuantity", {}).get("value") for c in source.get("component", [])}
        high, low = parts.get("8480-6"), parts.get("8462-4")
        if high is None or low is None:
            return None
        component = [("8480-6", "Systolic blood pressure", high), ("8462-4", "Diastolic blood pressure", low)]
        return {"component": [{"code": concept(LOINC, code, name), "valueQuantity": quantity(value, "mmHg", "mm[Hg]", 0)}
                              for code, name, value in component]}
    value = source.get("valueQuantity", {}).get("value")
    if value is None:
        return None
    if row[3] == "[degF]" and source["valueQuantity"]["code"] != "[degF]":
        value = value * 9 / 5 + 32
    return {"valueQuantity": quantity(value, row[2], row[3], row[4])}


def quantity(value, unit, ucum, decimals):
    value = round(value, decimals)
    return {"value": value if decimals else int(value), "unit": unit, "system": UCUM, "code": ucum}


def pregnancy(record, subject):
    """Of a pregnancy that lasts: the status and the last period, on the newest visit since it began."""
    running = [c for c in record.of("Condition") if c["code"]["coding"][0]["code"] == PREGNANCY and "abatementDateTime" not in c]
    if not running:
        return []
    began = day_of(running[0]["onsetDateTime"])
    since = [(key, at) for key, at in record.visits.items() if at.date() >= began]
    if not since:
        return []
    visit = max(since, key=lambda v: v[1])
    source = {"encounter": {"reference": f"urn:uuid:{visit[0]}"}, "effectiveDateTime": instant(visit[1])}
    status = {"valueCodeableConcept": concept(LOINC, "LA15173-0", "Pregnant")}
    lmp = began - timedelta(days=dice("lmp", record.patient["id"]).randrange(0, 8))
    coded = [("82810-3", "Pregnancy status", status), ("8665-2", "Last menstrual period start date", {"valueDateTime": lmp.isoformat()})]
    return [observation(record, source, our_id("Observation", record.patient["id"], code), "social-history",
                        [{"system": LOINC, "code": code, "display": name}], value, subject) for code, name, value in coded]


def medicines(record, subject):
    kept = {}
    for source in record.of("MedicationRequest"):
        words = source.get("medicationCodeableConcept", {}).get("text", "").lower()
        row = next((r for pattern, r in MEDICINES if pattern in words), None)
        if row is None or not row["generic"] or row["generic"] in kept:
            continue
        kept[row["generic"]] = medicine(record, source, row, subject)
        if len(kept) == 5:
            break
    return list(kept.values())


def medicine(record, source, row, subject):
    known = FORMULARY[row["generic"], row["form"]]
    encounter, at = visit_of(record, source)
    line = [{"url": key, "valueString": row[key]} for key in ("generic", "brand", "form", "strength", "dose") if row[key]]
    if row["food"] != "any":
        line.append({"url": "food", "valueCode": row["food"]})
    codings = [{"system": f"{OURS}/CodeSystem/allergy-class", "code": c} for c in known["classes"].split(";") if c]
    if known["atc"]:
        codings.insert(0, {"system": ATC, "code": known["atc"]})
    made = {
        "resourceType": "MedicationRequest", "id": our_id("MedicationRequest", source["id"]),
        "extension": [{**ext("medicine-line"), "extension": line}],
        "status": "active" if source["status"] == "active" else "completed", "intent": "order",
        "medicationCodeableConcept": {"coding": codings, "text": f"{row['generic']} {row['strength']} {row['form']}"},
        "subject": subject, **encounter, "authoredOn": instant(at), "dosageInstruction": [{"text": row["dose"]}],
    }
    if int(row["days"]):
        days = {"value": int(row["days"]), "unit": "d", "system": UCUM, "code": "d"}
        made["dispenseRequest"] = {"expectedSupplyDuration": days}
    return made


def immunizations(record, subject):
    kept, counts = [], {}
    # Oldest first: of five doses of Synthea's schedule the first three are our three.
    for source in reversed(record.of("Immunization")):
        row = VACCINES.get(source["vaccineCode"]["coding"][0]["code"])
        if row is None or counts.get(row["epi_cvx"], 0) >= int(row["doses"]):
            continue
        counts[row["epi_cvx"]] = counts.get(row["epi_cvx"], 0) + 1
        encounter, at = visit_of(record, source)
        kept.append({
            "resourceType": "Immunization", "id": our_id("Immunization", source["id"]), "status": "completed",
            "vaccineCode": {"coding": [{"system": CVX, "code": row["epi_cvx"]}], "text": row["text"]},
            "patient": subject, **encounter, "occurrenceDateTime": at.date().isoformat(), "primarySource": True,
            "protocolApplied": [{"doseNumberPositiveInt": counts[row["epi_cvx"]]}],
        })
    return kept
