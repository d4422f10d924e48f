/* SPDX-License-Identifier: MIT */
/*
 * POSIX's contexts (ucontext.h), which every C library for Linux servers has, at two cheap system
 * calls for a pause and its end. Below each stack lies a page that nobody may touch.
 */
#include "process/fiber.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

/* Deep enough for name services and Kerberos under libpq; what is never touched costs nothing. */
#define STACK_SIZE (512 * 1024)

struct fiber {
	ucontext_t inside; /* where it paused */
	ucontext_t outside; /* where it was resumed */
	fiber_body *body;
	void *context;
	char *stack; /* its guarding page comes first */
	size_t guard;
	const void *resumer; /* the other stack, for the address sanitizer */
	size_t resumer_size;
};

/* Changes from one context to another, on the stack that begins at `stack`. */
static void change(ucontext_t *from, ucontext_t *to, const void *stack, size_t size)
{
#ifdef __SANITIZE_ADDRESS__
	void *fake;
	__sanitizer_start_switch_fiber(&fake, stack, size);
#else
	(void)stack;
	(void)size;
#endif
	swapcontext(from, to);
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
}

/* makecontext() passes nothing but int. */
static void begin(unsigned high, unsigned low)
{
	uintptr_t address = (uintptr_t)((uint64_t)high << 32 | low);
	struct fiber *fiber = (struct fiber *)address; /* NOLINT(performance-no-int-to-ptr) */
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(NULL, &fiber->resumer, &fiber->resumer_size);
#endif
	fiber->body(fiber->context);
	abort();
}

static bool prepare(struct fiber *fiber)
{
	uint64_t address = (uintptr_t)fiber;
	if (getcontext(&fiber->inside) != 0)
		return false;
	fiber->inside.uc_stack.ss_sp = fiber->stack + fiber->guard;
	fiber->inside.uc_stack.ss_size = STACK_SIZE;
	fiber->inside.uc_link = NULL;
	makecontext(&fiber->inside, (void (*)(void))begin, 2, (unsigned)(address >> 32),
		(unsigned)address);
	return true;
}

struct fiber *fiber_open(fiber_body *body, void *context)
{
	struct fiber *fiber = calloc(1, sizeof(*fiber));
	if (!fiber)
		return NULL;
	fiber->body = body;
	fiber->context = context;
	fiber->guard = (size_t)sysconf(_SC_PAGESIZE);
	fiber->stack = mmap(NULL, fiber->guard + STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (fiber->stack != MAP_FAILED && mprotect(fiber->stack, fiber->guard, PROT_NONE) == 0 &&
		prepare(fiber))
		return fiber;
	fiber_close(fiber);
	return NULL;
}

void fiber_close(struct fiber *fiber)
{
	if (!fiber)
		return;
	if (fiber->stack != MAP_FAILED)
		munmap(fiber->stack, fiber->guard + STACK_SIZE);
	free(fiber);
}

void fiber_resume(struct fiber *fiber)
{
	change(&fiber->outside, &fiber->inside, fiber->stack + fiber->guard, STACK_SIZE);
}

void fiber_pause(struct fiber *fiber)
{
	change(&fiber->inside, &fiber->outside, fiber->resumer, fiber->resumer_size);
}
