/* The model's two verbs, encode and decode, and how it is opened. */
#include "speech.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "choice.h"
#include "model.h"

#define MEL_BINS 128
#define FRAMES_PER_ROW 4
#define MEL_CONTEXT 3
#define MOST_ROWS 65536

/* Opening. */

static vx_weight weight(const void *const **next, int64_t rows, int64_t inputs) {
  vx_weight w = {*(*next)++, (size_t)VX_PAD(rows, VX_ROWS), (size_t)VX_PAD(inputs, VX_GROUP) / VX_GROUP};
  return w;
}

static vx_layer *layers_of(const vx_tower *t, const void *const **next) {
  int64_t q = (int64_t)t->heads * t->head_dim, kv = (int64_t)t->kv_heads * t->head_dim;
  vx_layer *layers = calloc((size_t)t->layers, sizeof *layers);
  if (layers == NULL) return NULL;
  for (int i = 0; i < t->layers; i++) {
    vx_layer *l = &layers[i];
    l->attention_norm = *(*next)++;
    l->wqkv = weight(next, q + 2 * kv, t->width);
    l->qkv_bias = *(*next)++;
    l->wo = weight(next, t->width, q);
    l->wo_bias = *(*next)++;
    l->ffn_norm = *(*next)++;
    l->w13 = weight(next, 2 * VX_PAD((int64_t)t->ffn, VX_ROWS), t->width);
    l->w2 = weight(next, t->width, t->ffn);
    l->w2_bias = *(*next)++;
  }
  return layers;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static void measure(vx_model *m) {
  size_t stem = 2 * FRAMES_PER_ROW + 1; /* first convolution's frames behind a row */
  for (int i = 0; i < 2; i++) {
    const vx_tower *t = &m->spec.tower[i];
    size_t d = (size_t)t->head_dim, q = (size_t)t->heads * d;
    size_t qkv = VX_PAD(q + 2 * (size_t)t->kv_heads * d, VX_ROWS);
    size_t ffn = VX_PAD((size_t)t->ffn, VX_GROUP), width = VX_PAD((size_t)t->width, VX_GROUP);
    m->layouts[i] = vx_kv_layout_of(t, m->spec.kv_bits);
    m->x_stride = larger(m->x_stride, width);
    m->mixed_stride = larger(m->mixed_stride, larger(width, VX_PAD(q, VX_GROUP)));
    m->wide_stride = larger(m->wide_stride, larger(qkv, ffn));
    m->most_turns = larger(m->most_turns, d);
    m->most_depth = larger(m->most_depth, (size_t)m->layouts[i].depth);
    m->scores_stride = larger(m->scores_stride, (size_t)t->window + 2 * VX_CHUNK);
  }
  size_t encoder = VX_PAD((size_t)m->spec.tower[VX_ENCODER].width, VX_ROWS);
  m->wide_stride = larger(m->wide_stride, (stem * encoder + 3) / 4 + encoder);
  m->x_stride = larger(m->x_stride, VX_PAD((size_t)m->spec.tower[VX_DECODER].width, VX_GROUP));
  size_t joined = (size_t)FRAMES_PER_ROW * (size_t)m->spec.tower[VX_ENCODER].width;
  m->most_groups = larger(larger(m->wide_stride, m->mixed_stride), VX_PAD(joined, VX_GROUP)) / VX_GROUP + 1;
}

vx_model *vx_open(const vx_spec *spec, const void *const *tensors, int threads,
                  const char *kernels) {
  vx_model *m = calloc(1, sizeof *m);
  if (m == NULL) return NULL;
  m->spec = *spec;
  m->kernels = vx_kernels_for(kernels);
  m->threads = vx_threads_new(threads);
  int64_t encoder = spec->tower[VX_ENCODER].width, decoder = spec->tower[VX_DECODER].width;
  for (int i = 0; i < 2; i++) {
    m->conv[i] = *tensors++;
    m->conv_bias[i] = *tensors++;
  }
  m->layers[VX_ENCODER] = layers_of(&spec->tower[VX_ENCODER], &tensors);
  m->norms[VX_ENCODER] = *tensors++;
  m->adapter[0] = weight(&tensors, decoder, FRAMES_PER_ROW * encoder);
  m->adapter[1] = weight(&tensors, decoder, decoder);
  m->layers[VX_DECODER] = layers_of(&spec->tower[VX_DECODER], &tensors);
  m->norms[VX_DECODER] = *tensors++;
  m->embedding = weight(&tensors, spec->vocab, decoder);
  measure(m);
  if (m->kernels == NULL || m->threads == NULL || m->layers[0] == NULL || m->layers[1] == NULL ||
      vx_scratch_for(m, FRAMES_PER_ROW) != 0) {
    vx_close(m);
    return NULL;
  }
  return m;
}

void vx_close(vx_model *m) {
  if (m == NULL) return;
  vx_threads_free(m->threads);
  vx_scratch_free(m);
  free(m->layers[0]), free(m->layers[1]);
  free(m);
}

int vx_set_threads(vx_model *m, int threads) {
  vx_threads *old = m->threads, *now = vx_threads_new(threads);
  if (now == NULL) return -1;
  m->threads = now;
  if (vx_scratch_for_threads(m) != 0) {
    m->threads = old;
    vx_threads_free(now);
    return -1;
  }
  vx_threads_free(old);
  return 0;
}

int vx_version(void) { return VX_VERSION; }

const char *vx_kernel_name(const char *wanted) {
  const vx_kernels *k = vx_kernels_for(wanted);
  return k ? k->name : NULL;
}

vx_kv *vx_kv_new(const vx_model *m, int tower, int64_t first_position) {
  return vx_kv_of(&m->layouts[tower], first_position);
}

vx_kv *vx_kv_restore(const vx_model *m, int tower, int64_t count, const uint8_t *bytes,
                     int64_t size) {
  vx_kv *kv = vx_kv_new(m, tower, 0);
  if (kv == NULL) return NULL;
  if (vx_kv_reserve(kv, count) != 0 || vx_kv_bytes(kv) != size) {
    vx_kv_free(kv);
    return NULL;
  }
  size_t part = kv->layout.chunk_bytes;
  for (int64_t i = 0; i < kv->held; i++) memcpy(kv->chunk[i], bytes + (size_t)i * part, part);
  return kv;
}

/* Encoding. */

/* Two causal convolutions of one slot's mel into its frames of the residual stream. Three frames
 * of context make it stateless; at a stream's beginning the second convolution pads with zeros,
 * which no mel context gives. */
static void stem(vx_model *m, const vx_encode_work *work, size_t row) {
  size_t width = (size_t)m->spec.tower[VX_ENCODER].width, frames = FRAMES_PER_ROW * (size_t)work->rows;
  size_t padded = VX_PAD(width, VX_ROWS);
  float *hidden = m->scratch.wide; /* [2 * frames + 1][padded] */
  vx_weight shape = {NULL, padded, 0};
  vx_product_work first = {.m = m, .w = &shape, .half = m->conv[0], .inputs = 3 * MEL_BINS};
  first.x = work->mel, first.x_stride = MEL_BINS, first.rows = 2 * frames + 1;
  first.take = vx_take_gelu, first.bias = m->conv_bias[0];
  first.out = hidden, first.out_stride = padded;
  vx_multiply(&first);
  if (FRAMES_PER_ROW * work->row == work->kv->first) memset(hidden, 0, padded * sizeof *hidden);

  vx_product_work second = {.m = m, .w = &shape, .half = m->conv[1], .inputs = 3 * padded};
  second.x = hidden, second.x_stride = 2 * padded, second.rows = frames;
  second.take = vx_take_gelu, second.bias = m->conv_bias[1];
  second.out = m->scratch.x + row * m->x_stride, second.out_stride = m->x_stride;
  vx_multiply(&second);
}

/* Four frames side by side, through two products, to rows of the decoder's width. */
static void adapt(vx_model *m, const vx_encode_work *work, int count, size_t rows) {
  const vx_tower *t = &m->spec.tower[VX_ENCODER];
  vx_scratch *s = &m->scratch;
  size_t width = (size_t)t->width, out = (size_t)m->spec.tower[VX_DECODER].width;
  size_t joined = FRAMES_PER_ROW * width, stride = VX_PAD(joined, VX_GROUP);
  for (size_t i = 0; i < rows * FRAMES_PER_ROW; i++) { /* the row's own place comes after it */
    float *y = s->mixed + i * m->mixed_stride;
    m->kernels->norm(s->x + i * m->x_stride, m->norms[VX_ENCODER], width, VX_PAD(width, VX_GROUP),
                     (float)t->eps, y);
    memcpy(s->wide + i / FRAMES_PER_ROW * stride + i % FRAMES_PER_ROW * width, y, width * sizeof *y);
  }
  vx_quantise_rows(m, s->wide, stride, rows, joined);
  vx_product_work first = {.m = m, .w = &m->adapter[0], .rows = rows, .take = vx_take_gelu};
  first.out = s->x, first.out_stride = m->x_stride;
  vx_multiply(&first);
  vx_quantise_rows(m, s->x, m->x_stride, rows, out);
  vx_product_work second = {.m = m, .w = &m->adapter[1], .rows = rows, .take = vx_take_store};
  second.out = s->mixed, second.out_stride = m->mixed_stride;
  vx_multiply(&second);
  for (size_t i = 0, row = 0; i < (size_t)count; i++)
    for (size_t r = 0; r < (size_t)work[i].rows; r++, row++)
      memcpy(work[i].out + r * out, s->mixed + row * m->mixed_stride, out * sizeof(float));
}

static void clear_padding(vx_model *m, int tower, size_t rows) {
  size_t width = (size_t)m->spec.tower[tower].width, padded = VX_PAD(width, VX_GROUP);
  for (size_t i = 0; i < rows; i++)
    memset(m->scratch.x + i * m->x_stride + width, 0, (padded - width) * sizeof(float));
}

int vx_encode(vx_model *m, const vx_encode_work *work, int count) {
  size_t rows = 0, most = 0;
  for (int i = 0; i < count; i++) {
    int64_t end = FRAMES_PER_ROW * (work[i].row + work[i].rows) - work[i].kv->first;
    if (vx_kv_reserve(work[i].kv, end) != 0) return -1;
    rows += (size_t)work[i].rows;
    most = larger(most, (size_t)work[i].rows);
  }
  vx_run *runs = calloc((size_t)count + 1, sizeof *runs);
  if (runs == NULL || rows > MOST_ROWS || vx_scratch_for(m, larger(FRAMES_PER_ROW * rows, 2 * FRAMES_PER_ROW * most + 1)) != 0) {
    free(runs);
    return -1;
  }
  size_t row = 0;
  for (int i = 0; i < count; i++) {
    runs[i].kv = work[i].kv;
    runs[i].row = row;
    runs[i].count = FRAMES_PER_ROW * (size_t)work[i].rows;
    runs[i].at = FRAMES_PER_ROW * work[i].row - work[i].kv->first;
    stem(m, &work[i], row);
    row += runs[i].count;
  }
  clear_padding(m, VX_ENCODER, row);
  vx_tower_run(m, VX_ENCODER, runs, (size_t)count, row, NULL);
  adapt(m, work, count, rows);
  free(runs);
  return 0;
}

/* Decoding. */

/* One row of the embedding added to x. */
static void look_up(const vx_model *m, int32_t token, float *x) {
  const vx_weight *w = &m->embedding;
  size_t row = (size_t)token % VX_ROWS, width = (size_t)m->spec.tower[VX_DECODER].width;
  const uint8_t *b = w->blocks + (size_t)token / VX_ROWS * w->groups * VX_Q8_BYTES;
  for (size_t i = 0; i < width; i++) {
    const uint8_t *block = b + i / VX_GROUP * VX_Q8_BYTES;
    size_t at = i % VX_GROUP;
    uint16_t scale;
    memcpy(&scale, block + 512 + 2 * row, 2);
    x[i] += (float)((int)block[at / 4 * 64 + 4 * row + at % 4] - 128) * vx_from_half(scale);
  }
}

typedef struct {
  const vx_decode_work *work;
  vx_seen *seen; /* [threads][rows] */
} head_work;

static void take_logits(vx_product_work *p, int thread, const float *y, size_t block,
                        size_t blocks) {
  head_work *h = p->more;
  const vx_spec *spec = &p->m->spec;
  size_t at = block * VX_ROWS, n = blocks * VX_ROWS;
  if (at + n > (size_t)spec->vocab) n = (size_t)spec->vocab - at;
  for (size_t m = 0; m < p->rows; m++) {
    const float *x = y + m * VX_Y_STRIDE;
    if (h->work[m].logits) memcpy(h->work[m].logits + at, x, n * sizeof *x);
    vx_see(&h->seen[(size_t)thread * p->rows + m], p->m->kernels, spec, x, at, n);
  }
}

static int answer(vx_model *m, const vx_decode_work *work, int count, vx_answer *answers) {
  size_t rows = (size_t)count, threads = (size_t)vx_threads_count(m->threads);
  head_work h = {work, malloc(threads * rows * sizeof *h.seen)};
  if (h.seen == NULL) return -1;
  for (size_t i = 0; i < threads * rows; i++) h.seen[i] = vx_nothing_seen();
  vx_norm_rows(m, VX_DECODER, NULL, m->norms[VX_DECODER], 0, rows);
  vx_product_work head = {.m = m, .w = &m->embedding, .eight_bits = 1, .rows = rows};
  head.take = take_logits, head.more = &h;
  vx_multiply(&head);
  for (size_t i = 0; i < rows; i++) {
    for (size_t t = 1; t < threads; t++) vx_see_too(&h.seen[i], &h.seen[t * rows + i]);
    answers[i] = vx_choose(&m->spec, &h.seen[i], work[i].pad_bias);
  }
  free(h.seen);
  return 0;
}

int vx_decode(vx_model *m, const vx_decode_work *work, int count, vx_answer *answers) {
  size_t width = (size_t)m->spec.tower[VX_DECODER].width;
  for (int i = 0; i < count; i++)
    if (vx_kv_reserve(work[i].kv, work[i].position + 1 - work[i].kv->first) != 0) return -1;
  vx_run *runs = calloc((size_t)count + 1, sizeof *runs);
  const float **gains = calloc((size_t)count + 1, sizeof *gains);
  int status = -1;
  if (runs != NULL && gains != NULL && count <= MOST_ROWS && vx_scratch_for(m, (size_t)count) == 0) {
    size_t n = 0;
    for (int i = 0; i < count; i++) {
      float *x = m->scratch.x + (size_t)i * m->x_stride;
      gains[i] = work[i].gain;
      memcpy(x, work[i].row, width * sizeof *x);
      look_up(m, work[i].token, x);
      if (n > 0 && runs[n - 1].kv == work[i].kv) {
        runs[n - 1].count++;
        continue;
      }
      runs[n].kv = work[i].kv, runs[n].row = (size_t)i, runs[n].count = 1;
      runs[n++].at = work[i].position - work[i].kv->first;
    }
    clear_padding(m, VX_DECODER, (size_t)count);
    vx_tower_run(m, VX_DECODER, runs, n, (size_t)count, gains);
    status = answer(m, work, count, answers);
  }
  free(runs), free(gains);
  return status;
}
