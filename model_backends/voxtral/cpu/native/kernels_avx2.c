/* Intel from Haswell (2013), AMD from Excavator and Zen on. */
#include "blocks.h"
#if defined(__x86_64__) && !defined(VX_LEFT_OUT)
#include "kernels_avx.h"

const vx_kernels vx_avx2 = {
    .name = "avx2", .q4 = q4_product, .q8 = q8_product, .quantise = quantise, VX_FLOATS};
#elif defined(__x86_64__)
const vx_kernels vx_avx2 = {.name = "avx2"}; /* the compiler does not know it */
#else
typedef int vx_not_here;
#endif
