#!/bin/sh
# Makes the recorded prompts with a synthesized voice: espeak-ng, then Opus in Ogg (RFC 7845). A speaker's own recordings take their
# places under the same names, at most 40 kB each; then only said.tsv is written anew (make.sh --said).
# Needs: espeak-ng, ffmpeg with libopus, node.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node texts.mjs > "$work/said.tsv"
if [ "${1:-}" != --said ]; then
  while IFS="$(printf '\t')" read -r lang id text; do
    case $lang in en) voice=en-us speed=135 ;; *) voice=$lang speed=125 ;; esac
    espeak-ng -v "$voice" -s "$speed" -g 3 -w "$work/said.wav" -- "$text"
    ffmpeg -v error -y -i "$work/said.wav" -af "highpass=f=90,lowpass=f=7000,loudnorm=I=-16:TP=-2" -ac 1 -ar 16000 \
      -c:a libopus -b:a 7k -vbr on -application voip -frame_duration 60 -page_duration 2000000 -map_metadata -1 \
      -fflags +bitexact -flags:a +bitexact -f ogg "$work/said.ogg" < /dev/null
    cmp -s "$work/said.ogg" "$lang/$id.ogg" || cp "$work/said.ogg" "$lang/$id.ogg"
  done < "$work/said.tsv"
fi
cp "$work/said.tsv" said.tsv
du -cb en/*.ogg ur/*.ogg | tail -1
