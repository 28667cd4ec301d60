"""What is dead goes, and what has an effect or is tested stays."""

from __future__ import annotations

from typing import Any

import rose_ad as ra
from rose_ad.ir.interp import interpret
from rose_ad.ir.parsing import parse
from rose_ad.ir.verify import verify
from rose_ad.rewrite.passes.dead import remove_dead
from tests.support.checks import text


def test_a_carry_that_only_a_test_reads_stays() -> None:
    def f(x: Any) -> Any:
        _, y, _ = ra.while_loop(
            lambda c: c[2] < 3, lambda c: (c[0] * 2.0, c[1] * x, c[2] + 1), (x, x, 0)
        )
        return y

    assert ra.fn(f)(2.0) == 16.0
    assert text(f, 2.0).count("mul") == 1


def test_what_is_added_after_a_call_that_takes_the_reference() -> None:
    """The call is wanted for its result; what is added to its accumulator later is then wanted whole or not at
    all."""
    program = parse(
        """
        fn g(%0: F64, %1: &[2]F64) -> (F64) {
          %2 = %1[0]
          %2 += %0
          return %0
        }
        fn f(%0: F64) -> (F64) {
          %1 = accum [2]F64
          %2 = %1[1]
          %2 += %0
          %3 = g(%0, %1)
          %4 = mul %0, 2.0
          %2 += %4
          return %3
        }
        """
    )
    remove_dead(program.block)
    verify(program)
    assert interpret(program, [3.0]) == [3.0]
