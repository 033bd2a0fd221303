/* One task is open at a time. A thread that comes late (its core was busy with something else)
 * finds the task closed and is not waited for. Between tasks threads spin for a moment, since the
 * next task of a step comes within microseconds, and then sleep.
 */
#include "threads.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(_WIN32)
#include <windows.h>
typedef HANDLE thread_handle;
typedef CRITICAL_SECTION lock_handle;
typedef CONDITION_VARIABLE signal_handle;
#define LOCK_INIT(l) InitializeCriticalSection(l)
#define LOCK(l) EnterCriticalSection(l)
#define UNLOCK(l) LeaveCriticalSection(l)
#define LOCK_FREE(l) DeleteCriticalSection(l)
#define SIGNAL_INIT(s) InitializeConditionVariable(s)
#define SIGNAL_WAIT(s, l) SleepConditionVariableCS(s, l, INFINITE)
#define SIGNAL_ALL(s) WakeAllConditionVariable(s)
#define SIGNAL_FREE(s) ((void)(s))
#define THREAD_RESULT DWORD WINAPI
#define YIELD() SwitchToThread()
#else
#include <pthread.h>
#include <sched.h>
typedef pthread_t thread_handle;
typedef pthread_mutex_t lock_handle;
typedef pthread_cond_t signal_handle;
#define LOCK_INIT(l) pthread_mutex_init(l, NULL)
#define LOCK(l) pthread_mutex_lock(l)
#define UNLOCK(l) pthread_mutex_unlock(l)
#define LOCK_FREE(l) pthread_mutex_destroy(l)
#define SIGNAL_INIT(s) pthread_cond_init(s, NULL)
#define SIGNAL_WAIT(s, l) pthread_cond_wait(s, l)
#define SIGNAL_ALL(s) pthread_cond_broadcast(s)
#define SIGNAL_FREE(s) pthread_cond_destroy(s)
#define THREAD_RESULT void *
#define YIELD() sched_yield()
#endif

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() ((void)0)
#endif

#define SPINS_BEFORE_SLEEP 20000 /* some hundreds of microseconds */
#define SPINS_BEFORE_YIELD 2000

/* The state in one word: threads inside in the low half, then whether the task is open, then the
 * task's number. */
#define INSIDE 0xffffull
#define OPEN 0x10000ull
#define NEXT 0x20000ull

/* A test watches a thread that has seen a task and one that has got into it. */
#ifdef VX_WATCH
void VX_WATCH(int inside, uint64_t task);
#else
#define VX_WATCH(inside, task) ((void)0)
#endif

typedef struct {
  vx_threads *team;
  int number;
  thread_handle handle;
} worker;

struct vx_threads {
  int count, started;
  worker workers[VX_MOST_THREADS];
  vx_task task;
  void *with;
  size_t parts, least;
  char apart[64]; /* what all threads write to does not share a cache line with what they read */
  _Atomic uint64_t state;
  char apart_too[64];
  _Atomic size_t next;
  char apart_as_well[64];
  atomic_int sleepers, leaving;
  lock_handle lock;
  signal_handle wake;
};

static void work(vx_threads *t, int thread) {
  size_t at = atomic_load_explicit(&t->next, memory_order_relaxed);
  for (;;) {
    if (at >= t->parts) return;
    size_t take = (t->parts - at) / (4 * (size_t)t->count);
    if (take < t->least) take = t->least;
    if (take > t->parts - at) take = t->parts - at;
    if (!atomic_compare_exchange_weak_explicit(&t->next, &at, at + take, memory_order_relaxed,
                                               memory_order_relaxed))
      continue;
    t->task(t->with, thread, at, at + take);
    at = atomic_load_explicit(&t->next, memory_order_relaxed);
  }
}

static int is_new(uint64_t state, uint64_t seen) { return (state & OPEN) && state / NEXT != seen; }

