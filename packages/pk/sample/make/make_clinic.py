"""Makes ../clinic.ndjson.zst from what generate.sh left in WORKDIR: one FHIR R4 transaction Bundle a line and patient.

usage: make_clinic.py WORKDIR      needs Python 3.9 and the `zstd` program; the same input gives the same bytes
"""

import json
import subprocess
import sys
from pathlib import Path

from clinical import Record, thin
from common import HERE, TODAY, day_of, dice, our_id, write_line
from people import Village, person


def records(work):
    """Synthea's living patients, in an order that has nothing to do with their age: that of a hash of their ids."""
    files = [f for f in Path(work, "raw").glob("*/fhir/*.json") if not f.name.startswith(("hospital", "practitioner"))]
    keyed = sorted((dice("order", f.stem[-36:]).random(), f) for f in files)
    for _, file in keyed:
        record = Record(json.loads(file.read_text(encoding="utf-8")))
        if "deceasedDateTime" not in record.patient:
            yield record


def main(work):
    village, lines = Village(), []
    for number, record in enumerate(records(work), start=1):
        source = record.patient["id"]
        clinical, registered = thin(record, our_id("Patient", source))
        born = day_of(record.patient["birthDate"])
        patient, related = person(source, number, born, record.patient["gender"], max(registered, born), village)
        lines.append(write_line([patient, *related, *clinical]))
    plain = ("\n".join(lines) + "\n").encode()
    out = HERE.parent / "clinic.ndjson.zst"
    # A file of --long would need a bigger window of every reader; 19 alone is small enough.
    packed = subprocess.run(["zstd", "-19", "--no-progress", "-c"], input=plain, stdout=subprocess.PIPE, check=True).stdout
    out.write_bytes(packed)
    print(f"{len(lines)} patients, {len(plain) / 1e6:.1f} MB, {len(packed) / 1e6:.2f} MB packed, until {TODAY}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
