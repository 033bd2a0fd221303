#include "kv_cache.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

vx_kv_layout vx_kv_layout_of(const vx_tower *tower, int kv_bits) {
  vx_kv_layout l = {tower->layers, tower->kv_heads, tower->head_dim, 0, kv_bits == 8, 0, 0, 0};
  l.depth = VX_PAD(tower->head_dim, 16);
  size_t values = (size_t)VX_CHUNK * (size_t)l.depth;
  l.part = l.eight_bits ? values + VX_CHUNK * sizeof(float) : 2 * values;
  l.chunk_bytes = (size_t)l.layers * (size_t)l.heads * 2 * l.part;
  l.chunks = VX_PAD((int64_t)tower->window + tower->block, VX_CHUNK) / VX_CHUNK;
  return l;
}

size_t vx_kv_offset(const vx_kv_layout *l, int layer, int head) {
  return ((size_t)layer * (size_t)l->heads + (size_t)head) * 2 * l->part;
}

vx_kv *vx_kv_of(const vx_kv_layout *layout, int64_t first) {
  vx_kv *kv = calloc(1, sizeof *kv);
  if (kv == NULL) return NULL;
  kv->layout = *layout;
  kv->first = first;
  kv->chunk = calloc((size_t)layout->chunks, sizeof *kv->chunk);
  if (kv->chunk == NULL) {
    free(kv);
    return NULL;
  }
  return kv;
}

vx_kv *vx_kv_copy(const vx_kv *from, int64_t count) {
  vx_kv *kv = vx_kv_of(&from->layout, from->first);
  if (kv == NULL) return NULL;
  if (vx_kv_reserve(kv, count) != 0) {
    vx_kv_free(kv);
    return NULL;
  }
  for (int64_t i = 0; i < kv->held && i < from->held; i++)
    memcpy(kv->chunk[i], from->chunk[i], kv->layout.chunk_bytes);
  return kv;
}

void vx_kv_free(vx_kv *kv) {
  if (kv == NULL) return;
  for (int64_t i = 0; i < kv->held; i++) free(kv->chunk[i]);
  free(kv->chunk);
  free(kv);
}

int64_t vx_kv_bytes(const vx_kv *kv) { return kv->held * (int64_t)kv->layout.chunk_bytes; }

int vx_kv_reserve(vx_kv *kv, int64_t end) {
  int64_t wanted = VX_PAD(end, VX_CHUNK) / VX_CHUNK;
  if (wanted > kv->layout.chunks) wanted = kv->layout.chunks;
  for (; kv->held < wanted; kv->held++) { /* zeros: what is not yet written is read, times 0 */
    kv->chunk[kv->held] = calloc(1, kv->layout.chunk_bytes);
    if (kv->chunk[kv->held] == NULL) return -1;
  }
  return 0;
}

void vx_kv_store(const vx_kv *kv, uint8_t *bytes) {
  size_t size = kv->layout.chunk_bytes;
  for (int64_t i = 0; i < kv->held; i++) memcpy(bytes + (size_t)i * size, kv->chunk[i], size);
}

int vx_kv_fill(vx_kv *kv, int64_t count) {
  if (vx_kv_reserve(kv, count) != 0) return -1;
  for (int64_t i = 0; i < kv->held; i++) /* as bfloat16 and as a float scale 0.0115 */
    memset(kv->chunk[i], 0x3c, kv->layout.chunk_bytes);
  return 0;
}

/* Codes of n values, `step` apart; returns the scale. */
static float write_bytes(const float *x, int n, int8_t *out, size_t step) {
  float most = 0;
  for (int i = 0; i < n; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
  float back = most > 0 && most < INFINITY ? 127.0f / most : 0;
  for (int i = 0; i < n; i++) {
    float c = rintf(x[i] * back);
    out[(size_t)i * step] = (int8_t)(c > 127 ? 127 : c < -127 ? -127 : c == c ? c : 0);
  }
  return most / 127.0f;
}

void vx_kv_write(vx_kv *kv, int layer, int head, int64_t at, const float *key, const float *value) {
  const vx_kv_layout *l = &kv->layout;
  uint8_t *keys = kv->chunk[at / VX_CHUNK % l->chunks] + vx_kv_offset(l, layer, head);
  uint8_t *values = keys + l->part;
  size_t inside = (size_t)(at % VX_CHUNK), depth = (size_t)l->depth;
  size_t key_at = inside / 16 * 16 * depth + inside % 16; /* then every 16th */
  if (l->eight_bits) {
    float *key_scale = (float *)(void *)(keys + VX_CHUNK * depth);
    float *value_scale = (float *)(void *)(values + VX_CHUNK * depth);
    int8_t row[4096 + 16]; /* head_dim is at most 1024 */
    key_scale[inside] = write_bytes(key, l->head_dim, (int8_t *)keys + key_at, 16);
    value_scale[inside] = write_bytes(value, l->head_dim, row, 1);
    for (int c = 0; c < l->head_dim; c++)
      ((int8_t *)values)[((size_t)(c / 16) * VX_CHUNK + inside) * 16 + (size_t)(c % 16)] = row[c];
    return;
  }
  uint16_t *k = (uint16_t *)(void *)keys, *v = (uint16_t *)(void *)values;
  for (int c = 0; c < l->head_dim; c++) {
    k[key_at + 16 * (size_t)c] = vx_to_bfloat(key[c]);
    v[((size_t)(c / 16) * VX_CHUNK + inside) * 16 + (size_t)(c % 16)] = vx_to_bfloat(value[c]);
  }
}
