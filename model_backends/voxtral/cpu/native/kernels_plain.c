/* Plain C that any compiler takes: what the other kernels are held against, and what old
 * processors run. */
#include "floats.h"

static void quantise(const float *x, const vx_acts *a, size_t row) {
  for (size_t g = 0; g < a->groups; g++) {
    const float *p = x + g * VX_GROUP;
    int8_t *code = a->code + (row * a->groups + g) * VX_GROUP;
    float most = 0;
    for (int i = 0; i < VX_GROUP; i++) most = fabsf(p[i]) > most ? fabsf(p[i]) : most;
    float back = most > 0 ? 127.0f / most : 0;
    int32_t sum = 0;
    for (int i = 0; i < VX_GROUP; i++) {
      float c = rintf(p[i] * back);
      code[i] = (int8_t)(c > 127 ? 127 : c < -127 ? -127 : c == c ? c : 0);
      sum += code[i];
    }
    size_t at = row * a->groups + g;
    a->scale[at] = most / 127.0f;
    a->offset[at] = -8 * sum;
    a->shift[at] = a->scale[at] * (float)a->offset[at];
  }
}

static void q4_tile(int tile, const uint8_t *w, const vx_acts *a, size_t row, float *y,
                    size_t stride) {
  for (int m = 0; m < tile; m++) {
    float sum[VX_ROWS] = {0};
    size_t at = (row + (size_t)m) * a->groups;
    for (size_t g = 0; g < a->groups; g++) {
      const uint8_t *b = w + g * VX_Q4_BYTES;
      const int8_t *x = a->code + (at + g) * VX_GROUP;
      for (int r = 0; r < VX_ROWS; r++) {
        int32_t dot = a->offset[at + g];
        for (int z = 0; z < 4; z++)
          for (int i = 0; i < 4; i++) {
            int both = b[64 * z + 4 * r + i];
            dot += (both & 15) * x[8 * z + i] + (both >> 4) * x[8 * z + 4 + i];
          }
        uint16_t scale;
        memcpy(&scale, b + 256 + 2 * r, 2);
        sum[r] += (float)dot * (vx_from_half(scale) * a->scale[at + g]);
      }
    }
    memcpy(y + (size_t)m * stride, sum, sizeof sum);
  }
}

static void q8_tile(int tile, const uint8_t *w, const vx_acts *a, size_t row, float *y,
                    size_t stride) {
  for (int m = 0; m < tile; m++) {
    float sum[VX_ROWS] = {0};
    size_t at = (row + (size_t)m) * a->groups;
    for (size_t g = 0; g < a->groups; g++) {
      const uint8_t *b = w + g * VX_Q8_BYTES;
      const int8_t *x = a->code + (at + g) * VX_GROUP;
      for (int r = 0; r < VX_ROWS; r++) {
        int32_t dot = 16 * a->offset[at + g];
        for (int q = 0; q < 8; q++)
          for (int i = 0; i < 4; i++) dot += b[64 * q + 4 * r + i] * x[4 * q + i];
        uint16_t scale;
        memcpy(&scale, b + 512 + 2 * r, 2);
        sum[r] += (float)dot * (vx_from_half(scale) * a->scale[at + g]);
      }
    }
    memcpy(y + (size_t)m * stride, sum, sizeof sum);
  }
}

#define VX_MOST 1
#include "tiles.h"

const vx_kernels vx_plain = {
    .name = "plain", .q4 = q4_product, .q8 = q8_product, .quantise = quantise, VX_FLOATS};
