/* 128 bit kernels for 64 bit ARM with the dot product (Apple's, Cortex-A76 and later), and with
 * VX_USE_I8MM the matrix product of bytes (Apple M2, Cortex-X2, Snapdragon X and later) where two
 * or more rows of activations go together. */
#define VX_USE_NEON
#include "floats.h"

static void quantise(const float *x, const vx_acts *a, size_t row) {
  for (size_t g = 0; g < a->groups; g++, x += VX_GROUP) {
    float32x4_t v[8], most = vdupq_n_f32(0);
    for (int i = 0; i < 8; i++) {
      v[i] = vld1q_f32(x + 4 * i);
      most = vmaxnmq_f32(most, vabsq_f32(v[i])); /* a NaN is not taken over */
    }
    float largest = vmaxvq_f32(most), back = largest > 0 ? 127.0f / largest : 0;
    size_t at = row * a->groups + g;
    int32_t sum = 0;
    for (int i = 0; i < 4; i++) {
      int32x4_t n0 = vcvtnq_s32_f32(vmulq_n_f32(v[2 * i], back));
      int32x4_t n1 = vcvtnq_s32_f32(vmulq_n_f32(v[2 * i + 1], back));
      int16x8_t both = vcombine_s16(vqmovn_s32(n0), vqmovn_s32(n1));
      int8x8_t bytes = vmax_s8(vqmovn_s16(both), vdup_n_s8(-127));
      vst1_s8(a->code + at * VX_GROUP + 8 * i, bytes);
      sum += vaddlv_s8(bytes);
    }
    a->scale[at] = largest / 127.0f;
    a->offset[at] = -8 * sum;
    a->shift[at] = a->scale[at] * (float)a->offset[at];
  }
}

VX_INLINE float32x4_t four_halves(const uint8_t *p) {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}

/* Blocks of both kinds as eight vectors of signed bytes, each four rows by one quad. */
VX_INLINE void rows_of(const uint8_t *b, int bits, int part, int8x16_t w[8]) {
  VX_UNROLL
  for (int z = 0; z < 4; z++) {
    if (bits == 4) {
      uint8x16_t v = vld1q_u8(b + 64 * z + 16 * part);
      w[2 * z] = vreinterpretq_s8_u8(vandq_u8(v, vdupq_n_u8(15)));
      w[2 * z + 1] = vreinterpretq_s8_u8(vshrq_n_u8(v, 4));
    } else { /* 128 less: with their sign */
      uint8x16_t top = vdupq_n_u8(128);
      w[2 * z] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(b + 128 * z + 16 * part), top));
      w[2 * z + 1] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(b + 128 * z + 64 + 16 * part), top));
    }
  }
}

VX_INLINE int32x4_t dot_rows(int32x4_t dot, const int8x16_t w[8], const int8_t *x) {
  int8x16_t x0 = vld1q_s8(x), x1 = vld1q_s8(x + 16);
  dot = vdotq_laneq_s32(dot, w[0], x0, 0);
  dot = vdotq_laneq_s32(dot, w[1], x0, 1);
  dot = vdotq_laneq_s32(dot, w[2], x0, 2);
  dot = vdotq_laneq_s32(dot, w[3], x0, 3);
  dot = vdotq_laneq_s32(dot, w[4], x1, 0);
  dot = vdotq_laneq_s32(dot, w[5], x1, 1);
  dot = vdotq_laneq_s32(dot, w[6], x1, 2);
  return vdotq_laneq_s32(dot, w[7], x1, 3);
}

#ifdef VX_USE_I8MM
/* Four weight rows with two rows of activations: dot[0] for x0, dot[1] for x1. */
VX_INLINE void dot_pair(int32x4_t dot[2], const int8x16_t w[8], const int8_t *x0, const int8_t *x1) {
  int32x4_t low = vdupq_n_s32(0), high = vdupq_n_s32(0); /* rows 0, 1 and 2, 3; each by x0, x1 */
  VX_UNROLL
  for (int z = 0; z < 4; z++) {
    int32x4_t even = vreinterpretq_s32_s8(w[2 * z]), odd = vreinterpretq_s32_s8(w[2 * z + 1]);
    int8x16_t x = vcombine_s8(vld1_s8(x0 + 8 * z), vld1_s8(x1 + 8 * z));
    low = vmmlaq_s32(low, vreinterpretq_s8_s32(vzip1q_s32(even, odd)), x);
    high = vmmlaq_s32(high, vreinterpretq_s8_s32(vzip2q_s32(even, odd)), x);
  }
  dot[0] = vaddq_s32(dot[0], vuzp1q_s32(low, high));
  dot[1] = vaddq_s32(dot[1], vuzp2q_s32(low, high));
}
#endif

VX_INLINE void tile_of(int bits, int tile, const uint8_t *b, const vx_acts *a, size_t row, float *y,
                       size_t stride) {
  size_t groups = a->groups, wide = groups * VX_GROUP;
  size_t block = bits == 4 ? VX_Q4_BYTES : VX_Q8_BYTES;
  const int8_t *x = a->code + row * wide;
  const float *scale = a->scale + row * groups;
  const int32_t *offset = a->offset + row * groups;
  float32x4_t sum[8][4];
  VX_UNROLL
  for (int m = 0; m < tile; m++) VX_UNROLL
    for (int p = 0; p < 4; p++) sum[m][p] = vdupq_n_f32(0);
  for (size_t g = 0; g < groups; g++, b += block, x += VX_GROUP) {
    VX_UNROLL
    for (int p = 0; p < 4; p++) {
      int8x16_t w[8];
      int32x4_t dot[8];
      rows_of(b, bits, p, w);
      VX_UNROLL
      for (int m = 0; m < tile; m++)
        dot[m] = vdupq_n_s32(bits == 4 ? offset[(size_t)m * groups + g] : 0);
#ifdef VX_USE_I8MM
      VX_UNROLL
      for (int m = 0; m + 1 < tile; m += 2)
        dot_pair(dot + m, w, x + (size_t)m * wide, x + (size_t)(m + 1) * wide);
      if (tile == 1) dot[0] = dot_rows(dot[0], w, x);
#else
      VX_UNROLL
      for (int m = 0; m < tile; m++) dot[m] = dot_rows(dot[m], w, x + (size_t)m * wide);
#endif
      float32x4_t weight = four_halves(b + (block - 32) + 8 * p);
      VX_UNROLL
      for (int m = 0; m < tile; m++) {
        float32x4_t d = vmulq_n_f32(vcvtq_f32_s32(dot[m]), scale[(size_t)m * groups + g]);
        sum[m][p] = vfmaq_f32(sum[m][p], d, weight);
      }
    }
  }
  VX_UNROLL
  for (int m = 0; m < tile; m++) VX_UNROLL
    for (int p = 0; p < 4; p++) vst1q_f32(y + (size_t)m * stride + 4 * p, sum[m][p]);
}

VX_INLINE void q4_tile(int tile, const uint8_t *b, const vx_acts *a, size_t row, float *y,
                       size_t stride) {
  tile_of(4, tile, b, a, row, y, stride);
}

VX_INLINE void q8_tile(int tile, const uint8_t *b, const vx_acts *a, size_t row, float *y,
                       size_t stride) {
  tile_of(8, tile, b, a, row, y, stride);
}

#define VX_MOST 4
#include "tiles.h"
