#!/usr/bin/env bash
# environment.sh FOLDER REQUIREMENT...: a virtual environment in FOLDER with these packages, made where it is missing.
# PYTHON names the Python that makes it. Packages come from pip's own registry settings.
set -euo pipefail
folder=$1
shift
python=$folder/bin/python
[ -x "$python" ] || "${PYTHON:-python3}" -m venv "$folder"

if ! command -v uv >/dev/null; then
    "$python" -m pip install --quiet --disable-pip-version-check uv 2>/dev/null || true
    PATH=$folder/bin:$PATH
fi
if command -v uv >/dev/null; then
    # uv is quicker, but reads none of pip's settings
    setting() { "$python" -m pip config get "global.$1" 2>/dev/null || true; }
    export UV_EXTRA_INDEX_URL=${UV_EXTRA_INDEX_URL:-$(setting extra-index-url)}
    export UV_FIND_LINKS=${UV_FIND_LINKS:-$(setting find-links)}
    export UV_INDEX_STRATEGY=${UV_INDEX_STRATEGY:-unsafe-best-match}
    uv pip install --quiet --python "$python" "$@"
else
    "$python" -m pip install --quiet --disable-pip-version-check "$@"
fi
