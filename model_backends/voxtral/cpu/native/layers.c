/* A stack of transformer layers over a batch of rows: each row is one position of some slot. Reads
 * top to bottom; what the threads share out is in the tasks above the function that starts them.
 * No row's result depends on what it is batched with, nor on the number of threads.
 */
#include <math.h>
#include <string.h>

#include "model.h"

/* Products. */

static void multiply_part(void *with, int thread, size_t begin, size_t end) {
  vx_product_work *p = with;
  const vx_kernels *k = p->m->kernels;
  float *y = p->m->own[thread].products;
  begin *= p->pair, end *= p->pair;
  for (size_t b = begin; b < end; b += VX_SUB_BLOCKS) {
    size_t last = b + VX_SUB_BLOCKS < end ? b + VX_SUB_BLOCKS : end;
    if (p->half) k->half(p->half, b, last, p->inputs, p->x, p->x_stride, p->rows, y, VX_Y_STRIDE);
    else if (p->eight_bits)
      k->q8(p->w->blocks, b, last, &p->m->scratch.acts, 0, p->rows, y, VX_Y_STRIDE);
    else k->q4(p->w->blocks, b, last, &p->m->scratch.acts, 0, p->rows, y, VX_Y_STRIDE);
    p->take(p, thread, y, b, last - b);
  }
}

void vx_multiply(vx_product_work *p) {
  if (p->pair == 0) p->pair = 1;
  vx_share(p->m->threads, multiply_part, p, p->w->rows / VX_ROWS / p->pair, 1);
}

void vx_take_store(vx_product_work *p, int thread, const float *y, size_t block, size_t blocks) {
  (void)thread;
  size_t n = blocks * VX_ROWS, at = block * VX_ROWS;
  for (size_t m = 0; m < p->rows; m++)
    for (size_t i = 0; i < n; i++)
      p->out[m * p->out_stride + at + i] = y[m * VX_Y_STRIDE + i] + (p->bias ? p->bias[at + i] : 0);
}

static void take_add(vx_product_work *p, int thread, const float *y, size_t block, size_t blocks) {
  (void)thread;
  size_t n = blocks * VX_ROWS, at = block * VX_ROWS;
  for (size_t m = 0; m < p->rows; m++)
    for (size_t i = 0; i < n; i++)
      p->out[m * p->out_stride + at + i] += y[m * VX_Y_STRIDE + i] + (p->bias ? p->bias[at + i] : 0);
}

void vx_take_gelu(vx_product_work *p, int thread, const float *y, size_t block, size_t blocks) {
  (void)thread;
  size_t n = blocks * VX_ROWS, at = block * VX_ROWS;
  for (size_t m = 0; m < p->rows; m++)
    for (size_t i = 0; i < n; i++) {
      float v = y[m * VX_Y_STRIDE + i] + (p->bias ? p->bias[at + i] : 0);
      p->out[m * p->out_stride + at + i] = 0.5f * v * (1 + erff(v * 0.70710678f));
    }
}

static void take_swiglu(vx_product_work *p, int thread, const float *y, size_t block,
                        size_t blocks) {
  (void)thread;
  for (size_t m = 0; m < p->rows; m++)
    for (size_t b = 0; b + 1 < blocks; b += 2) {
      const float *gate = y + m * VX_Y_STRIDE + b * VX_ROWS;
      float *out = p->out + m * p->out_stride + (block + b) / 2 * VX_ROWS;
      p->m->kernels->swiglu(gate, gate + VX_ROWS, out, VX_ROWS);
    }
}

/* Norms and codes, a row at a time. */

typedef struct {
  vx_model *m;
  const float *gain;
  const float *const *gains;
  float *own; /* rows of which what lies between n and n_padded is cleared */
  size_t stride, gain_offset, n, n_padded;
  float eps;
} rows_work;

#define FEW_ROWS 2 /* not worth waking anybody */

static void quantise_part(void *with, int thread, size_t begin, size_t end) {
  rows_work *w = with;
  (void)thread;
  for (size_t i = begin; i < end; i++) {
    float *x = w->own + i * w->stride;
    memset(x + w->n, 0, (w->n_padded - w->n) * sizeof *x);
    w->m->kernels->quantise(x, &w->m->scratch.acts, i);
  }
}

