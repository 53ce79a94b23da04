# SPDX-License-Identifier: GPL-2.0-or-later
# The parts of tests/vm/run: what goes into the guest, its machine, and how it
# ends. Uses the variables that tests/vm/run sets.
# shellcheck shell=bash disable=SC2154

# How long a guest may take to reach SCRIPT; 20 s are usual, five minutes
# with the debug kernel. One thread for both processors takes longer.
boot_timeout() {
	local seconds=600
	[ "$variant" != debug ] || seconds=1800
	[ -z "$icount" ] || seconds=$((seconds * 3))
	echo "$seconds"
}

# How long it may take from SCRIPT's end to the machine's; a second is usual.
end_timeout=120

# Builds the checkout in the cache and installs it into $work/payload.
install_project() {
	local dest=$work/payload/usr/lib/pinguard-vm
	project_lock
	project_build objects all vm-programs || exit 1
	make -s -C "$project/objects" install DESTDIR="$work/payload" >"$work/install.log" 2>&1 9>&- || {
		cat "$work/install.log" >&2
		die "installing pinguard failed"
	}
	mkdir -p "$dest"
	cp "$top"/tests/vm/guest/* "$dest/"
	find "$top/daemon" -name '*.varlink' -exec cp -t "$dest" {} +
	cp "$top"/docs/examples/*.py "$dest/"
	find "$project"/objects/{tests/vm,tests/bench,docs/examples} -maxdepth 1 -type f -perm /111 -exec cp -t "$dest" {} +
	unlock
}

# Makes $work/payload.tar, which the guest unpacks over its root file system.
payload() {
	local copy file dest dir=$work/payload
	mkdir -p "$dir/root" "$dir/etc" "$dir/usr/lib/systemd/system"
	install_project
	mv "$dir"/usr/lib/pinguard-vm/*.service "$dir/usr/lib/systemd/system/"
	tr -d - </proc/sys/kernel/random/uuid >"$dir/etc/machine-id"
	for copy in "${copies[@]}"; do
		file=${copy%%:*} dest=/root/
		[ "$file" = "$copy" ] || dest=${copy#*:}
		[[ $dest == /* ]] || dest=/root/$dest
		[[ $dest == */ ]] || mkdir -p "$dir${dest%/*}"
		[[ $dest != */ ]] || mkdir -p "$dir$dest"
		cp -rL --preserve=mode "$file" "$dir$dest"
	done
	if [ -n "$script" ]; then
		cp -L --preserve=mode "$script" "$dir/root/"
		chmod +x "$dir/root/${script##*/}"
		ln -s "/root/${script##*/}" "$dir/usr/lib/pinguard-vm/script"
	fi
	if [ -n "$shell" ]; then
		stty size 2>/dev/null >"$dir/usr/lib/pinguard-vm/shell" || echo 24 80 >"$dir/usr/lib/pinguard-vm/shell"
	fi
	tar -C "$dir" --owner=0 --group=0 -cf "$work/payload.tar" .
	rm -rf "$dir"
}

# The machine: an IOMMU with two devices to give to VFIO, an NVDIMM, and a
# DIMM that is hot-added memory to the kernel, as node 1. Six slots are free.
machine=(
	-M q35,nvdimm=on,kernel-irqchip=split -smp 2 -m 2G,slots=8,maxmem=8G
	-object memory-backend-ram,id=m0,size=2G -numa node,nodeid=0,memdev=m0,cpus=0-1
	-numa node,nodeid=1
	-object memory-backend-ram,id=m1,size=512M -device pc-dimm,memdev=m1,node=1
	-device intel-iommu,intremap=on -device edu -nic none -device e1000e
	-display none -monitor none -no-reboot -nodefaults
)

