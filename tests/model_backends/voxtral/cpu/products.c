/* Every kernel that runs here against plain C, on weights and activations from a seed: products of
 * both kinds and all tile sizes, codes, norms, SwiGLU. Prints the kernels' names; 1 and the place
 * where one strays. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "choice.h"
#include "speech.h"

static uint32_t state = 7;

static float drawn(void) { /* about normal */
  float sum = 0;
  for (int i = 0; i < 4; i++) {
    state = state * 1664525u + 1013904223u;
    sum += (float)(state >> 8) / 16777216.0f - 0.5f;
  }
  return sum * 1.7f;
}

static int strays(const char *what, const char *name, const float *a, const float *b, size_t n) {
  double wrong = 0, size = 1e-12;
  for (size_t i = 0; i < n; i++) {
    wrong += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);
    size += (double)b[i] * (double)b[i];
  }
  if (sqrt(wrong / size) < 1e-5) return 0;
  printf("%s of %s is off by %g\n", what, name, sqrt(wrong / size));
  return 1;
}

static vx_acts acts_of(size_t rows, size_t groups) {
  vx_acts a = {malloc(rows * groups * VX_GROUP), malloc(rows * groups * 4), malloc(rows * groups * 4),
               malloc(rows * groups * 4), NULL, groups};
  return a;
}

static int compare(const vx_kernels *k, size_t rows, size_t inputs, size_t count) {
  size_t groups = VX_PAD(inputs, VX_GROUP) / VX_GROUP, wide = groups * VX_GROUP;
  size_t padded = VX_PAD(rows, VX_ROWS), blocks = padded / VX_ROWS;
  float *w = calloc(rows * inputs, 4), *x = calloc(count * wide, 4);
  float *y = calloc(count * padded, 4), *z = calloc(count * padded, 4);
  uint8_t *packed = malloc(blocks * groups * VX_Q8_BYTES);
  vx_acts mine = acts_of(count, groups), plain = acts_of(count, groups);
  int bad = 0;
  for (size_t i = 0; i < rows * inputs; i++) w[i] = drawn();
  for (size_t m = 0; m < count; m++)
    for (size_t i = 0; i < inputs; i++) x[m * wide + i] = drawn() * (float)(1 + m);
  for (size_t m = 0; m < count; m++) {
    k->quantise(x + m * wide, &mine, m);
    vx_plain.quantise(x + m * wide, &plain, m);
  }
  if (memcmp(mine.code, plain.code, count * wide) != 0 ||
      memcmp(mine.offset, plain.offset, count * groups * 4) != 0)
    bad = 1, printf("codes of %s differ\n", k->name);
  vx_pack_q4(w, (int64_t)rows, (int64_t)inputs, packed);
  k->q4(packed, 0, blocks, &mine, 0, count, y, padded);
  vx_plain.q4(packed, 0, blocks, &plain, 0, count, z, padded);
  bad |= strays("q4", k->name, y, z, count * padded);
  vx_pack_q8(w, (int64_t)rows, (int64_t)inputs, packed);
  k->q8(packed, 0, blocks, &mine, 0, count, y, padded);
  vx_plain.q8(packed, 0, blocks, &plain, 0, count, z, padded);
  bad |= strays("q8", k->name, y, z, count * padded);
  float *a = calloc(wide, 4), *b = calloc(wide, 4);
  k->norm(x, x, inputs, wide, 1e-5f, a);
  vx_plain.norm(x, x, inputs, wide, 1e-5f, b);
  bad |= strays("norm", k->name, a, b, wide);
  k->swiglu(x, x, a, wide);
  vx_plain.swiglu(x, x, b, wide);
  bad |= strays("swiglu", k->name, a, b, wide);
  free(w), free(x), free(y), free(z), free(packed), free(a), free(b);
  free(mine.code), free(mine.scale), free(mine.offset), free(mine.shift);
  free(plain.code), free(plain.scale), free(plain.offset), free(plain.shift);
  return bad;
}

