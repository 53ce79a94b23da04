/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of actions alone. */
#ifndef PINGUARD_LADDER_INTERNAL_H
#define PINGUARD_LADDER_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "daemon/ladder/action.h"

#define SYSTEMD_NAME	"org.freedesktop.systemd1"
#define SYSTEMD_PATH	"/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT_PATH_PREFIX SYSTEMD_PATH "/unit"

/* Actions under way at a time; one more ends with -EBUSY. */
#define ACTIONS_MAX 256
/* What a hook gets on its standard input; more ends with -E2BIG. */
#define ACTION_INPUT_BYTES (16U << 20)

struct actions {
	sd_event *event;
	int proc_fd; /* of /proc; -1 where there is none */
	int cgroup_fd; /* of cgroup2; likewise */
	sd_bus *bus;
	sd_bus_slot *connected, *disconnected, *renamed;
	struct action *list;
	unsigned int n;
};

struct action {
	struct actions *actions;
	struct action *prev, *next;
	action_done done;
	void *userdata;
	bool over;
	int error;
	char *text;
	sd_event_source *source; /* of what is waited for, then of telling the end */
	int pidfd;
	pid_t pid;
	bool on_bus;	   /* waits for systemd */
	sd_bus_message *unsent; /* until the bus is connected */
	sd_bus_message_handler_t on_reply;
	sd_bus_slot *call; /* that is not answered */
	sd_bus_slot *match;
	char *unit, *job;
	char *selected; /* NULL: the process */
	char *systemd; /* unique name of who took the job: anybody can send signals */
	bool is_hook; /* the unit is ours */
};

int action_new(struct actions *actions, action_done done, void *userdata, struct action **ret);
/* Have @done called from the loop, with the first error and text that come here. */
void action_finish(struct action *a, int error, const char *format, ...) _printf_(3, 4);
/* The same for a call that systemd answered with an error. */
void action_finish_bus(struct action *a, int error, const char *what, sd_bus_message *reply);

/* 0, or why the bus cannot be reached. It is connected while it is used. */
int actions_bus(struct actions *actions, sd_bus **ret);

/*
 * action_call() - send a call, now or when the bus is connected
 *
 * sd-bus waits for the connection where a message holds a descriptor; this does not.
 */
int action_call(struct action *a, sd_bus_message *m, sd_bus_message_handler_t on_reply);
/*
 * Take the reply's job, and who gave it: its signals alone count. Where it has none
 * the action is over, with @error and @what for an error of systemd's.
 */
void action_take_job(struct action *a, sd_bus_message *reply, int error, const char *what);
bool action_is_systemd(const struct action *a, sd_bus_message *signal);

/*
 * action_process() - take a process for an action's
 *
 * Return: whether the action goes on; if not, action_finish() has been called,
 * as for PID 1, for what this kind of action leaves alone, or for one that is gone.
 */
bool action_process(struct action *a, int pidfd, const char *(*protected)(const char *unit));
bool pidfd_is_alive(int pidfd);

/* Why the unit of a cgroup is not to be stopped, escaped; NULL where it may be. -ENOMEM */
int stop_refused(struct actions *actions, const char *cgroup, const char *selected,
		 unsigned int *ret_looked, char **ret);
/* Whether a process is killed together with the cgroup that was selected. */
bool kill_takes_cgroup(struct actions *actions, const char *cgroup, const char *selected);

#endif
