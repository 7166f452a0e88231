# Sourced by the tests' script: a browser for the tests of the web page, which skip where there is none.
# Only where the system's packages are ours to install (root, apt) is one installed.

has_chromium() {
    [ -n "${CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null
}
if ! has_chromium && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Chromium for the tests of the web page"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
        >/dev/null || true
fi
if ! has_chromium; then
    echo "no Chromium: the tests of the web page in a browser are skipped (install chromium, or name it: CHROMIUM=PATH)"
fi
