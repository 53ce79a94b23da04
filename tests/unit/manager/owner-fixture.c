/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <ftw.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/manager/owner-fixture.h"

#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/devices/devices-internal.h"
#include "daemon/kernel/genl-internal.h"
#include "daemon/kernel/source-internal.h"
#include "daemon/manager/internal.h"
#include "daemon/release/internal.h"
#include "daemon/triggers/internal.h"
#include "lib/clock.h"

#define PATIENCE_USEC (60 * 1000000ULL) /* then the test fails, however slow the machine */

uint64_t now_usec(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

uint64_t realtime_usec(void)
{
	return clock_usec(CLOCK_REALTIME);
}

/* What requests take for /proc: the cgroups are the test's, the rest is real. */
static char proc_dir[64];

void process_set_cgroup(pid_t pid, const char *path)
{
	char name[128], target[64];
	FILE *file;

	snprintf(name, sizeof(name), "%s/%d", proc_dir, pid);
	(void)mkdir(name, 0755);
	snprintf(target, sizeof(target), "/proc/%d/stat", pid);
	snprintf(name, sizeof(name), "%s/%d/stat", proc_dir, pid);
	(void)symlink(target, name);
	snprintf(name, sizeof(name), "%s/%d/cgroup", proc_dir, pid);
	file = fopen(name, "w");
	assert_non_null(file);
	fprintf(file, "0::%s\n", path);
	assert_int_equal(fclose(file), 0);
}

static void make_proc(struct manager *m)
{
	strcpy(proc_dir, "/tmp/pinguard-proc-XXXXXX");
	assert_non_null(mkdtemp(proc_dir));
	closep(&m->releases->proc_fd);
	m->releases->proc_fd = open(proc_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(m->releases->proc_fd >= 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

/* Processes that are there, once. */
static void add_to_proc(pid_t pid)
{
	char real[32], name[128];

	snprintf(real, sizeof(real), "/proc/%d", pid);
	snprintf(name, sizeof(name), "%s/%d", proc_dir, pid);
	if (pid > 0 && access(name, F_OK) < 0 && access(real, F_OK) >= 0)
		process_set_cgroup(pid, FIXTURE_CGROUP);
}

static bool at_rest(void *userdata)
{
	struct manager *m = userdata;

	return triggers_n_revokes(m->triggers) == 0;
}

void make_devices(struct manager *m, const char *sys, inventory_source source)
{
	devices_free(m->devices);
	m->devices = calloc(1, sizeof(*m->devices));
	assert_non_null(m->devices);
	m->devices->config = (struct devices_config){
		.sys = sys,
		.source = m->source,
		.at_rest = at_rest,
		.userdata = m,
	};
	assert_int_equal(inventory_new(sys, source, &m->devices->inventory), 0);
	if (m->triggers)
		m->triggers->config.devices = m->devices;
}

static void make_triggers(struct manager *m)
{
	const struct triggers_config config = {
		.registry = m->registry,
		.events = m->events,
		.source = m->source,
		.cgroups = m->cgroups,
		.devices = m->devices,
		.owners = m->owners,
		.releases = m->releases,
		.proc = "/proc",
	};

	assert_int_equal(triggers_new(m->event, &config, &m->triggers), 0);
}

int owner_setup(void **state)
{
	struct manager *m = calloc(1, sizeof(*m));
	struct cgroup_node *root, *node;
	struct rlimit limit;

	assert_non_null(m);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1);
	assert_true(sd_event_new(&m->event) >= 0);
	m->source = calloc(1, sizeof(*m->source));
	assert_non_null(m->source);
	m->cgroups = calloc(1, sizeof(*m->cgroups));
	assert_non_null(m->cgroups);
	m->registry = registry_new();
	m->events = events_new(0);
	assert_int_equal(registry_cgroup_get(m->registry, 1, &root), 0);
	assert_int_equal(registry_cgroup_set(m->registry, root, NULL, "/"), 0);
	assert_int_equal(registry_cgroup_get(m->registry, TEST_CGROUP, &node), 0);
	assert_int_equal(registry_cgroup_set(m->registry, node, root, "/t\n.service"), 0);
	assert_int_equal(openers_new(m->event, "/proc", &m->openers), 0);
	assert_int_equal(makers_new("/proc", NULL, &m->makers), 0);
	assert_int_equal(requests_new(m), 0);
	/* None of this machine's. */
	releases_load_ladders(m->releases, "/nonexistent");
	make_proc(m);
	make_devices(m, "/nonexistent", NULL);
	make_triggers(m);
	assert_int_equal(methods_server_new(m, &m->server), 0);
	*state = m;
	return 0;
}

int owner_teardown(void **state)
{
	manager_free(*state);
	return nftw(proc_dir, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static void send_fds(int socket, const int *fds)
{
	char byte = 0, control[CMSG_SPACE(2 * sizeof(int))] = {};
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, 2 * sizeof(int));
	(void)sendmsg(socket, &msg, MSG_NOSIGNAL);
}

/* Makes a connection for each byte that comes, and hands both ends over. */
static _Noreturn void serve(int control, uid_t uid)
{
	char byte;
	int fds[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (control > 3)
		syscall(SYS_close_range, 3, control - 1, 0);
	syscall(SYS_close_range, control + 1, ~0U, 0);
	if (uid != getuid() && (setgid(uid) < 0 || setuid(uid) < 0))
		_exit(1);
	while (recv(control, &byte, 1, 0) == 1) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
			_exit(1);
		send_fds(control, fds);
		close(fds[0]);
		close(fds[1]);
		/* From here on the test alone has them. */
		(void)send(control, &byte, 1, MSG_NOSIGNAL);
	}
	_exit(0);
}

void make_kernel(struct manager *m, const char *mount)
{
	struct cgroups_config cgroups = { .mount = mount, .registry = m->registry };
	const struct genl_config genl = { .listener = &manager_listener, .userdata = m };
	char *reason = NULL;

	cgroups_free(m->cgroups);
	assert_int_equal(cgroups_new(m->event, &cgroups, &m->cgroups), 0);
	m->cgroups->misc = true;
	m->triggers->config.cgroups = m->cgroups;
	assert_int_equal(genl_new(m->event, &genl, &m->source->genl, &reason), 0);
	registry_end_resync(m->registry, 0);
	m->source->genl->state = GENL_SYNCED;
}

bool process_start_as(struct process *p, uid_t uid)
{
	int fds[2];

	if (uid != getuid() && getuid() != 0)
		return false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0)
		serve(fds[1], uid);
	close(fds[1]);
	p->control = fds[0];
	return true;
}

void process_start(struct process *p)
{
	assert_true(process_start_as(p, getuid()));
}

void process_end(struct process *p)
{
	close(p->control);
	kill(p->pid, SIGKILL);
	assert_int_equal(waitpid(p->pid, NULL, 0), p->pid);
}

bool process_lives(const struct process *p)
{
	siginfo_t info = {};

	assert_int_equal(waitid(P_PID, p->pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid == 0;
}

int client_connect(struct client *c, const struct process *p)
{
	char byte = 0, control[CMSG_SPACE(2 * sizeof(int))] = {};
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fds[2];

	assert_int_equal(send(p->control, &byte, 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recvmsg(p->control, &msg, MSG_CMSG_CLOEXEC), 1);
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fds));
	assert_int_equal(recv(p->control, &byte, 1, 0), 1);
	*c = (struct client){ .fd = fds[0] };
	varlink_reader_init(&c->reader, VARLINK_REPLY_MAX_BYTES);
	return fds[1];
}

void client_open(struct manager *m, struct client *c, const struct process *p)
{
	int fd = client_connect(c, p);

	assert_int_equal(server_add_connection(m->server, fd), 0);
}

void client_close(struct manager *m, struct client *c)
{
	close(c->fd);
	varlink_reader_done(&c->reader);
	pump(m);
}

void client_send(struct client *c, const char *method, bool more, json_t *parameters)
{
	_cleanup_json_ json_t *message =
		json_pack("{s:s, s:b, s:o}", "method", method, "more", more, "parameters",
			  parameters ?: json_object());
	_cleanup_(freep) char *text = json_dumps(message, JSON_COMPACT);
	size_t size = strlen(text) + 1;

	assert_int_equal(send(c->fd, text, size, MSG_NOSIGNAL), size);
}

void pump(struct manager *m)
{
	int r;

	do {
		r = sd_event_run(m->event, 0);
		assert_true(r >= 0);
	} while (r > 0);
}

/* 1 for a message, 0 for none now, -1 at the end */
static int try_read(struct client *c, json_t **ret)
{
	const char *text;
	void *room;
	size_t size;
	ssize_t n;

	for (;;) {
		int r = varlink_reader_next(&c->reader, &text, &size);

		assert_true(r >= 0);
		if (r > 0) {
			assert_int_equal(varlink_parse(text, size, ret), 0);
			return 1;
		}
		assert_int_equal(varlink_reader_reserve(&c->reader, &room, &size), 0);
		n = recv(c->fd, room, size, MSG_DONTWAIT);
		if (n > 0)
			varlink_reader_commit(&c->reader, n);
		else
			return n == 0 || errno == ECONNRESET ? -1 : 0;
	}
}

json_t *client_read(struct manager *m, struct client *c)
{
	uint64_t end = now_usec() + PATIENCE_USEC;
	json_t *message;
	int r;

	pump(m);
	while ((r = try_read(c, &message)) == 0) {
		assert_true(now_usec() < end);
		assert_true(sd_event_run(m->event, 10000) >= 0);
	}
	c->eof = r < 0;
	return r > 0 ? message : NULL;
}

void client_silent(struct manager *m, struct client *c)
{
	json_t *message = NULL;

	pump(m);
	if (try_read(c, &message) != 0)
		fail_msg("unexpected: %s", message ? json_dumps(message, 0) : "the end");
}

static const char *idl_of(const char *name)
{
	return strncmp(name, "org.pinguard.Owner.", 19) == 0 ? idl_org_pinguard_Owner :
								idl_org_pinguard_Manager;
}

json_t *client_reply(struct manager *m, struct client *c, const char *method, bool continues)
{
	_cleanup_json_ json_t *message = client_read(m, c);
	json_t *parameters = json_object_get(message, "parameters");

	assert_non_null(message);
	if (json_object_get(message, "error"))
		fail_msg("%s", json_string_value(json_object_get(message, "error")));
	idl_check_reply(idl_of(method), strrchr(method, '.') + 1, parameters);
	assert_int_equal(json_get_bool(message, "continues", false), continues);
	return json_incref(parameters);
}

void client_error(struct manager *m, struct client *c, const char *error)
{
	_cleanup_json_ json_t *message = client_read(m, c);

	assert_non_null(message);
	assert_string_equal(json_get_string(message, "error", "(a reply)"), error);
	if (strncmp(error, "org.pinguard.", 13) == 0)
		idl_check_error(idl_of(error), strrchr(error, '.') + 1,
				json_object_get(message, "parameters"));
}

void owner_register(struct manager *m, struct client *c, const struct process *p)
{
	_cleanup_json_ json_t *reply = NULL;

	client_open(m, c, p);
	client_send(c, OWNER("Register"), true, NULL);
	reply = client_reply(m, c, OWNER("Register"), true);
	assert_true(json_is_null(json_object_get(reply, "request")));
	assert_true(json_is_null(json_object_get(reply, "withdrawn")));
}

json_t *owner_request(struct manager *m, struct client *c, char token[static 64])
{
	_cleanup_json_ json_t *reply = client_reply(m, c, OWNER("Register"), true);
	json_t *request = json_object_get(reply, "request");

	assert_true(json_is_object(request));
	snprintf(token, 64, "%s", json_get_string(request, "token", ""));
	assert_int_equal(strlen(token), 32);
	return json_incref(request);
}

void owner_complete(struct manager *m, const struct process *p, const char *token,
		    const char *result, const char *error)
{
	_cleanup_json_ json_t *reply = NULL;
	struct client c;

	client_open(m, &c, p);
	client_send(&c, OWNER("Complete"), false,
		    json_pack("{s:s, s:s, s:s}", "token", token, "result", result, "reason",
			      "be\033cause"));
	if (error)
		client_error(m, &c, error);
	else
		reply = client_reply(m, &c, OWNER("Complete"), false);
	client_close(m, &c);
}

void pin_add_since(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes, uint64_t since_usec,
		   uint32_t flags)
{
	struct pin_info info = {
		.id = id,
		.cgroup_id = TEST_CGROUP,
		.charged_cgroup_id = TEST_CGROUP,
		.address = 0x1000 * id,
		.bytes = bytes,
		.since_usec = since_usec,
		.kind = PINGUARD_KIND_RDMA,
		.tgid = pid,
		.uid = USER_UID,
		.flags = flags,
		.comm_len = 4,
		.comm = "t\n\xff!",
		.device = "rxe0",
	};

	add_to_proc(pid);
	assert_int_equal(registry_upsert(m->registry, &info), 0);
}

void pin_add(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes)
{
	pin_add_since(m, id, pid, bytes, realtime_usec(), 0);
}

void pin_remove(struct manager *m, uint64_t id)
{
	assert_int_equal(registry_remove(m->registry, id), 0);
	releases_unpinned(m->releases, id);
}
