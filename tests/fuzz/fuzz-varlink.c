/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "lib/json.h"
#include "lib/varlink.h"
#include "tests/fuzz/fuzz.h"

#define MAX_BYTES 512

/* What was read can be written, and is read as the same. */
static void check_message(const char *text, size_t size)
{
	_cleanup_json_ json_t *message = NULL, *back = NULL;
	struct varlink_writer writer;
	int r = varlink_parse(text, size, &message);

	fuzz_assert(r == 0 || r == -EBADMSG || r == -ELOOP);
	if (r < 0)
		return;
	varlink_writer_init(&writer);
	r = varlink_writer_add(&writer, message, VARLINK_REPLY_MAX_BYTES, SIZE_MAX);
	fuzz_assert(r == 0 && writer.buf[writer.end - 1] == '\0');
	fuzz_assert(varlink_parse(writer.buf, writer.end - 1, &back) == 0);
	fuzz_assert(json_equal(message, back));
	varlink_writer_done(&writer);
}

/* The first byte of the input says in which pieces the rest arrives. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct varlink_reader reader;
	size_t piece = size ? data[0] + 1U : 1, consumed = 0;
	const char *text;
	size_t text_size;
	int r = 0;

	varlink_reader_init(&reader, MAX_BYTES);
	for (size_t at = 1; at < size && r >= 0;) {
		size_t room_size, n;
		void *room;

		r = varlink_reader_reserve(&reader, &room, &room_size);
		fuzz_assert(r == 0 && room_size > 0);
		n = MIN(MIN(piece, room_size), size - at);
		memcpy(room, data + at, n);
		varlink_reader_commit(&reader, n);
		at += n;
		while ((r = varlink_reader_next(&reader, &text, &text_size)) > 0) {
			fuzz_assert(text_size <= MAX_BYTES && text[text_size] == '\0');
			fuzz_assert(!memcmp(data + 1 + consumed, text, text_size));
			consumed += text_size + 1;
			check_message(text, text_size);
		}
		fuzz_assert(r == 0 || r == -EMSGSIZE);
		fuzz_assert(r < 0 || varlink_reader_pending(&reader) == (consumed < at - 1));
	}
	varlink_reader_done(&reader);
	return 0;
}
