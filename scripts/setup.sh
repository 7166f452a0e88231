# Sourced by the other scripts: a virtual environment in .venv with the package installed in it.
# Usage: extra=dev; source scripts/setup.sh      (or extra="" for none)
# A current environment is left as it is, so a second run starts at once.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
extra="${extra:-}"
python="${PYTHON:-python3}"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "genrenet needs Python 3.10 or later; found: $("$python" --version 2>&1 || true)." >&2
    echo "Install one, or name it: PYTHON=/path/to/python3.12 $0" >&2
    exit 2
fi
if [ ! -x "$root/.venv/bin/python" ]; then
    "$python" -m venv "$root/.venv" || {
        echo "Python's venv module is missing (Debian and Ubuntu: apt install python3-venv)." >&2
        exit 2
    }
fi
# What the environment was made from: the requirements, and the extras asked for so far.
stamp="$root/.venv/installed${extra:+-$extra}"
wanted="$(cksum < "$root/setup.cfg")"
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "installing genrenet and what it needs into .venv (several GB, some minutes the first time)"
    "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --editable "$root${extra:+[$extra]}"
    echo "$wanted" > "$stamp"
fi
PATH="$root/.venv/bin:$PATH"
export PATH
