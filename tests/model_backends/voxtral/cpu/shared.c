/* Work shared out among threads: when `vx_share` returns every part was done once, by whoever, also
 * by threads that woke late or found the task closed. Prints what went wrong; 1 then. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "threads.h"

enum { MOST = 4096 };

typedef struct {
  atomic_uchar done[MOST];
  int slow; /* turns of an idle loop in each part taken by a thread that is not the caller */
} work;

static void part(void *with, int thread, size_t begin, size_t end) {
  work *w = with;
  if (thread != 0)
    for (volatile int i = 0; i < w->slow; i++) continue;
  for (size_t i = begin; i < end; i++) atomic_fetch_add(&w->done[i], 1);
}

/* One task: 0, or 1 if a part was not done just once. */
static int shared(vx_threads *team, int round, size_t count, size_t least, int slow) {
  static work w;
  memset((void *)w.done, 0, count + 1);
  w.slow = slow;
  vx_share(team, part, &w, count, least);
  for (size_t i = 0; i <= count; i++)
    if (w.done[i] != (i < count)) {
      printf("round %d: part %zu of %zu done %d times\n", round, i, count, w.done[i]);
      return 1;
    }
  return 0;
}

int main(void) {
  vx_threads *team = vx_threads_new(4);
  int bad = team == NULL;
  for (int round = 0; round < 3000 && !bad; round++)
    bad = shared(team, round, (size_t)(round * 37 % (MOST - 1)), (size_t)(1 + round % 5), round % 3 * 20000);
  for (int round = 0; round < 100000 && !bad; round++) /* so short that many come too late */
    bad = shared(team, round, 2 + (size_t)round % 7, 1, 0);
  vx_threads_free(team);
  return bad;
}
