/* Keys and values of one slot in pieces of 128 positions, taken as they are needed and used in turn
 * once the window is full: a short utterance costs little, and growing never moves anything. */
#ifndef VX_KV_CACHE_H
#define VX_KV_CACHE_H

#include "blocks.h"
#include "speech.h"

typedef struct {
  int layers, heads, head_dim, depth, eight_bits;
  size_t part;        /* bytes of one head's keys (or values) in a chunk */
  size_t chunk_bytes; /* of all layers */
  int64_t chunks;     /* in the ring */
} vx_kv_layout;

struct vx_kv {
  vx_kv_layout layout;
  int64_t first; /* absolute position of the slot's first key */
  int64_t held;  /* chunks that have memory */
  uint8_t **chunk;
};

vx_kv *vx_kv_of(const vx_kv_layout *layout, int64_t first); /* NULL if memory is short */
vx_kv_layout vx_kv_layout_of(const vx_tower *tower, int kv_bits);
int vx_kv_reserve(vx_kv *kv, int64_t end); /* for positions below `end`, counted from the first */
void vx_kv_write(vx_kv *kv, int layer, int head, int64_t at, const float *key, const float *value);
size_t vx_kv_offset(const vx_kv_layout *l, int layer, int head);

#endif
