/* How weights and activations are laid out for products, and the kernels of one instruction set.
 *
 * Weights come in blocks of 16 output rows by 32 inputs. Within a block the inputs stand in quads:
 * the four bytes (or nibbles) of a row's quad are neighbours, then come the other rows, so that one
 * vector instruction multiplies a quad of every row with the same four activations.
 *
 *   int4: code 0..15 stands for (code - 8) * scale. Byte 64 z + 4 r + i holds input 8 z + i of row
 *         r in its low half and input 8 z + 4 + i in its high half, z = 0..3. Then 16 scales.
 *   int8: code 0..255 stands for (code - 128) * scale (1..255 are used). Byte 64 q + 4 r + i holds
 *         input 4 q + i of row r, q = 0..7. Then 16 scales.
 *
 * Scales are IEEE half precision, one per row and block. Blocks follow each other along the inputs,
 * then along the rows. Knows nothing about the model.
 */
#ifndef VX_BLOCKS_H
#define VX_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define VX_ROWS 16
#define VX_GROUP 32
#define VX_Q4_BYTES 288
#define VX_Q8_BYTES 544
#define VX_CHUNK 128 /* positions of a piece of KV cache */

#define VX_PAD(n, to) (((n) + (to) - 1) / (to) * (to))

/* Rows of activations in 8 bits: x = code * scale, per group of 32 inputs. */
typedef struct {
  int8_t *code;    /* [rows][32 * groups] */
  float *scale;    /* [rows][groups] */
  int32_t *offset; /* [rows][groups]: -8 * the sum of the codes, which takes (code - 8) into account */
  float *shift;    /* [rows][groups]: scale * offset */
  float *exact;    /* [rows][32 * groups]: the activations themselves, for the exact kernels */
  size_t groups;
} vx_acts;

/* Weights kept as bfloat16: [rows / 16][inputs][16]. */

/* Up to four queries of one key head against its cache. Positions are counted from the first. */
typedef struct {
  const float *query[4];       /* [depth], scaled by 1 / sqrt(d) */
  float *out[4];               /* [depth]; equal pointers where there are fewer queries */
  int64_t low[4], high[4];     /* keys low <= j < high are seen */
  const uint8_t *const *chunk; /* the ring of chunks: position j is in chunk (j / 128) % chunks */
  int64_t chunks;
  size_t keys, values;         /* offsets of this head's keys and values in a chunk, bytes */
  int depth;                   /* head_dim rounded up to 16 */
  int eight_bits;              /* keys and values as int8 with a float scale per position, at the end */
  float *scratch;              /* [4][window + 2 * 128] */
  size_t scratch_stride;
} vx_attention;

typedef struct vx_kernels {
  const char *name;
  /* y[m * stride + 16 * (b - first) + r] for blocks of rows first..last-1 and `count` rows of
   * activations from `row` on. */
  void (*q4)(const uint8_t *w, size_t first, size_t last, const vx_acts *a, size_t row,
             size_t count, float *y, size_t stride);
  void (*q8)(const uint8_t *w, size_t first, size_t last, const vx_acts *a, size_t row,
             size_t count, float *y, size_t stride);
  /* The same with bfloat16 weights and float activations, rows `x_stride` apart. */
  void (*half)(const uint16_t *w, size_t first, size_t last, size_t inputs, const float *x,
               size_t x_stride, size_t count, float *y, size_t stride);
  void (*quantise)(const float *x, const vx_acts *a, size_t row);
  /* y = x / rms(x) * gain over n values; n_padded is a multiple of 32. */
  void (*norm)(const float *x, const float *gain, size_t n, size_t n_padded, float eps, float *y);
  /* y = gate / (1 + exp(-gate)) * up, n a multiple of 16. */
  void (*swiglu)(const float *gate, const float *up, float *y, size_t n);
  void (*attend)(const vx_attention *a);
  /* sum of exp(x - most), n a multiple of 16 */
  float (*sum_exp)(const float *x, size_t n, float most);
  uint64_t (*read)(const uint64_t *p, size_t n); /* n a multiple of 32 */
} vx_kernels;

extern const vx_kernels vx_plain;
extern const vx_kernels vx_exact; /* activations in full: for tests, only by name */
#if defined(__x86_64__)
extern const vx_kernels vx_avx2, vx_avxvnni, vx_avx512;
#elif defined(__aarch64__)
extern const vx_kernels vx_neon, vx_i8mm;
#endif

/* The best for this processor, or the one named; NULL if there is none of that name here. */
const vx_kernels *vx_kernels_for(const char *name);

float vx_from_half(uint16_t half);
uint16_t vx_to_half(float x);

static inline uint16_t vx_to_bfloat(float x) {
  union { float f; uint32_t u; } v = {x};
  return (uint16_t)((v.u + 0x7fffu + ((v.u >> 16) & 1u)) >> 16);
}

static inline float vx_from_bfloat(uint16_t x) {
  union { uint32_t u; float f; } v = {(uint32_t)x << 16};
  return v.f;
}

#endif
