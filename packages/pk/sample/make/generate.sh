#!/bin/sh
# Runs Synthea 3.3.0 once per line of batches.csv: one folder of R4 transaction Bundles a batch.
# usage: generate.sh WORKDIR     needs Java 11 or newer and Maven; Maven Central is asked once (144 jars, 203 MB)
# The same seed gives the same files. Whole lives are simulated, five years are written, living persons only.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$1
mkdir -p "$work/raw"
cp "$here/pom.xml" "$work/pom.xml"
[ -d "$work/lib" ] || (cd "$work" && mvn -B -q dependency:copy-dependencies -DoutputDirectory=lib -DincludeScope=runtime)

tail -n +2 "$here/batches.csv" | while IFS=, read -r seed age gender count; do
  out="$work/raw/$seed"
  [ -f "$out/done" ] && continue
  rm -rf "$out"
  echo "batch $seed: $count persons, $gender, $age years"
  (cd "$work" && nice java -Xmx2g -cp 'lib/*' App \
    -p "$count" -s "$seed" -cs "$seed" -r 20261101 -e 20261101 -a "$age" -g "$gender" \
    --exporter.baseDirectory="$out" \
    --exporter.years_of_history=5 \
    --exporter.fhir.export=true \
    --exporter.fhir.use_us_core_ig=false \
    --exporter.fhir.included_resources=Patient,Encounter,Condition,Observation,AllergyIntolerance,MedicationRequest,Immunization \
    --exporter.hospital.fhir.export=false \
    --exporter.practitioner.fhir.export=false \
    --generate.only_alive_patients=true \
    Massachusetts </dev/null >"$out.log" 2>&1)
  touch "$out/done"
done
