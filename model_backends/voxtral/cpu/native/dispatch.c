/* Which kernels this processor can run, asked of the processor itself. */
#include <string.h>

#include "blocks.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* The register state that the system saves: without it wide registers must not be touched. */
static uint32_t saved_state(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int can_run(const vx_kernels *k) {
  uint32_t a, b, c, d, b7 = 0, c7 = 0, d7 = 0, a71 = 0, most = 0;
  if (k == &vx_plain) return 1;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  int saves = (c >> 27) & 1, fma = (c >> 12) & 1, f16c = (c >> 29) & 1, avx = (c >> 28) & 1;
  if (!saves || !fma || !f16c || !avx || (saved_state() & 6) != 6) return 0;
  if (!__get_cpuid_count(7, 0, &most, &b7, &c7, &d7)) return 0;
  if (most >= 1) __get_cpuid_count(7, 1, &a71, &b, &c, &d);
  int avx2 = (b7 >> 5) & 1;
  if (k == &vx_avx2) return avx2;
  if (k == &vx_avxvnni) return avx2 && ((a71 >> 4) & 1);
  int wide = ((b7 >> 16) & 1) && ((b7 >> 30) & 1) && ((b7 >> 31) & 1); /* F, BW, VL */
  return wide && ((c7 >> 11) & 1) && (saved_state() & 0xe6) == 0xe6;
}

static const vx_kernels *const best_first[] = {&vx_avx512, &vx_avxvnni, &vx_avx2, &vx_plain};

#elif defined(__aarch64__)
#if defined(__linux__)
#include <sys/auxv.h>

static int can_run(const vx_kernels *k) {
  if (k == &vx_plain) return 1;
  if (k == &vx_neon) return (getauxval(AT_HWCAP) >> 20) & 1;   /* ASIMDDP */
  return (getauxval(AT_HWCAP) >> 20) & (getauxval(AT_HWCAP2) >> 13) & 1; /* and I8MM */
}
#elif defined(__APPLE__)
#include <sys/sysctl.h>

static int has(const char *name) {
  int yes = 0;
  size_t size = sizeof yes;
  return sysctlbyname(name, &yes, &size, NULL, 0) == 0 && yes;
}

static int can_run(const vx_kernels *k) {
  if (k == &vx_plain) return 1;
  if (k == &vx_neon) return has("hw.optional.arm.FEAT_DotProd");
  return has("hw.optional.arm.FEAT_DotProd") && has("hw.optional.arm.FEAT_I8MM");
}
#elif defined(_WIN32)
#include <windows.h>

static int can_run(const vx_kernels *k) { /* Windows knows no flag for I8MM before 11 24H2 */
  return k == &vx_plain || (k == &vx_neon && IsProcessorFeaturePresent(43));
}
#else
static int can_run(const vx_kernels *k) { return k == &vx_plain; }
#endif

static const vx_kernels *const best_first[] = {&vx_i8mm, &vx_neon, &vx_plain};

#else
static int can_run(const vx_kernels *k) { return k == &vx_plain; }

static const vx_kernels *const best_first[] = {&vx_plain};
#endif

const vx_kernels *vx_kernels_for(const char *name) {
  if (name != NULL && strcmp(name, vx_exact.name) == 0) return &vx_exact;
  for (size_t i = 0; i < sizeof best_first / sizeof *best_first; i++) {
    int meant = name == NULL || *name == '\0' || strcmp(name, best_first[i]->name) == 0;
    if (meant && best_first[i]->q4 && can_run(best_first[i])) return best_first[i];
  }
  return NULL;
}
