/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>

#include "daemon/kernel/makers.h"
#include "daemon/kernel/procfs.h"
#include "lib/clock.h"

/* A process that has a maker's number now. */
struct maker {
	uint32_t tgid;
	uint64_t seen_usec; /* CLOCK_MONOTONIC; 0: never */
	bool missing;
	uint64_t born_usec; /* CLOCK_REALTIME; 0: not known */
	bool other; /* the kernel says that pins from before that are not its own */
};

struct makers {
	int proc_fd;
	struct genl *genl;
	struct maker seen[MAKERS_KEPT];
};

int makers_new(const char *proc, struct genl *genl, struct makers **ret)
{
	struct makers *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->genl = genl;
	/* Without it nothing is known but what the kernel said. */
	m->proc_fd = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*ret = m;
	return 0;
}

struct makers *makers_free(struct makers *m)
{
	if (m)
		closep(&m->proc_fd);
	free(m);
	return NULL;
}

static struct maker *look(struct makers *m, uint32_t tgid, uint64_t now)
{
	struct maker *maker = &m->seen[tgid % MAKERS_KEPT];
	uint64_t since_boot_usec;
	int r;

	if (maker->tgid == tgid && maker->seen_usec && now - maker->seen_usec <= MAKERS_KEPT_USEC)
		return maker;
	*maker = (struct maker){ .tgid = tgid, .seen_usec = now };
	r = procfs_read_start(m->proc_fd, tgid, &since_boot_usec);
	maker->missing = r == -ENOENT || r == -ESRCH;
	if (r >= 0)
		maker->born_usec = clock_usec(CLOCK_REALTIME) - clock_usec(CLOCK_BOOTTIME) +
				   since_boot_usec;
	return maker;
}

/* A clock that was set makes a pin seem older than its maker: the kernel knows. */
static bool is_anothers(struct makers *m, struct maker *maker, const struct pin *pin)
{
	struct pin_info info;

	if (!maker->born_usec || !pin->since_usec ||
	    pin->since_usec + PROCFS_BORN_TOLERANCE_USEC >= maker->born_usec)
		return false;
	if (!maker->other)
		maker->other = m->genl && genl_get_pin(m->genl, pin->id, &info) >= 0 &&
			       info.flags & PINGUARD_FLAG_OWNER_GONE;
	return maker->other;
}

void makers_check(struct makers *m, struct pin *pin, uint64_t now_usec)
{
	const uint32_t tgid = pin->origin->tgid;
	struct maker *maker;

	if (!m || m->proc_fd < 0 || tgid == 0 || pin->flags & PINGUARD_FLAG_OWNER_GONE)
		return;
	maker = look(m, tgid, now_usec);
	if (maker->missing || is_anothers(m, maker, pin))
		pin->flags |= PINGUARD_FLAG_OWNER_GONE;
}
