/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_PINGUARD_H
#define PINGUARD_PINGUARD_H

#include <stddef.h>
#include <stdint.h>

/*
 * libpinguard: for programs that pin memory for devices, and can let go of it.
 *
 * A program registers with the service of pinguard, is asked to release pins
 * when their memory is wanted back, and answers. It needs one object, a place
 * for its fd in the program's own event loop, and a callback.
 *
 * The library starts no threads, installs no signal handlers, keeps no global
 * state, writes nothing, ends no program and never waits. Each of its file
 * descriptors is close-on-exec.
 *
 * Errors: functions that can fail return 0 or a negative errno. Pointers that a
 * ret_ argument points to are left alone on failure.
 *
 * Threads: an object, and the requests that came from it, belong to one thread
 * at a time. Different objects may be used at the same time.
 *
 * Processes: a pin belongs to the process that made it, and only that process
 * can be asked for it, so register in the process that pins. After fork() the
 * child cannot use the parent's object: every function answers -ECHILD there,
 * and nothing that the child does with it reaches the service. The child should
 * call pinguard_owner_unref(), or exec; a child that pins makes an object of its
 * own. exec() ends the registration.
 *
 * Enumerations: the numbers are ABI and never change. A newer service may send
 * what this version does not know: that is 0, UNKNOWN.
 */

