/* 256 bit kernels: AVX2 (products of bytes in two steps) or AVX-VNNI (in one), by VX_USE_VNNI. */
#define VX_USE_AVX2
#include "floats.h"

#ifndef VX_AHEAD
#define VX_AHEAD 3072 /* bytes of weights asked for before they are needed */
#endif

VX_INLINE void ask_for(const uint8_t *p, int bytes) {
  for (int i = 0; i < bytes; i += 64) _mm_prefetch((const char *)(p + VX_AHEAD + i), _MM_HINT_T0);
}

static void quantise(const float *x, const vx_acts *a, size_t row) {
  const __m256 no_sign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (size_t g = 0; g < a->groups; g++, x += VX_GROUP) {
    __m256 v[4], most = _mm256_setzero_ps();
    for (int i = 0; i < 4; i++) {
      v[i] = _mm256_loadu_ps(x + 8 * i);
      most = _mm256_max_ps(_mm256_and_ps(v[i], no_sign), most); /* a NaN is not taken over */
    }
    float largest = vf_largest(most);
    __m256 back = _mm256_set1_ps(largest > 0 ? 127.0f / largest : 0);
    __m256i n[4], sum = _mm256_setzero_si256();
    for (int i = 0; i < 4; i++) n[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], back));
    __m256i low = _mm256_packs_epi32(n[0], n[1]), high = _mm256_packs_epi32(n[2], n[3]);
    __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
    bytes = _mm256_max_epi8(bytes, _mm256_set1_epi8(-127));
    size_t at = row * a->groups + g;
    _mm256_storeu_si256((__m256i *)(void *)(a->code + at * VX_GROUP), bytes);
    sum = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes), _mm256_set1_epi16(1));
    __m128i half_sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half_sum = _mm_hadd_epi32(half_sum, half_sum);
    half_sum = _mm_hadd_epi32(half_sum, half_sum);
    a->scale[at] = largest / 127.0f;
    a->offset[at] = -8 * _mm_cvtsi128_si32(half_sum);
    a->shift[at] = a->scale[at] * (float)a->offset[at];
  }
}

VX_INLINE __m256i quad(const int8_t *x, int q) {
  int32_t four;
  memcpy(&four, x + 4 * q, 4);
  return _mm256_set1_epi32(four);
}

VX_INLINE __m256 halves(const uint8_t *p) {
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
}

VX_INLINE void q4_tile(int tile, const uint8_t *b, const vx_acts *a, size_t row, float *y,
                       size_t stride) {
  const __m256i low = _mm256_set1_epi8(15);
  size_t groups = a->groups, wide = groups * VX_GROUP;
  const int8_t *x = a->code + row * wide;
  const float *scale = a->scale + row * groups;
#ifdef VX_USE_VNNI
  const int32_t *offset = a->offset + row * groups;
#else
  const __m256i one = _mm256_set1_epi16(1);
  const float *shift = a->shift + row * groups;
#endif
  __m256 sum[8][2];
  VX_UNROLL
  for (int m = 0; m < tile; m++) sum[m][0] = sum[m][1] = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g++, b += VX_Q4_BYTES, x += VX_GROUP) {
    ask_for(b, VX_Q4_BYTES);
    VX_UNROLL
    for (int h = 0; h < 2; h++) {
      __m256i dot[8];
      VX_UNROLL
      for (int z = 0; z < 4; z++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(b + 64 * z + 32 * h));
        __m256i w0 = _mm256_and_si256(v, low);
        __m256i w1 = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
        VX_UNROLL
        for (int m = 0; m < tile; m++) {
          __m256i x0 = quad(x + (size_t)m * wide, 2 * z), x1 = quad(x + (size_t)m * wide, 2 * z + 1);
#ifdef VX_USE_VNNI
          if (z == 0) dot[m] = _mm256_set1_epi32(offset[(size_t)m * groups + g]);
          dot[m] = VX_DOT(VX_DOT(dot[m], w0, x0), w1, x1);
#else /* eight products of at most 2 * 15 * 127 fit 16 bits */
          __m256i d = _mm256_add_epi16(_mm256_maddubs_epi16(w0, x0), _mm256_maddubs_epi16(w1, x1));
          dot[m] = z == 0 ? d : _mm256_add_epi16(dot[m], d);
#endif
        }
      }
      __m256 weight = halves(b + 256 + 16 * h);
      VX_UNROLL
      for (int m = 0; m < tile; m++) {
        __m256 s = _mm256_set1_ps(scale[(size_t)m * groups + g]);
#ifdef VX_USE_VNNI
        __m256 d = _mm256_mul_ps(_mm256_cvtepi32_ps(dot[m]), s);
#else
        __m256 whole = _mm256_cvtepi32_ps(_mm256_madd_epi16(dot[m], one));
        __m256 d = _mm256_fmadd_ps(whole, s, _mm256_set1_ps(shift[(size_t)m * groups + g]));
#endif
        sum[m][h] = _mm256_fmadd_ps(d, weight, sum[m][h]);
      }
    }
  }
  VX_UNROLL
  for (int m = 0; m < tile; m++) VX_UNROLL
    for (int h = 0; h < 2; h++) _mm256_storeu_ps(y + (size_t)m * stride + 8 * h, sum[m][h]);
}

