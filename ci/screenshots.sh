#!/usr/bin/env bash
# Draws every view of the window, in software: the pictures of the book into `book/src/window`, and all views in two sizes, light
# and dark, into a folder, to be looked at.
#
#   ci/screenshots.sh [FOLDER]        default: target/screenshots
#
# Needs Mesa's Vulkan, as ci/snapshots.sh does. Exit codes: 0 they are drawn · 1 they are not · 2 usage.
set -euo pipefail

(($# <= 1)) || { echo "usage: ci/screenshots.sh [FOLDER]" >&2 && exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-target/screenshots}
# Without a place for sockets, each window complains that it finds no Wayland.
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$(mktemp -d)}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
SPLITBRAIN_SCREENSHOTS=$folder cargo test --locked --quiet -p splitbrain -p splitbrain-gui \
  --features splitbrain-gui/screenshots --lib -- screenshots::
echo "screenshots: $folder, book/src/window"
