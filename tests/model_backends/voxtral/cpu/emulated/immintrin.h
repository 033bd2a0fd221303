/* Intel's intrinsics without such a processor: SIMDe's portable ones (Debian's libsimde-dev), and
 * the few that its 0.7 lacks. Stands in for the compiler's own header. */
#ifndef VX_EMULATED_IMMINTRIN_H
#define VX_EMULATED_IMMINTRIN_H
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#include <math.h>
#include <string.h>

static inline __m512i lanes_of(const int32_t v[16]) { return simde_mm512_loadu_si512(v); }

static inline __m512i _mm512_cvtps_epi32(__m512 a) {
  float x[16];
  int32_t v[16];
  simde_mm512_storeu_ps(x, a);
  for (int i = 0; i < 16; i++) v[i] = (int32_t)lrintf(x[i]);
  return lanes_of(v);
}

static inline __m512 _mm512_cvtepi32_ps(__m512i a) {
  int32_t v[16];
  float x[16];
  simde_mm512_storeu_si512(v, a);
  for (int i = 0; i < 16; i++) x[i] = (float)v[i];
  return simde_mm512_loadu_ps(x);
}

static inline __m512i _mm512_cvtepu16_epi32(__m256i a) {
  uint16_t v[16];
  int32_t x[16];
  memcpy(v, &a, sizeof v);
  for (int i = 0; i < 16; i++) x[i] = v[i];
  return lanes_of(x);
}

static inline __m512i _mm512_cvtepi8_epi32(__m128i a) {
  int8_t v[16];
  int32_t x[16];
  memcpy(v, &a, sizeof v);
  for (int i = 0; i < 16; i++) x[i] = v[i];
  return lanes_of(x);
}

static inline __m512 _mm512_cvtph_ps(__m256i a) {
  uint16_t v[16];
  float x[16];
  memcpy(v, &a, sizeof v);
  for (int i = 0; i < 16; i++) {
    int exponent = (v[i] >> 10) & 31, fraction = v[i] & 1023;
    float size = exponent ? ldexpf((float)(1024 + fraction), exponent - 25) : ldexpf((float)fraction, -24);
    x[i] = v[i] & 0x8000 ? -size : size;
  }
  return simde_mm512_loadu_ps(x);
}

static inline __m256i _mm256_dpbusd_avx_epi32(__m256i sum, __m256i a, __m256i b) {
  int32_t s[8];
  uint8_t u[32];
  int8_t v[32];
  memcpy(s, &sum, 32), memcpy(u, &a, 32), memcpy(v, &b, 32);
  for (int i = 0; i < 32; i++) s[i / 4] += u[i] * v[i];
  memcpy(&sum, s, 32);
  return sum;
}
#endif
