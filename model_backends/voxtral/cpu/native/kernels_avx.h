/* 256 bit kernels: AVX2 (products of bytes in two steps) or AVX-VNNI (in one), by VX_USE_VNNI. */
#define VX_USE_AVX2
#include "floats.h"

#ifndef VX_AHEAD
#define VX_AHEAD 2048 /* bytes of weights asked for before they are needed: the best of 0..6144 on Zen 3 */
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

/* Sums stay in the order written: left to itself GCC turns chains of additions into trees, for
 * which 16 registers are too few. */
#if defined(VX_EMULATED) || !defined(__GNUC__)
#define VX_KEEP(v) ((void)0)
#else
#define VX_KEEP(v) __asm__("" : "+x"(v))
#endif

VX_INLINE __m256i bytes_at(const uint8_t *p) {
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* The codes of one quad of eight rows: the low or the high halves of 32 bytes. */
VX_INLINE __m256i codes_at_quad(const uint8_t *p, int high) {
  __m256i v = bytes_at(p);
  return _mm256_and_si256(high ? _mm256_srli_epi16(v, 4) : v, _mm256_set1_epi8(15));
}

/* Sums of one row of activations with rows 0..7 and 8..15 of a block, not yet scaled. */
typedef struct {
  __m256i part[2];
} dots;

/* One quad of activations, asked for once, with that quad of sixteen rows. With AVX2 alone the sums
 * are of 16 bits: eight products of at most 2 * 15 * 127 fit. */
VX_INLINE void add_q4(dots *d, const __m256i w[2], __m256i x, int first) {
  VX_UNROLL
  for (int h = 0; h < 2; h++) {
#ifdef VX_USE_VNNI
    (void)first;
    d->part[h] = VX_DOT(d->part[h], w[h], x);
#else
    __m256i product = _mm256_maddubs_epi16(w[h], x);
    d->part[h] = first ? product : _mm256_add_epi16(d->part[h], product);
#endif
    VX_KEEP(d->part[h]);
  }
}

/* 16 rows by `tile` rows of activations. What is unpacked of the weights serves all of them, and
 * what is asked for of the activations serves 16 rows: so the eight sums of four rows of activations
 * fill the registers, and the totals wait in memory, where a group needs them once. */
VX_INLINE void q4_tile(int tile, const uint8_t *b, const vx_acts *a, size_t row, float *y,
                       size_t stride) {
  size_t groups = a->groups, wide = groups * VX_GROUP;
  const int8_t *x = a->code + row * wide;
  const float *scale = a->scale + row * groups;
#ifdef VX_USE_VNNI
  const int32_t *offset = a->offset + row * groups;
#else
  const float *shift = a->shift + row * groups;
#endif
  __m256 sum[4][2];
  VX_UNROLL
  for (int m = 0; m < tile; m++) sum[m][0] = sum[m][1] = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g++, b += VX_Q4_BYTES, x += VX_GROUP) {
    dots dot[4];
    ask_for(b, VX_Q4_BYTES);
#ifdef VX_USE_VNNI
    VX_UNROLL
    for (int m = 0; m < tile; m++)
      dot[m].part[0] = dot[m].part[1] = _mm256_set1_epi32(offset[(size_t)m * groups + g]);
#endif
    VX_UNROLL
    for (int q = 0; q < 8; q++) {
      const uint8_t *p = b + 64 * (q / 2);
      __m256i w[2] = {codes_at_quad(p, q % 2), codes_at_quad(p + 32, q % 2)};
      VX_UNROLL
      for (int m = 0; m < tile; m++) add_q4(&dot[m], w, quad(x + (size_t)m * wide, q), q == 0);
    }
    __m256 weight[2] = {halves(b + 256), halves(b + 272)};
    VX_UNROLL
    for (int m = 0; m < tile; m++) {
      __m256 s = _mm256_set1_ps(scale[(size_t)m * groups + g]);
#ifndef VX_USE_VNNI
      __m256 t = _mm256_set1_ps(shift[(size_t)m * groups + g]);
#endif
      VX_UNROLL
      for (int h = 0; h < 2; h++) {
#ifdef VX_USE_VNNI
        __m256 d = _mm256_mul_ps(_mm256_cvtepi32_ps(dot[m].part[h]), s);
#else
        __m256i whole = _mm256_madd_epi16(dot[m].part[h], _mm256_set1_epi16(1));
        __m256 d = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole), s, t);
#endif
        sum[m][h] = _mm256_fmadd_ps(d, weight[h], sum[m][h]);
      }
    }
  }
  VX_UNROLL
  for (int m = 0; m < tile; m++) VX_UNROLL
    for (int h = 0; h < 2; h++) _mm256_storeu_ps(y + (size_t)m * stride + 8 * h, sum[m][h]);
}

