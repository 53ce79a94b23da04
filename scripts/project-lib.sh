# SPDX-License-Identifier: GPL-2.0-or-later
# Builds of the checkout in the cache. Sourced after lib.sh.
# shellcheck shell=bash

project=$cache/build/$(echo "$top" | hash)

# Other checkouts may be built at the same time.
project_lock() {
	lock "build-${project##*/}"
}

# project_build NAME TARGET... [-- CONFIGURE-ARGUMENT...]: make the targets in
# $project/NAME, silently unless they fail. Call it under project_lock. One after
# another: "all" is a make of its own, and both would make the libraries.
project_build() {
	local dir=$project/$1 log=$project/$1.log target targets=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		targets+=("$1")
		shift
	done
	mkdir -p "$project/source" "$dir"
	# A copy: the checkout itself may be configured, which forbids builds
	# outside it.
	rsync -a --delete --exclude=.git --filter=':- .gitignore' "$top/" "$project/source/"
	if ! (
		[ -e "$project/source/configure" ] || (cd "$project/source" && autoreconf -fi)
		[ -e "$dir/Makefile" ] || (cd "$dir" && "$project/source/configure" --prefix=/usr \
			--sysconfdir=/etc --localstatedir=/var "${@:2}")
		for target in "${targets[@]}"; do
			make -C "$dir" -j"$(nproc)" "$target" || exit
		done
	) >"$log" 2>&1 9>&-; then
		tail -n 30 "$log" >&2
		say "building pinguard failed, the whole log is in $log"
		return 1
	fi
}
