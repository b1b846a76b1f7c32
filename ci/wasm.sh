#!/usr/bin/env bash
# Checks that the window compiles for browsers (wasm32-unknown-unknown): nothing in it needs threads or files but behind
# their doors, `gui/src/files.rs` and `gui/src/open.rs`.
#
#   ci/wasm.sh [--install] [--strict]
#
# Uses the compiler that Debian packages with the sources of the standard library (`rustc-web`), as
# ci/architectures.sh does; it says why it skips where that is missing, and `--install` installs it as root.
# Builds go to `${CARGO_TARGET_DIR:-target}/wasm`.
#
# Exit codes: 0 it compiles, or was skipped · 1 it does not · 2 usage · 3 with `--strict`: it was skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source ci/packages.sh

readonly packages=(rustc-web cargo-web rust-web-src)
read_flags wasm "$@"
need_packages wasm "$install" "$strict" "${packages[@]}"
# Nothing of it runs but build scripts and macros, once: what is built for them is not optimised.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=none CARGO_PROFILE_DEV_OPT_LEVEL=0
env -u RUSTC_WRAPPER RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo check --locked -p splitbrain-gui --lib \
  -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown --target-dir "${CARGO_TARGET_DIR:-target}/wasm"
echo "wasm: ok: the window compiles for browsers"
