"""Writes test/unit/core/stats/testdata/special.json: values of the special functions to 17 digits, computed with 60 digits
or more and without our code. Run by hand (some minutes): python3 hack/statistics/special-table.py (needs mpmath from PyPI).

Each row is the arguments, then the value. Points lie where implementations break: tails down to 1e-300, near the mode of
large shapes, tiny shapes, the change-over between methods, and beyond [1e-3, 1e7]."""

import json
import math
from pathlib import Path

from mpmath import erf, erfc, exp, expm1, findroot, lambertw, log, log1p, loggamma, mp, mpf, nstr, pi, quad, sqrt

from reference import beta_tails, gamma_tails, log_weight, t_upper

LEAST = mpf(10) ** -300
table = {}


def add(name, *row):
    *args, value = row
    if abs(value) < LEAST and value != 0:
        return
    table.setdefault(name, []).append([float(a) for a in args] + [float(nstr(value, 20))])


def normal_tables():
    for x in [1e-300, 1e-8, 0.05, 0.3999, 0.4001, 0.5, 0.7999, 0.8001, 1.5, 3, 5, 8, 15, 26, 26.25]:
        add("erf", x, erf(mpf(x)))
        add("erfc", x, erfc(mpf(x)))
        add("erfc", -x, erfc(-mpf(x)))
        add("erfcx", x, exp(mpf(x) ** 2) * erfc(mpf(x)))
        add("erfcx", -x, exp(mpf(x) ** 2) * erfc(-mpf(x)))
    for x in [50.0, 1e3, 1e7]:
        add("erfcx", x, exp(mpf(x) ** 2) * erfc(mpf(x)))
    for x in [0, 1e-20, 0.1, 0.5, 0.66, 1, 1.96, 2.5, 4, 6.5, 9, 13.7, 20, 28.3, 33.3, 37.04]:
        for sign in (1, -1):
            z = mpf(sign * x)
            tail = erfc(z / sqrt(2)) / 2
            add("normalSf", z, tail)
            add("normalCdf", -z, tail)
            add("normalLogSf", z, log(tail) if sign > 0 else log1p(-erfc(-z / sqrt(2)) / 2))
        add("normalPdf", x, exp(-mpf(x) ** 2 / 2) / sqrt(2 * pi))
    for x in [40.0, 100.0, 1e4]:
        add("normalLogSf", x, log(erfc(mpf(x) / sqrt(2)) / 2))
    for z in [0.001, 0.5, 1.43, 1.45, 2, 3, 4.9, 5.1, 7, 10, 20, 30, 37]:
        q = mpf(float(erfc(mpf(z) / sqrt(2)) / 2))
        x = findroot(lambda u: log(erfc(u / sqrt(2)) / 2) - log(q), mpf(z))
        add("normalQuantileSf", q, x)
        add("normalQuantile", q, -x)
    for logp in [-1e-20, -1e-3, -0.1, -0.6, -0.7, -3, -50, -699, -701, -1e4, -1e6]:
        high = log(-expm1(mpf(logp))) if logp > -0.7 else mpf(logp)
        start = sqrt(-2 * high) if logp < -3 or logp > -0.01 else mpf(0.5)
        x = findroot(lambda u: log(erfc(u / sqrt(2)) / 2) - high, start)
        add("normalQuantileLog", logp, x if logp > -0.7 else -x)


def gamma_function_tables():
    xs = [1e-300, 1e-10, 1e-3, 0.1, 0.4999, 0.5, 0.9, 0.999999, 1.000001, 1.3, 1.5, 1.7, 1.9999, 2.0001, 2.49, 2.51, 3]
    for x in xs + [5.5, 10, 11.99, 12.01, 20, 100.5, 1e3, 12345.678, 1e5, 1e7, 1e10, 1e15, 1e100, 1e304]:
        add("lgamma", x, loggamma(mpf(x)))
    for a in [1e-3, 0.1, 0.5, 1, 3.7, 11.9, 12.1, 100, 1e4, 1e7]:
        for b in [1e-3, 0.3, 1, 2.5, 11.9, 12.1, 1e3, 1e7, 1e9]:
            add("lbeta", a, b, loggamma(mpf(a)) + loggamma(mpf(b)) - loggamma(mpf(a) + mpf(b)))


