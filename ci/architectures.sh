#!/usr/bin/env bash
# Holds the determinism contract across architectures: the same source, scenario and seed give the same digest.
#
#   ci/architectures.sh [--install] [--strict] [lane…] [-- argument…]
#
# Builds `scenarios/examples/digests.rs` (one line `NAME DIGEST` per library scenario) for each lane with the
# release profile, runs it, and compares the output byte for byte with that of x86_64, which is always run, on the
# other of the two exact event queues: `ci/determinism.sh` has built it so.
# Arguments after `--` go to the example: a name filter, or `--seeds A..B`.
#
#   lane     what it adds to x86_64                          runs in             build, 2 cores, cold
#   x86_64   the reference: pinned toolchain, 64 bit         the host            1 min
#   aarch64  other instruction set and libm, 64 bit          qemu-user           4 min
#   i686     32-bit `usize`                                  the host, or qemu   3–5 min
#   wasm32   32-bit `usize`, no unwinding, no threads        node's WASI         2–4 min
#
# Most of a cold build is the standard library (compiled with `-Zbuild-std`) and the optimiser; both stay in the
# target directory, and a second run takes seconds. `CARGO_PROFILE_RELEASE_LTO=thin` shortens the rest.
# Downloading the packages of all lanes adds about a minute.
#
# All lanes but x86_64 use the compiler that Debian packages with the sources of the standard library (`rustc-web`,
# in /usr/bin), so rustup is neither needed for them nor changed. Its version floats: it must reach the
# workspace's `rust-version`. A lane whose compiler or packages are missing is skipped, loudly; `--install`
# installs them with apt when run as root; otherwise the apt line to run is printed.
# Never install gcc-multilib beside them: it removes the cross compilers.
#
# Builds go to `${CARGO_TARGET_DIR:-target}/arch/<lane>`, the outputs to `digests.txt` there.
#
# Exit codes: 0 all lanes that ran agree · 1 a digest differs, or a lane failed to build or run · 2 usage ·
# 3 with `--strict`: a lane was skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source ci/packages.sh

readonly all_lanes=(x86_64 aarch64 i686 wasm32)
readonly debian_rustc=/usr/bin/rustc
readonly debian_cargo=/usr/bin/cargo
readonly wasi_sysroot=/usr/lib/wasm32-wasi
readonly i686_loader=/usr/i686-linux-gnu/lib/ld-linux.so.2
readonly arch_dir="${CARGO_TARGET_DIR:-$PWD/target}/arch"

# --- what a lane needs ---------------------------------------------------------------------------------

# The newest `lld-NN`: of those installed, else of those apt offers. Nothing if there is none.
lld_package() {
  local newest
  newest=$(compgen -c wasm-ld- | sed -n 's/^wasm-ld-\([0-9]\+\)$/lld-\1/p' | sort -V | tail -n 1)
  [[ -n $newest ]] || newest=$(apt-cache search --names-only '^lld-[0-9]+$' 2>/dev/null |
    cut -d ' ' -f 1 | sort -V | tail -n 1)
  echo "$newest"
}

packages_of() {
  local -r compiler="rustc-web cargo-web rust-web-src"
  case $1 in
    x86_64) ;;
    aarch64) echo "$compiler gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" ;;
    i686) echo "$compiler gcc-i686-linux-gnu libc6-dev-i386-cross qemu-user" ;;
    wasm32)
      local lld
      lld=$(lld_package)
      echo "$compiler wasi-libc ${lld:-lld-NN} $(command -v node >/dev/null || echo nodejs)"
      ;;
  esac
}

# Those of a lane's packages that are not installed.
missing_packages() {
  # shellcheck disable=SC2046
  not_installed $(packages_of "$1")
}

# Why the lane cannot run; nothing if it can.
obstacle() {
  local missing version
  missing=$(missing_packages "$1" | paste -sd ' ')
  if [[ $missing == *' '* ]]; then
    echo "packages $missing are missing"
  elif [[ -n $missing ]]; then
    echo "package $missing is missing"
  elif [[ $1 != x86_64 ]]; then
    version=$("$debian_rustc" -V | cut -d' ' -f2)
    version_reaches "$version" "$rust_version" ||
      echo "$debian_rustc is $version, the workspace needs $rust_version: upgrade rustc-web"
  fi
}

version_reaches() {
  [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]
}

# The packages of those of the lanes that cannot run, on one line.
wanted_packages() {
  local lane
  for lane in "$@"; do
    [[ -z $(obstacle "$lane") ]] || packages_of "$lane" | tr ' ' '\n'
  done | sed '/^$/d' | sort -u | paste -sd ' '
}

# Installs what the lanes miss, and a newer compiler if it is too old. A failure is not fatal: the lane is then
# skipped with its reason.
install_packages() {
  local -a wanted apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  [[ -n $(wanted_packages "$@") ]] || return 0
  if ((EUID != 0)); then
    echo "--install needs root: nothing is installed" >&2
    return 0
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" update || true
  # Asked again: after the update apt may offer a newer linker.
  read -ra wanted <<<"$(wanted_packages "$@")"
  echo "installing ${wanted[*]}" >&2
  "${apt[@]}" install -y --no-install-recommends "${wanted[@]}" >"$arch_dir/apt.log" 2>&1 ||
    { echo "apt-get failed:" && tail -n 5 "$arch_dir/apt.log"; } >&2
}