/* The same with 8 bits. With AVX2 alone |x| * (w with x's sign): two products of at most 127 * 127
 * fit 16 bits. */
VX_INLINE void add_q8(dots *d, const __m256i w[2], __m256i x, int first) {
#ifndef VX_USE_VNNI
  __m256i size = _mm256_abs_epi8(x);
#endif
  VX_UNROLL
  for (int h = 0; h < 2; h++) {
#ifdef VX_USE_VNNI
    (void)first;
    d->part[h] = VX_DOT(d->part[h], w[h], x);
#else
    __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(w[h], x));
    __m256i product = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    d->part[h] = first ? product : _mm256_add_epi32(d->part[h], product);
#endif
    VX_KEEP(d->part[h]);
  }
}

VX_INLINE void q8_tile(int tile, const uint8_t *b, const vx_acts *a, size_t row, float *y,
                       size_t stride) {
  size_t groups = a->groups, wide = groups * VX_GROUP;
  const int8_t *x = a->code + row * wide;
  const float *scale = a->scale + row * groups;
#ifdef VX_USE_VNNI
  const int32_t *offset = a->offset + row * groups;
#endif
  __m256 sum[4][2];
  VX_UNROLL
  for (int m = 0; m < tile; m++) sum[m][0] = sum[m][1] = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g++, b += VX_Q8_BYTES, x += VX_GROUP) {
    dots dot[4];
    ask_for(b, VX_Q8_BYTES);
#ifdef VX_USE_VNNI
    VX_UNROLL
    for (int m = 0; m < tile; m++)
      dot[m].part[0] = dot[m].part[1] = _mm256_set1_epi32(16 * offset[(size_t)m * groups + g]);
#endif
    VX_UNROLL
    for (int q = 0; q < 8; q++) {
      __m256i w[2] = {bytes_at(b + 64 * q), bytes_at(b + 64 * q + 32)};
#ifndef VX_USE_VNNI
      const __m256i top = _mm256_set1_epi8(-128); /* with its sign: -127..127 */
      w[0] = _mm256_xor_si256(w[0], top), w[1] = _mm256_xor_si256(w[1], top);
#endif
      VX_UNROLL
      for (int m = 0; m < tile; m++) add_q8(&dot[m], w, quad(x + (size_t)m * wide, q), q == 0);
    }
    __m256 weight[2] = {halves(b + 512), halves(b + 528)};
    VX_UNROLL
    for (int m = 0; m < tile; m++) {
      __m256 s = _mm256_set1_ps(scale[(size_t)m * groups + g]);
      VX_UNROLL
      for (int h = 0; h < 2; h++) {
        __m256 d = _mm256_mul_ps(_mm256_cvtepi32_ps(dot[m].part[h]), s);
        sum[m][h] = _mm256_fmadd_ps(d, weight[h], sum[m][h]);
      }
    }
  }
  VX_UNROLL
  for (int m = 0; m < tile; m++) VX_UNROLL
    for (int h = 0; h < 2; h++) _mm256_storeu_ps(y + (size_t)m * stride + 8 * h, sum[m][h]);
}

#define VX_MOST 4
#include "tiles.h"
