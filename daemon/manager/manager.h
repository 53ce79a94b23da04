/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of daemon/manager: the service as a whole. It makes the parts, hands
 * on from one to the other what they do not know of each other, and answers the
 * methods of org.pinguard.Manager and org.pinguard.Owner from them. What a part
 * can decide by itself is decided there.
 */
#ifndef PINGUARD_MANAGER_DOOR_H
#define PINGUARD_MANAGER_DOOR_H

#include "lib/macros.h"

struct manager;

struct manager_config {
	const char *state_dir; /* NULL for none */
	const char *proc;
	const char *sys;
	const char *probe_socket; /* of the loader of eBPF programs; NULL: without them */
	const char *config_file;
	const char *const *quota_dirs; /* of files that declare quotas; NULL for the usual ones */
	const char *boot_id; /* of this start of the machine; NULL: proc says it */
	int rcvbuf_bytes; /* 0 for the default */
};

/* What the configuration points to must outlive it. Logs its errors. */
int manager_new(const struct manager_config *config, struct manager **ret);
struct manager *manager_free(struct manager *m);
DEFINE_CLEANUP(struct manager *, manager_free);
/* Files that the service manager opened, -1 for none; not closed. */
void manager_set_proc(struct manager *m, int iomem_fd, int kpageflags_fd);
/* Until a signal to stop; 0 or a negative errno. */
int manager_run(struct manager *m);
/* The listening sockets: from the service manager, or one of its own. */
int manager_listen(struct manager *m, int n_fds, const char *path);

#endif
