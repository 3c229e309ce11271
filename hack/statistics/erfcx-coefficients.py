"""Prints the Chebyshev coefficients of (1 + 2x) exp(x^2) erfc(x) in t = (x - 3.75) / (x + 3.75), as src/core/stats/special/erf.ts
holds them. Run by hand: python3 hack/statistics/erfcx-coefficients.py (needs mpmath from PyPI)."""

from mpmath import cos, erfc, exp, mp, mpf, nstr, pi

mp.dps = 60
CENTRE = mpf(15) / 4
NODES = 64


def value(t):
    x = CENTRE * (1 + t) / (1 - t)
    return (1 + 2 * x) * exp(x * x) * erfc(x)


nodes = [cos(pi * (k + mpf(1) / 2) / NODES) for k in range(NODES)]
values = [value(t) for t in nodes]
for j in range(25):
    total = sum(values[k] * cos(pi * j * (k + mpf(1) / 2) / NODES) for k in range(NODES))
    print(nstr(total * (1 if j == 0 else 2) / NODES, 17))
