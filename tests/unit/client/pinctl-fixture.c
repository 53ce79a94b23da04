/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/client/pinctl-fixture.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

char output[65536];

static pid_t server_pid;
static char socket_name[64];

/* --- the server --- */

json_t *parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	if (!json)
		_exit(1);
	return json;
}

static void serve(const struct method *methods, int ready)
{
	static const struct server_interface interfaces[] = { { "org.pinguard.Manager", "" }, {} };
	struct server_config config = {
		.vendor = "", .product = "", .version = "", .url = "",
		.interfaces = interfaces, .methods = methods,
		.error_interface = "org.pinguard.Manager",
		.admin_gid = PEER_GID_NONE, .view_gid = PEER_GID_NONE,
	};
	struct server *server;
	sd_event *event;

	if (sd_event_new(&event) < 0 || server_new(event, &config, &server) < 0 ||
	    server_listen_path(server, socket_name) < 0 || write(ready, "r", 1) != 1)
		_exit(1);
	_exit(sd_event_loop(event) < 0);
}

int pinctl_start_server(const struct method *methods)
{
	int ready[2];
	char c;

	snprintf(socket_name, sizeof(socket_name), "@test-pinctl-%d", (int)getpid());
	setenv("PINGUARD_SOCKET", socket_name, 1);
	if (pipe(ready) < 0)
		return -1;
	server_pid = fork();
	if (server_pid == 0)
		serve(methods, ready[1]);
	close(ready[1]);
	return read(ready[0], &c, 1) == 1 ? close(ready[0]) : -1;
}

int pinctl_stop_server(void **state)
{
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	return 0;
}

/* --- pinctl --- */

static const char *program(void)
{
	const char *pinctl = getenv("PINCTL");

	return pinctl ? pinctl : "./pinctl";
}

int run(const char *arguments)
{
	char command[1024];
	size_t size;
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command), "exec 2>&1; %s %s", program(), arguments);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	size = fread(output, 1, sizeof(output) - 1, pipe);
	output[size] = '\0';
	status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void expect(const char *arguments, int status, const char *const *parts)
{
	const char *at = output;

	if (run(arguments) != status)
		fail_msg("pinctl %s: not status %d:\n%s", arguments, status, output);
	/* in this order */
	for (; *parts; parts++) {
		at = strstr(at, *parts);
		if (!at)
			fail_msg("pinctl %s: no \"%s\" in:\n%s", arguments, *parts, output);
		at += strlen(*parts);
	}
}

/* In a child that is to become pinctl. */
static void exec_pinctl(const char *arguments)
{
	char command[1024];

	snprintf(command, sizeof(command), "exec %s %s", program(), arguments);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

pid_t pinctl_fork(int *ret_fd)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	*output = '\0';
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		return 0;
	}
	assert_true(pid > 0);
	close(fds[1]);
	*ret_fd = fds[0];
	return pid;
}

pid_t pinctl_start(const char *arguments, int *ret_fd)
{
	pid_t pid = pinctl_fork(ret_fd);

	if (pid == 0)
		exec_pinctl(arguments);
	return pid;
}

bool pinctl_read_until(int fd, const char *part)
{
	size_t used = strlen(output);
	ssize_t n = 1;

	while (n > 0 && !(part && strstr(output, part))) {
		n = read(fd, output + used, sizeof(output) - 1 - used);
		used += (size_t)MAX(n, 0);
		output[used] = '\0';
	}
	return n > 0;
}

int pinctl_finish(pid_t pid, int fd)
{
	int status;

	pinctl_read_until(fd, NULL);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void pinctl_run_on_terminal(const char *arguments, int status)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int fd, ended;
	pid_t pid = forkpty(&fd, NULL, NULL, &size);

	if (pid == 0) {
		setenv("LC_ALL", "C.UTF-8", 1);
		setenv("NO_COLOR", "1", 1);
		setenv("TERM", "xterm", 1);
		exec_pinctl(arguments);
	}
	/* no /dev/pts, as in a bare chroot */
	if (pid < 0)
		skip();
	*output = '\0';
	/* ends with EIO */
	pinctl_read_until(fd, NULL);
	close(fd);
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_int_equal(ended, status << 8);
}

void pinctl_check_width(size_t columns)
{
	char *rest, *copy = strdup(output);

	assert_non_null(copy);
	for (char *line = strtok_r(copy, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
		size_t width = 0;

		/* of escape sequences nothing is seen */
		for (char *c = line; *c; c++) {
			if (*c == '\033')
				c += strcspn(c, "AJ");
			else
				width += (*c & 0xc0) != 0x80;
		}
		if (width > columns)
			fail_msg("%zu columns: %s", width, line);
	}
	free(copy);
}
