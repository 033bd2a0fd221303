#include "choice.h"

#include <math.h>
#include <string.h>

vx_seen vx_nothing_seen(void) {
  vx_seen s = {-INFINITY, -INFINITY, -INFINITY, 0, -INFINITY, -INFINITY, INT32_MAX};
  return s;
}

/* Sums of exponentials keep to the largest logit seen: the older sum shrinks where it grew. */
static void add_sum(vx_seen *s, float most, float sum) {
  float grown = most > s->most ? most : s->most;
  if (grown == -INFINITY) return;
  s->sum = s->most > -INFINITY ? s->sum * expf(s->most - grown) : 0;
  if (most > -INFINITY) s->sum += sum * expf(most - grown);
  s->most = grown;
}

static void add_best(vx_seen *s, float x, int32_t id) {
  if (x > s->best || (x == s->best && id < s->id)) {
    s->second = s->best;
    s->best = x;
    s->id = id;
  } else if (x > s->second) s->second = x;
}

/* Takes one id out of the running; `at` is huge where it is not in this piece. */
static void set_apart(float *x, size_t at, size_t n, float *kept) {
  if (at < n) *kept = x[at], x[at] = -INFINITY;
}

void vx_see(vx_seen *s, const vx_kernels *k, const vx_spec *spec, const float *x, size_t first,
            size_t n) {
  float own[VX_MOST_SEEN], most = -INFINITY;
  size_t padded = VX_PAD(n, 16);
  memcpy(own, x, n * sizeof *x);
  for (size_t i = n; i < padded; i++) own[i] = -INFINITY;
  for (size_t i = 0; i < n; i++) most = own[i] > most ? own[i] : most;
  if (most > -INFINITY) add_sum(s, most, k->sum_exp(own, padded, most));
  set_apart(own, (size_t)spec->pad - first, n, &s->pad);
  set_apart(own, (size_t)spec->eos - first, n, &s->eos);
  for (size_t i = 0; i < n; i++)
    if (own[i] > s->second || (own[i] == s->best && own[i] > -INFINITY))
      add_best(s, own[i], (int32_t)(first + i));
}

void vx_see_too(vx_seen *into, const vx_seen *other) {
  add_sum(into, other->most, other->sum);
  float second = into->second > other->second ? into->second : other->second;
  add_best(into, other->best, other->id);
  if (second > into->second) into->second = second;
  if (other->pad > into->pad) into->pad = other->pad;
  if (other->eos > into->eos) into->eos = other->eos;
}

vx_answer vx_choose(const vx_spec *spec, const vx_seen *s, float pad_bias) {
  int32_t ordinary = s->id == INT32_MAX ? spec->pad : s->id; /* nothing but NaN: silence */
  int silent = s->pad + pad_bias >= s->best;
  float chosen = silent ? s->pad : s->best, other = silent ? s->best : s->second;
  if (!silent && s->pad > other) other = s->pad;
  if (s->eos > other) other = s->eos;
  vx_answer a = {silent ? spec->pad : ordinary, chosen - other, chosen - s->most - logf(s->sum)};
  return a;
}
