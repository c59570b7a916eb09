"""The offer list in process: eight methods with five plans each, reasons, remedies and routes, over random facts.

The facts come from the strategies of the property tests: from nothing wrong to five troubles at once. What is measured
is `offers` alone, without queries and without JSON.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import statistics
import time
from collections.abc import Sequence
from random import Random

from tests.strategies import EIGHT_METHODS, random_facts

from fenqi.cashier.facts import Facts
from fenqi.cashier.offer import offers

HELP = "one offer list for 8 methods x 5 plans, with all reasons and remedies, in process"
MEDIAN_MS, P99_MS = 1.0, 5.0
"""The goals."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--cases", type=int, default=2000, help="how many different facts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead of how much there is")


def main(argv: Sequence[str] | None = None) -> None:
    """The command by itself."""
    parser = argparse.ArgumentParser(prog="bench quote", description=__doc__)
    arguments(parser)
    run(parser.parse_args(argv))


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    cases = [
        random_facts(Random(seed), EIGHT_METHODS, True) for seed in range(options.seed, options.seed + options.cases)
    ]
    if options.profile:
        profile(cases)
        return
    for facts in cases[:200]:
        offers(facts)
    gc.collect()
    gc.freeze()
    sound = [facts for facts in cases if all(offer.available for offer in offers(facts))]
    refused = [facts for facts in cases if not any(offer.available for offer in offers(facts))]
    kinds = (("available and refused, mixed", cases), ("all 40 available", sound), ("none available", refused))
    print(
        f"{'offer list of 8 methods x 5 plans':34} {'lists':>6}"
        f" {'median ms':>10} {'p99 ms':>8} {'max ms':>8} {'wall p99':>9}"
    )
    met = True
    for name, chosen in kinds:
        times = measure(chosen)
        cpu_ms, wall_ms = [each[0] for each in times], [each[1] for each in times]
        median, p99 = statistics.median(cpu_ms), quantile(cpu_ms, 0.99)
        met = met and (chosen is not cases or (median <= MEDIAN_MS and p99 <= P99_MS))
        print(f"{name:34} {len(chosen):6} {median:10.3f} {p99:8.3f} {max(cpu_ms):8.3f} {quantile(wall_ms, 0.99):9.3f}")
    print(f"goal for the mix: median <= {MEDIAN_MS:g} ms, p99 <= {P99_MS:g} ms: {'met' if met else 'missed'}")


def measure(cases: list[Facts]) -> list[tuple[float, float]]:
    """Processor and wall milliseconds of each list; of three runs the middle one."""
    return [sorted(once_ms(facts) for _ in range(3))[1] for facts in cases]


def once_ms(facts: Facts) -> tuple[float, float]:
    """One list: the thread's own processor time, which neighbours don't spoil, and the wall's."""
    wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
    offers(facts)
    return (time.thread_time_ns() - cpu_ns) / 1e6, (time.perf_counter_ns() - wall_ns) / 1e6


def quantile(times_ms: list[float], share: float) -> float:
    """The value below which this share of the times lies."""
    return sorted(times_ms)[min(len(times_ms) - 1, int(len(times_ms) * share))]


def profile(cases: list[Facts]) -> None:
    """The functions that take the most time of their own."""
    profiler = cProfile.Profile()
    profiler.enable()
    for facts in cases:
        offers(facts)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
