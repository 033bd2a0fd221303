/* 64 bit ARM with the matrix product of bytes. */
#include "blocks.h"
#if defined(__aarch64__) && !defined(VX_LEFT_OUT)
#define VX_USE_I8MM
#include "kernels_arm.h"

const vx_kernels vx_i8mm = {
    .name = "i8mm", .q4 = q4_product, .q8 = q8_product, .quantise = quantise, VX_FLOATS};
#elif defined(__aarch64__)
const vx_kernels vx_i8mm = {.name = "i8mm"}; /* the compiler does not know it */
#else
typedef int vx_not_here;
#endif
