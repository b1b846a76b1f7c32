#!/usr/bin/env bash
# Compares pictures of the window with those in `gui/tests/snapshots`; draws them in software, without a screen.
#
#   ci/snapshots.sh [--install] [--strict]
#   UPDATE_SNAPSHOTS=1 ci/snapshots.sh         takes the present look for what it should be; look at the pictures, then commit
#
# Needs Mesa's Vulkan; `--install` installs it as root on Debian. What a picture shows is tested elsewhere without any of this:
# this finds colours, fonts and places that changed. Builds on what the tests have built, with the debug profile.
#
# Exit codes: 0 they are equal, or it was skipped · 1 they are not · 2 usage · 3 with `--strict`: it was skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source ci/packages.sh

readonly packages=(mesa-vulkan-drivers libvulkan1)
readonly pictures=gui/tests/snapshots
read_flags snapshots "$@"
need_packages snapshots "$install" "$strict" "${packages[@]}"

# With `splitbrain`, so that dependencies have the features with which the tests have built them.
tests=(test --locked -p splitbrain -p splitbrain-gui --features splitbrain-gui/snapshots --lib)
cargo "${tests[@]}" --no-run
output=$(mktemp)
trap 'rm -f "$output"' EXIT
if ! cargo "${tests[@]}" --quiet -- snapshots:: >"$output" 2>&1; then
  cat "$output" >&2
  echo "snapshots: FAILED: in $PWD/$pictures, *.new.png is how it looks, *.diff.png where that is not *.png" >&2
  echo "hint: where it should look so, \`UPDATE_SNAPSHOTS=1 ci/snapshots.sh\` takes it over; look at it, and commit it" >&2
  exit 1
fi
compared=$(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$output")
kept=$(find "$pictures" -name '*.png' ! -name '*.*.png' | wc -l)
# Each test compares one picture.
((compared > 0 && compared == kept)) || { echo "snapshots: FAILED: $compared tests, $kept pictures in $pictures" >&2 && exit 1; }
echo "snapshots: ok: $compared pictures"
