/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_TEST_UNIT_H
#define PINGUARD_TEST_UNIT_H

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "lib/macros.h"

#endif
