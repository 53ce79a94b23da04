/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel with pinguard's family, as far as requests go: it answers get-info
 * with the figures that the test says, and acknowledges all else. Lists never
 * end. For programs linked with $(genl_fixture_wrap).
 */
#ifndef PINGUARD_TEST_GENL_FIXTURE_H
#define PINGUARD_TEST_GENL_FIXTURE_H

#include <stdbool.h>

#include "daemon/kernel/pinmsg.h"

extern struct pin_kernel_info fake_kernel;
extern bool fake_kernel_there; /* or there is no such family */

#endif
