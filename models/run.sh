#!/usr/bin/env bash
# Checks the models with Spin, and that they find the bugs that are seeded in them. Needs spin and a C compiler.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check <model> [-D...]: gives Spin's report. States are kept as hashes of 8 bytes.
check() {
  local model=$PWD/$1.pml dir
  dir=$(mktemp -d -p "$work")
  (
    cd "$dir"
    spin -a "${@:2}" "$model" > spin.log || { cat spin.log >&2; exit 1; }
    cc -O2 -DSAFETY -DHC4 -DMEMLIM=1500 -o pan pan.c 2> cc.log || { cat cc.log >&2; exit 1; }
    ./pan -m100000 -w24 -E
  )
}

sound() {
  local report
  report=$(check "$@")
  if ! grep -q 'errors: 0' <<< "$report" || grep -q 'max search depth too small\|Search not completed' <<< "$report"; then
    echo "$report"
    echo "$*: not sound" >&2
    return 1
  fi
  echo "$*: sound, $(awk '/states, stored/ { print $1; exit }' <<< "$report") states"
}

finds() {
  local report
  report=$(check "$@")
  if grep -q 'errors: 0' <<< "$report"; then
    echo "$*: the seeded bug is not found" >&2
    return 1
  fi
  echo "$*: found"
}

# A producer, a consumer: the others of each kind are alike. A death may come when all is done, so no death is among these.
sound queue -DVICTIM=1 &
one=$!
sound queue -DVICTIM=3 &
other=$!
wait $one
wait $other
finds queue -DVICTIM=1 -DPUBLISH_FIRST
finds queue -DVICTIM=1 -DNO_RECHECK
finds queue -DVICTIM=1 -DNO_TAKEOVER
finds queue -DVICTIM=3 -DNO_SECOND_LOOK
finds queue -DVICTIM=1 -DOLD_MARK

for board in SWAP OFFSET; do sound board -D$board -DAGAIN; done
sound board -DWORDS
finds board -DSWAP -DNO_SWAP
finds board -DOFFSET -DNO_BARRIER
finds board -DOFFSET -DLOOK_ONLY
for bug in LATE_VERDICT VERDICT_FIRST READ_FIRST AGAIN; do finds board -DWORDS -D$bug; done
