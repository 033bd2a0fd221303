/* 512 bit kernels with VNNI: Intel servers from Cascade Lake, Ice Lake and Tiger Lake; Zen 4, 5. */
#include "blocks.h"
#if defined(__x86_64__) && !defined(VX_LEFT_OUT)
#define VX_USE_AVX512
#include "floats.h"

#ifndef VX_AHEAD
#define VX_AHEAD 3072
#endif

VX_INLINE void ask_for(const uint8_t *p, int bytes) {
  for (int i = 0; i < bytes; i += 64) _mm_prefetch((const char *)(p + VX_AHEAD + i), _MM_HINT_T0);
}

static void quantise(const float *x, const vx_acts *a, size_t row) {
  const __m512i sign = _mm512_set1_epi32(0x7fffffff), least = _mm512_set1_epi32(-127);
  for (size_t g = 0; g < a->groups; g++, x += VX_GROUP) {
    __m512 v0 = _mm512_loadu_ps(x), v1 = _mm512_loadu_ps(x + 16);
    __m512 a0 = _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(v0), sign));
    __m512 a1 = _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(v1), sign));
    float largest = vf_largest(_mm512_max_ps(a1, _mm512_max_ps(a0, _mm512_setzero_ps())));
    __m512 back = _mm512_set1_ps(largest > 0 ? 127.0f / largest : 0);
    __m512i n0 = _mm512_max_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(v0, back)), least);
    __m512i n1 = _mm512_max_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(v1, back)), least);
    size_t at = row * a->groups + g;
    __m128i *code = (__m128i *)(void *)(a->code + at * VX_GROUP);
    _mm_storeu_si128(code, _mm512_cvtsepi32_epi8(n0));
    _mm_storeu_si128(code + 1, _mm512_cvtsepi32_epi8(n1));
    int32_t sum = 0;
    for (int i = 0; i < VX_GROUP; i++) sum += a->code[at * VX_GROUP + (size_t)i];
    a->scale[at] = largest / 127.0f;
    a->offset[at] = -8 * sum;
    a->shift[at] = a->scale[at] * (float)a->offset[at];
  }
}

VX_INLINE __m512i quad(const int8_t *x, int q) {
  int32_t four;
  memcpy(&four, x + 4 * q, 4);
  return _mm512_set1_epi32(four);
}

VX_INLINE __m512 halves(const uint8_t *p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
}

VX_INLINE void q4_tile(int tile, const uint8_t *b, const vx_acts *a, size_t row, float *y,
                       size_t stride) {
  const __m512i low = _mm512_set1_epi8(15);
  size_t groups = a->groups, wide = groups * VX_GROUP;
  const int8_t *x = a->code + row * wide;
  const float *scale = a->scale + row * groups;
  const int32_t *offset = a->offset + row * groups;
  __m512 sum[8];
  VX_UNROLL
  for (int m = 0; m < tile; m++) sum[m] = _mm512_setzero_ps();
  for (size_t g = 0; g < groups; g++, b += VX_Q4_BYTES, x += VX_GROUP) {
    ask_for(b, VX_Q4_BYTES);
    __m512i even[8], odd[8]; /* two chains a row hide the latency */
    VX_UNROLL
    for (int z = 0; z < 4; z++) {
      __m512i v = _mm512_loadu_si512(b + 64 * z);
      __m512i w0 = _mm512_and_si512(v, low);
      __m512i w1 = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
      VX_UNROLL
      for (int m = 0; m < tile; m++) {
        const int8_t *p = x + (size_t)m * wide;
        if (z == 0) {
          even[m] = _mm512_set1_epi32(offset[(size_t)m * groups + g]);
          odd[m] = _mm512_setzero_si512();
        }
        even[m] = _mm512_dpbusd_epi32(even[m], w0, quad(p, 2 * z));
        odd[m] = _mm512_dpbusd_epi32(odd[m], w1, quad(p, 2 * z + 1));
      }
    }
    __m512 weight = halves(b + 256);
    VX_UNROLL
    for (int m = 0; m < tile; m++) {
      __m512 d = _mm512_cvtepi32_ps(_mm512_add_epi32(even[m], odd[m]));
      d = _mm512_mul_ps(d, _mm512_set1_ps(scale[(size_t)m * groups + g]));
      sum[m] = _mm512_fmadd_ps(d, weight, sum[m]);
    }
  }
  VX_UNROLL
  for (int m = 0; m < tile; m++) _mm512_storeu_ps(y + (size_t)m * stride, sum[m]);
}

VX_INLINE void q8_tile(int tile, const uint8_t *b, const vx_acts *a, size_t row, float *y,
                       size_t stride) {
  size_t groups = a->groups, wide = groups * VX_GROUP;
  const int8_t *x = a->code + row * wide;
  const float *scale = a->scale + row * groups;
  const int32_t *offset = a->offset + row * groups;
  __m512 sum[8];
  VX_UNROLL
  for (int m = 0; m < tile; m++) sum[m] = _mm512_setzero_ps();
  for (size_t g = 0; g < groups; g++, b += VX_Q8_BYTES, x += VX_GROUP) {
    ask_for(b, VX_Q8_BYTES);
    __m512i even[8], odd[8];
    VX_UNROLL
    for (int z = 0; z < 4; z++) {
      __m512i w0 = _mm512_loadu_si512(b + 128 * z), w1 = _mm512_loadu_si512(b + 128 * z + 64);
      VX_UNROLL
      for (int m = 0; m < tile; m++) {
        const int8_t *p = x + (size_t)m * wide;
        if (z == 0) {
          even[m] = _mm512_set1_epi32(16 * offset[(size_t)m * groups + g]);
          odd[m] = _mm512_setzero_si512();
        }
        even[m] = _mm512_dpbusd_epi32(even[m], w0, quad(p, 2 * z));
        odd[m] = _mm512_dpbusd_epi32(odd[m], w1, quad(p, 2 * z + 1));
      }
    }
    __m512 weight = halves(b + 512);
    VX_UNROLL
    for (int m = 0; m < tile; m++) {
      __m512 d = _mm512_cvtepi32_ps(_mm512_add_epi32(even[m], odd[m]));
      d = _mm512_mul_ps(d, _mm512_set1_ps(scale[(size_t)m * groups + g]));
      sum[m] = _mm512_fmadd_ps(d, weight, sum[m]);
    }
  }
  VX_UNROLL
  for (int m = 0; m < tile; m++) _mm512_storeu_ps(y + (size_t)m * stride, sum[m]);
}

#define VX_MOST 8
#include "tiles.h"

const vx_kernels vx_avx512 = {
    .name = "avx512vnni", .q4 = q4_product, .q8 = q8_product, .quantise = quantise, VX_FLOATS};
#elif defined(__x86_64__)
const vx_kernels vx_avx512 = {.name = "avx512vnni"}; /* the compiler does not know it */
#else
typedef int vx_not_here;
#endif
