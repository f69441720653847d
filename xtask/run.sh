#!/bin/sh
# What npm start and npm test call. Rust cannot link xtask, which installs everything else, without a C
# compiler; a bare Debian has none.
set -eu
if ! command -v cc >/dev/null 2>&1; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "error: Rust needs a C compiler: run \`sudo apt-get install gcc libc6-dev\`" >&2
    exit 1
  fi
  echo "  ..  installing a C compiler"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev >/dev/null
fi
exec cargo xtask "$@"
