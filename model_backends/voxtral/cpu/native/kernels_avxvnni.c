/* Intel from Alder Lake (2021) and its small cores, AMD from Zen 5: products of bytes in one step. */
#include "blocks.h"
#if defined(__x86_64__) && !defined(VX_LEFT_OUT)
#define VX_USE_VNNI
#define VX_DOT(sum, w, x) _mm256_dpbusd_avx_epi32(sum, w, x)
#include "kernels_avx.h"

const vx_kernels vx_avxvnni = {
    .name = "avxvnni", .q4 = q4_product, .q8 = q8_product, .quantise = quantise, VX_FLOATS};
#elif defined(__x86_64__)
const vx_kernels vx_avxvnni = {.name = "avxvnni"}; /* the compiler does not know it */
#else
typedef int vx_not_here;
#endif
