/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that root configures the service with: DIR/NAME.conf. */
#ifndef PINGUARD_BASE_CONF_FILES_H
#define PINGUARD_BASE_CONF_FILES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Something that is wrong in a file. file: its path, fit to be shown; line: 0 for
 * all of it; text: for people, good until this returns
 */
typedef void (*conf_problem)(const char *file, unsigned int line, const char *text, void *userdata);

/* One file, or a directory where name is NULL. Good until the handler returns. */
struct conf_file {
	const char *path; /* fit to be shown */
	const char *name; /* without its directory */
	const char *text; /* NUL-terminated; NULL where something is wrong */
	int error; /* then: -EINVAL with a reason, or why it cannot be read */
	const char *reason;
};

/* 0 to go on */
typedef int (*conf_file_handler)(const struct conf_file *file, void *userdata);

struct conf_files {
	const char *const *dirs; /* NULL-terminated; the first one that has a name has it */
	bool masks; /* an empty file, and a link to /dev/null, are in the way of that name */
	size_t max; /* of files; more are too many */
	size_t max_bytes; /* of each */
};

/**
 * conf_files_read() - read all files, in the order of their names
 *
 * A directory that is not there has none. What others than root could have
 * written is no configuration: such a file is handed on with a reason, and of such
 * a directory that alone. Names that begin with a dot are left out.
 *
 * Return: 0, -ENOMEM, or what the handler returned
 */
int conf_files_read(const struct conf_files *files, conf_file_handler handler, void *userdata);

/**
 * conf_file_read() - one file that has a place of its own
 * @ret_text: its text, to be freed; left alone on failure
 * @ret: what is wrong, for conf_file_tell(); a link is, and what others than root may
 *	write
 *
 * Return: 0, -ENOENT, -ENOMEM, or another error
 */
int conf_file_read(const char *path, size_t max_bytes, char **ret_text, struct conf_file *ret);

/* Tells what is wrong with a file or directory that has no text. 0, -ENOMEM */
int conf_file_tell(const struct conf_file *file, conf_problem problem, void *userdata);

#endif
