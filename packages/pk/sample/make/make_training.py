#!/usr/bin/env python3
"""Takes a few patients of the sample clinic for the training vault: python3 make/make_training.py

Writes training.ndjson.zst beside clinic.ndjson.zst: every 42nd patient whose Bundle is not larger than most, so that
children, adults and the old are among them. The lines stay byte for byte as they are.
"""
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent.parent
LARGEST = 30_000
lines = subprocess.run(["zstdcat", HERE / "clinic.ndjson.zst"], check=True, capture_output=True).stdout.splitlines(True)
few = [line for line in lines if len(line) <= LARGEST][::42]
subprocess.run(["zstd", "-q", "-19", "-f", "-o", HERE / "training.ndjson.zst"], check=True, input=b"".join(few))
print(f"{len(few)} patients, {(HERE / 'training.ndjson.zst').stat().st_size} bytes")