void vx_quantise_rows(vx_model *m, float *x, size_t stride, size_t rows, size_t n) {
  rows_work w = {.m = m, .own = x, .stride = stride, .n = n, .n_padded = VX_PAD(n, VX_GROUP)};
  m->scratch.acts.groups = w.n_padded / VX_GROUP;
  vx_share(m->threads, quantise_part, &w, rows, FEW_ROWS);
}

static void norm_part(void *with, int thread, size_t begin, size_t end) {
  rows_work *w = with;
  vx_scratch *s = &w->m->scratch;
  (void)thread;
  for (size_t i = begin; i < end; i++) {
    const float *gain = w->gains ? w->gains[i] + w->gain_offset : w->gain;
    float *y = s->mixed + i * w->m->mixed_stride;
    w->m->kernels->norm(s->x + i * w->m->x_stride, gain, w->n, w->n_padded, w->eps, y);
    w->m->kernels->quantise(y, &s->acts, i);
  }
}

void vx_norm_rows(vx_model *m, int tower, const float *const *gains, const float *gain,
                  size_t gain_offset, size_t rows) {
  const vx_tower *t = &m->spec.tower[tower];
  rows_work w = {.m = m, .gains = gains, .gain = gain, .gain_offset = gain_offset};
  w.n = (size_t)t->width;
  w.n_padded = VX_PAD(w.n, VX_GROUP);
  w.eps = (float)t->eps;
  m->scratch.acts.groups = w.n_padded / VX_GROUP;
  vx_share(m->threads, norm_part, &w, rows, FEW_ROWS);
}

/* Attention: a part is one key head of one slot. */

typedef struct {
  vx_model *m;
  const vx_tower *t;
  const vx_run *runs;
  int layer;
} attention_work;

/* Rotary embedding in halves order: channel i turns with i + d / 2. */
static void turn(const float *x, const float *turns, int d, float scale, float *y) {
  const float *cosine = turns, *sine = turns + d / 2;
  for (int i = 0; i < d / 2; i++) {
    float a = x[i], b = x[i + d / 2];
    y[i] = (a * cosine[i] - b * sine[i]) * scale;
    y[i + d / 2] = (b * cosine[i] + a * sine[i]) * scale;
  }
}

static void remember(const attention_work *w, const vx_run *run, int head) {
  const vx_tower *t = w->t;
  int d = t->head_dim;
  float key[1024];
  for (size_t i = 0; i < run->count; i++) {
    const float *qkv = w->m->scratch.wide + (run->row + i) * w->m->wide_stride;
    const float *k = qkv + (size_t)(t->heads + head) * (size_t)d;
    const float *v = k + (size_t)t->kv_heads * (size_t)d;
    turn(k, w->m->scratch.turns + (run->row + i) * w->m->most_turns, d, 1, key);
    vx_kv_write(run->kv, w->layer, head, run->at + (int64_t)i, key, v);
  }
}

/* Four queries: of four heads at one position, or of one head at four positions. */
static void ask(const attention_work *w, const vx_run *run, int kv_head, int thread, size_t first,
                int group_head, int count, int along_positions) {
  vx_model *m = w->m;
  const vx_tower *t = w->t;
  const vx_kv_layout *l = &run->kv->layout;
  size_t d = (size_t)t->head_dim, depth = (size_t)l->depth;
  float *memory = m->own[thread].heads, *target[4];
  int group = t->heads / t->kv_heads;
  vx_attention a = {.chunk = (const uint8_t *const *)run->kv->chunk, .chunks = l->chunks};
  a.keys = vx_kv_offset(l, w->layer, kv_head);
  a.values = a.keys + l->part;
  a.depth = l->depth;
  a.eight_bits = l->eight_bits;
  a.scratch = m->own[thread].scores;
  a.scratch_stride = m->scores_stride;
  for (int q = 0; q < 4; q++) {
    int own = q < count ? q : 0;
    size_t row = run->row + first + (along_positions ? (size_t)own : 0);
    int head = kv_head * group + group_head + (along_positions ? 0 : own);
    int64_t at = run->at + (int64_t)(row - run->row);
    float *query = memory + (size_t)own * depth;
    const float *x = m->scratch.wide + row * m->wide_stride + (size_t)head * d;
    if (q == own) {
      turn(x, m->scratch.turns + row * m->most_turns, (int)d, 1.0f / sqrtf((float)d), query);
      memset(query + d, 0, (depth - d) * sizeof *query);
      target[q] = m->scratch.mixed + row * m->mixed_stride + (size_t)head * d;
    }
    a.query[q] = query;
    a.out[q] = memory + (size_t)(4 + q) * depth;
    a.high[q] = at + 1;
    a.low[q] = at + 1 > t->window ? at + 1 - t->window : 0;
  }
  m->kernels->attend(&a);
  for (int q = 0; q < count; q++) memcpy(target[q], a.out[q], d * sizeof(float));
}

