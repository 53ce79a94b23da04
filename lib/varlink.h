/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_VARLINK_H
#define PINGUARD_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/macros.h"

/*
 * The varlink wire: one JSON object per message, NUL-terminated, on a stream
 * socket. Reader and writer are buffers without I/O; the client below does
 * blocking I/O with deadlines, for programs such as pinctl.
 */

/* Limits, the NUL not counted: a message to the service, one from it, nesting. */
#define VARLINK_CALL_MAX_BYTES	((size_t)1 << 20)
#define VARLINK_REPLY_MAX_BYTES ((size_t)16 << 20)
#define VARLINK_DEPTH_MAX	32

#define VARLINK_SOCKET_PATH "/run/pinguard/control.sock"

#define VARLINK_ERROR_INTERFACE_NOT_FOUND    "org.varlink.service.InterfaceNotFound"
#define VARLINK_ERROR_METHOD_NOT_FOUND	     "org.varlink.service.MethodNotFound"
#define VARLINK_ERROR_METHOD_NOT_IMPLEMENTED "org.varlink.service.MethodNotImplemented"
#define VARLINK_ERROR_INVALID_PARAMETER	     "org.varlink.service.InvalidParameter"
#define VARLINK_ERROR_PERMISSION_DENIED	     "org.varlink.service.PermissionDenied"
#define VARLINK_ERROR_EXPECTED_MORE	     "org.varlink.service.ExpectedMore"

/* --- messages from bytes --- */

struct varlink_reader {
	char *buf;
	size_t size, start, end; /* of the buffer; the unread bytes in it */
	size_t scanned;		 /* bytes from start known to hold no NUL */
	size_t max_bytes;
};

/** varlink_reader_init() - an empty reader of messages of up to @max_bytes; allocates nothing */
void varlink_reader_init(struct varlink_reader *reader, size_t max_bytes);
void varlink_reader_done(struct varlink_reader *reader);

/**
 * varlink_reader_reserve() - room for more bytes
 * @ret_room: where to put them, valid until the next call on @reader
 * @ret_size: how many fit, at least 1
 *
 * Take all messages out with varlink_reader_next() first.
 *
 * Return: 0, -EMSGSIZE where the message under way is over the limit, -ENOMEM
 */
int varlink_reader_reserve(struct varlink_reader *reader, void **ret_room, size_t *ret_size);

/** varlink_reader_commit() - @size bytes were put into the room */
void varlink_reader_commit(struct varlink_reader *reader, size_t size);

/**
 * varlink_reader_next() - the next whole message
 * @ret_text: its bytes, followed by a NUL, valid until the next reserve
 * @ret_size: their number, without the NUL
 *
 * Return: 1 for a message, 0 where more bytes are needed, -EMSGSIZE where the
 * message is over the limit
 */
int varlink_reader_next(struct varlink_reader *reader, const char **ret_text, size_t *ret_size);

/** varlink_reader_pending() - whether part of a message waits for its rest */
bool varlink_reader_pending(const struct varlink_reader *reader);

/**
 * varlink_parse() - a message as JSON
 * @text: the message
 * @size: its size in bytes
 * @ret: the object, a new reference
 *
 * Return: 0, -EBADMSG for what is no JSON object (a name twice, or a number
 * beyond 64 bits, included), -ELOOP where it is nested deeper than VARLINK_DEPTH_MAX
 */
int varlink_parse(const char *text, size_t size, json_t **ret);

/* --- messages to bytes --- */

struct varlink_writer {
	char *buf;
	size_t size, start, end;
};

/** varlink_writer_init() - an empty queue; allocates nothing */
void varlink_writer_init(struct varlink_writer *writer);
void varlink_writer_done(struct varlink_writer *writer);

/**
 * varlink_writer_add() - queue a message
 * @message: an object; the reference stays the caller's
 * @message_max_bytes: limit of this message, the NUL not counted
 * @queue_max_bytes: limit of all that is queued; a message on an empty queue may pass it
 *
 * Return: 0, -EMSGSIZE, -ENOBUFS where the queue is full, -EINVAL where
 * @message cannot be written as JSON, -ENOMEM; the queue is unchanged then
 */
int varlink_writer_add(struct varlink_writer *writer, const json_t *message,
		       size_t message_max_bytes, size_t queue_max_bytes);

