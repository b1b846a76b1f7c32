#!/usr/bin/env bash
# Holds the determinism contract on this machine: digests are equal on every run and in every profile.
#
#   ci/determinism.sh [--seeds A..B]      the seeds; by default 0..100, and for what debug takes part in 0..20
#
# `scenarios/examples/digests.rs` prints a line per library scenario and seed. Compared are
#   1. two release runs at the same time, in two processes, over all the seeds;
#   2. debug, which keeps overflow checks and assertions, against release, and with that the two exact event queues: the
#      example's worlds run on the heap in release, on the ladder everywhere else. The tests run all that twice in debug, too;
#   3. the program as users get it, with all optimisations, against debug, each scenario with seed 0.
# For the first two the example is built without the slowest part of the optimiser, and where `ci/architectures.sh`
# builds it for this machine: it is built once.
# Exit codes: 0 equal · 1 a digest differs (the lines are shown), or a build or run failed · 2 usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seeds=0..100 debug_seeds=0..20
case $#-${1-} in
  0-) ;;
  2---seeds) seeds=$2 debug_seeds=$2 ;;
  *) echo "usage: ci/determinism.sh [--seeds A..B]" >&2 && exit 2 ;;
esac

outputs=$(mktemp -d)
trap 'rm -rf "$outputs"' EXIT

readonly target_dir=${CARGO_TARGET_DIR:-$PWD/target}
host=$(rustc -vV | sed -n 's/^host: //p')
readonly host release=$target_dir/arch/${host%%-*}

build_release_digests() {
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 cargo build --locked --release \
    -p scenarios --example digests --features sim-core/quaternary-heap --target "$host" --target-dir "$release"
}

release_digests() {
  "$release/$host/release/examples/digests" "$@"
}

debug_digests() {
  "$target_dir/debug/examples/digests" "$@"
}

# `NAME DIGEST` of a scenario, as the program says it. Its verdict is no matter here.
program_digest() {
  local report
  report=$("$1" run "$2") || true
  echo "$2 $(sed -n 's/^digest *//p' <<<"$report")"
}
export -f program_digest

# Of each scenario that the file names, by name.
program_digests() {
  cut -d ' ' -f 1 "$1" |
    xargs -P "$(nproc)" -n 1 bash -c 'program_digest "$0" "$1"' "$target_dir/release/splitbrain" | sort
}

# Fails unless the two outputs hold the same lines, and at least one.
compare() {
  local -r what=$1 left=$2 right=$3
  if [[ ! -s $outputs/$left ]]; then
    echo "$what: FAILED: no digest was printed" >&2
    return 1
  fi
  if ! cmp -s "$outputs/$left" "$outputs/$right"; then
    echo "$what: FAILED: digests differ (<: $left, >: $right)" >&2
    diff "$outputs/$left" "$outputs/$right" >&2 || true
    return 1
  fi
  echo "$what: ok: $(wc -l <"$outputs/$left") digests"
}

# Built first, so that the two release runs do run at the same time. With the whole workspace, so that what the tests were built
# from is used again.
build_release_digests
cargo build --locked --workspace --example digests
cargo build --locked --release --bin splitbrain
release_digests --seeds "$seeds" >"$outputs/first" &
first=$!
release_digests --seeds "$seeds" >"$outputs/second" || { wait "$first" || true; exit 1; }
wait "$first" || exit 1
compare "two runs, seeds $seeds" first second

release_digests --seeds "$debug_seeds" >"$outputs/release" || exit 1
debug_digests --seeds "$debug_seeds" >"$outputs/debug" || exit 1
compare "debug and release, seeds $debug_seeds" release debug

debug_digests | sort >"$outputs/debug-0" || exit 1
program_digests "$outputs/debug-0" >"$outputs/program-0"
compare "debug and the program, seed 0" debug-0 program-0
