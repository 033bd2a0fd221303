/* Work shared out among threads: when `vx_share` returns every part was done once, by whoever, also
 * by threads that woke late or found the task closed; nobody gets into a task that has returned, and
 * who sleeps is woken. Prints what went wrong; 1 then. */
#define _POSIX_C_SOURCE 200112L
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

/* Who comes late: `threads.c` is compiled with VX_WATCH=watch. */
static atomic_uint_fast64_t returned; /* tasks of the team so far; they are numbered from 1 */
static atomic_int late, misled;

void watch(int inside, uint64_t task);
void watch(int inside, uint64_t task) {
  if (!atomic_load(&late)) return;
  if (inside && task <= atomic_load(&returned)) atomic_store(&misled, 1);
  while (!inside && task > atomic_load(&returned)) sched_yield(); /* enters when all is over */
}

static int nobody_gets_into_what_has_returned(void) {
  vx_threads *team = vx_threads_new(3);
  atomic_store(&late, 1);
  int bad = team == NULL;
  for (int round = 0; round < 300 && !bad; round++) {
    bad = shared(team, round, 8, 1, 0);
    atomic_fetch_add(&returned, 1);
    struct timespec while_they_try = {.tv_nsec = 1000000};
    nanosleep(&while_they_try, NULL);
  }
  atomic_store(&returned, UINT64_MAX);
  vx_threads_free(team);
  atomic_store(&late, 0);
  if (atomic_load(&misled)) printf("a thread got into a task that had returned\n");
  return bad || atomic_load(&misled);
}

/* Two parts, each of which ends when the other has begun, as only two threads can bring about. */
static atomic_int begun;

static void both(void *with, int thread, size_t begin, size_t end) {
  time_t most = time(NULL) + 120;
  (void)with, (void)thread;
  atomic_fetch_add(&begun, (int)(end - begin));
  while (atomic_load(&begun) < 2 && time(NULL) < most) continue;
  if (atomic_load(&begun) < 2) atomic_store(&misled, 1);
}

static int who_sleeps_is_woken(void) {
  vx_threads *team = vx_threads_new(2);
  int bad = team == NULL;
  for (int round = 0; round < 3 && !bad; round++) {
    struct timespec until_asleep = {.tv_nsec = 300000000}; /* if it is not yet: nothing is shown */
    nanosleep(&until_asleep, NULL);
    atomic_store(&begun, 0);
    vx_share(team, both, NULL, 2, 1);
    bad = atomic_load(&misled);
  }
  vx_threads_free(team);
  if (bad) printf("the second thread slept on\n");
  return bad;
}

int main(void) {
  vx_threads *team = vx_threads_new(4);
  int bad = team == NULL;
  for (int round = 0; round < 3000 && !bad; round++)
    bad = shared(team, round, (size_t)(round * 37 % (MOST - 1)), (size_t)(1 + round % 5), round % 3 * 20000);
  for (int round = 0; round < 100000 && !bad; round++) /* so short that many come too late */
    bad = shared(team, round, 2 + (size_t)round % 7, 1, 0);
  vx_threads_free(team);
  return bad || nobody_gets_into_what_has_returned() || who_sleeps_is_woken();
}
