"""The analyses of analyses.ts by PyPI's gbstats and scipy. Reads {"cases", "repetitions", "repetitionMs"} from standard input,
writes {"versions", "figures": [{"analysis", "peer", "microseconds", "results"}]}: median microseconds an analysis, and its
numbers for each case, in the order p-value, lower, upper (or what of these the peer gives)."""

import json
import math
import platform
import statistics
import sys
import time
from importlib.metadata import version

import numpy as np
from gbstats.frequentist.tests import FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest
from gbstats.models.statistics import ProportionStatistic, RegressionAdjustedStatistic, SampleMeanStatistic
from scipy import special, stats

given = json.load(sys.stdin)
cases = given["cases"]
fixed = FrequentistConfig(difference_type="absolute", alpha=0.05)
sequential = SequentialConfig(difference_type="absolute", alpha=0.05, sequential_tuning_parameter=5000)


def mean(arm):
    return SampleMeanStatistic(n=arm["n"], sum=arm["y"], sum_squares=arm["yy"])


def share(arm):
    return ProportionStatistic(n=arm["n"], sum=arm["successes"])


def adjusted(arm):
    before = SampleMeanStatistic(n=arm["n"], sum=arm["x"], sum_squares=arm["xx"])
    return RegressionAdjustedStatistic(
        n=arm["n"], post_statistic=mean(arm), pre_statistic=before, post_pre_sum_of_products=arm["xy"], theta=0
    )


def by_gbstats(statistic, test, config):
    def analyse(case):
        result = test(statistic(case["control"]), statistic(case["treatment"]), config).compute_result()
        return [result.p_value, *result.ci]

    return analyse


def spread(arm):
    return math.sqrt((arm["yy"] - arm["y"] ** 2 / arm["n"]) / (arm["n"] - 1))


def welch_by_scipy(case):
    t, c = case["treatment"], case["control"]
    result = stats.ttest_ind_from_stats(
        t["y"] / t["n"], spread(t), t["n"], c["y"] / c["n"], spread(c), c["n"], equal_var=False
    )
    return [result.pvalue]


def pooled_by_scipy(case):
    table = [[arm["successes"], arm["n"] - arm["successes"]] for arm in (case["treatment"], case["control"])]
    return [stats.chi2_contingency(table, correction=False)[1]]


one_by_one = [
    ("welch", "gbstats", by_gbstats(mean, TwoSidedTTest, fixed)),
    ("welch", "scipy", welch_by_scipy),
    ("proportions", "gbstats", by_gbstats(share, TwoSidedTTest, fixed)),
    ("proportions, pooled", "scipy", pooled_by_scipy),
    ("cuped", "gbstats", by_gbstats(adjusted, TwoSidedTTest, fixed)),
    ("sequential", "gbstats", by_gbstats(mean, SequentialTwoSidedTTest, sequential)),
    ("t tail", "scipy.stats", lambda case: [stats.t.sf(case["t"], case["df"])]),
    ("t tail", "scipy.special", lambda case: [special.stdtr(case["df"], -case["t"])]),
    ("chi-square tail", "scipy.stats", lambda case: [stats.chi2.sf(case["chiSquare"], case["df"])]),
    ("chi-square tail", "scipy.special", lambda case: [special.chdtrc(case["df"], case["chiSquare"])]),
]
df, t, chi_square = (np.array([case[name] for case in cases], dtype=float) for name in ("df", "t", "chiSquare"))
all_at_once = [
    ("t tail", "scipy.special, 64 at once", lambda: special.stdtr(df, -t)),
    ("chi-square tail", "scipy.special, 64 at once", lambda: special.chdtrc(df, chi_square)),
]


def seconds(once, rounds):
    start = time.perf_counter()
    for _ in range(rounds):
        once()
    return time.perf_counter() - start


def microseconds(once):
    rounds = 1
    while seconds(once, rounds) < given["repetitionMs"] / 1000:
        rounds *= 2
    times = [seconds(once, rounds) for _ in range(given["repetitions"])]
    return statistics.median(times) * 1e6 / (rounds * len(cases))


def figure(analysis, peer, once, results):
    return {"analysis": analysis, "peer": peer, "microseconds": microseconds(once), "results": results}


def loop(analyse):
    def once():
        for case in cases:
            analyse(case)

    return once


figures = [figure(a, p, loop(f), [[float(x) for x in f(case)] for case in cases]) for a, p, f in one_by_one]
figures += [figure(a, p, f, [[float(x)] for x in f()]) for a, p, f in all_at_once]
versions = {"python": platform.python_version(), **{name: version(name) for name in ("gbstats", "scipy", "numpy")}}
json.dump({"versions": versions, "figures": figures}, sys.stdout)