static void attention_part(void *with, int thread, size_t begin, size_t end) {
  attention_work *w = with;
  int group = w->t->heads / w->t->kv_heads;
  for (size_t part = begin; part < end; part++) {
    const vx_run *run = w->runs + part / (size_t)w->t->kv_heads;
    int head = (int)(part % (size_t)w->t->kv_heads);
    remember(w, run, head);
    for (size_t i = 0; i < run->count; i += group == 1 ? 4 : 1) {
      int left = (int)(run->count - i);
      if (group == 1) {
        ask(w, run, head, thread, i, 0, left < 4 ? left : 4, 1);
        continue;
      }
      for (int h = 0; h < group; h += 4)
        ask(w, run, head, thread, i, h, group - h < 4 ? group - h : 4, 0);
    }
  }
}

/* Angles in double precision: a stream may run for days. */
static void make_turns(vx_model *m, const vx_tower *t, const vx_run *runs, size_t count) {
  int half = t->head_dim / 2;
  for (size_t r = 0; r < count; r++)
    for (size_t i = 0; i < runs[r].count; i++) {
      double position = (double)(runs[r].kv->first + runs[r].at + (int64_t)i);
      float *turns = m->scratch.turns + (runs[r].row + i) * m->most_turns;
      for (int c = 0; c < half; c++) {
        double angle = position * pow(t->theta, -2.0 * c / t->head_dim);
        turns[c] = (float)cos(angle);
        turns[half + c] = (float)sin(angle);
      }
    }
}

void vx_tower_run(vx_model *m, int tower, const vx_run *runs, size_t count, size_t rows,
                  const float *const *gains) {
  const vx_tower *t = &m->spec.tower[tower];
  vx_scratch *s = &m->scratch;
  size_t padded = VX_PAD((size_t)t->width, VX_GROUP);
  make_turns(m, t, runs, count);
  for (int i = 0; i < t->layers; i++) {
    const vx_layer *layer = &m->layers[tower][i];
    vx_norm_rows(m, tower, NULL, layer->attention_norm, 0, rows);
    vx_product_work qkv = {.m = m, .w = &layer->wqkv, .rows = rows, .take = vx_take_store};
    qkv.bias = layer->qkv_bias, qkv.out = s->wide, qkv.out_stride = m->wide_stride;
    vx_multiply(&qkv);

    attention_work attention = {m, t, runs, i};
    vx_share(m->threads, attention_part, &attention, count * (size_t)t->kv_heads, 1);
    vx_quantise_rows(m, s->mixed, m->mixed_stride, rows, (size_t)t->heads * (size_t)t->head_dim);
    vx_product_work wo = {.m = m, .w = &layer->wo, .rows = rows, .take = take_add};
    wo.bias = layer->wo_bias, wo.out = s->x, wo.out_stride = m->x_stride;
    vx_multiply(&wo);

    vx_norm_rows(m, tower, gains, layer->ffn_norm, padded * (size_t)i, rows);
    vx_product_work w13 = {.m = m, .w = &layer->w13, .rows = rows, .pair = 2};
    w13.take = take_swiglu, w13.out = s->wide, w13.out_stride = m->wide_stride;
    vx_multiply(&w13);

    vx_quantise_rows(m, s->wide, m->wide_stride, rows, (size_t)t->ffn);
    vx_product_work w2 = {.m = m, .w = &layer->w2, .rows = rows, .take = take_add};
    w2.bias = layer->w2_bias, w2.out = s->x, w2.out_stride = m->x_stride;
    vx_multiply(&w2);
  }
}
