# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel tree in the cache: Debian's source as the git commit "base", the
# series on top of it. Sourced after lib.sh.
# shellcheck shell=bash

series=$top/kernel/patches/$kernel_version
fragment=$top/kernel/config.fragment
debug_fragment=$top/kernel/debug.fragment
kernel=$cache/kernel

# Names of the user who builds and time of the build stay out of the image.
export KBUILD_BUILD_USER=pinguard KBUILD_BUILD_HOST=guest KBUILD_BUILD_TIMESTAMP=@0

kernel_git() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null \
		GIT_AUTHOR_NAME=pinguard GIT_AUTHOR_EMAIL=pinguard@localhost \
		GIT_COMMITTER_NAME=pinguard GIT_COMMITTER_EMAIL=pinguard@localhost \
		git -c gc.auto=0 -c maintenance.auto=false -c advice.detachedHead=false "$@"
}

kernel_source_version() {
	dpkg-query -W -f '${Version}' "$kernel_source" 2>/dev/null ||
		die "$kernel_source is missing, scripts/install-deps installs it"
}

# Sets $tree, made on first use.
kernel_tree() {
	local version
	version=$(kernel_source_version)
	tree=$kernel/tree-$version
	[ ! -d "$tree" ] || return 0
	need git xz
	mkdir -p "$kernel"
	(
		flock 8
		[ -d "$tree" ] || kernel_unpack "$version"
	) 8>"$cache/kernel-tree.lock"
}

kernel_unpack() {
	local version=$1 new=$kernel/new
	rm -rf "$new" "$kernel"/{tree,base,small,build,check}*
	mkdir -p "$new"
	say "unpacking $kernel_source $version, this takes a minute"
	tar -C "$new" --strip-components=1 -xf "$kernel_tarball"
	# Debian's packaging ignores all files, new ones of ours as well.
	sed -i '/^# Debian packaging: ignore/,$d' "$new/.gitignore"
	kernel_git -C "$new" init -q -b main
	# A threshold of one byte makes git write one pack instead of 87,000 files.
	kernel_git -C "$new" -c core.bigFileThreshold=1 -c core.compression=1 add -f -A
	kernel_git -C "$new" commit -q -m "$kernel_source $version"
	kernel_git -C "$new" tag base
	mv "$new" "$tree"
}

# The patches of the series, one a line, in order; none is fine.
kernel_patches() {
	find "$series" -name '*.patch' 2>/dev/null | sort
}

# kernel_patches_of PARTS: those of some parts, such as A-D, by docs/kernel.md.
kernel_patches_of() {
	kernel_patches | grep -F -f <(sed -nE "s/^\| ([0-9]{4}) \| [$1] .*/\/\1-/p" "$top/docs/kernel.md")
}

# Prints the commit of base with the patches that it reads. It is made in a separate
# index, so that a checkout touches only the files that really change.
kernel_series_commit() {
	local index=$kernel/series.index.$$ patch
	(
		export GIT_INDEX_FILE=$index
		kernel_git -C "$tree" read-tree base
		while read -r patch; do
			kernel_git -C "$tree" apply --cached "$patch" ||
				die "${patch##*/} does not apply"
		done
		kernel_git -C "$tree" commit-tree -m series -p base \
			"$(kernel_git -C "$tree" write-tree)"
	)
	rm -f "$index"
}

# kernel_worktree NAME: sets $tree to another checkout of it, made on first use.
kernel_worktree() {
	kernel_git -C "$tree" worktree prune
	[ -d "$kernel/$1" ] || kernel_git -C "$tree" worktree add -q --detach "$kernel/$1" base
	tree=$kernel/$1
}

kernel_checkout() {
	kernel_git -C "$tree" checkout -q --force --detach "$1"
}

# kernel_config DIR [OPTION=VALUE...]: the guest's configuration, for O=DIR.
kernel_config() {
	local dir=$1 extra=$1/extra.config
	shift
	mkdir -p "$dir"
	printf '%s\n' "$@" >"$extra"
	{
		make -s -C "$tree" O="$dir" LOCALVERSION= tinyconfig &&
			(cd "$dir" && "$tree/scripts/kconfig/merge_config.sh" -m -O . .config "$fragment" "$extra") &&
			make -s -C "$tree" O="$dir" LOCALVERSION= olddefconfig
	} >"$dir/config.log" 2>&1 || {
		tail -n 20 "$dir/config.log" >&2
		die "configuring the kernel failed"
	}
	# An option whose dependency is off disappears silently.
	grep -h '^CONFIG_' "$fragment" "$extra" | grep -v '^CONFIG_PINGUARD' |
		grep -vxFf "$dir/.config" >"$dir/lost" || return 0
	die "not possible in this configuration: $(xargs <"$dir/lost")"
}
