/* What a step is measured against, and doors for tests. */
#include <stdlib.h>
#if defined(_WIN32)
#include <windows.h>
#else
#include <time.h>
#endif

#include "model.h"

#define PIECE 1048576 /* bytes a thread reads at once */

typedef struct {
  vx_model *m;
  const uint64_t *words;
  uint64_t sums[VX_MOST_THREADS * 8]; /* a cache line each */
} read_work;

static void read_part(void *with, int thread, size_t begin, size_t end) {
  read_work *r = with;
  size_t piece = PIECE / sizeof(uint64_t);
  r->sums[8 * thread] += r->m->kernels->read(r->words + begin * piece, (end - begin) * piece);
}

#if defined(_WIN32) /* older MinGW has no timespec_get */
static double now(void) {
  LARGE_INTEGER ticks, a_second;
  QueryPerformanceCounter(&ticks);
  QueryPerformanceFrequency(&a_second);
  return (double)ticks.QuadPart / (double)a_second.QuadPart;
}
#else
static double now(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
#endif

double vx_read_seconds(vx_model *m, const void *bytes, int64_t count) {
  static volatile uint64_t kept; /* so that the reading is not left out */
  read_work r = {.m = m, .words = bytes};
  double start = now();
  vx_share(m->threads, read_part, &r, (size_t)count / PIECE, 1);
  double end = now();
  for (int i = 0; i < VX_MOST_THREADS; i++) kept += r.sums[8 * i];
  return end - start;
}

int vx_product(const char *kernels, int bits, const uint8_t *blocks, int64_t rows, int64_t inputs,
               const float *x, int64_t count, int threads, float *y) {
  vx_model m = {.kernels = vx_kernels_for(kernels), .threads = vx_threads_new(threads)};
  vx_weight w = {blocks, (size_t)VX_PAD(rows, VX_ROWS), (size_t)VX_PAD(inputs, VX_GROUP) / VX_GROUP};
  m.mixed_stride = m.x_stride = m.wide_stride = VX_PAD((size_t)inputs, VX_GROUP);
  m.most_groups = w.groups;
  int status = -1;
  if (m.kernels != NULL && m.threads != NULL && vx_scratch_for(&m, (size_t)count) == 0) {
    for (int64_t i = 0; i < count; i++)
      for (int64_t k = 0; k < inputs; k++)
        m.scratch.x[(size_t)i * m.x_stride + (size_t)k] = x[i * inputs + k];
    vx_quantise_rows(&m, m.scratch.x, m.x_stride, (size_t)count, (size_t)inputs);
    vx_product_work p = {.m = &m, .w = &w, .eight_bits = bits == 8, .rows = (size_t)count};
    p.take = vx_take_store, p.out = y, p.out_stride = w.rows;
    vx_multiply(&p);
    status = 0;
  }
  vx_threads_free(m.threads);
  vx_scratch_free(&m);
  return status;
}
