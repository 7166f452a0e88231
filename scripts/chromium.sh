# Sourced by the tests' script: a browser for the tests of the web page, which skip where there is none.
# Only where the system's packages are ours to install (root, apt) is one installed. Where CI is set, a
# browser that cannot be installed is a failure.

has_chromium() {
    [ -n "${CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null
}
install_chromium() {
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
}
if ! has_chromium && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Chromium for the tests of the web page"
    install_chromium >/dev/null || echo "Chromium could not be installed" >&2
fi
if ! has_chromium; then
    echo "no Chromium: install it, or name it (CHROMIUM=PATH); without one the tests of the web page are skipped" >&2
    [ -z "${CI:-}" ] || exit 1
fi
