#!/usr/bin/env bash
# Run all checks with other versions than the tested: scripts/test_versions.sh newest|floors [PYTEST OPTIONS]
# They go into an environment of their own (GENRENET_ENV, or a folder that is removed afterwards); PYTHON
# names the interpreter.
set -euo pipefail

versions="${1:-}"
case "$versions" in
    newest | floors) shift ;;
    *)
        sed -n '2,4s/^# //p' "$0" >&2
        exit 2
        ;;
esac
if [ -z "${GENRENET_ENV:-}" ]; then
    GENRENET_ENV="$(mktemp -d)"
    trap 'rm -rf "$GENRENET_ENV"' EXIT
fi
export GENRENET_ENV GENRENET_VERSIONS="$versions"
bash "$(dirname "${BASH_SOURCE[0]}")/test.sh" "$@"
