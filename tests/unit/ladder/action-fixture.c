/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/ladder/action-fixture.h"

struct action_fixture f;

void on_done(struct action *a, int error, const char *text, void *userdata)
{
	f.n_done++;
	f.error = error;
	snprintf(f.text, sizeof(f.text), "%s", text ?: "(none)");
	assert_ptr_equal(userdata, &f);
}

void on_done_free(struct action *a, int error, const char *text, void *userdata)
{
	on_done(a, error, text, userdata);
	action_free(a);
}

int action_setup(void **state)
{
	f = (struct action_fixture){ .pidfd = -1 };
	if (sd_event_new(&f.event) < 0)
		return -1;
	systemd_start(&f.systemd, f.event);
	systemd_listen(&f.systemd);
	strcpy(f.cgroups, "/tmp/pinguard-cgroup-XXXXXX");
	if (!mkdtemp(f.cgroups))
		return -1;
	return actions_new(f.event, f.cgroups, &f.actions);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int action_teardown(void **state)
{
	f.actions = actions_free(f.actions);
	systemd_stop(&f.systemd);
	if (f.child > 0) {
		kill(f.child, SIGKILL);
		waitpid(f.child, NULL, 0);
	}
	closep(&f.pidfd);
	sd_event_unref(f.event);
	if (*f.proc)
		nftw(f.proc, remove_one, 4, FTW_DEPTH | FTW_PHYS);
	return nftw(f.cgroups, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static void run_until(unsigned int n_done)
{
	while (f.n_done < n_done)
		if (sd_event_run(f.event, 10000000) <= 0)
			fail_msg("nothing happens");
}

void settle(void)
{
	while (sd_event_run(f.event, 50000) > 0)
		;
}

void expect_end(int error, const char *text)
{
	assert_int_equal(f.n_done, 0);
	run_until(1);
	if (f.error != error || !strstr(f.text, text))
		fail_msg("%d: %s", f.error, f.text);
	settle();
	assert_int_equal(f.n_done, 1);
	f.n_done = 0;
}

void make_child(void)
{
	f.child = fork();
	if (f.child == 0) {
		pause();
		_exit(0);
	}
	f.pidfd = pidfd_open(f.child, 0);
	assert_true(f.pidfd >= 0);
}

static void write_file(const char *text, const char *format, ...) _printf_(2, 3);
static void write_file(const char *text, const char *format, ...)
{
	char path[4200];
	va_list ap;
	FILE *file;

	va_start(ap, format);
	vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

void set_cgroup(pid_t pid, const char *path)
{
	char text[4200];

	if (!*f.proc) {
		strcpy(f.proc, "/tmp/pinguard-proc-XXXXXX");
		assert_non_null(mkdtemp(f.proc));
		closep(&f.actions->proc_fd);
		f.actions->proc_fd = open(f.proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	snprintf(text, sizeof(text), "%s/%d", f.proc, pid);
	(void)mkdir(text, 0700);
	snprintf(text, sizeof(text), "0::%s\n", path);
	write_file(text, "%s/%d/cgroup", f.proc, pid);
}

void make_cgroup(const char *path, const char *type, const char *procs)
{
	char *at = strdup(path), *end = at;

	assert_non_null(at);
	while (*end) {
		char full[4200], keep;

		end += 1 + strcspn(end + 1, "/");
		keep = *end;
		*end = '\0';
		snprintf(full, sizeof(full), "%s%s", f.cgroups, at);
		if (mkdir(full, 0700) == 0) {
			write_file("populated 0\nfrozen 0\n", "%s/cgroup.events", full);
			write_file("", "%s/cgroup.procs", full);
			write_file("domain\n", "%s/cgroup.type", full);
			write_file("", "%s/cgroup.kill", full);
		}
		if (*procs)
			write_file("populated 1\nfrozen 0\n", "%s/cgroup.events", full);
		*end = keep;
	}
	write_file(procs, "%s%s/cgroup.procs", f.cgroups, path);
	write_file(type, "%s%s/cgroup.type", f.cgroups, path);
	free(at);
}

bool was_killed(const char *path)
{
	char full[4200];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s/cgroup.kill", f.cgroups, path);
	assert_int_equal(stat(full, &st), 0);
	return st.st_size > 0;
}
