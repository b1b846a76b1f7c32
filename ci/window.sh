#!/usr/bin/env bash
# Drives the real window with mouse and keys, on a screen of its own, and replays on the command line what was done there.
#
#   ci/window.sh [--install] [--strict] [FOLDER]
#
# Opens a scenario from the palette, plays, parts two nodes by drawing a line around them, plays on, scrubs back in the
# timeline, saves a capsule and a scenario file, and closes. Then both must be the same run on the command line, with the
# partition in it. Pictures of each step go to FOLDER (default: a new one, which is named when something fails).
#
# Needs an X server without a screen and something to press its keys; `--install` installs them as root on Debian. Draws in
# software. Builds what the tests have built already, with the debug profile.
#
# Exit codes: 0 it works, or was skipped · 1 it does not · 2 usage · 3 with `--strict`: it was skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source ci/packages.sh

readonly packages=(xvfb xdotool imagemagick x11-utils openbox libgl1 libegl1 libgl1-mesa-dri libxkbcommon-x11-0 libxcursor1
  libxi6 libxrandr2 libx11-xcb1)
install=no strict=no folder=
while (($#)); do
  case $1 in
    --install) install=yes ;;
    --strict) strict=yes ;;
    -*) echo "usage: ci/window.sh [--install] [--strict] [FOLDER]" >&2 && exit 2 ;;
    *) folder=$1 ;;
  esac
  shift
done

need_packages window "$install" "$strict" "${packages[@]}"

# With the tests, so that what they were built from is used again.
cargo build --locked --quiet --workspace --bins --tests
binaries=$(realpath "${CARGO_TARGET_DIR:-target}")/debug
folder=$(realpath "${folder:-$(mktemp -d)}")
mkdir -p "$folder"
cd "$folder"
rm -f steady-by-hand.*

# --- a screen, and a window on it ----------------------------------------------------------------------

processes=()
# Whatever happens, nothing is left running.
trap 'kill "${processes[@]}" 2>/dev/null || true' EXIT

# The server finds a free number by itself and says which.
mkfifo display.pipe 2>/dev/null || true
Xvfb -displayfd 3 -screen 0 1440x960x24 +extension GLX +render -noreset 3>display.pipe >xvfb.log 2>&1 &
processes+=($!)
read -r display <display.pipe
rm -f display.pipe
export DISPLAY=:$display LIBGL_ALWAYS_SOFTWARE=1 XDG_DATA_HOME="$folder/data"
unset WAYLAND_DISPLAY
rm -rf "$XDG_DATA_HOME"
openbox >openbox.log 2>&1 &
processes+=($!)
# A window that comes while its manager does may be left unmapped.
for _ in $(seq 100); do
  xprop -root _NET_SUPPORTING_WM_CHECK 2>/dev/null | grep -q 'window id' && break
  sleep 0.1
done
"$binaries/splitbrain-gui" raft/leader-crash >window.log 2>&1 &
gui=$!
processes+=("$gui")

# Says what went wrong, with the last lines of what wrote any.
fail() {
  echo "window: FAILED: $1; pictures and logs are in $folder" >&2
  tail -n 20 ./*.log >&2 || true
  exit 1
}

# On a machine whose disk is cold the libraries that draw may take their time.
window=
for _ in $(seq 400); do
  window=$(xdotool search --onlyvisible --name '^Splitbrain$' 2>/dev/null | head -n 1) && [[ -n $window ]] && break
  kill -0 "$gui" 2>/dev/null || fail "the window's process ended before it showed anything"
  sleep 0.3
done
[[ -n $window ]] || {
  xwininfo -root -tree >windows.log 2>&1 || true
  ps -o pid,stat,wchan:20,time,args >processes.log 2>&1 || true
  fail "no window comes"
}
xdotool windowsize --sync "$window" 1400 900 || true
xdotool windowfocus --sync "$window" || true
sleep 1

# --- hands ---------------------------------------------------------------------------------------------

shot() { import -window "$window" "$1.png"; }
# A frame has to pass between moving and pressing.
to() { xdotool mousemove --window "$window" "$1" "$2" && sleep 0.5; }
click() { to "$1" "$2" && xdotool click 1 && sleep 1; }
key() { xdotool key --window "$window" "$@" && sleep 1; }
lasso() {
  to "$1" "$2" && xdotool mousedown 1 && sleep 0.3
  while (($#)); do to "$1" "$2" && shift 2; done
  xdotool mouseup 1 && sleep 1
}

# --- what a person does --------------------------------------------------------------------------------

shot 1-opened
key ctrl+p
xdotool type --window "$window" --delay 60 "raft/steady"
sleep 0.6
shot 2-palette
key Return
key space
sleep 3
key space
shot 3-played
# The second and third node stand on the right side of the cluster.
lasso 290 330 440 330 460 640 240 640 240 480 290 335
shot 4-parted
key space
sleep 2
key space
shot 5-parted-and-played
click 240 850
shot 6-scrubbed-back
key ctrl+s
shot 7-saving
key Return
sleep 2
key ctrl+s
key ctrl+a
xdotool type --window "$window" --delay 60 "steady-by-hand.ron"
sleep 0.6
key Return
sleep 2
shot 8-saved
kill -0 "$gui" 2>/dev/null || fail "the window is gone"
key alt+F4
for _ in $(seq 30); do
  kill -0 "$gui" 2>/dev/null || break
  sleep 0.3
done
! kill -0 "$gui" 2>/dev/null || fail "the window does not close, though all is saved"
wait "$gui" || fail "the window ended with exit code $?"

# --- the same on the command line ----------------------------------------------------------------------

[[ -s steady-by-hand.capsule.ron ]] || fail "no capsule was saved"
[[ -s steady-by-hand.ron ]] || fail "no scenario was saved"
grep -q 'Partition(' steady-by-hand.capsule.ron || fail "the capsule has no partition in it"
grep -q 'Partition(' steady-by-hand.ron || fail "the scenario has no partition in it"
"$binaries/splitbrain" replay steady-by-hand.capsule.ron >replay.log 2>&1 || fail "the capsule is another run ($folder/replay.log)"
"$binaries/splitbrain" run steady-by-hand.ron --seed 0 --format json >run.json 2>run.log || fail "the scenario does not run ($folder/run.log)"
digest=$(sed -n 's/^ *digest: "\([0-9a-f]*\)".*/\1/p' steady-by-hand.capsule.ron | head -n 1)
[[ -n $digest ]] || fail "the capsule names no digest"
grep -q "$digest" run.json || fail "the scenario has another digest than the capsule's, $digest"
echo "window: ok: opened, played, parted, scrubbed, saved, closed; capsule and scenario replay to $digest"
