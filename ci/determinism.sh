#!/usr/bin/env bash
# Holds the determinism contract on this machine: digests are equal on every run and in every profile.
#
#   ci/determinism.sh [--seeds A..B]      the seeds, default 0..100
#
# `scenarios/examples/digests.rs` prints a line per library scenario and seed. Compared are
#   1. two release runs at the same time, in two processes, over all the seeds;
#   2. debug, which keeps overflow checks and assertions, against release, over the same seeds.
# Exit codes: 0 equal · 1 a digest differs (the lines are shown), or a build or run failed · 2 usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seeds=0..100
case $#-${1-} in
  0-) ;;
  2---seeds) seeds=$2 ;;
  *) echo "usage: ci/determinism.sh [--seeds A..B]" >&2 && exit 2 ;;
esac

outputs=$(mktemp -d)
trap 'rm -rf "$outputs"' EXIT

digests() {
  cargo run --quiet --locked -p scenarios --example digests "$@"
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

# Built first, so that the two release runs do run at the same time.
cargo build --locked --release -p scenarios --example digests
cargo build --locked -p scenarios --example digests
digests --release -- --seeds "$seeds" >"$outputs/first" &
first=$!
digests --release -- --seeds "$seeds" >"$outputs/second" || { wait "$first" || true; exit 1; }
wait "$first" || exit 1
compare "two runs, seeds $seeds" first second

digests -- --seeds "$seeds" >"$outputs/debug" || exit 1
compare "debug and release, seeds $seeds" first debug