/* Spins, then sleeps, until there is a task not seen yet. Returns 0 when the team breaks up. */
static int wait_for_task(vx_threads *t, uint64_t seen) {
  for (int spin = 0; spin < SPINS_BEFORE_SLEEP; spin++) {
    if (is_new(atomic_load(&t->state), seen)) return 1;
    if (atomic_load_explicit(&t->leaving, memory_order_relaxed)) return 0;
    PAUSE();
  }
  LOCK(&t->lock);
  atomic_fetch_add(&t->sleepers, 1); /* before the last look: whoever opens a task looks after */
  while (!is_new(atomic_load(&t->state), seen) && !atomic_load(&t->leaving))
    SIGNAL_WAIT(&t->wake, &t->lock);
  atomic_fetch_sub(&t->sleepers, 1);
  UNLOCK(&t->lock);
  return !atomic_load(&t->leaving);
}

static THREAD_RESULT run(void *argument) {
  worker *self = argument;
  vx_threads *t = self->team;
  uint64_t seen = 0;
  while (wait_for_task(t, seen)) {
    uint64_t state = atomic_load(&t->state);
    VX_WATCH(0, state / NEXT);
    while (is_new(state, seen))
      if (atomic_compare_exchange_weak(&t->state, &state, state + 1)) {
        seen = state / NEXT;
        VX_WATCH(1, seen);
        work(t, self->number);
        atomic_fetch_sub(&t->state, 1);
        break;
      }
  }
  return 0;
}

static int start(worker *w) {
#if defined(_WIN32)
  w->handle = CreateThread(NULL, 0, run, w, 0, NULL);
  return w->handle != NULL;
#else
  return pthread_create(&w->handle, NULL, run, w) == 0;
#endif
}

static void join(worker *w) {
#if defined(_WIN32)
  WaitForSingleObject(w->handle, INFINITE);
  CloseHandle(w->handle);
#else
  pthread_join(w->handle, NULL);
#endif
}

vx_threads *vx_threads_new(int count) {
  if (count < 1 || count > VX_MOST_THREADS) return NULL;
  vx_threads *t = calloc(1, sizeof *t);
  if (t == NULL) return NULL;
  t->count = count;
  LOCK_INIT(&t->lock);
  SIGNAL_INIT(&t->wake);
  for (int i = 1; i < count; i++) {
    t->workers[i].team = t;
    t->workers[i].number = i;
    if (!start(&t->workers[i])) {
      vx_threads_free(t);
      return NULL;
    }
    t->started = i;
  }
  return t;
}

void vx_threads_free(vx_threads *t) {
  if (t == NULL) return;
  LOCK(&t->lock);
  atomic_store(&t->leaving, 1);
  SIGNAL_ALL(&t->wake);
  UNLOCK(&t->lock);
  for (int i = 1; i <= t->started; i++) join(&t->workers[i]);
  SIGNAL_FREE(&t->wake);
  LOCK_FREE(&t->lock);
  free(t);
}

int vx_threads_count(const vx_threads *t) { return t->count; }

void vx_share(vx_threads *t, vx_task task, void *with, size_t count, size_t least) {
  if (count == 0) return;
  if (t->count == 1 || count <= least) {
    task(with, 0, 0, count);
    return;
  }
  t->task = task;
  t->with = with;
  t->parts = count;
  t->least = least;
  atomic_store_explicit(&t->next, 0, memory_order_relaxed);
  uint64_t state = atomic_load(&t->state); /* closed, and nobody inside */
  atomic_store(&t->state, (state / NEXT + 1) * NEXT | OPEN);
  if (atomic_load(&t->sleepers) > 0) {
    LOCK(&t->lock);
    SIGNAL_ALL(&t->wake);
    UNLOCK(&t->lock);
  }
  work(t, 0);
  atomic_fetch_and(&t->state, ~OPEN);
  for (int spin = 0; atomic_load(&t->state) & INSIDE; spin++) {
    if (spin < SPINS_BEFORE_YIELD) PAUSE();
    else YIELD();
  }
}
