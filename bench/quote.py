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
    rows = [("available and refused, mixed", cases, measure(cases))]
    sound = [facts for facts in cases if all(offer.available for offer in offers(facts))]
    refused = [facts for facts in cases if not any(offer.available for offer in offers(facts))]
    rows += [("all 40 available", sound, measure(sound)), ("none available", refused, measure(refused))]
    print(f"{'offer list of 8 methods x 5 plans':32} {'lists':>6} {'median ms':>10} {'p99 ms':>8} {'max ms':>8}")
    for name, kind, times_ms in rows:
        median, p99 = statistics.median(times_ms), quantile(times_ms, 0.99)
        print(f"{name:32} {len(kind):6} {median:10.3f} {p99:8.3f} {max(times_ms):8.3f}")
    times_ms = rows[0][2]
    met = statistics.median(times_ms) <= MEDIAN_MS and quantile(times_ms, 0.99) <= P99_MS
    print(f"goal: median <= {MEDIAN_MS:g} ms, p99 <= {P99_MS:g} ms: {'met' if met else 'missed'}")


def measure(cases: list[Facts]) -> list[float]:
    """Milliseconds of each list; of three runs the middle one, so that a neighbour's burst does not count."""
    return [sorted(once_ms(facts) for _ in range(3))[1] for facts in cases]


def once_ms(facts: Facts) -> float:
    """One list."""
    start_ns = time.perf_counter_ns()
    offers(facts)
    return (time.perf_counter_ns() - start_ns) / 1e6


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
