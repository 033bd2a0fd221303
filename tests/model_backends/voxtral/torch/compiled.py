"""Compiles every Triton kernel for a GPU of the given capability (90: H100), without one.

Shapes and types are those of live captions of the published model. Prints the names.
"""

from __future__ import annotations

import sys
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from model_backends.voxtral.torch.kernels import attention, gemv, norm, rope, swiglu

HALF, FULL, BYTES, LONG, INT = "*bf16", "*fp32", "*i8", "*i64", "i32"


def compile_for(capability: int, kernel: Any, types: list[str], **constants: Any) -> None:
    """`types`: of the arguments that are no constants, in order."""
    given = iter(types)
    signature = {
        name: "constexpr" if name in constants else next(given) for name in kernel.arg_names
    }
    places = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    source = ASTSource(fn=kernel, signature=signature, constexprs=places)
    triton.compile(source, target=GPUTarget("cuda", capability, 32))
    sys.stdout.write(f"{kernel.__name__}\n")


def main(capability: int) -> None:
    def build(kernel: Any, types: list[str], **constants: Any) -> None:
        compile_for(capability, kernel, types, **constants)

    build(norm._norm, [HALF, HALF, HALF, INT, "fp32", INT], BLOCK=4096)
    build(swiglu._swiglu, [HALF, HALF, INT], BLOCK=1024)
    store = [HALF, FULL, LONG, HALF, HALF, HALF, INT, INT, INT]
    build(rope._store, store, HEADS=32, KV=8, HALF=64)
    for rows, weight in ((1, HALF), (1, BYTES), (4, BYTES), (8, BYTES)):
        wide, deep, _ = gemv._TILES[rows]
        build(
            gemv._gemv, [HALF, weight, *[HALF] * 5, INT, INT, INT, "fp32", INT],
            M=rows, OUT=wide, IN=deep, SCALE=weight == BYTES, BIAS=rows == 4, ADD=rows == 4,
            NORM=rows != 4, GATE=rows == 1,
        )  # fmt: skip
    for tile in (attention._ROWS, attention._MANY_ROWS):
        build(
            attention._parts, [HALF] * 3 + [LONG] * 2 + [FULL] * 3 + [INT] * 5,
            KV=8, GROUP=4, ROWS=tile, D=128, BLOCK=64, SPLITS=16, WIDEN=False,
        )  # fmt: skip
    build(attention._joined, [FULL, FULL, FULL, HALF, INT, INT], KV=8, GROUP=4, D=128, SPLITS=16)


if __name__ == "__main__":
    main(int(sys.argv[1]))