def log_gamma_density(a, x):
    return (mpf(a) - 1) * log(mpf(x)) - x - loggamma(mpf(a))


def gamma_point(a, x):
    p, q = gamma_tails(a, x)
    add("gammaP", a, x, p)
    add("gammaQ", a, x, q)
    density = exp(log_gamma_density(a, x))
    for name, tail, sign in (("gammaPInv", p, 1), ("gammaQInv", q, -1)):
        if LEAST < tail < 0.9:
            rounded = mpf(float(tail))
            add(name, a, rounded, mpf(x) + sign * (rounded - tail) / density)


def gamma_tables():
    for a in [1e-3, 0.02, 0.3, 0.999, 1, 1.001, 2.5, 10, 60, 500, 4999.5, 5000.5, 1e5, 1e7]:
        xs = {a, 0.49 * a, 1.51 * a} if a >= 1 else {1e-200, 1e-5, 0.3, 0.999, 1.001, 1.9}
        for z in [-37, -20, -6, -1, -0.01, 0.01, 1, 6, 20, 37]:
            xs.add(a * (1 - 1 / (9 * a) + z / (3 * math.sqrt(a))) ** 3)
        for x in sorted(x for x in xs if x > 0):
            gamma_point(a, x)
    for a, x in [(1e-6, 0.5), (1e-6, 30), (1e9, 1e9), (1e9, 1e9 - 2e5), (1e9, 1e9 + 9e5)]:
        gamma_point(a, x)
    for z in [-30, -3, 3, 30]:  # shapes of 1e12, the tail integral by quadrature of 60 digits
        a, x = mpf(10) ** 12, mpf(10) ** 12 + z * mpf(10) ** 6
        width = mpf(10) ** 6
        ratio = lambda s: exp((a - 1) * log(1 + s / x) - s)
        sign = 1 if z > 0 else -1
        tail = exp(log_gamma_density(a, x)) * width * quad(lambda u: ratio(sign * u * width), [0, 0.1, 1, 3, 8, 20])
        add("gammaQ" if z > 0 else "gammaP", a, x, tail)
    for a, x in [(1e-3, 1e4), (1, 1e5), (1000, 4000), (1000, 20000), (1e7, 1.03e7)]:
        add("logGammaQ", a, x, log(gamma_upper_by_fraction(a, x)))
    for a, x in [(0.5, 1e-300), (50, 1e-10), (1000, 100), (1e7, 9.7e6), (1e7, 1e3)]:
        add("logGammaP", a, x, log(gamma_tails(a, x)[0]))


def gamma_upper_by_fraction(a, x):
    a, x = mpf(a), mpf(x)
    terms = 20000
    tail = mpf(0)
    for n in range(terms, 0, -1):
        tail = -n * (n - a) / (x + 2 * n + 1 - a + tail)
    return exp(a * log(x) - x - loggamma(a)) / (x + 1 - a + tail)


def beta_point(a, b, x):
    if not 0 < x < 1:
        return
    p, q = beta_tails(a, b, x)
    add("betaCdf", x, a, b, p)
    add("betaSf", x, a, b, q)
    density = exp(log_weight(mpf(a), mpf(b), mpf(x), 1 - mpf(x))) / x / (1 - mpf(x))
    for name, tail, sign in (("betaQuantile", p, 1), ("betaQuantileSf", q, -1)):
        if LEAST < tail < 0.9:
            rounded = mpf(float(tail))
            add(name, rounded, a, b, mpf(x) + sign * (rounded - tail) / density)


