set -e
cd /tmp/wt/q-build
nice -n 19 make -j1 check-programs >/tmp/wt/q-mk.log 2>&1 || { grep -E "error|warning: " /tmp/wt/q-mk.log | head; }
