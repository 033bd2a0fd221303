/* Work memory, which only grows. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

static int zeros(float **p, size_t count) {
  free(*p);
  *p = calloc(count + 64, sizeof **p);
  return *p != NULL;
}

static int acts(vx_acts *a, size_t rows, size_t groups) {
  free(a->code), free(a->scale), free(a->offset), free(a->shift);
  a->code = calloc(rows * groups + 2, VX_GROUP);
  a->scale = calloc(rows * groups + 1, sizeof *a->scale);
  a->offset = calloc(rows * groups + 1, sizeof *a->offset);
  a->shift = calloc(rows * groups + 1, sizeof *a->shift);
  return a->code && a->scale && a->offset && a->shift;
}

/* Only the exact kernels look at it. */
static int exact(vx_model *m, size_t rows) {
  if (m->kernels != &vx_exact) return 1;
  return zeros(&m->scratch.acts.exact, rows * m->most_groups * VX_GROUP);
}

int vx_scratch_for_threads(vx_model *m) {
  int count = vx_threads_count(m->threads);
  size_t rows = m->scratch.rows;
  for (; m->owned < count; m->owned++) {
    vx_thread_scratch *own = &m->own[m->owned];
    if (!zeros(&own->products, rows * VX_Y_STRIDE) || !zeros(&own->scores, 4 * m->scores_stride) ||
        !zeros(&own->heads, 8 * m->most_depth))
      return -1;
  }
  return 0;
}

int vx_scratch_for(vx_model *m, size_t rows) {
  vx_scratch *s = &m->scratch;
  if (rows <= s->rows && m->owned >= vx_threads_count(m->threads)) return 0;
  size_t held = rows > s->rows ? rows : s->rows;
  s->rows = 0; /* until all is there */
  m->owned = 0;
  if (!zeros(&s->x, held * m->x_stride) || !zeros(&s->wide, held * m->wide_stride) ||
      !zeros(&s->mixed, held * m->mixed_stride) || !zeros(&s->turns, held * m->most_turns) ||
      !acts(&s->acts, held, m->most_groups) || !exact(m, held))
    return -1;
  s->rows = held;
  if (vx_scratch_for_threads(m) == 0) return 0;
  s->rows = 0;
  return -1;
}

void vx_scratch_free(vx_model *m) {
  vx_scratch *s = &m->scratch;
  free(s->x), free(s->wide), free(s->mixed), free(s->turns);
  free(s->acts.code), free(s->acts.scale), free(s->acts.offset), free(s->acts.shift);
  free(s->acts.exact);
  for (int i = 0; i < VX_MOST_THREADS; i++)
    free(m->own[i].products), free(m->own[i].scores), free(m->own[i].heads);
}
