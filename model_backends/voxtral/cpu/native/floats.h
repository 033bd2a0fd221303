/* Everything besides products of few bits, written once over `vector.h` and compiled for every
 * instruction set: norms, SwiGLU, attention, products with bfloat16 weights.
 */
#include "vector.h"

static void norm(const float *x, const float *gain, size_t n, size_t n_padded, float eps, float *y) {
  vf sum[2] = {vf_set(0), vf_set(0)};
  for (size_t i = 0; i < n_padded; i += 2 * VX_LANES)
    for (int k = 0; k < 2; k++) {
      vf v = vf_load(x + i + (size_t)k * VX_LANES);
      sum[k] = vf_fma(v, v, sum[k]);
    }
  vf scale = vf_set(1.0f / sqrtf(vf_total(vf_add(sum[0], sum[1])) / (float)n + eps));
  for (size_t i = 0; i < n_padded; i += VX_LANES)
    vf_store(y + i, vf_mul(vf_mul(vf_load(x + i), scale), vf_load(gain + i)));
}

static void swiglu(const float *gate, const float *up, float *y, size_t n) {
  for (size_t i = 0; i < n; i += VX_LANES) {
    vf g = vf_load(gate + i);
    vf below = vf_add(vf_set(1), vf_exp(vf_sub(vf_set(0), g)));
    vf_store(y + i, vf_mul(vf_div(g, below), vf_load(up + i)));
  }
}

static float sum_exp(const float *x, size_t n, float most) {
  vf sum = vf_set(0), m = vf_set(most);
  for (size_t i = 0; i < n; i += VX_LANES) sum = vf_add(sum, vf_exp(vf_sub(vf_load(x + i), m)));
  return vf_total(sum);
}

static uint64_t read_all(const uint64_t *p, size_t n) {
  uint64_t sum[32] = {0};
  for (size_t i = 0; i < n; i += 32)
    for (int k = 0; k < 32; k++) sum[k] += p[i + (size_t)k];
  for (int k = 1; k < 32; k++) sum[0] += sum[k];
  return sum[0];
}

VX_INLINE void half_tile(int tile, const uint16_t *w, size_t inputs, const float *x,
                         size_t x_stride, float *y, size_t stride) {
  vf sum[4][VX_PARTS];
  VX_UNROLL
  for (int m = 0; m < tile; m++) VX_UNROLL
    for (int p = 0; p < VX_PARTS; p++) sum[m][p] = vf_set(0);
  for (size_t i = 0; i < inputs; i++, w += 16) {
    VX_UNROLL
    for (int p = 0; p < VX_PARTS; p++) {
      vf v = vf_bfloat(w + p * VX_LANES);
      VX_UNROLL
      for (int m = 0; m < tile; m++)
        sum[m][p] = vf_fma(vf_set(x[(size_t)m * x_stride + i]), v, sum[m][p]);
    }
  }
  VX_UNROLL
  for (int m = 0; m < tile; m++) VX_UNROLL
    for (int p = 0; p < VX_PARTS; p++) vf_store(y + (size_t)m * stride + p * VX_LANES, sum[m][p]);
}

static void half(const uint16_t *w, size_t first, size_t last, size_t inputs, const float *x,
                 size_t x_stride, size_t count, float *y, size_t stride) {
  for (size_t b = first; b < last; b++) {
    const uint16_t *at = w + b * 16 * inputs;
    float *out = y + 16 * (b - first);
    size_t m = 0;
    for (; m + 4 <= count; m += 4)
      half_tile(4, at, inputs, x + m * x_stride, x_stride, out + m * stride, stride);
    for (; m < count; m++)
      half_tile(1, at, inputs, x + m * x_stride, x_stride, out + m * stride, stride);
  }
}

/* Attention, in three passes over what is seen: scores, softmax, mixture of values.
 * Keys of a chunk are stored as [8][depth][16 positions], values as [depth / 16][128 positions][16].
 * Both are asked for as far ahead as weights are: a head's keys end where its values begin, and
 * those where the next head's keys do, so what is asked for beyond the end is needed soon as well.
 */
#define VX_CACHE_AHEAD 2048 /* bytes */
#if defined(__GNUC__)
#define VX_ASK(p) __builtin_prefetch(p)
#else
#define VX_ASK(p) ((void)0)
#endif

