/* What the files of the model share: weights, work memory, one pass through a tower. */
#ifndef VX_MODEL_H
#define VX_MODEL_H

#include "blocks.h"
#include "kv_cache.h"
#include "speech.h"
#include "threads.h"

typedef struct {
  const uint8_t *blocks;
  size_t rows, groups; /* rows a multiple of 16, inputs = 32 * groups */
} vx_weight;

typedef struct {
  const float *attention_norm;
  vx_weight wqkv; /* width -> (heads + 2 kv_heads) * head_dim */
  const float *qkv_bias;
  vx_weight wo;
  const float *wo_bias;
  const float *ffn_norm;
  vx_weight w13; /* 16 rows of the gate, the same 16 of up, and so on */
  vx_weight w2;
  const float *w2_bias;
} vx_layer;

/* Work memory for as many rows as were ever needed. */
typedef struct {
  size_t rows;
  float *x;     /* [rows][x_stride] the residual stream */
  float *wide;  /* [rows][wide_stride] q, k, v; then SwiGLU's product; convolutions */
  float *mixed; /* [rows][mixed_stride] normed x; then attention's output */
  float *turns; /* [rows][head_dim] cosines, then sines */
  vx_acts acts;
} vx_scratch;

typedef struct {
  float *products; /* [rows][128] */
  float *scores;   /* [4][...] */
  float *heads;    /* [8][depth]: four queries, four outputs */
} vx_thread_scratch;

struct vx_model {
  vx_spec spec;
  const vx_kernels *kernels;
  vx_threads *threads;
  vx_kv_layout layouts[2];
  vx_layer *layers[2];
  const float *norms[2];
  const uint16_t *conv[2];
  const float *conv_bias[2];
  vx_weight adapter[2], embedding;
  size_t x_stride, wide_stride, mixed_stride, most_groups, scores_stride, most_depth, most_turns;
  vx_scratch scratch;
  vx_thread_scratch own[VX_MOST_THREADS];
  int owned; /* threads with scratch memory */
};

/* Consecutive positions of one slot within a batch. */
typedef struct {
  vx_kv *kv;
  size_t row, count; /* in the batch */
  int64_t at;        /* of the first, counted from the slot's first position */
} vx_run;

/* What becomes of a product, 16 rows of outputs at a time. */
typedef struct vx_product_work vx_product_work;
typedef void (*vx_take)(vx_product_work *p, int thread, const float *y, size_t block, size_t blocks);

#define VX_SUB_BLOCKS 8 /* blocks of rows that are made and taken at once */
#define VX_Y_STRIDE (VX_SUB_BLOCKS * VX_ROWS)

struct vx_product_work {
  vx_model *m;
  const vx_weight *w;
  int eight_bits;
  const uint16_t *half; /* bfloat16 weights instead, with float activations x */
  const float *x;
  size_t x_stride, inputs;
  size_t rows, pair; /* pair: blocks that belong together, 1 or 2 */
  vx_take take;
  const float *bias;
  float *out;
  size_t out_stride;
  void *more;
};

int vx_scratch_for(vx_model *m, size_t rows); /* 0, or -1 */
int vx_scratch_for_threads(vx_model *m);
void vx_scratch_free(vx_model *m);

void vx_multiply(vx_product_work *p);
void vx_take_store(vx_product_work *p, int thread, const float *y, size_t block, size_t blocks);
void vx_take_gelu(vx_product_work *p, int thread, const float *y, size_t block, size_t blocks);

/* Codes of `rows` rows of n values, `stride` apart; clears what follows up to a whole group. */
void vx_quantise_rows(vx_model *m, float *x, size_t stride, size_t rows, size_t n);
/* Codes of the residual stream's rows, normed. */
void vx_norm_rows(vx_model *m, int tower, const float *const *gains, const float *gain,
                  size_t gain_offset, size_t rows);

/* All layers of a tower over m->scratch.x. `gains`: per row, NULL for the encoder. */
void vx_tower_run(vx_model *m, int tower, const vx_run *runs, size_t count, size_t rows,
                  const float *const *gains);

#endif
