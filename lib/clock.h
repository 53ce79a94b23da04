/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_CLOCK_H
#define PINGUARD_CLOCK_H

#include <stdint.h>
#include <time.h>

/** clock_usec() - what @clock says this very moment, in microseconds */
uint64_t clock_usec(clockid_t clock);

#endif
