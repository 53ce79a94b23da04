# SPDX-License-Identifier: GPL-2.0-or-later
# Shell functions that the scripts share. The sourcing script sets $top, the
# root of the checkout.
# shellcheck shell=bash

me=${0##*/}
cache=${PINGUARD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pinguard}
readonly kernel_version=6.12
readonly kernel_source=linux-source-$kernel_version
readonly kernel_tarball=/usr/src/$kernel_source.tar.xz
export LC_ALL=C.UTF-8
shopt -s inherit_errexit

say() {
	printf '%s: %s\n' "$me" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

usage_error() {
	say "$*"
	say "try '$me --help'"
	exit 2
}

# need COMMAND...: end with a hint if one of them is missing.
need() {
	local command
	for command; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null ||
			die "$command is missing, scripts/install-deps installs it"
	done
}

# Hash of standard input, short enough for a file name.
hash() {
	sha256sum | cut -c1-16
}

# lock NAME: wait for, then hold, one lock of the cache until unlock or exit.
lock() {
	mkdir -p "$cache"
	exec 9>"$cache/$1.lock"
	flock -n 9 && return
	say "waiting for another run that uses $1"
	flock 9
}

unlock() {
	exec 9>&-
}

# progress TITLE LOG TOTAL PATTERN COMMAND...: run COMMAND with its output in
# LOG and say every few seconds how many of its lines match PATTERN, of about
# TOTAL, as long as that may be true. Shows the end of LOG if the command fails.
progress() {
	local title=$1 log=$2 total=$3 pattern=$4 pid count last=0 tick=0 share
	shift 4
	say "$title"
	"$@" >"$log" 2>&1 9>&- &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		[ $((++tick % 10)) -eq 0 ] || continue
		count=$(grep -c "$pattern" "$log" || true)
		[ "$count" -gt "$last" ] || continue
		last=$count
		share=" of about $total ($((count * 100 / total)) %)"
		[ "$count" -lt "$total" ] || share=''
		say "$title: $count$share"
	done
	wait "$pid" || {
		tail -n 40 "$log" >&2
		die "$title failed, the whole log is in $log"
	}
}
