# Sourced by the scripts beside it: finds a Python, makes the virtual environment and installs the project into it.
#
# Sets `checkout` (the project's folder) and `python` (the interpreter of the environment).
# NODEMCU_BRIDGE_VENV    where the environment is (default: .venv in the checkout)
# NODEMCU_BRIDGE_PYTHON  the Python to make it with (default: the first suitable one found)

set -eu

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
environment=${NODEMCU_BRIDGE_VENV:-$checkout/.venv}
python=$environment/bin/python

# 0: usable; 1: too old or not there; 2: new enough, but it cannot make environments.
suits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || return 1
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 || return 2
}

find_python() {
    without_venv=
    for candidate in ${NODEMCU_BRIDGE_PYTHON:-python3.13 python3.12 python3.11 python3.14 python3 python}; do
        status=0
        suits "$candidate" || status=$?
        if [ "$status" = 0 ]; then
            printf '%s\n' "$candidate"
            return 0
        fi
        [ "$status" = 1 ] || without_venv=${without_venv:-$candidate}
    done
    if [ -n "$without_venv" ]; then
        echo "$without_venv cannot make virtual environments: install its venv module (Debian and Ubuntu: apt install python3-venv)." >&2
    elif [ -n "${NODEMCU_BRIDGE_PYTHON:-}" ]; then
        echo "NODEMCU_BRIDGE_PYTHON=$NODEMCU_BRIDGE_PYTHON is not a Python 3.11 or newer: name another one." >&2
    else
        echo "No Python 3.11 or newer was found: install one, or name it in NODEMCU_BRIDGE_PYTHON." >&2
    fi
    return 1
}

# install [EXTRA]: the project, editable, with an extra. Does nothing when that was done for this pyproject.toml.
install() {
    extra=${1:-}
    wanted=$(cksum <"$checkout/pyproject.toml")" $checkout"
    stamp=$environment/.nodemcu-bridge
    if ! suits "$python"; then
        if [ -d "$environment" ] && [ ! -e "$environment/pyvenv.cfg" ] && [ -n "$(ls -A "$environment")" ]; then
            echo "$environment is a folder with other things in it: name another one in NODEMCU_BRIDGE_VENV." >&2
            exit 1
        fi
        found=$(find_python) || exit 1
        echo "Making a virtual environment in $environment with $("$found" --version) ..." >&2
        if ! "$found" -m venv --clear "$environment"; then
            echo "No virtual environment could be made in $environment: name another folder in NODEMCU_BRIDGE_VENV." >&2
            exit 1
        fi
    fi
    # What was installed with an extra holds all that is needed without it.
    for done_before in "$stamp" "$stamp-test" "$stamp-$extra"; do
        if [ -z "$extra" ] || [ "$done_before" = "$stamp-$extra" ]; then
            [ "$(cat "$done_before" 2>/dev/null)" = "$wanted" ] && return 0
        fi
    done
    echo "Installing nodemcu-bridge${extra:+ and its extra $extra} into $environment ..." >&2
    log=$environment/install.log
    if ! "$python" -m pip --disable-pip-version-check install --quiet --editable "$checkout${extra:+[$extra]}" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "The installation failed: see $log; without a network connection pip cannot fetch what the project needs." >&2
        exit 1
    fi
    printf '%s\n' "$wanted" >"$stamp${extra:+-$extra}"
}
