/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of the service's interfaces, its .varlink files, embedded by the build. */
#ifndef PINGUARD_MANAGER_IDL_H
#define PINGUARD_MANAGER_IDL_H

extern const char idl_org_pinguard_Manager[];
extern const char idl_org_pinguard_Owner[];

#endif
