/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/verbs/verb.h"
#include "lib/log.h"
#include "lib/varlink.h"

static const char main_help[] =
	"Usage: pinctl [OPTIONS] [COMMAND]\n"
	"\n"
	"Show, limit and take back the memory that devices pin.\n"
	"\n"
	"  status                what is pinned, by cgroup; the default\n"
	"  pins                  the pins and their owners\n"
	"  who TARGET            what some memory is, and the pins that hold it\n"
	"  classify ADDRESS      what a page frame is, and why\n"
	"  quota                 list, set and clear limits\n"
	"  policy                list, set and clear who may pin device memory\n"
	"  owners                the processes that let go of pins when they are asked\n"
	"  release               ask owners to let go of pins\n"
	"  drain TARGET          ask for all pins of some memory, and take it away\n"
	"  explain               why a pin was refused, and what would let it through\n"
	"  events                what happened, and what happens\n"
	"  failures              memory that failed, and who had pinned it\n"
	"\n"
	"  -j, --json            print JSON, for programs\n"
	"  -b, --bytes           print sizes in bytes\n"
	"  -o, --output COLUMNS  choose columns, separated by commas; +COLUMNS adds some\n"
	"      --list-columns    print the names of the columns of a command\n"
	"      --no-legend       print no heads\n"
	"      --socket PATH     of the service, instead of " VARLINK_SOCKET_PATH "\n"
	"  -h, --help            also of a command: pinctl COMMAND --help\n"
	"  -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 usage, 3 service unreachable, 4 denied,\n"
	"5 not found, 6 timed out.\n";

static const struct verb *const verbs[] = {
	&verb_status, &verb_pins,   &verb_who,	   &verb_classify, &verb_quota,	   &verb_policy,
	&verb_owners, &verb_release, &verb_drain, &verb_events,	  &verb_failures, &verb_explain,
};

static int unknown_verb(const char *name)
{
	const char *names[ARRAY_SIZE(verbs) + 1] = {}, *found;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i]->name;
	found = nearest(name, names);
	if (found)
		return usage_error("unknown command %s; did you mean %s?", name, found);
	return usage_error("unknown command %s; see pinctl --help", name);
}

static int run(struct pinctl *ctl, int argc, char **argv)
{
	char *bare[] = { argv[0], NULL };
	int r;

	ctl->help = main_help;
	r = parse_options(ctl, argc, argv, NULL, NULL, NULL);
	if (r >= 0)
		return r;
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return verb_status.run(ctl, 1, bare);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i]->name, argv[0])) {
			ctl->help = verbs[i]->help;
			return verbs[i]->run(ctl, argc, argv);
		}
	return unknown_verb(argv[0]);
}

static bool reader_is_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP));
}

/*
 * A full disk must not look like success. A reader that has enough is no failure of
 * ours: as elsewhere that ends us by SIGPIPE, also where whoever called us ignores it.
 */
static int close_stdout(struct pinctl *ctl, int status)
{
	bool failed = ferror(stdout);

	failed |= flush_output(ctl) != STATUS_DONE;
	/* the first error counts, and stdio does not keep it */
	if (failed && reader_is_gone()) {
		(void)signal(SIGPIPE, SIG_DFL);
		(void)raise(SIGPIPE);
	}
	if (fclose(stdout) == EOF || failed) {
		log_error("cannot write the output: %s", strerror(ctl->output_error ?: EIO));
		if (status == STATUS_DONE)
			return STATUS_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	const char *socket = getenv("PINGUARD_SOCKET"), *no_colour = getenv("NO_COLOR");
	struct pinctl ctl = {
		.socket = socket && *socket ? socket : VARLINK_SOCKET_PATH,
		.interrupt_fd = -1,
		.terminal = isatty(STDOUT_FILENO),
	};
	int status;

	setlocale(LC_ALL, "");
	log_init("pinctl");
	ctl.colour = ctl.terminal && !(no_colour && *no_colour);
	status = run(&ctl, argc, argv);
	varlink_client_free(ctl.client);
	return close_stdout(&ctl, status);
}
