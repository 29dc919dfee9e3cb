#!/usr/bin/env bash
# Checks the models with Spin, and that they find the bugs that are seeded in them. Needs spin and a C compiler.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check <model> [seeded bug]: gives Spin's report.
check() {
  local model=$PWD/$1.pml
  (
    cd "$work"
    spin -a ${2:+-D$2} "$model" > spin.log || { cat spin.log >&2; exit 1; }
    cc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=1024 -DNOFAIR -o pan pan.c 2> cc.log || { cat cc.log >&2; exit 1; }
    ./pan -m200000 -n -E
  )
}

sound() {
  local report
  report=$(check "$1")
  if ! grep -q 'errors: 0' <<< "$report" || grep -q 'max search depth too small\|reached -DMEMLIM' <<< "$report"; then
    echo "$report"
    echo "$1: not sound" >&2
    exit 1
  fi
  echo "$1: sound, $(awk '/states, stored/ { print $1 }' <<< "$report" | head -1) states"
}

finds() {
  local report
  report=$(check "$1" "$2")
  if grep -q 'errors: 0' <<< "$report"; then
    echo "$1: does not find the seeded bug $2" >&2
    exit 1
  fi
  echo "$1: finds $2"
}

sound queue
for bug in PUBLISH_FIRST NO_RECHECK NO_TAKEOVER NO_SECOND_LOOK; do finds queue "$bug"; done
