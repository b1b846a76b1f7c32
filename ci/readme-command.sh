#!/usr/bin/env bash
# Prints the commands of one marked code block of README.md, so that what is tested is what is written there.
#
#   ci/readme-command.sh NAME [FILE]
#
# The block is the fenced one that follows the line `<!-- ci: NAME -->`; a leading `$ ` of a line is dropped.
# Exit codes: 0 · 1 no such mark, or no code under it · 2 usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($# < 1 || $# > 2)); then
  echo "usage: ci/readme-command.sh NAME [FILE]" >&2
  exit 2
fi
readonly name=$1 file=${2:-README.md}
if [[ ! -r $file ]]; then
  echo "$file cannot be read" >&2
  exit 1
fi

commands=$(awk -v mark="<!-- ci: $name -->" '
  $0 == mark { marked = 1; next }
  marked && /^```/ { if (inside) exit; inside = 1; next }
  marked && !inside && NF { exit }
  inside { sub(/^\$ /, ""); print }
' "$file")
if [[ -z ${commands//[[:space:]]/} ]]; then
  echo "$file has no code block under the line \`<!-- ci: $name -->\`" >&2
  exit 1
fi
printf '%s\n' "$commands"