def beta_tables():
    shapes = [1e-3, 0.4, 1, 2.5, 40, 900, 4999.5, 1e5, 1e7]
    for a in shapes:
        for b in shapes:
            for z in [-36, -5, -0.1, 1.5, 20]:
                logit = math.log(a / b) + z * math.sqrt(1 / a + 1 / b)
                if -600 < logit < 30:
                    beta_point(a, b, 1 / (1 + math.exp(-logit)))
    for shape in [1e-3, 0.05, 0.7]:  # where a law of tiny shape has nearly all its mass on one side
        for other in [0.2, 30, 3000, 4.8e6]:
            for reach in [0.01, 0.9, 1.1, 4]:
                beta_point(shape, other, reach / (other + reach))
                beta_point(other, shape, 1 - reach / (other + reach))
    for a, b, x in [(1e-6, 5, 0.5), (1e9, 3, 1 - 1e-8), (3, 1e9, 1e-8), (5e8, 5e8, 0.5001)]:
        beta_point(a, b, x)


def derived_tables():
    for df in [1e-3, 0.5, 1, 2, 5, 30.7, 1e3, 1e5, 1e7]:
        for t in [1e-10, 0.01, 0.7, 1.96, 5, 12, 25, 36, 1e4, 1e30]:
            tail = t_upper(t, df)
            add("tSf", t, df, tail)
            if LEAST < tail and t < 1e4:
                rounded = mpf(float(tail))
                half = mpf(df) / 2
                density = exp(loggamma(half + 0.5) - loggamma(half)) / sqrt(df * pi) * (1 + mpf(t) ** 2 / df) ** -(half + 0.5)
                add("tQuantileSf", rounded, df, mpf(t) - (rounded - tail) / density)
    for df1, df2, x in [(1, 5, 0.01), (3, 9, 4.2), (10, 1e6, 30), (1e5, 1e5, 1.02), (0.5, 2000, 300), (40, 40, 1e-8)]:
        mp.dps = 380
        ratio = mpf(df1) * mpf(x) / mpf(df2)
        lower, upper = beta_tails(mpf(df1) / 2, mpf(df2) / 2, ratio / (1 + ratio))
        mp.dps = 60
        add("fCdf", x, df1, df2, lower)
        add("fSf", x, df1, df2, upper)
    for mean in [1e-3, 0.7, 10, 1e3, 1e6, 1e7]:
        for z in [-30, -3, 0, 2, 30]:
            k = max(0, round(mean + z * math.sqrt(mean)))
            lower, upper = gamma_tails(k + 1, mean)
            add("poissonSf", k, mean, lower)
            add("poissonCdf", k, mean, upper)
            add("poissonPmf", k, mean, exp(k * log(mpf(mean)) - mpf(mean) - loggamma(mpf(k + 1))))
    for n, p in [(5, 0.3), (100, 0.01), (1e4, 0.5), (1e6, 1e-4), (1e7, 0.3)]:
        for z in [-25, -3, 0, 2, 25]:
            k = min(int(n) - 1, max(0, round(n * p + z * math.sqrt(n * p * (1 - p)))))
            upper, lower = beta_tails(k + 1, n - k, p)
            add("binomialCdf", k, n, p, lower)
            add("binomialSf", k, n, p, upper)
            choose = loggamma(mpf(n) + 1) - loggamma(mpf(k + 1)) - loggamma(mpf(n) - k + 1)
            add("binomialPmf", k, n, p, exp(choose + k * log(mpf(p)) + (mpf(n) - k) * log(1 - mpf(p))))
    for x in [-0.36, -0.3, -0.2, -0.1, -1e-3, -1e-100, 1e-100, 1e-3, 0.5, 0.999, 1.001, 2, 3.1, 10, 1e10, 1e300]:
        add("lambertW0", x, lambertw(mpf(x)).real)
        if x < 0:
            add("lambertWm1", x, lambertw(mpf(x), -1).real)


for part in (normal_tables, gamma_function_tables, gamma_tables, beta_tables, derived_tables):
    part()
target = Path(__file__).parents[2] / "test/unit/core/stats/testdata/special.json"
lines = [f'  "{name}": {json.dumps(rows, separators=(",", ":"))}' for name, rows in table.items()]
target.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print({name: len(rows) for name, rows in table.items()})
