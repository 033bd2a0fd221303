/* Walks over blocks of rows and cuts the activations' rows into tiles. The including file gives
 * `q4_tile` and `q8_tile` (tile is a constant: 1, 2, 4 or 8) and VX_MOST, the largest tile.
 * A block of weights stays in the cache while all tiles pass over it.
 */
#define VX_DEFINE_PRODUCT(name, tile_of, block_bytes)                                           \
  static void name(const uint8_t *w, size_t first, size_t last, const vx_acts *a, size_t row,  \
                   size_t count, float *y, size_t stride) {                                     \
    size_t row_bytes = a->groups * (block_bytes);                                               \
    for (size_t b = first; b < last; b++) {                                                     \
      const uint8_t *at = w + b * row_bytes;                                                    \
      float *out = y + VX_ROWS * (b - first);                                                   \
      size_t m = 0;                                                                             \
      for (; VX_MOST >= 8 && m + 8 <= count; m += 8)                                            \
        tile_of(VX_MOST >= 8 ? 8 : 1, at, a, row + m, out + m * stride, stride);                \
      for (; VX_MOST >= 4 && m + 4 <= count; m += 4)                                            \
        tile_of(VX_MOST >= 4 ? 4 : 1, at, a, row + m, out + m * stride, stride);                \
      for (; m + 2 <= count; m += 2) tile_of(2, at, a, row + m, out + m * stride, stride);      \
      for (; m < count; m++) tile_of(1, at, a, row + m, out + m * stride, stride);              \
    }                                                                                           \
  }

VX_DEFINE_PRODUCT(q4_product, q4_tile, VX_Q4_BYTES)
VX_DEFINE_PRODUCT(q8_product, q8_tile, VX_Q8_BYTES)
