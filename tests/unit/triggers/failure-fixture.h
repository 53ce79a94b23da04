/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_TEST_FAILURE_FIXTURE_H
#define PINGUARD_TEST_FAILURE_FIXTURE_H

#include "tests/unit/release/scene.h"

#include "daemon/triggers/failures-internal.h"

#define PAGE 4096

/*
 * In the place of the kernel: which pin holds a frame, and where; what it lists.
 * The test is linked with genl_list_failures() and genl_get_info() wrapped.
 */
struct fake_kernel {
	uint64_t (*pin_of)(uint64_t pfn); /* 0: none */
	uint64_t more_first; /* so many pins that hold each frame, too */
	unsigned int n_more;
	bool no_offset; /* else that of the frame is its number of pages */
	int error;
	unsigned int n_open, n_open_max, n_looks;
	struct failure_info listed[4];
	size_t n_listed;
	uint64_t counted;
	sd_event *loop;
};

extern struct fake_kernel fake;

int failure_setup(void **state); /* *state is a struct manager; owner_teardown() ends it */
uint64_t always_2(uint64_t pfn);

/* An event, with the number that is due. */
void say(struct manager *m, const struct pin_event *e);
struct failure_info report(uint64_t id, uint64_t pfn, uint32_t result);
void say_failed(struct manager *m, uint64_t id, uint64_t pfn);
void say_done(struct manager *m, uint64_t pfn, uint32_t outcome);

/* ListFailures, and one of its reply. */
json_t *list_failures(struct scene *s);
json_t *failure_at(const json_t *reply, size_t i);
/* What an owner is told of a failed part. */
const char *part(const json_t *request, size_t i, const char *key);
size_t n_parts(const json_t *request);
/* What happened last, of a type; NULL for nothing. */
json_t *last_event(struct manager *m, enum event_type type);
bool has_event(struct manager *m, enum event_type type);

#endif
