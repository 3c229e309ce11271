#!/usr/bin/env bash
# run.sh TASK [ARGS...]: what every npm script calls. Installs the locked modules when they are missing or stale, then
# runs hack/TASK.ts on the Node that the lock file pins (the machine's own Node only has to run npm).
set -euo pipefail
cd "$(dirname "$0")/.."
stamp=node_modules/.sluice-lock
installed() { cmp -s package-lock.json "$stamp" && [ -x node_modules/.bin/node ]; }
install() {
  rm -f "$stamp" # an install that breaks off is none
  echo "installing node modules (about 20 s the first time)" >&2
  # Not `npm ci`: it refuses a lock file without the packages of foreign platforms, which some registries do not carry.
  # --no-save takes the locked versions and writes to no file.
  npm install --no-save --no-fund --no-audit --loglevel=error >&2 9<&-
  cp package-lock.json "$stamp"
}
if ! installed; then
  exec 9<package.json
  # Two first runs at once take turns, where there is flock (util-linux); the second finds all done.
  if command -v flock >/dev/null; then flock 9; fi
  if ! installed; then install; fi
  exec 9<&-
fi
export PATH="$PWD/node_modules/.bin:$PATH"
task=$1
shift
exec node_modules/.bin/node "hack/$task.ts" "$@"