/* One head, 200 positions in two chunks, keys and values in 16 or 8 bits. */
static int attend(const vx_kernels *k, int eight_bits) {
  enum { DEPTH = 48, SEEN = 200 };
  size_t part = eight_bits ? VX_CHUNK * DEPTH + VX_CHUNK * 4 : VX_CHUNK * DEPTH * 2;
  uint8_t *chunk[2];
  float query[4][DEPTH], mine[4][DEPTH], plain[4][DEPTH], *scratch = malloc(4 * 512 * 4);
  for (int c = 0; c < 2; c++) {
    chunk[c] = malloc(2 * part);
    for (size_t i = 0; i < 2 * part / 2; i++) {
      uint16_t v = vx_to_bfloat(drawn());
      memcpy(chunk[c] + 2 * i, &v, 2);
    }
    if (eight_bits)
      for (int side = 0; side < 2; side++)
        for (int i = 0; i < VX_CHUNK; i++) {
          float scale = 0.01f;
          memcpy(chunk[c] + (size_t)side * part + VX_CHUNK * DEPTH + 4 * (size_t)i, &scale, 4);
        }
  }
  vx_attention a = {.chunk = (const uint8_t *const *)chunk, .chunks = 2, .keys = 0, .values = part};
  a.depth = DEPTH, a.eight_bits = eight_bits, a.scratch = scratch, a.scratch_stride = 512;
  for (int q = 0; q < 4; q++) {
    for (int i = 0; i < DEPTH; i++) query[q][i] = drawn();
    a.query[q] = query[q], a.out[q] = mine[q], a.low[q] = 7 + q, a.high[q] = SEEN - 3 + q;
  }
  k->attend(&a);
  for (int q = 0; q < 4; q++) a.out[q] = plain[q];
  vx_plain.attend(&a);
  int bad = strays("attention", k->name, mine[0], plain[0], 4 * DEPTH);
  free(chunk[0]), free(chunk[1]), free(scratch);
  return bad;
}

enum { VOCABULARY = 1400, PAD = 32, EOS = 2 };

/* The answer from all logits at once, in double precision. */
static vx_answer plainly(const float *x, float bias) {
  int best = -1;
  for (int i = 0; i < VOCABULARY; i++)
    if (i != PAD && i != EOS && (best < 0 || x[i] > x[best])) best = i;
  int token = x[PAD] + bias >= x[best] ? PAD : best;
  double sum = 0, other = -INFINITY;
  for (int i = 0; i < VOCABULARY; i++) {
    sum += exp((double)x[i] - (double)x[token]);
    if (i != token && (double)x[i] > other) other = (double)x[i];
  }
  vx_answer a = {token, (float)((double)x[token] - other), (float)-log(sum)};
  return a;
}

/* Logits in pieces, dealt out to four threads at random: the two best may fall to one or to two of
 * them, be equal, be </s> or [P]; the answer is that of all logits at once. */
static int choose(const vx_kernels *k) {
  static const float biases[] = {0, -2, 3};
  vx_spec spec = {.vocab = VOCABULARY, .pad = PAD, .eos = EOS};
  float x[VOCABULARY];
  for (int round = 0; round < 600; round++) {
    vx_seen seen[4];
    float bias = biases[round % 3];
    for (int i = 0; i < VOCABULARY; i++) x[i] = 3 * drawn();
    size_t high = (state >> 8) % VOCABULARY, low = high * 7 % VOCABULARY;
    x[high] = 14, x[low] = round % 4 ? 13 : 14;
    if (round % 5 == 0) x[EOS] = 13.5f;
    if (round % 7 == 0) x[PAD] = 15;
    for (int t = 0; t < 4; t++) seen[t] = vx_nothing_seen();
    for (size_t at = 0, n; at < VOCABULARY; at += n) {
      n = 16 * (size_t)(1 + state % 8);
      if (n > VOCABULARY - at) n = VOCABULARY - at;
      drawn();
      vx_see(&seen[(state >> 9) % 4], k, &spec, x + at, at, n);
    }
    for (int t = 1; t < 4; t++) vx_see_too(&seen[0], &seen[t]);
    vx_answer found = vx_choose(&spec, &seen[0], bias), right = plainly(x, bias);
    if (found.token == right.token && fabsf(found.gap - right.gap) < 1e-5f &&
        fabsf(found.logprob - right.logprob) < 1e-4f)
      continue;
    printf("choice of %s: %d %g %g, not %d %g %g\n", k->name, found.token, (double)found.gap,
           (double)found.logprob, right.token, (double)right.gap, (double)right.logprob);
    return 1;
  }
  return 0;
}

#ifdef VX_EMULATED /* the instructions themselves are emulated: nobody need be asked */
static const vx_kernels *kernels_called(const char *name) {
  return strcmp(name, vx_avx512.name) == 0 ? &vx_avx512
         : strcmp(name, vx_avxvnni.name) == 0 ? &vx_avxvnni : NULL;
}
#else
#define kernels_called vx_kernels_for
#endif

int main(void) {
  static const char *const names[] = {"avx512vnni", "avxvnni", "avx2", "i8mm", "neon", "plain"};
  int bad = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const vx_kernels *k = kernels_called(names[i]);
    if (k == NULL) continue;
    printf("%s\n", k->name);
    for (size_t count = 1; count <= 13; count++) bad |= compare(k, 16 + 5 * count, 37 * count, count);
    bad |= compare(k, 320, 1280, 4) | compare(k, 160, 3072, 1) | attend(k, 0) | attend(k, 1);
    bad |= choose(k);
  }
  return bad;
}
