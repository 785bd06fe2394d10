"""What both halves share: the tables, the dice, the ids, our URLs (the same as in crates/domain/src/fhir/urls.rs)."""

import csv
import hashlib
import json
import random
import uuid
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent.parent
SEED = "rabta-sample-1"
# Everything that happens, happens before this day. generate.sh gives it to Synthea as reference and end date.
TODAY = date(2026, 11, 1)
PKT = timezone(timedelta(hours=5))

OURS = "https://rabta.health/fhir"
EXT = f"{OURS}/StructureDefinition"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ATC = "http://www.whocc.no/atc"
CVX = "http://hl7.org/fhir/sid/cvx"
THO = "http://terminology.hl7.org/CodeSystem"
LANGUAGE = "http://hl7.org/fhir/StructureDefinition/language"


def table(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def dice(*key):
    """A random source of its own for each purpose, so that a change to one leaves all others as they were."""
    return random.Random(hashlib.sha256("/".join((SEED, *map(str, key))).encode()).digest())


def our_id(*key):
    """A UUID that follows from the seed and Synthea's id. Version 8 (RFC 9562: vendor's own), variant 10."""
    raw = bytearray(hashlib.sha256("/".join((SEED, "id", *map(str, key))).encode()).digest()[:16])
    raw[6] = (raw[6] & 0x0F) | 0x80
    raw[8] = (raw[8] & 0x3F) | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def ext(url, **value):
    return {"url": f"{EXT}/{url}" if "/" not in url else url, **value}


def concept(system, code, display=None):
    coding = {"system": system, "code": code}
    if display:
        coding["display"] = display
    return {"coding": [coding]}


def clinic_time(synthea, key):
    """Synthea's day at an hour at which a basic health unit is open, +05:00. `key` keeps one visit in one hour."""
    day = day_of(synthea)
    minutes = dice("hour", key, day).randrange(0, 6 * 60)
    return datetime.combine(day, time(8, 0), PKT) + timedelta(minutes=minutes)


def day_of(text):
    return date.fromisoformat(text[:10])


def instant(at):
    return at.isoformat(timespec="seconds")


def write_line(resources):
    """One transaction Bundle, as one line."""
    entries = [
        {"fullUrl": f"urn:uuid:{r['id']}", "resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for r in resources
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":"))