#ifdef __cplusplus
extern "C" {
#endif

struct pinguard_owner;
struct pinguard_request;
struct pinguard_pin;
struct pinguard_failure;

/* Where the service listens. */
#define PINGUARD_OWNER_SOCKET "/run/pinguard/control.sock"

/* Who makes the device hold the memory. */
enum pinguard_pin_kind {
	PINGUARD_PIN_UNKNOWN = 0,
	PINGUARD_PIN_RDMA = 1,
	PINGUARD_PIN_VFIO = 2,
	PINGUARD_PIN_IOMMUFD = 3,
	PINGUARD_PIN_IO_URING = 4,
	PINGUARD_PIN_XDP = 5,
	PINGUARD_PIN_VDPA = 6,
	PINGUARD_PIN_UDMABUF = 7
};

enum pinguard_request_mode {
	PINGUARD_REQUEST_MODE_UNKNOWN = 0,
	PINGUARD_REQUEST_ASYNC = 1,
	PINGUARD_REQUEST_SYNC = 2 /* somebody waits for it */
};

enum pinguard_request_reason {
	PINGUARD_REQUEST_REASON_UNKNOWN = 0,
	PINGUARD_REQUEST_ADMINISTRATOR = 1,  /* somebody asked for just these pins */
	PINGUARD_REQUEST_DRAIN = 2,	     /* a device or some memory is to be emptied */
	PINGUARD_REQUEST_QUOTA = 3,	     /* the cgroup has more than its quota */
	PINGUARD_REQUEST_DEVICE_REMOVAL = 4, /* the memory's device is going away */
	PINGUARD_REQUEST_MEMORY_OFFLINE = 5, /* a memory block is going away */
	PINGUARD_REQUEST_MEMORY_FAILURE = 6  /* there is a broken page in it */
};

/* An owner's answer to a request. */
enum pinguard_result {
	PINGUARD_RESULT_RELEASED = 1, /* every pin of the request is gone */
	PINGUARD_RESULT_REFUSED = 2,  /* they stay */
	PINGUARD_RESULT_DEFERRED = 3  /* they go later, before the deadline */
};

enum pinguard_owner_state {
	PINGUARD_OWNER_WAITING = 1,	/* not connected; tried again in a while */
	PINGUARD_OWNER_REGISTERING = 2, /* connected; the service has not answered yet */
	PINGUARD_OWNER_REGISTERED = 3	/* requests may come */
};

/* Limits. */
#define PINGUARD_COMPLETIONS_MAX  256  /* answers that wait for the service's word */
#define PINGUARD_REASON_MAX_BYTES 1024 /* of pinguard_owner_complete(), NUL not counted */

/* --- the owner --- */

/**
 * pinguard_owner_new() - make an owner
 * @socket_path: where the service listens, NULL for PINGUARD_OWNER_SOCKET; a
 *	name that starts with "@" is an abstract one
 * @ret_owner: the owner, with one reference
 *
 * Nothing is sent yet: the first pinguard_owner_dispatch() connects. So set
 * the callbacks first.
 *
 * Return: 0, -EINVAL for an empty path, -ENAMETOOLONG, -ENOMEM, -EMFILE or -ENFILE
 */
int pinguard_owner_new(const char *socket_path, struct pinguard_owner **ret_owner);

/**
 * pinguard_owner_ref() - one more reference to @owner
 *
 * Return: @owner
 */
struct pinguard_owner *pinguard_owner_ref(struct pinguard_owner *owner);

/**
 * pinguard_owner_unref() - drop a reference; NULL is fine
 *
 * The last one ends the registration: the service then takes the pins of this
 * process to be nobody's to ask for. Answers that were not sent yet are lost.
 * It may be called from a callback; the owner is then freed at the end of the
 * dispatch.
 *
 * Return: NULL
 */
struct pinguard_owner *pinguard_owner_unref(struct pinguard_owner *owner);

/*
 * Callbacks, all optional and all called by pinguard_owner_dispatch() alone.
 * They may call every function but pinguard_owner_dispatch().
 */

/**
 * pinguard_request_fn - memory is wanted back
 * @request: the dispatch's; keep it with pinguard_request_ref()
 *
 * Answer with pinguard_owner_complete(), in the callback or later. What is not
 * answered by the deadline counts as not released.
 */
typedef void (*pinguard_request_fn)(struct pinguard_owner *owner, struct pinguard_request *request,
				    void *userdata);

/**
 * pinguard_withdrawn_fn - a request is over before it was answered to the end
 * @token: of the request, as a string that is the dispatch's
 */
typedef void (*pinguard_withdrawn_fn)(struct pinguard_owner *owner, const char *token,
				      void *userdata);

/**
 * pinguard_completed_fn - what the service says to an answer
 * @token: of the request, as a string that is the dispatch's
 * @error: 0 the service took it; -EBUSY "released" was said, and the kernel
 *	still has pins, the request goes on; -ENOENT there is no request of this
 *	token to this process, or it is over; -ECONNRESET the registration
 *	ended before the service answered, and with it the request; -EPROTO
 *	for anything else
 * @pins_left: with -EBUSY the number of pins that are left, else 0
 * @bytes_left: and their bytes
 *
 * Called once for each pinguard_owner_complete() that returned 0, in their
 * order, unless the owner is freed first.
 */
typedef void (*pinguard_completed_fn)(struct pinguard_owner *owner, const char *token, int error,
				      uint64_t pins_left, uint64_t bytes_left, void *userdata);

/**
 * pinguard_state_fn - the state is another
 *
 * When the owner leaves PINGUARD_OWNER_REGISTERED, all requests are over. The
 * service asks again once the owner is registered again, with other tokens.
 */
typedef void (*pinguard_state_fn)(struct pinguard_owner *owner, enum pinguard_owner_state state,
				  void *userdata);

/**
 * pinguard_owner_set_request_callback() - set the callback, NULL for none
 * @userdata: handed to it
 *
 * The other three are alike. In a process other than the owner's they do
 * nothing.
 */
void pinguard_owner_set_request_callback(struct pinguard_owner *owner,
					 pinguard_request_fn callback, void *userdata);
void pinguard_owner_set_withdrawn_callback(struct pinguard_owner *owner,
					   pinguard_withdrawn_fn callback, void *userdata);
void pinguard_owner_set_completed_callback(struct pinguard_owner *owner,
					   pinguard_completed_fn callback, void *userdata);
void pinguard_owner_set_state_callback(struct pinguard_owner *owner, pinguard_state_fn callback,
				       void *userdata);

/**
 * pinguard_owner_fd() - the file descriptor to poll
 *
 * Poll it for input (POLLIN, EPOLLIN, level-triggered), and call
 * pinguard_owner_dispatch() when it is ready. It stays the same and stays the
 * owner's: do not read, close or change it. It covers all that the owner waits
 * for, timers included.
 *
 * Return: the fd, -ECHILD
 */
int pinguard_owner_fd(struct pinguard_owner *owner);

/**
 * pinguard_owner_dispatch() - do what is to be done now
 *
 * Connects, reads what has come, calls the callbacks, sends what can be sent.
 * Never waits, and reads one buffer at most: if more is there the fd stays
 * ready. It may be called at any time, also when nothing is to be done.
 *
 * An error says what went wrong, for a log. The owner has dealt with it: the
 * connection is dropped, and tried again after 100 ms, doubled up to 5 s.
 * So go on polling after any error but -ECHILD and -EBUSY.
 *
 * Return: 0
 * -ECHILD	this is not the process that made @owner
 * -EBUSY	called from a callback of @owner
 * -ENOENT	the service's socket is not there
 * -ECONNREFUSED	nobody listens on it
 * -EAGAIN	too many connections wait there
 * -ECONNRESET	the service ended the connection
 * -EACCES	the service or the socket's permissions do not allow it
 * -EALREADY	this process is registered already, by another object
 * -EOPNOTSUPP	the service, or its kernel, cannot do it
 * -EUSERS	the service has too many connections of this user
 * -EBADMSG	what came is no message of this protocol
 * -EMSGSIZE	it is larger than 16 MiB
 * -ELOOP	its JSON is nested deeper than 32
 * -EPROTO	the service answered with another error
 * -ENOMEM or another errno of socket(2), connect(2), recv(2), send(2)
 */
int pinguard_owner_dispatch(struct pinguard_owner *owner);

/** pinguard_owner_state() - the state; -ECHILD in another process */
int pinguard_owner_state(struct pinguard_owner *owner);

/**
 * pinguard_owner_complete() - answer a request
 * @token: of the request
 * @result: what becomes of its pins
 * @reason: why, for an administrator to read, in UTF-8; NULL for none
 *
 * Say PINGUARD_RESULT_RELEASED when the pins are gone: after ibv_dereg_mr(),
 * VFIO_IOMMU_UNMAP_DMA or the like has returned. The service asks the kernel.
 * After PINGUARD_RESULT_DEFERRED another answer follows. Strings are copied. The
 * answer goes over a connection of its own, and is sent again if that one
 * fails; the service's word comes through pinguard_completed_fn.
 *
 * Return: 0 the answer is queued; -ENOTCONN the owner is not registered;
 * -EINVAL for an unknown @result, what can be no token, or what is not UTF-8;
 * -EMSGSIZE for a longer @reason than PINGUARD_REASON_MAX_BYTES; -ENOBUFS
 * where PINGUARD_COMPLETIONS_MAX answers are queued; -ENOMEM; -ECHILD
 */
int pinguard_owner_complete(struct pinguard_owner *owner, const char *token,
			    enum pinguard_result result, const char *reason);

/* --- requests --- */

/**
 * pinguard_request_ref() - one more reference to @request
 *
 * A request may outlive its owner. Strings and pins of it live as long as it does.
 *
 * Return: @request
 */
struct pinguard_request *pinguard_request_ref(struct pinguard_request *request);

/** pinguard_request_unref() - drop a reference; NULL is fine; returns NULL */
struct pinguard_request *pinguard_request_unref(struct pinguard_request *request);

/** pinguard_request_token() - what names the request; printable, up to 64 bytes */
const char *pinguard_request_token(const struct pinguard_request *request);

enum pinguard_request_mode pinguard_request_mode(const struct pinguard_request *request);
enum pinguard_request_reason pinguard_request_reason(const struct pinguard_request *request);

/**
 * pinguard_request_deadline_usec() - when the owner has to be done
 *
 * Return: a time of CLOCK_MONOTONIC, in microseconds
 */
uint64_t pinguard_request_deadline_usec(const struct pinguard_request *request);

/** pinguard_request_is_reminder() - 1 if the same token has come before, else 0 */
int pinguard_request_is_reminder(const struct pinguard_request *request);

/** pinguard_request_n_pins() - the number of its pins */
size_t pinguard_request_n_pins(const struct pinguard_request *request);

/**
 * pinguard_request_pin() - one of its pins
 * @index: from 0 on
 *
 * Return: the pin, which is the request's; NULL where there is none of this index
 */
const struct pinguard_pin *pinguard_request_pin(const struct pinguard_request *request,
						size_t index);

enum pinguard_pin_kind pinguard_pin_kind(const struct pinguard_pin *pin);

/** pinguard_pin_id() - the kernel's number of the pin */
uint64_t pinguard_pin_id(const struct pinguard_pin *pin);

/**
 * pinguard_pin_device() - the name of the device, as the kernel has it
 *
 * Bytes, which need not be UTF-8 nor printable.
 *
 * Return: the name, which is the request's; NULL where it is not known
 */
const char *pinguard_pin_device(const struct pinguard_pin *pin);

/**
 * pinguard_pin_address() - where the memory starts, in this process
 *
 * Return: 0; -ENODATA where it is not known
 */
int pinguard_pin_address(const struct pinguard_pin *pin, uint64_t *ret_address);

/** pinguard_pin_bytes() - how much memory it is */
uint64_t pinguard_pin_bytes(const struct pinguard_pin *pin);

/**
 * pinguard_request_n_failures() - how many parts of its pins have failed
 *
 * Other than 0 with PINGUARD_REQUEST_MEMORY_FAILURE alone. If more of those pins
 * fails later, a reminder comes that has all of it.
 */
size_t pinguard_request_n_failures(const struct pinguard_request *request);

/**
 * pinguard_request_failure() - one of those parts
 * @index: from 0 on
 *
 * Do not read nor write that memory, and do not have a device do it. Letting go
 * of the pin, and of its mapping, gives it back to the kernel.
 *
 * Return: the part, which is the request's; NULL where there is none of this index
 */
const struct pinguard_failure *pinguard_request_failure(const struct pinguard_request *request,
							size_t index);

/** pinguard_failure_pin() - the kernel's number of the pin that it is part of */
uint64_t pinguard_failure_pin(const struct pinguard_failure *failure);

/**
 * pinguard_failure_address() - where it starts, in this process
 *
 * Return: 0; -ENODATA where it is not known: some of the pin failed
 */
int pinguard_failure_address(const struct pinguard_failure *failure, uint64_t *ret_address);

/** pinguard_failure_bytes() - its size; without an address, that of the pin */
uint64_t pinguard_failure_bytes(const struct pinguard_failure *failure);

/** pinguard_failure_data_lost() - 1 if its content is lost, 0 if it is good yet */
int pinguard_failure_data_lost(const struct pinguard_failure *failure);

#ifdef __cplusplus
}
#endif

#endif
