/* Threads that share out the parts of one task at a time. Knows nothing about what they do. */
#ifndef VX_THREADS_H
#define VX_THREADS_H

#include <stddef.h>

#define VX_MOST_THREADS 64

typedef struct vx_threads vx_threads;

/* Do parts begin..end-1. `thread` is 0 for the caller, then 1, 2, ... */
typedef void (*vx_task)(void *with, int thread, size_t begin, size_t end);

vx_threads *vx_threads_new(int count); /* NULL if they cannot be had */
void vx_threads_free(vx_threads *t);
int vx_threads_count(const vx_threads *t);

/* Do `count` parts, the caller included; returns when all are done. Each thread takes a share of
 * what is left, at least `least` parts, so that a slow core takes fewer and nobody waits long. */
void vx_share(vx_threads *t, vx_task task, void *with, size_t count, size_t least);

#endif
