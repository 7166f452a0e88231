#!/usr/bin/env bash
# The documentation's site, set up if needed:
#   scripts/docs.sh             build it into build/site; any warning is an error
#   scripts/docs.sh serve       show it at http://127.0.0.1:8000/, and again after each change
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${1:-build}" in
    build | serve) ;;
    *)
        sed -n '2,4s/^# //p' "$0"
        exit 2
        ;;
esac
extra=dev
source scripts/setup.sh

# The theme prints a notice about a future mkdocs otherwise.
export NO_MKDOCS_2_WARNING=1
if [ "${1:-build}" = serve ]; then
    exec mkdocs serve "${@:2}"
fi
mkdocs build --strict "${@:2}"
echo "documentation: build/site/index.html; for the search, use 'scripts/docs.sh serve'"