/* A reply as varlink_writer_add_reply() writes it: begin, parameters, perhaps continues, end. */
#define VARLINK_REPLY_BEGIN	"{\"parameters\":"
#define VARLINK_REPLY_CONTINUES ",\"continues\":true"
#define VARLINK_REPLY_END	"}"

/**
 * varlink_writer_add_reply() - queue a reply whose parameters are text already
 * @parameters: text of a JSON object, which is not looked at
 * @size: its size in bytes
 * @continues: whether another reply follows
 * @queue_max_bytes: as with varlink_writer_add()
 *
 * For what is long: no tree is made of it. The message has up to
 * VARLINK_REPLY_MAX_BYTES.
 *
 * Return: as varlink_writer_add()
 */
int varlink_writer_add_reply(struct varlink_writer *writer, const char *parameters, size_t size,
			     bool continues, size_t queue_max_bytes);

/**
 * varlink_writer_call() - queue a call of a method
 * @method: "interface.Method"
 * @parameters: an object or NULL; the reference is taken over, also on failure
 * @more: whether the method may stream its replies
 *
 * Return: as varlink_writer_add(), with VARLINK_CALL_MAX_BYTES for the message
 */
int varlink_writer_call(struct varlink_writer *writer, const char *method, json_t *parameters,
			bool more);

/** varlink_writer_queued() - bytes that wait to be sent */
size_t varlink_writer_queued(const struct varlink_writer *writer);

/** varlink_writer_send() - send what @fd takes without blocking; 0 or a negative errno */
int varlink_writer_send(struct varlink_writer *writer, int fd);

/* --- client --- */

struct varlink_client;

/**
 * varlink_client_connect() - connect to a service
 * @path: of its socket; "@name" is an abstract one
 * @timeout_usec: for the connection, and later for each reply of varlink_client_call()
 * @ret: the client, one per thread; varlink_client_free() closes it
 *
 * Return: 0, -ENOENT, -ECONNREFUSED, -EACCES, -ETIMEDOUT or another negative errno
 */
int varlink_client_connect(const char *path, uint64_t timeout_usec, struct varlink_client **ret);
struct varlink_client *varlink_client_free(struct varlink_client *client);
DEFINE_CLEANUP(struct varlink_client *, varlink_client_free);

/**
 * varlink_client_set_interrupt() - give up waiting once @fd is readable
 * @fd: stays the caller's; -1 for none
 *
 * Waiting calls then return -EINTR.
 */
void varlink_client_set_interrupt(struct varlink_client *client, int fd);

/**
 * varlink_client_call() - call a method and wait for its reply
 * @method: "interface.Method"
 * @parameters: an object or NULL; the reference is taken over, also on failure
 * @ret_parameters: of the reply or of the error, a new reference
 * @ret_error: name of the error the service answered with, NULL where it
 *	answered with a reply; the caller frees it
 *
 * Return: 0 for an answer, be it a reply or an error; -ETIMEDOUT, -ECONNRESET
 * where the service closed the connection, -EBADMSG, -EMSGSIZE
 */
int varlink_client_call(struct varlink_client *client, const char *method, json_t *parameters,
			json_t **ret_parameters, char **ret_error);

/**
 * varlink_client_call_more() - call a method that streams
 *
 * Then varlink_client_next() for each reply, until one has continues false.
 */
int varlink_client_call_more(struct varlink_client *client, const char *method,
			     json_t *parameters);

/**
 * varlink_client_next() - the next reply of varlink_client_call_more()
 * @timeout_usec: UINT64_MAX to wait for ever
 * @ret_parameters: as with varlink_client_call()
 * @ret_error: as with varlink_client_call()
 * @ret_continues: whether another reply follows
 */
int varlink_client_next(struct varlink_client *client, uint64_t timeout_usec,
			json_t **ret_parameters, char **ret_error, bool *ret_continues);

/**
 * varlink_client_next_text() - the next reply, as text
 * @timeout_usec: as above
 * @ret_parameters: text of what should be a JSON object, which has not been looked at;
 *	the client's, valid until the next call on it, and may be written to
 * @ret_size: its size in bytes
 * @ret_continues: as above
 *
 * For replies so long that a tree of them takes most of the time.
 *
 * Return: 1; 0 where what comes next is an error, or no reply as
 * varlink_writer_add_reply() writes it: varlink_client_next() has it then; or
 * what that returns
 */
int varlink_client_next_text(struct varlink_client *client, uint64_t timeout_usec,
			     char **ret_parameters, size_t *ret_size, bool *ret_continues);

#endif
