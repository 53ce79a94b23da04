/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_SELECTOR_H
#define PINGUARD_PINCTL_SELECTOR_H

#include <getopt.h>
#include <jansson.h>

/* Which pins are meant, on the command line. */

/* --cgroup, --pid, --kind, --device and --pin: what choose_pins() adds to a json_t. */
#define SELECTOR_OPTIONS                                            \
	{ "cgroup", required_argument, NULL, OPTION_CGROUP },       \
	{ "pid", required_argument, NULL, OPTION_PID },             \
	{ "kind", required_argument, NULL, OPTION_KIND },           \
	{ "device", required_argument, NULL, OPTION_DEVICE },       \
	{ "pin", required_argument, NULL, OPTION_PIN }

#define SELECTOR_OPTIONS_HELP							\
	"      --cgroup CGROUP   of the owner, or below: a path or a unit\n"	\
	"      --pid PID         of the owner\n"				\
	"      --kind KIND       rdma vfio iommufd io_uring xdp vdpa udmabuf\n"	\
	"                        unknown\n"					\
	"      --device NAME     such as rxe0\n"				\
	"      --pin ID          such as 0x1f\n"

enum {
	OPTION_CGROUP = 0x3000,
	OPTION_PID,
	OPTION_KIND,
	OPTION_DEVICE,
	OPTION_PIN,
};

/* -1 to go on, or an exit status; as parse_options() wants it. */
int choose_pins(int option, const char *argument, json_t *selectors);

/* Check the text of a TARGET before it is sent; -1 or an exit status. */
int check_target(const char *target);

#endif