VX_INLINE vf cached(const uint8_t *p, size_t i, int eight_bits) {
  return eight_bits ? vf_byte((const int8_t *)p + i) : vf_bfloat((const uint16_t *)(const void *)p + i);
}

VX_INLINE void add_scores(const vx_attention *a, const uint8_t *keys, size_t at, int c,
                          int eight_bits, vf sum[4][VX_PARTS]) {
  vf x0 = vf_set(a->query[0][c]), x1 = vf_set(a->query[1][c]);
  vf x2 = vf_set(a->query[2][c]), x3 = vf_set(a->query[3][c]);
  VX_UNROLL
  for (int p = 0; p < VX_PARTS; p++) {
    vf k = cached(keys, at + (size_t)(p * VX_LANES), eight_bits);
    sum[0][p] = vf_fma(x0, k, sum[0][p]);
    sum[1][p] = vf_fma(x1, k, sum[1][p]);
    sum[2][p] = vf_fma(x2, k, sum[2][p]);
    sum[3][p] = vf_fma(x3, k, sum[3][p]);
  }
}

VX_INLINE void scores_of_16(const vx_attention *a, const uint8_t *keys, size_t at, int eight_bits,
                            float *out, size_t stride) {
  vf sum[4][VX_PARTS];
  VX_UNROLL
  for (int q = 0; q < 4; q++) VX_UNROLL
    for (int p = 0; p < VX_PARTS; p++) sum[q][p] = vf_set(0);
  for (int c = 0; c < a->depth; c += 2, at += 32) { /* two channels are at most a cache line */
    VX_ASK(keys + (eight_bits ? at : 2 * at) + VX_CACHE_AHEAD);
    add_scores(a, keys, at, c, eight_bits, sum);
    add_scores(a, keys, at + 16, c + 1, eight_bits, sum);
  }
  VX_UNROLL
  for (int q = 0; q < 4; q++) VX_UNROLL
    for (int p = 0; p < VX_PARTS; p++) vf_store(out + (size_t)q * stride + p * VX_LANES, sum[q][p]);
}

VX_INLINE const float *scales_of(const vx_attention *a, const uint8_t *chunk, size_t offset) {
  return (const float *)(const void *)(chunk + offset + (size_t)VX_CHUNK * (size_t)a->depth);
}

VX_INLINE void all_scores(const vx_attention *a, int64_t begin, int64_t end, int eight_bits) {
  for (int64_t j = begin; j < end; j += 16) {
    const uint8_t *chunk = a->chunk[j / VX_CHUNK % a->chunks];
    size_t inside = (size_t)(j % VX_CHUNK);
    float *out = a->scratch + (j - begin);
    scores_of_16(a, chunk + a->keys, inside * (size_t)a->depth, eight_bits, out, a->scratch_stride);
    if (!eight_bits) continue;
    const float *scale = scales_of(a, chunk, a->keys) + inside;
    for (int q = 0; q < 4; q++)
      for (int i = 0; i < 16; i += VX_LANES) {
        float *s = out + (size_t)q * a->scratch_stride + i;
        vf_store(s, vf_mul(vf_load(s), vf_load(scale + i)));
      }
  }
}

/* Scores of one query to shares of 1; what it does not see gets 0. */
static void softmax(float *s, int64_t begin, int64_t end, int64_t low, int64_t high) {
  for (int64_t j = begin; j < low; j++) s[j - begin] = -INFINITY;
  for (int64_t j = high; j < end; j++) s[j - begin] = -INFINITY;
  size_t n = (size_t)(end - begin);
  vf most = vf_set(-INFINITY), sum = vf_set(0);
  for (size_t i = 0; i < n; i += VX_LANES) most = vf_max(most, vf_load(s + i));
  most = vf_set(vf_largest(most));
  for (size_t i = 0; i < n; i += VX_LANES) {
    vf e = vf_exp(vf_sub(vf_load(s + i), most));
    vf_store(s + i, e);
    sum = vf_add(sum, e);
  }
  vf share = vf_set(1.0f / vf_total(sum));
  for (size_t i = 0; i < n; i += VX_LANES) vf_store(s + i, vf_mul(vf_load(s + i), share));
  for (int64_t j = begin; j < low; j++) s[j - begin] = 0;
  for (int64_t j = high; j < end; j++) s[j - begin] = 0;
}

