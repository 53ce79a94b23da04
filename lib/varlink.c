/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/json.h"
#include "lib/varlink.h"

#define BUFFER_FIRST_BYTES ((size_t)4096)
#define BUFFER_KEEP_BYTES  ((size_t)64 << 10)

void varlink_reader_init(struct varlink_reader *reader, size_t max_bytes)
{
	*reader = (struct varlink_reader){ .max_bytes = max_bytes };
}

void varlink_reader_done(struct varlink_reader *reader)
{
	free(reader->buf);
	varlink_reader_init(reader, reader->max_bytes);
}

int varlink_reader_reserve(struct varlink_reader *reader, void **ret_room, size_t *ret_size)
{
	size_t pending = reader->end - reader->start, full = reader->max_bytes + 1, size;
	char *buf;

	if (pending >= full)
		return -EMSGSIZE;
	if (pending == 0 && reader->size > BUFFER_KEEP_BYTES) {
		/* one large message is no reason to keep its room for good */
		varlink_reader_done(reader);
	} else if (reader->start > 0) {
		memmove(reader->buf, reader->buf + reader->start, pending);
		reader->start = 0;
		reader->end = pending;
	}
	if (reader->end == reader->size) {
		size = MIN(MAX(reader->size * 2, BUFFER_FIRST_BYTES), full);
		buf = realloc(reader->buf, size);
		if (!buf)
			return -ENOMEM;
		reader->buf = buf;
		reader->size = size;
	}
	*ret_room = reader->buf + reader->end;
	*ret_size = reader->size - reader->end;
	return 0;
}

void varlink_reader_commit(struct varlink_reader *reader, size_t size)
{
	reader->end += size;
}

int varlink_reader_next(struct varlink_reader *reader, const char **ret_text, size_t *ret_size)
{
	size_t pending = reader->end - reader->start;
	char *text, *nul;

	if (pending == 0)
		return 0;
	text = reader->buf + reader->start;
	nul = memchr(text + reader->scanned, 0, pending - reader->scanned);
	if (!nul) {
		reader->scanned = pending;
		return pending > reader->max_bytes ? -EMSGSIZE : 0;
	}
	if ((size_t)(nul - text) > reader->max_bytes)
		return -EMSGSIZE;
	reader->start += (size_t)(nul - text) + 1;
	reader->scanned = 0;
	*ret_text = text;
	*ret_size = nul - text;
	return 1;
}

bool varlink_reader_pending(const struct varlink_reader *reader)
{
	return reader->end > reader->start;
}

/* jansson's own limit of nesting is far beyond ours and not adjustable. */
static bool too_deep(const char *text, size_t size)
{
	unsigned int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < size; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > VARLINK_DEPTH_MAX)
				return true;
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

int varlink_parse(const char *text, size_t size, json_t **ret)
{
	json_t *object;

	if (too_deep(text, size))
		return -ELOOP;
	object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		return -EBADMSG;
	}
	*ret = object;
	return 0;
}

void varlink_writer_init(struct varlink_writer *writer)
{
	*writer = (struct varlink_writer){};
}

void varlink_writer_done(struct varlink_writer *writer)
{
	free(writer->buf);
	varlink_writer_init(writer);
}

size_t varlink_writer_queued(const struct varlink_writer *writer)
{
	return writer->end - writer->start;
}

struct dump {
	struct varlink_writer *writer;
	size_t end, limit;
	int error;
};

static int dump_append(const char *bytes, size_t size, void *userdata)
{
	struct dump *dump = userdata;
	struct varlink_writer *writer = dump->writer;

	if (size > dump->limit - dump->end) {
		dump->error = -EMSGSIZE;
		return -1;
	}
	if (size > writer->size - dump->end) {
		size_t room = MAX(MAX(writer->size * 2, dump->end + size), BUFFER_FIRST_BYTES);
		char *buf = realloc(writer->buf, room);

		if (!buf) {
			dump->error = -ENOMEM;
			return -1;
		}
		writer->buf = buf;
		writer->size = room;
	}
	memcpy(writer->buf + dump->end, bytes, size);
	dump->end += size;
	return 0;
}

/* The queue moves to the begin of the buffer, and a message is put together behind it. */
static struct dump dump_begin(struct varlink_writer *writer, size_t message_max_bytes)
{
	size_t queued = varlink_writer_queued(writer);

	if (writer->start > 0) {
		memmove(writer->buf, writer->buf + writer->start, queued);
		writer->start = 0;
		writer->end = queued;
	}
	return (struct dump){
		.writer = writer,
		.end = queued,
		.limit = queued + message_max_bytes,
	};
}

static int dump_end(struct dump *dump, size_t queue_max_bytes)
{
	dump->limit++;
	if (dump_append("", 1, dump) < 0)
		return dump->error;
	if (dump->writer->end > 0 && dump->end > queue_max_bytes)
		return -ENOBUFS;
	dump->writer->end = dump->end;
	return 0;
}

int varlink_writer_add(struct varlink_writer *writer, const json_t *message,
		       size_t message_max_bytes, size_t queue_max_bytes)
{
	struct dump dump = dump_begin(writer, message_max_bytes);

	if (json_dump_callback(message, dump_append, &dump, JSON_COMPACT) < 0)
		return dump.error ?: -EINVAL;
	return dump_end(&dump, queue_max_bytes);
}

int varlink_writer_add_reply(struct varlink_writer *writer, const char *parameters, size_t size,
			     bool continues, size_t queue_max_bytes)
{
	static const char begin[] = VARLINK_REPLY_BEGIN, more[] = VARLINK_REPLY_CONTINUES,
			  end[] = VARLINK_REPLY_END;
	struct dump dump = dump_begin(writer, VARLINK_REPLY_MAX_BYTES);

	if (dump_append(begin, strlen(begin), &dump) < 0 ||
	    dump_append(parameters, size, &dump) < 0 ||
	    (continues && dump_append(more, strlen(more), &dump) < 0) ||
	    dump_append(end, strlen(end), &dump) < 0)
		return dump.error;
	return dump_end(&dump, queue_max_bytes);
}

int varlink_writer_call(struct varlink_writer *writer, const char *method, json_t *parameters,
			bool more)
{
	_cleanup_json_ json_t *message =
		json_pack("{ss so*}", "method", method, "parameters", parameters);

	if (!message || (more && json_object_set_new(message, "more", json_true()) < 0))
		return -ENOMEM;
	return varlink_writer_add(writer, message, VARLINK_CALL_MAX_BYTES, SIZE_MAX);
}

int varlink_writer_send(struct varlink_writer *writer, int fd)
{
	while (writer->start < writer->end) {
		ssize_t n = send(fd, writer->buf + writer->start, writer->end - writer->start,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		writer->start += (size_t)n;
	}
	if (writer->size > BUFFER_KEEP_BYTES)
		varlink_writer_done(writer);
	writer->start = writer->end = 0;
	return 0;
}
