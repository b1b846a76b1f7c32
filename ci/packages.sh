# Sourced by scripts here that need packages of Debian.

#   read_flags NAME ARGUMENT…
# Sets `install` and `strict`, by --install and --strict, to yes or no; script NAME ends with 2 where there is anything else.
read_flags() {
  local -r name=$1
  local argument
  install=no strict=no
  for argument in "${@:2}"; do
    case $argument in
      --install) install=yes ;;
      --strict) strict=yes ;;
      *) echo "usage: ci/$name.sh [--install] [--strict]" >&2 && exit 2 ;;
    esac
  done
}

#   not_installed PACKAGE…
# Says which of them are not installed, one a line.
not_installed() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

#   need_packages NAME INSTALL STRICT PACKAGE…
# Installs those that are missing, with INSTALL=yes and as root. Where some are missing then, script NAME says that it is skipped
# and how they are installed, and ends with 0, or 3 with STRICT=yes.
need_packages() {
  local -r name=$1 install=$2 strict=$3
  local -ra wanted=("${@:4}")
  if [[ $install == yes && -n $(not_installed "${wanted[@]}") ]] && ((EUID == 0)); then
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update || true
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
      "${wanted[@]}" >/dev/null || echo "$name: apt-get failed" >&2
  fi
  local missing
  missing=$(not_installed "${wanted[@]}" | paste -sd ' ')
  [[ -n $missing ]] || return 0
  echo "$name: SKIPPED: missing: $missing"
  echo "hint: apt-get install --no-install-recommends ${wanted[*]}"
  [[ $strict == no ]] && exit 0 || exit 3
}
