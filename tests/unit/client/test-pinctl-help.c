/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pinctl says of itself: its help, its columns, and what bash completes. */
#include "tests/unit/client/pinctl-fixture.h"

static const char *const verbs[] = {
	"status", "pins",    "who",   "classify", "quota",    "policy",
	"owners", "release", "drain", "events",   "failures", "explain",
};

static int list_pins(struct call *call, json_t *params, void *userdata)
{
	return call_reply(call, parse("{\"pins\":[{\"id\":\"0x1f\"}]}"));
}

static int sum_pins(struct call *call, json_t *params, void *userdata)
{
	return call_reply(call, parse("{\"sums\":[{\"pid\":71,\"device\":\"rxe7\",\"pins\":1,"
				      "\"bytes\":1}],\"omitted\":0,\"pins\":1,\"bytes\":1}"));
}

static const struct method_param no_params[] = { {} };
static const struct method_param by_params[] = { { "by", PARAM_STRING, true }, {} };

static const struct method methods[] = {
	{ MANAGER "ListPins", METHOD_MORE, no_params, list_pins },
	{ MANAGER "SumPins", 0, by_params, sum_pins },
	{},
};

static int start_server(void **state)
{
	return pinctl_start_server(methods);
}

static bool has_columns(const char *verb)
{
	return strcmp(verb, "classify") != 0 && strcmp(verb, "events") != 0 &&
	       strcmp(verb, "explain") != 0;
}

/* A terminal of 80 columns shows each help as it was laid out. */
static void test_width(void **state)
{
	char arguments[64];

	EXPECT("--help", 0, "Usage: pinctl ");
	pinctl_check_width(80);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		snprintf(arguments, sizeof(arguments), "%s --help", verbs[i]);
		EXPECT(arguments, 0, "Usage: pinctl ", verbs[i], "\n  -h, --help\n");
		pinctl_check_width(80);
	}
}

/* A help names each column that there is; to list them nothing else need be said. */
static void test_columns(void **state)
{
	static char help[sizeof(output)];
	char arguments[64], word[64], *name, *rest;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		snprintf(arguments, sizeof(arguments), "%s --help", verbs[i]);
		assert_int_equal(run(arguments), 0);
		memcpy(help, output, sizeof(output));
		if (has_columns(verbs[i]) != !!strstr(help, "      --list-columns "))
			fail_msg("%s:\n%s", arguments, help);
		snprintf(arguments, sizeof(arguments), "%s --list-columns", verbs[i]);
		if (!has_columns(verbs[i])) {
			EXPECT(arguments, 2, "has no columns");
			continue;
		}
		EXPECT(arguments, 0, "\n");
		for (name = strtok_r(output, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest)) {
			snprintf(word, sizeof(word), " %s", name);
			if (!strstr(help, word))
				fail_msg("pinctl %s --help does not name %s", verbs[i], name);
		}
	}
	EXPECT("release --dry-run --list-columns", 0, "FIRST\n");
	EXPECT("drain --dry-run --list-columns", 0, "FIRST\n");
	EXPECT("pins --by=device --list-columns", 0, "DEVICE\n", "DISTINCT\n");
	EXPECT("who", 2, "usage: pinctl who TARGET");
	EXPECT("drain --dry-run", 2, "usage: pinctl drain TARGET");
	EXPECT("release --dry-run", 2, "say whose pins are to be released");
}

/*
 * What bash would offer after @line, one on a line, as it breaks words: at blanks and
 * at "=" and ":", which are words of their own.
 */
static void complete(const char *line)
{
	const char *top = getenv("srcdir"), *program = getenv("PINCTL") ?: "./pinctl";
	char *command;
	size_t size;
	FILE *pipe;

	assert_int_not_equal(
		asprintf(&command,
			 "bash -c 'pinctl() { %s \"$@\"; }; . %s/completion/bash/pinctl\n"
			 "COMP_LINE=$1 COMP_POINT=${#1}\n"
			 "mapfile -t COMP_WORDS < <(sed -E \"s/[=:]/\\n&\\n/g; s/ /\\n/g\" <<<\"$1\" |"
			 " sed -E \"1b; \\$b; /^$/d\")\n"
			 "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()\n"
			 "_pinctl; printf \"%%s\\n\" \"${COMPREPLY[@]}\"' - '%s' 2>&1",
			 program, top ?: ".", line),
		-1);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	size = fread(output, 1, sizeof(output) - 1, pipe);
	output[size] = '\0';
	if (pclose(pipe) != 0)
		fail_msg("%s:\n%s", command, output);
	free(command);
}

static void check_completion(const char *line, const char *words)
{
	complete(line);
	if (strcmp(output, words) != 0)
		fail_msg("\"%s\" is completed to:\n%s", line, output);
}

static void test_completion(void **state)
{
	check_completion("pinctl fa", "failures\n");
	check_completion("pinctl pins -o KI", "KIND\n");
	check_completion("pinctl pins -o ID,+KI", "\n");
	check_completion("pinctl pins -o +KI", "+KIND\n");
	check_completion("pinctl pins -o ID,KI", "ID,KIND\n");
	check_completion("pinctl pins -o +UID,GO", "+UID,GONE\n");
	check_completion("pinctl who dax0.0 -o HO", "HOLDS\n");
	check_completion("pinctl release --output=LE", "LEFT\n");
	check_completion("pinctl quota -o EXT", "EXTERNAL\n");
	check_completion("pinctl -o PINN", "PINNED\n");
	check_completion("pinctl pins --by=pro", "process\n");
	check_completion("pinctl pins --by=process --sort=DI", "DISTINCT\n");
	check_completion("pinctl pins --by process --sort -DI", "-DISTINCT\n");
	check_completion("pinctl pins --by=process -o OLD", "OLDEST\n");
	check_completion("pinctl pins --sort=DI", "\n");
	check_completion("pinctl pins --pid=", "71\n");
	check_completion("pinctl pins --device=rx", "rxe7\n");
	check_completion("pinctl pins --pin=0", "0x1f\n");
	check_completion("pinctl quota set a.slice 1G --hi", "--high\n");
	check_completion("pinctl events --type=pin,den", "pin,deny\n");
	/* what has no columns */
	check_completion("pinctl events --ou", "\n");
	check_completion("pinctl classify --list", "\n");
	check_completion("pinctl owners --ou", "--output\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_completion),
	};

	return cmocka_run_group_tests(tests, start_server, pinctl_stop_server);
}
