/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_TEST_SERVER_FIXTURE_H
#define PINGUARD_TEST_SERVER_FIXTURE_H

#include <systemd/sd-event.h>

#include "tests/unit/unit.h"

#include "daemon/varlink/server.h"
#include "lib/json.h"
#include "lib/varlink.h"

/* A server in this process, with methods that misbehave on request. */
struct fixture {
	sd_event *event;
	struct server *server;
	struct call *kept[64]; /* by Later, Subscribe and Flood */
	size_t n_kept;
	unsigned int n_gone;
	unsigned int n_echoes;
	int last_result; /* of the last call_*() in a handler */
	size_t high_water_bytes;
};

struct client {
	int fd;
	struct varlink_reader reader;
	bool eof;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Let the server do all that it can do now. */
void pump(struct fixture *f);

/* Another client; with @uid as its identity, where the test runs as root. */
void client_open(struct fixture *f, struct client *client);
bool client_open_as(struct fixture *f, struct client *client, uid_t uid);
void client_close(struct client *client);

void client_send(struct client *client, const char *text);
/* Sends as the server takes it; false where the server hangs up first. */
bool client_send_bytes(struct fixture *f, struct client *client, const char *bytes, size_t size);

/* The next message; NULL where there is none now, or no more (client->eof). */
json_t *client_read(struct fixture *f, struct client *client);

/* The same, and it must have this error, or none for NULL. */
json_t *client_expect(struct fixture *f, struct client *client, const char *error);

#define TEST_CALL(method, params) \
	"{\"method\":\"org.example.test." method "\",\"parameters\":" params "}"
#define TEST_MORE(method, params) \
	"{\"method\":\"org.example.test." method "\",\"more\":true,\"parameters\":" params "}"

#endif