VX_INLINE void q8_tile(int tile, const uint8_t *b, const vx_acts *a, size_t row, float *y,
                       size_t stride) {
  size_t groups = a->groups, wide = groups * VX_GROUP;
  const int8_t *x = a->code + row * wide;
  const float *scale = a->scale + row * groups;
#ifdef VX_USE_VNNI
  const int32_t *offset = a->offset + row * groups;
#else
  const __m256i top = _mm256_set1_epi8(-128), one = _mm256_set1_epi16(1);
#endif
  __m256 sum[8][2];
  VX_UNROLL
  for (int m = 0; m < tile; m++) sum[m][0] = sum[m][1] = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g++, b += VX_Q8_BYTES, x += VX_GROUP) {
    ask_for(b, VX_Q8_BYTES);
    VX_UNROLL
    for (int h = 0; h < 2; h++) {
      __m256i dot[8];
      VX_UNROLL
      for (int q = 0; q < 8; q++) {
        __m256i w = _mm256_loadu_si256((const __m256i *)(const void *)(b + 64 * q + 32 * h));
#ifndef VX_USE_VNNI
        w = _mm256_xor_si256(w, top); /* with its sign: -127..127 */
#endif
        VX_UNROLL
        for (int m = 0; m < tile; m++) {
          __m256i v = quad(x + (size_t)m * wide, q);
#ifdef VX_USE_VNNI
          if (q == 0) dot[m] = _mm256_slli_epi32(_mm256_set1_epi32(offset[(size_t)m * groups + g]), 4);
          dot[m] = VX_DOT(dot[m], w, v);
#else /* |x| * (w with x's sign): two products of at most 127 * 127 fit 16 bits */
          __m256i d = _mm256_maddubs_epi16(_mm256_abs_epi8(v), _mm256_sign_epi8(w, v));
          d = _mm256_madd_epi16(d, one);
          dot[m] = q == 0 ? d : _mm256_add_epi32(dot[m], d);
#endif
        }
      }
      __m256 weight = halves(b + 512 + 16 * h);
      VX_UNROLL
      for (int m = 0; m < tile; m++) {
        __m256 s = _mm256_set1_ps(scale[(size_t)m * groups + g]);
        __m256 d = _mm256_mul_ps(_mm256_cvtepi32_ps(dot[m]), s);
        sum[m][h] = _mm256_fmadd_ps(d, weight, sum[m][h]);
      }
    }
  }
  VX_UNROLL
  for (int m = 0; m < tile; m++) VX_UNROLL
    for (int h = 0; h < 2; h++) _mm256_storeu_ps(y + (size_t)m * stride + 8 * h, sum[m][h]);
}

#define VX_MOST 4
#include "tiles.h"