# acceleration: prints tcg, or kvm if this kernel has booted with it here.
acceleration() {
	local known log=$work/probe.log
	[ -z "$icount" ] || { echo tcg && return; }
	if [ -n "${PINGUARD_VM_ACCEL-}" ]; then
		echo "$PINGUARD_VM_ACCEL"
		return
	fi
	[ -w /dev/kvm ] || { echo tcg && return; }
	known=$cache/probe/$({ echo "$image" && uname -rv && qemu-system-x86_64 --version &&
		grep -m1 'model name' /proc/cpuinfo; } | hash)
	if [ ! -e "$known" ]; then
		mkdir -p "${known%/*}"
		timeout -s KILL 15 qemu-system-x86_64 -accel kvm -cpu host "${machine[@]}" \
			-serial "file:$log" -kernel "$image" ${initrd:+-initrd "$initrd"} \
			-drive "file=$root,if=virtio,format=raw,snapshot=on" \
			-append "console=ttyS0 no_timer_check quiet panic=-1 root=/dev/vda init=/bin/echo -- booted-with-kvm" \
			>/dev/null 2>&1 </dev/null || true
		if grep -qs booted-with-kvm "$log"; then echo kvm; else echo tcg; fi >"$known"
	fi
	cat "$known"
}

# Hot-added memory has its memory map in itself, and a memory section in RAM is
# shared with legacy persistent memory.
memory_parameters="memhp_default_state=online_kernel memory_hotplug.memmap_on_memory=Y memmap=32M!1600M"

# The simulated vDPA device is one that reads memory by itself, not through its user.
device_parameters="vdpa_sim.use_va=0"

# What a test asks for when it needs it would make each boot slow.
test_parameters="pinguard_once.acts=200"

# Starts QEMU as $qemu. The guest reaches its own machine's QMP at port 5.
boot() {
	local cpu=(-accel "tcg,thread=multi" -cpu max) console=(-device virtserialport,nr=4,id=unused)
	# So slow that a service may need more than 90 s to start.
	[ "$variant" != debug ] || test_parameters+=" sysctl.kernel.lock_stat=0 systemd.default_timeout_start_sec=900"
	[ "$accel" != kvm ] || cpu=(-accel kvm -cpu host)
	[ -z "$icount" ] || cpu=(-accel "tcg,thread=single" -icount shift=0 -cpu max)
	# The label area is cut from the file, the rest must be a multiple of 16 MiB.
	truncate -s $((256 * 1024 + 128))K "$work/nvdimm"
	mkfifo "$work/output"
	touch "$work/status" "$work/kernel.log"
	cat "$work/output" &
	output=$!
	if [ -n "$shell" ]; then
		console=(-chardev "stdio,id=shell,signal=off" -device "virtconsole,chardev=shell,nr=4")
		exec 4<&0
	else
		exec 4</dev/null
	fi
	qemu-system-x86_64 "${cpu[@]}" "${machine[@]}" \
		-object "memory-backend-file,id=nv,share=on,mem-path=$work/nvdimm,size=$((256 * 1024 + 128))K" \
		-device nvdimm,memdev=nv,label-size=128K \
		-kernel "$image" ${initrd:+-initrd "$initrd"} -serial "file:$work/console.log" \
		-drive "file=$root,if=virtio,format=raw,snapshot=on" \
		-drive "file=$work/payload.tar,if=virtio,format=raw,readonly=on" \
		-device virtio-serial-pci \
		-chardev "file,id=output,path=$work/output" -device virtserialport,chardev=output,nr=1 \
		-chardev "file,id=status,path=$work/status" -device virtserialport,chardev=status,nr=2 \
		-chardev "file,id=klog,path=$work/kernel.log" -device virtserialport,chardev=klog,nr=3 \
		-chardev "socket,id=qmp,path=$work/qmp,server=on,wait=off" -mon chardev=qmp,mode=control \
		-chardev "socket,id=machine,path=$work/qmp" -device virtserialport,chardev=machine,nr=5 \
		"${console[@]}" \
		-append "console=ttyS0 no_timer_check loglevel=5 printk.time=1 log_buf_len=8M panic=-1 oops=panic root=/dev/vda rw intel_iommu=on $memory_parameters $device_parameters $test_parameters systemd.show_status=no init=/bin/sh -- -c \"tar -C / --keep-directory-symlink -xf /dev/vdb; exec /bin/sh /usr/lib/pinguard-vm/init\"" \
		"${qemu_arguments[@]}" <&4 9>&- 2>"$work/qemu.log" &
	qemu=$!
}

