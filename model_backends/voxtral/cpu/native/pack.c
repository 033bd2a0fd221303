/* Weights to blocks, half precision, and a checksum. */
#include <math.h>
#include <string.h>

#include "blocks.h"
#include "speech.h"

float vx_from_half(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = (half >> 10) & 31u;
  uint32_t fraction = half & 0x3ffu;
  union { uint32_t u; float f; } v;
  if (exponent == 0) { /* zero and the smallest numbers, by 2^-24 */
    v.f = (float)fraction * 5.9604644775390625e-8f;
    v.u |= sign;
    return v.f;
  }
  v.u = exponent == 31 ? sign | 0x7f800000u | fraction << 13
                       : sign | (exponent + 112) << 23 | fraction << 13;
  return v.f;
}

/* To the nearest, ties to even; what is too large becomes infinite. */
uint16_t vx_to_half(float x) {
  union { float f; uint32_t u; } v = {x};
  uint16_t sign = (uint16_t)((v.u >> 16) & 0x8000u);
  v.u &= 0x7fffffffu;
  if (v.u > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (v.f >= 65520.0f) return (uint16_t)(sign | 0x7c00u);
  if (v.f < 6.103515625e-5f) /* below 2^-14: a multiple of 2^-24 */
    return (uint16_t)(sign | (uint16_t)lrintf(v.f * 16777216.0f));
  uint32_t rounded = v.u + 0xfffu + ((v.u >> 13) & 1u);
  return (uint16_t)(sign | (uint16_t)((rounded - 0x38000000u) >> 13));
}

/* To the nearest, for numbers below 2^22: rintf is a call where SSE4.1 is not a given. */
static float nearest(float x) {
  return (x + 12582912.0f) - 12582912.0f;
}

/* Codes of 32 weights at a scale. Returns the sum of code * weight and of code squared. */
static void codes_at(const float *w, float back, float *dot, float *square) {
  float d = 0, s = 0;
  for (int i = 0; i < VX_GROUP; i++) {
    float c = nearest(w[i] * back);
    c = c < -8 ? -8 : c > 7 ? 7 : c;
    d += c * w[i];
    s += c * c;
  }
  *dot = d;
  *square = s;
}

/* The scale with the least squared error: of several that place the largest weight near the end of
 * the codes' longer side, each with the best scale for its codes (dot / square). */
static float scale_of(const float *w) {
  float largest = 0;
  for (int i = 0; i < VX_GROUP; i++)
    if (fabsf(w[i]) > fabsf(largest)) largest = w[i];
  if (largest == 0) return 0;
  float best = 0, won = -1;
  for (int step = 0; step < 9; step++) {
    float dot, square, place = -(6.8f + 0.3f * (float)step);
    codes_at(w, place / largest, &dot, &square);
    if (square > 0 && dot * dot > won * square) {
      won = dot * dot / square;
      best = dot / square;
    }
  }
  return best;
}

/* A group of one row of blocks; beyond the true rows and inputs there are zeros. */
static void group_of(const float *w, int64_t rows, int64_t inputs, int64_t row, int64_t group,
                     float out[VX_GROUP]) {
  memset(out, 0, VX_GROUP * sizeof *out);
  int64_t left = inputs - group * VX_GROUP;
  if (row >= rows || left <= 0) return;
  memcpy(out, w + row * inputs + group * VX_GROUP,
         (size_t)(left < VX_GROUP ? left : VX_GROUP) * sizeof *out);
}

void vx_pack_q4(const float *w, int64_t rows, int64_t inputs, uint8_t *blocks) {
  int64_t groups = VX_PAD(inputs, VX_GROUP) / VX_GROUP;
  for (int64_t b = 0; b < VX_PAD(rows, VX_ROWS) / VX_ROWS; b++)
    for (int64_t g = 0; g < groups; g++, blocks += VX_Q4_BYTES) {
      memset(blocks, 0, 256);
      for (int r = 0; r < VX_ROWS; r++) {
        float x[VX_GROUP];
        group_of(w, rows, inputs, b * VX_ROWS + r, g, x);
        uint16_t half = vx_to_half(scale_of(x));
        float scale = vx_from_half(half), back = scale != 0 ? 1.0f / scale : 0;
        memcpy(blocks + 256 + 2 * r, &half, 2);
        for (int i = 0; i < VX_GROUP; i++) {
          float c = rintf(x[i] * back) + 8;
          unsigned code = c >= 15 ? 15 : c >= 0 ? (unsigned)c : 0;
          blocks[64 * (i / 8) + 4 * r + i % 4] |= (uint8_t)(code << (i % 8 < 4 ? 0 : 4));
        }
      }
    }
}

void vx_pack_q8(const float *w, int64_t rows, int64_t inputs, uint8_t *blocks) {
  int64_t groups = VX_PAD(inputs, VX_GROUP) / VX_GROUP;
  for (int64_t b = 0; b < VX_PAD(rows, VX_ROWS) / VX_ROWS; b++)
    for (int64_t g = 0; g < groups; g++, blocks += VX_Q8_BYTES)
      for (int r = 0; r < VX_ROWS; r++) {
        float x[VX_GROUP], most = 0;
        group_of(w, rows, inputs, b * VX_ROWS + r, g, x);
        for (int i = 0; i < VX_GROUP; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
        uint16_t half = vx_to_half(most / 127.0f);
        float scale = vx_from_half(half), back = scale > 0 ? 1.0f / scale : 0;
        memcpy(blocks + 512 + 2 * r, &half, 2);
        for (int i = 0; i < VX_GROUP; i++) {
          float c = rintf(x[i] * back) + 128;
          blocks[64 * (i / 4) + 4 * r + i % 4] = (uint8_t)(c >= 255 ? 255 : c >= 1 ? c : 1);
        }
      }
}

/* Eight interleaved chains of xor and multiplication (the constants are FNV's): every single
 * change of a word changes the result, at the speed of memory. Not against forgery. */
uint64_t vx_checksum(const uint8_t *bytes, int64_t count) {
  const uint64_t prime = 0x100000001b3ull;
  uint64_t chain[8], word;
  for (uint64_t i = 0; i < 8; i++) chain[i] = 0xcbf29ce484222325ull + i;
  int64_t at = 0;
  for (; at + 64 <= count; at += 64)
    for (int i = 0; i < 8; i++) {
      memcpy(&word, bytes + at + 8 * i, 8);
      chain[i] = (chain[i] ^ word) * prime;
    }
  for (; at < count; at++) chain[0] = (chain[0] ^ bytes[at]) * prime;
  for (int i = 1; i < 8; i++) chain[0] = (chain[0] ^ chain[i]) * prime;
  return chain[0];
}
