/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of the pool: bytes that are sent to a worker before its first run of them. */
#include "inside.h"

#include "common/memory_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool take_program_slot(worker_pool *pool, worker_program *program)
{
	size_t slot = 0;
	while (slot < pool->program_count && pool->programs[slot] != NULL)
		slot++;
	if (slot == pool->program_count) {
		worker_program **grown = realloc(pool->programs, (slot * 2 + 16) * sizeof(worker_program *));
		if (grown == NULL)
			return false;
		memset(grown + slot, 0, (slot + 16) * sizeof(worker_program *));
		pool->programs = grown;
		pool->program_count = slot * 2 + 16;
	}
	pool->programs[slot] = program;
	program->slot = slot;
	return true;
}

/* A program of more bytes is a sealed file: a worker that read it from the socket would do nothing else meanwhile. */
enum { SHORT_BYTES = 64 * 1024 };

static bool map_bytes(worker_program *program, const worker_source *source)
{
	program->file = curfew__memory_file("curfew-program");
	if (program->file < 0 || !curfew__file_write(program->file, source->bytes, source->length, 0) ||
	    !curfew__file_seal(program->file))
		return false;
	void *mapped = mmap(NULL, source->length, PROT_READ, MAP_PRIVATE, program->file, 0);
	program->bytes = mapped != MAP_FAILED ? mapped : NULL;
	return mapped != MAP_FAILED;
}

static bool copy_bytes(worker_program *program, const worker_source *source)
{
	program->length = source->length;
	if (source->length > SHORT_BYTES)
		return map_bytes(program, source);
	program->bytes = malloc(source->length + 1);
	if (program->bytes != NULL && source->length > 0)
		memcpy(program->bytes, source->bytes, source->length);
	return program->bytes != NULL;
}

static bool fill_program(worker_program *program, const worker_source *source)
{
	program->name = strdup(source->name);
	program->import_dir = source->import_dir != NULL ? strdup(source->import_dir) : NULL;
	if (program->name == NULL || (source->import_dir != NULL && program->import_dir == NULL))
		return false;
	if (!copy_bytes(program, source))
		return false;
	if (source->import_map != NULL) {
		program->map_name = strdup(source->import_map_name != NULL ? source->import_map_name : "import-map");
		program->map = strndup(source->import_map, source->import_map_length);
		if (program->map_name == NULL || program->map == NULL)
			return false;
	}

	program->head = (worker_program_head){
		.language = (uint32_t)source->language,
		.flags = (source->is_image ? WORKER_PROGRAM_IMAGE : 0) | (source->once ? WORKER_PROGRAM_ONCE : 0) |
	             (source->is_path ? WORKER_PROGRAM_PATH : 0) | (source->has_node ? WORKER_PROGRAM_NODE : 0),
		.name_length = strlen(source->name) + 1,
		.map_name_length = program->map_name != NULL ? strlen(program->map_name) + 1 : 0,
		.map_length = program->map != NULL ? strlen(program->map) + 1 : 0,
		.file_length = program->file >= 0 ? program->length : 0,
	};
	if (source->sha256 != NULL)
		(void)snprintf(program->head.sha256, sizeof program->head.sha256, "%s", source->sha256);

	return true;
}

const char *worker_program_hash(worker_program *program)
{
	unsigned char sum[crypto_hash_sha256_BYTES];
	if (program->head.sha256[0] != '\0')
		return program->head.sha256;
	if (program->sha256[0] != '\0' || (program->head.flags & WORKER_PROGRAM_IMAGE) != 0)
		return program->sha256;
	(void)crypto_hash_sha256(sum, program->bytes, program->length);
	return sodium_bin2hex(program->sha256, sizeof program->sha256, sum, sizeof sum);
}

static void free_program(worker_program *program)
{
	free(program->name);
	free(program->import_dir);
	free(program->map_name);
	free(program->map);
	curfew_code_destroy(program->code);
	if (program->file < 0)
		free(program->bytes);
	else if (program->bytes != NULL)
		(void)munmap(program->bytes, program->length);
	if (program->file >= 0)
		(void)close(program->file);
	free(program);
}

curfew_status worker_program_create(worker_pool *pool, const worker_source *source, worker_program **program,
                                    curfew_failure *failure)
{
	if (source->name == NULL || source->length > WORKER_PROGRAM_MAX)
		return worker_refuse(failure, CURFEW_INVALID, "the program has no name, or is larger than 256 MiB");
	worker_program *made = calloc(1, sizeof *made);
	if (made != NULL)
		made->file = -1;
	if (made == NULL || !fill_program(made, source)) {
		if (made != NULL)
			free_program(made);
		return worker_refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}

	atomic_init(&made->references, 1);
	made->pool = pool;
	worker_lock(pool);
	bool placed = take_program_slot(pool, made);
	worker_unlock(pool);
	if (!placed) {
		free_program(made);
		return worker_refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}

	atomic_fetch_add(&pool->references, 1);
	*program = made;
	return CURFEW_OK;
}

void worker_program_ref(worker_program *program)
{
	atomic_fetch_add(&program->references, 1);
}

static void forget_program(worker_pool *pool, size_t slot) CURFEW__REQUIRES(pool->lock);
static void forget_program(worker_pool *pool, size_t slot)
{
	pool->programs[slot] = NULL;
	for (process *p = pool->processes; p != NULL; p = p->next) {
		if (slot >= p->program_count || !p->has_program[slot])
			continue;
		/* Without memory for even this, the worker's numbers of programs would become wrong, so it has to end. */
		if (!worker_frame_add(&p->out, WORKER_FRAME_FORGET, slot, 0))
			worker_process_kill(p);
		p->has_program[slot] = false;
	}
	worker_pool_wake(pool);
}

void worker_program_unref(worker_program *program)
{
	if (program == NULL || atomic_fetch_sub(&program->references, 1) != 1)
		return;
	worker_pool *pool = program->pool;
	worker_lock(pool);
	forget_program(pool, program->slot);
	worker_unlock(pool);
	free_program(program);
	worker_pool_unref(pool);
}

/* Sends a program to a worker, unless it has it. */
bool worker_program_send(process *p, const worker_program *program)
{
	const worker_program_head *head = &program->head;
	size_t length = sizeof *head + (size_t)(head->name_length + head->map_name_length + head->map_length) +
	                (program->file < 0 ? program->length : 0);

	if (program->slot >= p->program_count) {
		size_t count = program->slot * 2 + 16;
		bool *grown = realloc(p->has_program, count * sizeof *grown);
		if (grown == NULL)
			return false;
		memset(grown + p->program_count, 0, (count - p->program_count) * sizeof *grown);
		p->has_program = grown;
		p->program_count = count;
	}

	if (p->has_program[program->slot])
		return true;
	/* The file goes with the first byte of the frame. */
	int file = program->file >= 0 ? fcntl(program->file, F_DUPFD_CLOEXEC, 0) : -1;
	if (program->file >= 0 && (file < 0 || !worker_files_add(&p->files, worker_bytes_count(&p->out), file)))
		return false;
	p->has_program[program->slot] = worker_frame_add(&p->out, WORKER_FRAME_PROGRAM, program->slot, length);
	return p->has_program[program->slot] && worker_bytes_add(&p->out, &program->head, sizeof program->head) &&
	       worker_bytes_add(&p->out, program->name, (size_t)head->name_length) &&
	       worker_bytes_add(&p->out, program->map_name, (size_t)head->map_name_length) &&
	       worker_bytes_add(&p->out, program->map, (size_t)head->map_length) &&
	       (program->file >= 0 || worker_bytes_add(&p->out, program->bytes, program->length));
}
