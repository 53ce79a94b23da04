/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_TEST_IDL_H
#define PINGUARD_TEST_IDL_H

#include <jansson.h>

/*
 * Fails the test where a value is not as a .varlink file says: each key of the
 * file and no other, null where it may be, names of enums as listed.
 */
void idl_check_type(const char *idl, const char *type, const json_t *value);
void idl_check_reply(const char *idl, const char *method, const json_t *parameters);
void idl_check_error(const char *idl, const char *error, const json_t *parameters);

#endif