# Waits for the guest's end; the status is SCRIPT's, or what tests/vm/run says
# of a guest that did not end well.
follow() {
	local start=$SECONDS limit begun='' ended='' result='' late=''
	limit=$(boot_timeout)
	while kill -0 "$qemu" 2>/dev/null; do
		if [ -z "$begun" ] && grep -q '^begin$' "$work/status"; then
			begun=1 start=$SECONDS limit=$timeout
			[ -z "$shell" ] || limit=$((1 << 30))
		fi
		if [ -z "$ended" ] && grep -q '^exit ' "$work/status"; then
			ended=1 start=$SECONDS limit=$end_timeout
		fi
		if [ $((SECONDS - start)) -ge "$limit" ]; then
			late=1
			kill "$qemu"
			break
		fi
		sleep 0.2
	done
	wait "$qemu" 2>/dev/null || true
	qemu=
	wait "$output" || true
	result=$(sed -n 's/^exit \([0-9]*\)$/\1/p' "$work/status")
	[ -z "$result" ] || [ -n "$late" ] || return "$result"
	! grep -q '^begin$' "$work/status" || begun=1
	cat "$work/qemu.log" >&2
	say "the end of the guest's console:"
	tail -n 50 "$work/console.log" >&2 || true
	if [ -n "$result" ]; then
		say "the guest did not end in $end_timeout s after $script"
		return 125
	fi
	if [ -n "$late" ] && [ -n "$begun" ]; then
		say "$script ran out of time ($timeout s)"
		return 124
	fi
	if [ -n "$begun" ]; then
		say "the guest died while $script was running"
	elif [ -n "$late" ]; then
		say "the guest did not reach $script in $(boot_timeout) s"
	else
		say "the guest died before it reached $script"
	fi
	return 125
}

# What a kernel message starts with if the kernel found a fault of its own.
faults='WARNING: |BUG: |BUG kmalloc|kernel BUG at|INFO: |KASAN|KCSAN|KFENCE|UBSAN|Oops|Call Trace:|'
faults+='-+\[ cut here|Kernel panic|general protection|invalid opcode|stack segment|refcount_t: |'
faults+='list_(add|del)|watchdog: |rcu: .*(stall|starved)|DEBUG_LOCKS|Bad (page|rss)|unreferenced object|'
faults+='page:[0-9a-f]+ refcount|Unbalanced|sysfs: cannot create duplicate|kobject:.*(error|tried)|unregister_netdevice: waiting'

# A line of the console may have a terminal's control sequence before it.
# "INFO: " starts reports of hung tasks, stalls and lockdep, but also a few
# harmless lines.
kernel_log_clean() {
	local found
	found=$(cat "$work/console.log" "$work/kernel.log" |
		grep -aE "\[ *[0-9]+\.[0-9]+\]( *[[CT][0-9]+\])? *($faults)" | sort -u) || return 0
	say "the guest's kernel log holds:"
	printf '%s\n' "$found" | head -n 40 >&2
	return 1
}

# Of a week; two guests may fail at once.
keep_logs() {
	local dir
	mkdir -p "$cache/failed"
	find "$cache/failed" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +
	dir=$(mktemp -d "$cache/failed/$(date +%F-%H%M%S)-$variant.XXX")
	cp "$work/console.log" "$work/kernel.log" "$work/qemu.log" "$dir/" 2>/dev/null || true
	say "the guest's logs are in $dir"
}
