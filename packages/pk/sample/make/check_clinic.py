"""Proves what ../README.md says of ../clinic.ndjson.zst. Exits non-zero at the first thing that does not hold.

usage: check_clinic.py      needs Python 3.9 and the `zstd` program
"""

import json
import re
import subprocess
import sys
from collections import Counter

from common import EXT, HERE, ICD10, LOINC, OURS, PACKAGE, SNOMED, TODAY, table
from people import DAMM, MR_PREFIX

FILE = HERE.parent / "clinic.ndjson.zst"
TYPES = {"Patient", "RelatedPerson", "Encounter", "Condition", "Observation", "AllergyIntolerance", "MedicationRequest", "Immunization"}
FOREIGN = re.compile(r"us-core|us-ssn|\b\d{3}-\d{2}-\d{4}\b|Massachusetts|\bBoston\b|Synthea|synthetichealth|smarthealthit|Driver|"
                     r"usps|rxnorm|maiden|\(finding\)|\(situation\)|\(disorder\)", re.IGNORECASE)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def check(holds, what):
    if not holds:
        sys.exit(f"does not hold: {what}")


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def instants(node):
    if isinstance(node, dict):
        for value in node.values():
            yield from instants(value)
    elif isinstance(node, list):
        for value in node:
            yield from instants(value)
    elif isinstance(node, str) and re.fullmatch(r"\d{4}-\d\d-\d\d(T.*)?", node):
        yield node[:10]


def damm_holds(number):
    check_digit = 0
    for digit in number.replace("-", ""):
        check_digit = int(DAMM[check_digit][int(digit)])
    return check_digit == 0


def main():
    packed = FILE.read_bytes()
    check(len(packed) <= 5_000_000, f"at most 5 MB, not {len(packed)}")
    plain = subprocess.run(["zstd", "-dc"], input=packed, stdout=subprocess.PIPE, check=True).stdout.decode()
    found = FOREIGN.search(plain)
    check(found is None, f"nothing American or of the generator is left: {found and found.group()!r}")

    places = {p["id"] for p in table(PACKAGE / "places.csv")}
    diagnoses = {d["code"] for d in table(PACKAGE / "icd10.csv")}
    ids, mrs, cnics, conditions, spelt, villages, resources = set(), set(), set(), Counter(), Counter(), Counter(), Counter()
    patients = children = pregnant = adults = with_cnic = with_phone = approximate = 0
    for line in plain.splitlines():
        bundle = json.loads(line)
        check(bundle["type"] == "transaction", "each line is a transaction")
        entries = [e["resource"] for e in bundle["entry"]]
        own = {f"{r['resourceType']}/{r['id']}" for r in entries}
        for entry in bundle["entry"]:
            r = entry["resource"]
            resources[r["resourceType"]] += 1
            check(r["resourceType"] in TYPES, f"{r['resourceType']} is one of the eight types")
            check(UUID.fullmatch(r["id"]) and r["id"] not in ids, "ids are UUIDs and unique")
            ids.add(r["id"])
            check(entry["request"] == {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}, "each entry is a PUT of its id")
            check("text" not in r, "no narrative is left")
        for reference in references(bundle):
            check(reference in own, f"{reference} resolves inside its Bundle")
        check(all(d <= TODAY.isoformat() for r in entries for d in instants(r)), "nothing happens after the day of the sample")
        check([r["resourceType"] for r in entries].count("Patient") == 1 and entries[0]["resourceType"] == "Patient", "one Patient, first")

        patient = entries[0]
        patients += 1
        birth = patient["birthDate"]
        age = TODAY.year - int(birth[:4])
        children += age < 15
        adults += age >= 19
        latin, urdu = patient["name"]
        check(re.fullmatch(r"[A-Za-z. ]+", latin["text"]) and re.fullmatch(r"[\u0600-\u06ff ]+", urdu["text"]), "a Latin and an Urdu name")
        spelt[latin["text"].split()[0]] += 1
        place = patient["address"][0]["extension"][0]["valueString"]
        check(place in places, f"{place} is a place of the package")
        villages[place] += 1
        said = {e["url"]: e for e in patient["extension"][0]["extension"]}
        low, high = said["earliest"]["valueDate"], said["latest"]["valueDate"]
        check(patient["extension"][0]["url"] == f"{EXT}/age-as-said" and low <= high <= said["on"]["valueDate"], "the age has ordered bounds")
        check(low[: len(birth)] <= birth <= high[: len(birth)], "the birth date lies within them")
        check((low == high) == (len(birth) == 10), "only a known birth date has a day")
        approximate += low != high

        for i in patient["identifier"]:
            number, system = i["value"], i["system"]
            if system == f"{OURS}/sid/mr":
                check(number.startswith(MR_PREFIX) and damm_holds(number) and number not in mrs, f"MR number {number} is ours and unique")
                mrs.add(number)
            else:
                check(system in (f"{OURS}/sid/pk-cnic", f"{OURS}/sid/pk-b-form"), "no other paper")
                check(re.fullmatch(r"319\d\d-\d{7}-\d", number) and number not in cnics, f"{number} is in the sample's district and unique")
                check(int(number[-1]) % 2 == (patient["gender"] == "male"), "the last digit is odd for men, even for women")
                check(i["extension"][0]["valueCode"] in ("stated", "card-seen", "verified"), "an assurance")
                cnics.add(number)
                with_cnic += system.endswith("cnic") and age >= 19
        with_phone += bool(patient.get("telecom"))
        for phone in patient.get("telecom", []):
            check(re.fullmatch(r"03[0-4]\d00\d{5}", phone["value"]), "a mobile number that nobody was given")

        for r in entries:
            for c in r.get("code", {}).get("coding", []):
                check(c["system"] != SNOMED or c["code"] == "716186003", "no SNOMED but `no known allergy`")
                if c["system"] == ICD10:
                    check(c["code"] in diagnoses, f"{c['code']} is in icd10.csv")
                    conditions[c["code"]] += 1
                pregnant += c["system"] == LOINC and c["code"] == "82810-3"
        check(any(r["resourceType"] == "RelatedPerson" for r in entries), "a father or husband")

    check(950 <= patients <= 1050, f"about 1,000 patients, not {patients}")
    check(len(mrs) == patients, "each has an MR number")
    common = [c for c, n in conditions.items() if n >= 20]
    check(len(common) >= 6, f"at least six conditions that many have, not {len(common)}")
    check(children >= 200 and pregnant >= 15, f"children ({children}) and pregnancies ({pregnant})")
    check(0.55 <= with_cnic / adults <= 0.75, f"a CNIC for about 65 % of adults, not {with_cnic / adults:.0%}")
    check(0.6 <= with_phone / patients <= 0.8, f"a phone for about 70 %, not {with_phone / patients:.0%}")
    check(min(spelt["Muhammad"], spelt["Mohammad"], spelt["Mohd"]) >= 5, "several spellings of Muhammad")
    check(len(villages) >= 40 and villages.most_common(1)[0][1] > patients / 25, "many villages, some far more than others")

    print(json.dumps({
        "patients": patients, "bytes": len(packed), "plain_bytes": len(plain.encode()), "children": children, "pregnant_now": pregnant,
        "cnic_of_adults": round(with_cnic / adults, 2), "phones": round(with_phone / patients, 2), "age_approximate": round(approximate / patients, 2),
        "villages": len(villages), "resources": dict(resources.most_common()), "conditions": len(conditions),
        "most_common": dict(conditions.most_common(15)), "first_names": dict(spelt.most_common(12)), "until": TODAY.isoformat(),
    }, indent=1))


if __name__ == "__main__":
    main()