# --- one function a lane and act -----------------------------------------------------------------------

target_of() {
  case $1 in
    x86_64) echo x86_64-unknown-linux-gnu ;;
    aarch64) echo aarch64-unknown-linux-gnu ;;
    i686) echo i686-unknown-linux-gnu ;;
    wasm32) echo wasm32-wasip1 ;;
  esac
}

# Only `-p scenarios`: other members may hold threads, windows and files that a lane does not have.
build() {
  local -r target=$(target_of "$1")
  local -ra arguments=(build --release --locked -p scenarios --example digests
    --target "$target" --target-dir "$arch_dir/$1")
  case $1 in
    x86_64) cargo "${arguments[@]}" --features sim-core/quaternary-heap ;;
    aarch64 | i686) debian_cargo "${arguments[@]}" -Zbuild-std=std \
      --config "target.$target.linker=\"${target%%-*}-linux-gnu-gcc\"" ;;
    # rustc's own start files and libc for WASI are not packaged; wasi-libc has them.
    wasm32) RUSTFLAGS="-Clink-self-contained=no -Clink-arg=$wasi_sysroot/crt1-command.o -L$wasi_sysroot" \
      debian_cargo "${arguments[@]}" -Zbuild-std=std,panic_abort \
      --config "target.$target.linker=\"$(lld_package | sed 's/^lld/wasm-ld/')\"" ;;
  esac
}

# RUSTC is named, as the `rustc` on PATH may be rustup's; `-Z` on a released compiler needs RUSTC_BOOTSTRAP.
debian_cargo() {
  env -u RUSTC_WRAPPER RUSTC="$debian_rustc" RUSTC_BOOTSTRAP=1 "$debian_cargo" "$@"
}

# Whether the kernel runs 32-bit x86 programs.
runs_i686_natively() {
  "$i686_loader" --version >/dev/null 2>&1
}

run() {
  local -r lane=$1 program="$arch_dir/$1/$(target_of "$1")/release/examples/digests"
  shift
  case $lane in
    x86_64) "$program" "$@" ;;
    aarch64) qemu-aarch64 -L /usr/aarch64-linux-gnu "$program" "$@" ;;
    i686)
      if runs_i686_natively; then
        "$i686_loader" --library-path "$(dirname "$i686_loader")" "$program" "$@"
      else
        qemu-i386 -L /usr/i686-linux-gnu "$program" "$@"
      fi
      ;;
    wasm32) node --no-warnings ci/run-wasi.mjs "$program.wasm" "$@" ;;
  esac
}

# Builds and runs one lane, and compares it with x86_64. Says what came of it; fails if the lane does.
check() {
  local -r lane=$1 output="$arch_dir/$1/digests.txt" reference="$arch_dir/x86_64/digests.txt"
  local built ran
  shift
  mkdir -p "$arch_dir/$lane"
  rm -f "$output"
  SECONDS=0
  build "$lane" || { echo "lane $lane: FAILED: it does not build" && return 1; }
  built=$SECONDS
  run "$lane" "$@" >"$output" || { echo "lane $lane: FAILED: digests ended with exit code $?" && return 1; }
  ran=$((SECONDS - built))
  [[ -s $output ]] || { echo "lane $lane: FAILED: no digest was printed" && return 1; }
  if ! cmp -s "$reference" "$output"; then
    echo "lane $lane: FAILED: digests differ from x86_64 (<: x86_64, >: $lane)"
    diff "$reference" "$output" || true
    return 1
  fi
  echo "lane $lane: ok: $(wc -l <"$output") digests, build $built s, run $ran s"
}

# --- the whole -----------------------------------------------------------------------------------------

usage() {
  echo "usage: ci/architectures.sh [--install] [--strict] [${all_lanes[*]}] [-- argument…]" >&2
  exit 2
}

install=no strict=no
lanes=()
while (($#)); do
  case $1 in
    --install) install=yes ;;
    --strict) strict=yes ;;
    --) shift && break ;;
    x86_64 | aarch64 | i686 | wasm32) lanes+=("$1") ;;
    *) usage ;;
  esac
  shift
done
((${#lanes[@]})) || lanes=("${all_lanes[@]}")
# The reference goes first, asked for or not.
mapfile -t lanes < <(printf '%s\n' x86_64 "${lanes[@]}" | awk '!seen[$0]++')

if [[ $(uname -sm) != "Linux x86_64" ]]; then
  echo "ci/architectures.sh runs on Linux x86_64, this is $(uname -sm)" >&2
  exit 2
fi
rust_version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
mkdir -p "$arch_dir"
if [[ $install == yes ]]; then
  install_packages "${lanes[@]}"
fi

failed=() skipped=()
for lane in "${lanes[@]}"; do
  reason=$(obstacle "$lane")
  if [[ -n $reason ]]; then
    echo "lane $lane: SKIPPED: $reason"
    skipped+=("$lane")
  elif ! check "$lane" "$@"; then
    failed+=("$lane")
    # Without the reference there is nothing to compare with.
    [[ $lane != x86_64 ]] || break
  fi
done

if ((${#skipped[@]})); then
  echo "hint: apt-get update && apt-get install --no-install-recommends $(wanted_packages "${skipped[@]}")"
fi
if ((${#failed[@]})); then
  exit 1
fi
if ((${#skipped[@]})) && [[ $strict == yes ]]; then
  exit 3
fi
