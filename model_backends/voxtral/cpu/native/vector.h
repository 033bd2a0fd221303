/* A vector of floats of the width at hand, behind a dozen names; one float where there is none.
 * The file that includes this says which by VX_USE_AVX512, VX_USE_AVX2 or VX_USE_NEON.
 */
#ifndef VX_VECTOR_H
#define VX_VECTOR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "blocks.h"

#define VX_INLINE static inline __attribute__((always_inline))
#if !defined(__GNUC__)
#undef VX_INLINE
#define VX_INLINE static inline
#endif
#if defined(__clang__)
#define VX_UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define VX_UNROLL _Pragma("GCC unroll 16")
#else
#define VX_UNROLL
#endif

#if defined(VX_USE_AVX512)
#include <immintrin.h>
#define VX_LANES 16
typedef __m512 vf;
VX_INLINE vf vf_set(float x) { return _mm512_set1_ps(x); }
VX_INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
VX_INLINE void vf_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
VX_INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
VX_INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
VX_INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
VX_INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
VX_INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
VX_INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
VX_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
VX_INLINE vf vf_round(vf a) { return _mm512_roundscale_ps(a, 8); }
VX_INLINE vf vf_exp2i(vf n) { /* n whole, -126..127 */
  __m512i i = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(i, 23));
}
VX_INLINE vf vf_bfloat(const uint16_t *p) {
  __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
VX_INLINE vf vf_byte(const int8_t *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

#elif defined(VX_USE_AVX2)
#include <immintrin.h>
#define VX_LANES 8
typedef __m256 vf;
VX_INLINE vf vf_set(float x) { return _mm256_set1_ps(x); }
VX_INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
VX_INLINE void vf_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
VX_INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
VX_INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
VX_INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
VX_INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
VX_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
VX_INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
VX_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
VX_INLINE vf vf_round(vf a) { return _mm256_round_ps(a, 8); }
VX_INLINE vf vf_exp2i(vf n) {
  __m256i i = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(i, 23));
}
VX_INLINE vf vf_bfloat(const uint16_t *p) {
  __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
VX_INLINE vf vf_byte(const int8_t *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

#elif defined(VX_USE_NEON)
#include <arm_neon.h>
#define VX_LANES 4
typedef float32x4_t vf;
VX_INLINE vf vf_set(float x) { return vdupq_n_f32(x); }
VX_INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
VX_INLINE void vf_store(float *p, vf a) { vst1q_f32(p, a); }
VX_INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
VX_INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
VX_INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
VX_INLINE vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
VX_INLINE vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }
VX_INLINE vf vf_min(vf a, vf b) { return vminq_f32(a, b); }
VX_INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
VX_INLINE vf vf_round(vf a) { return vrndnq_f32(a); }
VX_INLINE vf vf_exp2i(vf n) {
  int32x4_t i = vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127));
  return vreinterpretq_f32_s32(vshlq_n_s32(i, 23));
}
VX_INLINE vf vf_bfloat(const uint16_t *p) {
  return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vld1_u16(p)), 16));
}
VX_INLINE vf vf_byte(const int8_t *p) {
  int32_t four;
  memcpy(&four, p, 4);
  int16x8_t wide = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
}

#else
#define VX_LANES 1
typedef float vf;
VX_INLINE vf vf_set(float x) { return x; }
VX_INLINE vf vf_load(const float *p) { return *p; }
VX_INLINE void vf_store(float *p, vf a) { *p = a; }
VX_INLINE vf vf_add(vf a, vf b) { return a + b; }
VX_INLINE vf vf_sub(vf a, vf b) { return a - b; }
VX_INLINE vf vf_mul(vf a, vf b) { return a * b; }
VX_INLINE vf vf_div(vf a, vf b) { return a / b; }
VX_INLINE vf vf_max(vf a, vf b) { return a > b ? a : b; }
VX_INLINE vf vf_min(vf a, vf b) { return a < b ? a : b; }
VX_INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
VX_INLINE vf vf_round(vf a) { return rintf(a); }
VX_INLINE vf vf_exp2i(vf n) {
  union { uint32_t u; float f; } v = {(uint32_t)((int32_t)n + 127) << 23};
  return v.f;
}
VX_INLINE vf vf_bfloat(const uint16_t *p) { return vx_from_bfloat(*p); }
VX_INLINE vf vf_byte(const int8_t *p) { return (float)*p; }
#endif

#define VX_PARTS (16 / VX_LANES) /* vectors in 16 floats */

/* The lanes added (or the largest) in one fixed order, whatever the width. */
VX_INLINE float vf_total(vf a) {
  float lane[VX_LANES], sum = 0;
  vf_store(lane, a);
  for (int i = 0; i < VX_LANES; i++) sum += lane[i];
  return sum;
}

VX_INLINE float vf_largest(vf a) {
  float lane[VX_LANES];
  vf_store(lane, a);
  for (int i = 1; i < VX_LANES; i++) lane[0] = lane[i] > lane[0] ? lane[i] : lane[0];
  return lane[0];
}

/* exp(x): 2^n * e^r with |r| <= ln 2 / 2, e^r by its Taylor series to r^7 (error below 1e-8).
 * Below -87 the answer is exp(-87), 1.6e-38, instead of less. A NaN becomes a number. */
VX_INLINE vf vf_exp(vf x) {
  x = vf_min(vf_max(x, vf_set(-87.0f)), vf_set(88.0f));
  vf n = vf_round(vf_mul(x, vf_set(1.44269504f)));
  vf r = vf_fma(n, vf_set(-0.693359375f), x); /* ln 2 in two parts, the first exact */
  r = vf_fma(n, vf_set(2.12194440e-4f), r);
  vf p = vf_set(1.0f / 5040);
  p = vf_fma(p, r, vf_set(1.0f / 720));
  p = vf_fma(p, r, vf_set(1.0f / 120));
  p = vf_fma(p, r, vf_set(1.0f / 24));
  p = vf_fma(p, r, vf_set(1.0f / 6));
  p = vf_fma(p, r, vf_set(0.5f));
  p = vf_fma(p, r, vf_set(1.0f));
  p = vf_fma(p, r, vf_set(1.0f));
  return vf_mul(p, vf_exp2i(n));
}

#endif
