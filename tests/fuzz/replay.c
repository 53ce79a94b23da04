/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzz target on files, or on stdin: the corpus as a test, without libFuzzer. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/macros.h"
#include "tests/fuzz/fuzz.h"

static bool run_stream(FILE *stream, const char *name)
{
	size_t size = 0, room = 0;
	unsigned char *bytes = NULL;

	for (;;) {
		size_t n;

		if (size == room) {
			room = room * 2 + 4096;
			bytes = realloc(bytes, room);
			if (!bytes)
				return false;
		}
		n = fread(bytes + size, 1, room - size, stream);
		if (n == 0)
			break;
		size += n;
	}
	/* of its exact size, so that a sanitizer sees one byte too many */
	bytes = realloc(bytes, size + !size);
	if (ferror(stream) || !bytes) {
		fprintf(stderr, "%s: cannot be read\n", name);
		return false;
	}
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	return true;
}

static bool run_file(const char *path, unsigned int *count)
{
	FILE *stream = fopen(path, "re");
	bool ok;

	if (!stream) {
		perror(path);
		return false;
	}
	ok = run_stream(stream, path);
	fclose(stream);
	++*count;
	return ok;
}

static bool run_path(const char *path, unsigned int *count)
{
	struct dirent *entry;
	struct stat st;
	bool ok = true;
	DIR *dir;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return run_file(path, count);
	dir = opendir(path);
	if (!dir)
		return false;
	while (ok && (entry = readdir(dir))) {
		char *file;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&file, "%s/%s", path, entry->d_name) < 0)
			ok = false;
		else
			ok = run_file(file, count);
		free(file);
	}
	closedir(dir);
	return ok;
}

int main(int argc, char **argv)
{
	const char *corpus = getenv("FUZZ_CORPUS"), *name = strrchr(argv[0], '/');
	unsigned int count = 0;
	char path[4096];

	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			if (!run_path(argv[i], &count))
				return 1;
	} else if (corpus) {
		/* as libtool may have it, lt-fuzz-size */
		name = strstr(name ? name : argv[0], "fuzz-");
		snprintf(path, sizeof(path), "%s/%s", corpus, name ? name + strlen("fuzz-") : "");
		if (!run_path(path, &count) || count == 0) {
			fprintf(stderr, "%s: no corpus\n", path);
			return 1;
		}
	} else if (!run_stream(stdin, "stdin")) {
		return 1;
	}
	printf("%u inputs\n", count);
	return 0;
}