static void scale_shares(const vx_attention *a, int64_t begin, int64_t end) {
  for (int64_t j = begin; j < end; j += 16) {
    const uint8_t *chunk = a->chunk[j / VX_CHUNK % a->chunks];
    const float *scale = scales_of(a, chunk, a->values) + j % VX_CHUNK;
    for (int q = 0; q < 4; q++)
      for (int i = 0; i < 16; i += VX_LANES) {
        float *s = a->scratch + (size_t)q * a->scratch_stride + (j - begin) + i;
        vf_store(s, vf_mul(vf_load(s), vf_load(scale + i)));
      }
  }
}

/* Adds `count` positions of a chunk to 16 channels of the outputs. */
VX_INLINE void mix_of_16(const vx_attention *a, const uint8_t *values, size_t at, int64_t count,
                         const float *s, int part, int eight_bits) {
  vf sum[4][VX_PARTS];
  VX_UNROLL
  for (int q = 0; q < 4; q++) VX_UNROLL
    for (int p = 0; p < VX_PARTS; p++) sum[q][p] = vf_load(a->out[q] + 16 * part + p * VX_LANES);
  for (int64_t i = 0; i < count; i++, at += 16, s++) {
    vf s0 = vf_set(s[0]), s1 = vf_set(s[a->scratch_stride]);
    vf s2 = vf_set(s[2 * a->scratch_stride]), s3 = vf_set(s[3 * a->scratch_stride]);
    VX_ASK(values + (eight_bits ? at : 2 * at) + VX_CACHE_AHEAD);
    VX_UNROLL
    for (int p = 0; p < VX_PARTS; p++) {
      vf v = cached(values, at + (size_t)(p * VX_LANES), eight_bits);
      sum[0][p] = vf_fma(s0, v, sum[0][p]);
      sum[1][p] = vf_fma(s1, v, sum[1][p]);
      sum[2][p] = vf_fma(s2, v, sum[2][p]);
      sum[3][p] = vf_fma(s3, v, sum[3][p]);
    }
  }
  VX_UNROLL
  for (int q = 0; q < 4; q++) VX_UNROLL
    for (int p = 0; p < VX_PARTS; p++) vf_store(a->out[q] + 16 * part + p * VX_LANES, sum[q][p]);
}

/* A chunk at a time, so that its values are read in the order in which they lie. */
VX_INLINE void mix(const vx_attention *a, int64_t begin, int64_t low, int64_t high, int eight_bits) {
  for (int q = 0; q < 4; q++) memset(a->out[q], 0, (size_t)a->depth * sizeof(float));
  for (int64_t j = low; j < high;) {
    const uint8_t *values = a->chunk[j / VX_CHUNK % a->chunks] + a->values;
    int64_t inside = j % VX_CHUNK;
    int64_t count = VX_CHUNK - inside < high - j ? VX_CHUNK - inside : high - j;
    for (int part = 0; part < a->depth / 16; part++) {
      size_t at = ((size_t)part * VX_CHUNK + (size_t)inside) * 16;
      mix_of_16(a, values, at, count, a->scratch + (j - begin), part, eight_bits);
    }
    j += count;
  }
}

static void attend(const vx_attention *a) {
  int64_t low = a->low[0], high = a->high[0];
  for (int q = 1; q < 4; q++) {
    if (a->low[q] < low) low = a->low[q];
    if (a->high[q] > high) high = a->high[q];
  }
  int64_t begin = low / 16 * 16, end = VX_PAD(high, 16);
  if (a->eight_bits) all_scores(a, begin, end, 1);
  else all_scores(a, begin, end, 0);
  for (int q = 0; q < 4; q++)
    softmax(a->scratch + (size_t)q * a->scratch_stride, begin, end, a->low[q], a->high[q]);
  if (a->eight_bits) scale_shares(a, begin, end);
  if (a->eight_bits) mix(a, begin, low, high, 1);
  else mix(a, begin, low, high, 0);
}

#define VX_FLOATS \
  .half = half, .norm = norm, .swiglu = swiglu, .attend = attend, .sum_exp = sum_exp, .read = read_all
