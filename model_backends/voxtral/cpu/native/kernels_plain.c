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

/* The same blocks with activations as they are, summed in double precision: shows what the rest of
 * the model computes without the jumps of rounding to codes. */
static void keep(const float *x, const vx_acts *a, size_t row) {
  memcpy(a->exact + row * a->groups * VX_GROUP, x, a->groups * VX_GROUP * sizeof *x);
}

static double exact_row(const uint8_t *w, size_t groups, int r, int bits, const float *x) {
  double sum = 0;
  size_t block = bits == 4 ? VX_Q4_BYTES : VX_Q8_BYTES;
  for (size_t g = 0; g < groups; g++, w += block, x += VX_GROUP) {
    double dot = 0;
    for (int i = 0; i < VX_GROUP; i++) {
      int both = w[(bits == 4 ? i / 8 : i / 4) * 64 + 4 * r + i % 4];
      int code = bits == 8 ? both - 128 : (i % 8 < 4 ? both & 15 : both >> 4) - 8;
      dot += (double)code * (double)x[i];
    }
    uint16_t scale;
    memcpy(&scale, w + block - 32 + 2 * r, 2);
    sum += dot * (double)vx_from_half(scale);
  }
  return sum;
}

static void exact_product(const uint8_t *w, int bits, size_t first, size_t last, const vx_acts *a,
                          size_t row, size_t count, float *y, size_t stride) {
  size_t row_bytes = a->groups * (bits == 4 ? VX_Q4_BYTES : VX_Q8_BYTES);
  for (size_t b = first; b < last; b++)
    for (size_t m = 0; m < count; m++)
      for (int r = 0; r < VX_ROWS; r++)
        y[m * stride + VX_ROWS * (b - first) + (size_t)r] =
            (float)exact_row(w + b * row_bytes, a->groups, r, bits,
                             a->exact + (row + m) * a->groups * VX_GROUP);
}

static void exact_q4(const uint8_t *w, size_t first, size_t last, const vx_acts *a, size_t row,
                     size_t count, float *y, size_t stride) {
  exact_product(w, 4, first, last, a, row, count, y, stride);
}

static void exact_q8(const uint8_t *w, size_t first, size_t last, const vx_acts *a, size_t row,
                     size_t count, float *y, size_t stride) {
  exact_product(w, 8, first, last, a, row, count, y, stride);
}

const vx_kernels vx_exact = {
    .name = "exact", .q4 = exact_q4, .q8 = exact_q8, .quantise = keep, VX_FLOATS};
