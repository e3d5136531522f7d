/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The top of a stack stays resident, and is zeroed by hand if its use is measured. The part that was used below it is
 * returned to the system, so that one deep recursion does not stay in memory for good. Compiled code touches every page
 * of a frame in order, so the first untouched page ends the used part.
 */
#include "memory/stack.h"
#include "common/mutex.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define UNPOISON(stack) __asan_unpoison_memory_region((stack)->base, (stack)->size)
#else
#define UNPOISON(stack) ((void)0)
#endif

#define PAGE ((size_t)4096)
#define WARM ((size_t)32 << 10)

struct curfew__stacks {
	curfew__mutex lock;
	curfew__stack *free;
	size_t size;
	bool is_measured;
};

curfew__stacks *curfew__stacks_create(size_t size, bool is_measured)
{
	curfew__stacks *stacks = calloc(1, sizeof *stacks);

	if (!stacks)
		return NULL;
	curfew__mutex_init(&stacks->lock);
	stacks->size = size;
	stacks->is_measured = is_measured;
	return stacks;
}

static void destroy(curfew__stack *stack)
{
	munmap(stack->base - PAGE, stack->size + PAGE);
	free(stack);
}

void curfew__stacks_destroy(curfew__stacks *stacks)
{
	if (!stacks)
		return;
	for (curfew__stack *stack = stacks->free, *next; stack; stack = next) {
		next = stack->next;
		destroy(stack);
	}
	curfew__mutex_finish(&stacks->lock);
	free(stacks);
}

static curfew__stack *create(size_t size)
{
	curfew__stack *stack = calloc(1, sizeof *stack);

	if (!stack)
		return NULL;
	uint8_t *start = mmap(NULL, size + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	stack->base = start + PAGE;
	stack->size = size;
	/* No huge pages: they would hide how much was used. */
	if (start != MAP_FAILED)
		madvise(start, size + PAGE, MADV_NOHUGEPAGE);
	if (start != MAP_FAILED && !mprotect(stack->base, size, PROT_READ | PROT_WRITE))
		return stack;
	if (start != MAP_FAILED)
		munmap(start, size + PAGE);
	free(stack);
	return NULL;
}

curfew__stack *curfew__stacks_take(curfew__stacks *stacks)
{
	curfew__mutex_lock(&stacks->lock);
	curfew__stack *stack = stacks->free;
	if (stack)
		stacks->free = stack->next;
	curfew__mutex_unlock(&stacks->lock);
	return stack ? stack : create(stacks->size);
}

/* The lowest resident page at or above base; `from` is known to be resident. */
static const uint8_t *lowest_resident(const curfew__stack *stack, const uint8_t *from)
{
	unsigned char resident = 1;

	while (from > stack->base && !mincore((void *)(uintptr_t)(from - PAGE), PAGE, &resident) && (resident & 1))
		from -= PAGE;
	return from;
}

/* The lowest word that is not zero in the part that stays resident; both ends are page boundaries. */
static const uint8_t *lowest_word(const uint8_t *from, const uint8_t *top)
{
	const uint64_t *at = (const uint64_t *)(const void *)from, *end = (const uint64_t *)(const void *)top;

	/* Check whole cache lines, because this is done after every run. */
	while (at < end && !(at[0] | at[1] | at[2] | at[3] | at[4] | at[5] | at[6] | at[7]))
		at += 8;
	while (at < end && !*at)
		at++;
	return (const uint8_t *)at;
}

/* Returns the used pages below `warm` to the system. Returns the lowest of them. */
static const uint8_t *drop_below(const curfew__stack *stack, uint8_t *warm)
{
	const uint8_t *lowest = lowest_resident(stack, warm);

	if (lowest < warm)
		madvise((void *)(uintptr_t)lowest, (size_t)(warm - lowest), MADV_DONTNEED);
	return lowest;
}

static size_t clear(curfew__stack *stack)
{
	uint8_t *top = stack->base + stack->size, *warm = top - (WARM < stack->size ? WARM : stack->size);
	const uint8_t *lowest = drop_below(stack, warm), *dirty = lowest < warm ? warm : lowest_word(warm, top);

	memset((void *)(uintptr_t)dirty, 0, (size_t)(top - dirty));
	return (size_t)(top - (lowest < warm ? lowest : dirty));
}

void curfew__stacks_give_shallow(curfew__stacks *stacks, curfew__stack *stack)
{
	UNPOISON(stack); /* frames that a stop has left without their returns */
	curfew__mutex_lock(&stacks->lock);
	stack->next = stacks->free;
	stacks->free = stack;
	curfew__mutex_unlock(&stacks->lock);
}

size_t curfew__stacks_give(curfew__stacks *stacks, curfew__stack *stack)
{
	size_t used = 0;

	UNPOISON(stack);
	if (stacks->is_measured)
		used = clear(stack);
	else
		drop_below(stack, stack->base + stack->size - CURFEW__STACK_SHALLOW);
	curfew__stacks_give_shallow(stacks, stack);
	return used;
}

/* ---- Calls on a stack --------------------------------------------------------------------------------------- */

/*
 * curfew__switch_stack(top, function, argument). Debuggers and unwinders find the caller's frame by the frame pointer.
 * Calls and returns stay nested, so that this works with shadow stacks as well.
 */
void curfew__switch_stack(void *top, void (*function)(void *), void *argument);
__asm__(".text\n"
        ".hidden curfew__switch_stack\n"
        ".globl curfew__switch_stack\n"
        ".type curfew__switch_stack, @function\n"
        "curfew__switch_stack:\n"
        "	.cfi_startproc\n"
        "	endbr64\n"
        "	pushq %rbp\n"
        "	.cfi_def_cfa_offset 16\n"
        "	.cfi_offset %rbp, -16\n"
        "	movq %rsp, %rbp\n"
        "	.cfi_def_cfa_register %rbp\n"
        "	movq %rdi, %rsp\n"
        "	movq %rdx, %rdi\n"
        "	callq *%rsi\n"
        "	movq %rbp, %rsp\n"
        "	popq %rbp\n"
        "	.cfi_def_cfa %rsp, 8\n"
        "	retq\n"
        "	.cfi_endproc\n"
        ".size curfew__switch_stack, .-curfew__switch_stack\n");

#if defined(__SANITIZE_ADDRESS__)

/* AddressSanitizer must be notified which stack the thread uses. */
typedef struct annotated_call {
	void (*function)(void *argument);
	void *argument;
	const void *from;
	size_t from_size;
} annotated_call;

static void call_annotated(void *context)
{
	annotated_call *call = context;

	__sanitizer_finish_switch_fiber(NULL, &call->from, &call->from_size);
	call->function(call->argument);
	__sanitizer_start_switch_fiber(NULL, call->from, call->from_size);
}

void curfew__stack_call(const curfew__stack *stack, void (*function)(void *argument), void *argument)
{
	annotated_call call = {.function = function, .argument = argument};
	void *fake;

	__sanitizer_start_switch_fiber(&fake, stack->base, stack->size);
	curfew__switch_stack(stack->base + stack->size, call_annotated, &call);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

#else

void curfew__stack_call(const curfew__stack *stack, void (*function)(void *argument), void *argument)
{
	curfew__switch_stack(stack->base + stack->size, function, argument);
}

#endif
