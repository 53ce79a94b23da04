/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "daemon/kernel/child.h"

#define CHUNK_BYTES (64U << 10)

struct child {
	struct child_config config;
	pid_t pid; /* 0: it has been waited for, or never was */
	int pidfd, fd;
	sd_event_source *exit, *readable;
	char *text;
	size_t n, size;
};

static _Noreturn void run(const struct child_config *config, int fd)
{
	FILE *out;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Its copies of clients' connections would keep them open. */
	if (dup2(fd, STDIN_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
		_exit(EXIT_FAILURE);
	out = fdopen(STDIN_FILENO, "w");
	if (!out)
		_exit(EXIT_FAILURE);
	config->run(out, config->userdata);
	_exit(fflush(out) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* 0 at its end, 1 where more may come, -E2BIG for too much. */
static int read_text(struct child *c)
{
	ssize_t n;

	do {
		if (c->size - c->n < CHUNK_BYTES) {
			char *text = c->n > c->config.max_bytes ?
					     NULL : realloc(c->text, 2 * c->size + CHUNK_BYTES);

			if (!text)
				return -E2BIG;
			c->text = text;
			c->size = 2 * c->size + CHUNK_BYTES;
		}
		n = read(c->fd, c->text + c->n, CHUNK_BYTES);
		c->n += MAX(n, 0);
	} while (n > 0);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct child *c = userdata;
	int r = read_text(c);

	if (r <= 0)
		c->readable = sd_event_source_disable_unref(c->readable);
	/* Nobody reads more of it: it would wait to say it. */
	if (r < 0)
		child_kill(c);
	return 0;
}

static int on_exit_(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct child *c = userdata;

	(void)waitpid(c->pid, NULL, WNOHANG);
	c->pid = 0;
	c->exit = sd_event_source_disable_unref(c->exit);
	(void)read_text(c);
	c->config.ended(c->text, c->n, c->config.userdata);
	return 0;
}

static int watch(struct child *c, sd_event *event)
{
	int r;

	c->pidfd = syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pidfd < 0)
		return -errno;
	r = sd_event_add_io(event, &c->exit, c->pidfd, EPOLLIN, on_exit_, c);
	if (r >= 0)
		r = sd_event_add_io(event, &c->readable, c->fd, EPOLLIN, on_readable, c);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(c->exit, c->config.description);
	(void)sd_event_source_set_description(c->readable, c->config.description);
	return 0;
}

static int start(struct child *c, sd_event *event)
{
	_cleanup_(closep) int write_fd = -1;
	int fds[2];

	/* The unit's filter of system calls has no pipes. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	c->fd = fds[0];
	write_fd = fds[1];
	/* The child writes at its leisure, the loop reads what is there. */
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		return -errno;
	}
	if (c->pid == 0)
		run(&c->config, write_fd);
	return watch(c, event);
}

int child_start(sd_event *event, const struct child_config *config, struct child **ret)
{
	_cleanup_(child_freep) struct child *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->config = *config;
	c->pidfd = c->fd = -1;
	r = start(c, event);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

const void *child_said(struct child *c, size_t *ret_n)
{
	(void)read_text(c);
	*ret_n = c->n;
	return c->text;
}

void child_kill(struct child *c)
{
	if (c->pid)
		(void)kill(c->pid, SIGKILL);
}

/* One that takes its time to end is reaped after the service. */
struct child *child_free(struct child *c)
{
	if (!c)
		return NULL;
	child_kill(c);
	if (c->pid)
		(void)waitpid(c->pid, NULL, WNOHANG);
	sd_event_source_disable_unref(c->exit);
	sd_event_source_disable_unref(c->readable);
	closep(&c->pidfd);
	closep(&c->fd);
	free(c->text);
	free(c);
	return NULL;
}
