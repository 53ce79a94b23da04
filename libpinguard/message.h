/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_MESSAGE_H
#define PINGUARD_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/macros.h"
#include "pinguard/pinguard.h"

/* What the service sends, from bytes to structs; no I/O. */

#define MESSAGE_TOKEN_MAX_BYTES 64

struct pinguard_pin {
	uint64_t id, address, bytes;
	char *device; /* or NULL */
	enum pinguard_pin_kind kind;
	bool has_address;
};

struct pinguard_failure {
	uint64_t pin, address, bytes;
	bool has_address, data_lost;
};

struct pinguard_request {
	unsigned int n_ref;
	enum pinguard_request_mode mode;
	enum pinguard_request_reason reason;
	uint64_t deadline_usec;
	bool reminder;
	char token[MESSAGE_TOKEN_MAX_BYTES + 1];
	size_t n_failures;
	struct pinguard_failure *failures; /* or NULL */
	size_t n_pins;
	struct pinguard_pin pins[];
};

DEFINE_CLEANUP(struct pinguard_request *, pinguard_request_unref);

/* A reply of Register. */
struct notice {
	struct pinguard_request *request;	     /* or NULL */
	char withdrawn[MESSAGE_TOKEN_MAX_BYTES + 1]; /* or empty */
};

void notice_done(struct notice *notice);

/**
 * notice_parse() - a message that came on the connection of Register
 * @ret_notice: notice_done() frees what is in it
 *
 * Return: 0; for an error that the service sent, or a message that is none,
 * what pinguard_owner_dispatch() returns for it
 */
int notice_parse(const char *text, size_t size, struct notice *ret_notice);

/* What the service said to Complete. */
struct verdict {
	int error; /* as pinguard_completed_fn gets it; -EUSERS: try again later */
	uint64_t pins_left, bytes_left;
};

/** verdict_parse() - a message that came on the connection of Complete; 0, -EBADMSG, -ELOOP */
int verdict_parse(const char *text, size_t size, struct verdict *ret_verdict);

/** message_utf8() - whether @text is UTF-8 that JSON can hold */
bool message_utf8(const char *text);

#endif
