# Sourced by the other scripts: a virtual environment with the package installed in it.
# Usage: extra=dev; source scripts/setup.sh      (extra="train,web" for two, extra="" for none)
# The environment heeds these:
#   PYTHON              the interpreter (python3)
#   GENRENET_ENV        the folder of the virtual environment (.venv); made where there is none
#   GENRENET_VERSIONS   tested: those of constraints.txt (the default); newest: the newest that setup.cfg
#                       allows; floors: the oldest that it allows
# A current environment is left as it is, so a second run starts at once.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
extra="${extra:-}"
python="${PYTHON:-python3}"
venv="${GENRENET_ENV:-$root/.venv}"
[ "${venv#/}" != "$venv" ] || venv="$PWD/$venv"
versions="${GENRENET_VERSIONS:-tested}"

case "$versions" in
    tested) constraints="$root/constraints.txt" ;;
    newest) constraints=/dev/null ;;
    floors) constraints="$venv/floors.txt" ;;
    *)
        echo "GENRENET_VERSIONS: found '$versions', wanted tested, newest or floors" >&2
        exit 2
        ;;
esac
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "genrenet needs Python 3.10 or later; found: $("$python" --version 2>&1 || true)." >&2
    echo "Install one, or name it: PYTHON=/path/to/python3.12 $0" >&2
    exit 2
fi
# An interrupted or failed start leaves an interpreter without pip.
if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    if [ ! -f "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv" 2>/dev/null)" ]; then
        echo "'$venv' holds other things than a virtual environment; name another folder: GENRENET_ENV" >&2
        exit 2
    fi
    "$python" -m venv --clear "$venv" || {
        echo "Python's venv module is missing (Debian and Ubuntu: apt install python3-venv)." >&2
        exit 2
    }
fi
# What the environment was made from: the requirements, the versions, the place of the code, and the
# extras asked for so far.
stamp="$venv/installed${extra:+-$extra}"
wanted="$(cat "$root/setup.cfg" "$root/constraints.txt" - <<< "$versions $root" | cksum)"
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    other="$(cat "$venv/installed-from" 2>/dev/null || true)"
    if [ -n "$other" ] && [ "$other" != "$root" ]; then
        echo "'$venv' ran the copy in '$other'; from now on it runs the one in '$root'" >&2
    fi
    echo "installing genrenet and what it needs into $venv (several GB, some minutes the first time)"
    pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
    if [ "$versions" = floors ]; then
        "${pip[@]}" uv
        extras=()
        for one in ${extra//,/ }; do extras+=(--extra "$one"); done
        "$venv/bin/uv" pip compile --quiet --no-config --python "$venv/bin/python" --resolution lowest-direct \
            "${extras[@]}" --no-header --no-annotate --output-file "$constraints" "$root/setup.cfg"
    fi
    "${pip[@]}" --constraint "$constraints" --editable "$root${extra:+[$extra]}"
    echo "$root" > "$venv/installed-from"
    echo "$wanted" > "$stamp"
fi
PATH="$venv/bin:$PATH"
export PATH
