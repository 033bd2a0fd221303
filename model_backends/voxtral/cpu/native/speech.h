/* The model, as the app calls it: weights that lie in a mapped file, KV caches, and one call for a
 * batch of encoder rows or of decoder positions. Used from one thread; it has its own for the work.
 *
 * Sizes are checked by the caller against the file before anything gets here; what the weights
 * themselves hold may be anything.
 */
#ifndef VX_SPEECH_H
#define VX_SPEECH_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define VX_API __declspec(dllexport)
#elif defined(__GNUC__)
#define VX_API __attribute__((visibility("default")))
#else
#define VX_API
#endif

#define VX_VERSION 2
#define VX_ENCODER 0
#define VX_DECODER 1

typedef struct vx_model vx_model;
typedef struct vx_kv vx_kv;

typedef struct {
  int32_t layers, width, heads, kv_heads, head_dim, ffn;
  int32_t window; /* keys a query sees, itself included */
  int32_t block;  /* most positions written in one call */
  double theta;
  double eps;
} vx_tower;

typedef struct {
  vx_tower tower[2];
  int32_t vocab, pad, eos;
  int32_t kv_bits; /* 16: bfloat16; 8: int8 with a scale per position and head */
} vx_spec;

/* One slot's rows: mel is [3 + 8 * rows][128]; out gets [rows][decoder width]. */
typedef struct {
  vx_kv *kv;
  int64_t row;
  int32_t rows;
  const float *mel;
  float *out;
} vx_encode_work;

/* One position. Those of one slot follow each other without a gap. */
typedef struct {
  vx_kv *kv;
  int64_t position;
  int32_t token;
  float pad_bias;
  const float *row;  /* [width] adapter row */
  const float *gain; /* [layers][width rounded up to 32] FFN norms for the slot's delay */
  float *logits;     /* NULL, or room for the vocabulary rounded up to 16 */
} vx_decode_work;

typedef struct {
  int32_t token; /* best with </s> barred and the bias applied */
  float gap;     /* its logit less the best of any other id; both without bar and bias */
  float logprob; /* its logit less the log of the sum of all exp(logit) */
} vx_answer;

VX_API int vx_version(void);
VX_API const char *vx_kernel_name(const char *wanted); /* NULL: not on this processor */

/* `tensors` in the order of `weights.py`; they must outlive the model. NULL if memory, threads or
 * the kernels are not to be had. */
VX_API vx_model *vx_open(const vx_spec *spec, const void *const *tensors, int threads,
                         const char *kernels);
VX_API void vx_close(vx_model *m);
VX_API int vx_set_threads(vx_model *m, int threads); /* 0, or -1 and all stays as it was */

VX_API vx_kv *vx_kv_new(const vx_model *m, int tower, int64_t first_position);
VX_API vx_kv *vx_kv_copy(const vx_kv *from, int64_t count); /* with its first positions */
VX_API void vx_kv_free(vx_kv *kv);
VX_API int64_t vx_kv_bytes(const vx_kv *kv);
VX_API int vx_kv_fill(vx_kv *kv, int64_t count); /* with made-up contents, for measuring; 0 or -1 */
/* All that a slot from position 0 holds, `vx_kv_bytes` of it; and a slot of `count` positions made
 * of them again. NULL if they are not as many bytes, or memory is short. */
VX_API void vx_kv_store(const vx_kv *kv, uint8_t *bytes);
VX_API vx_kv *vx_kv_restore(const vx_model *m, int tower, int64_t count, const uint8_t *bytes,
                            int64_t size);

/* 0, or -1 if memory is short: then nothing has changed. */
VX_API int vx_encode(vx_model *m, const vx_encode_work *work, int count);
VX_API int vx_decode(vx_model *m, const vx_decode_work *work, int count, vx_answer *answers);

/* Packing, and what a step is measured against. */
VX_API void vx_pack_q4(const float *w, int64_t rows, int64_t inputs, uint8_t *blocks);
VX_API void vx_pack_q8(const float *w, int64_t rows, int64_t inputs, uint8_t *blocks);
VX_API uint64_t vx_checksum(const uint8_t *bytes, int64_t count);
VX_API double vx_read_seconds(vx_model *m, const void *bytes, int64_t count);

/* For tests: one product, one row of an embedding, whatever the model. 0, or -1. */
VX_API int vx_product(const char *kernels, int bits, const uint8_t *blocks, int64_t rows,
                      int64_t inputs, const float *x, int64_t count, int threads, float *y);

#endif
