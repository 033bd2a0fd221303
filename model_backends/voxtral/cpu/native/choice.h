/* What is said, chosen from logits that come a piece at a time, from several threads. Which piece
 * comes when and to whom changes nothing. Knows nothing about how logits are made. */
#ifndef VX_CHOICE_H
#define VX_CHOICE_H

#include "blocks.h"
#include "speech.h"

#define VX_MOST_SEEN 128 /* logits in a piece, a multiple of 16 */

/* What has been seen of one row's logits. */
typedef struct {
  float best, second; /* of ordinary ids: neither [P] nor </s> */
  float most, sum;    /* of all ids: the largest, and the sum of exp(logit - most) */
  float pad, eos;     /* -infinity until they have come by */
  int32_t id;         /* of the best; the lowest of equals */
} vx_seen;

vx_seen vx_nothing_seen(void);
/* Logits of ids first .. first + n - 1, n <= VX_MOST_SEEN. */
void vx_see(vx_seen *s, const vx_kernels *k, const vx_spec *spec, const float *x, size_t first,
            size_t n);
void vx_see_too(vx_seen *into, const vx_seen *other); /* what another has seen of the same row */
vx_answer vx_choose(const vx_spec *spec, const vx_seen *s, float pad_bias);

#endif
