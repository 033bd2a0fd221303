/* 64 bit ARM with the dot product of bytes. */
#include "blocks.h"
#if defined(__aarch64__)
#include "kernels_arm.h"

const vx_kernels vx_neon = {
    .name = "neon", .q4 = q4_product, .q8 = q8_product, .quantise = quantise, VX_FLOATS};
#else
typedef int vx_not_here;
#endif
