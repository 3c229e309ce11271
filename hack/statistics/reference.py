"""Distribution functions by all-positive series with 60 digits or more: slow, simple and independent of src/."""

from mpmath import exp, log, loggamma, mp, mpf

mp.dps = 60


def series(ratio):
    """1 + t1 + t1 t2 + ... with t_n = ratio(n) > 0, to the working precision."""
    term = total = mpf(1)
    n = 0
    while True:
        n += 1
        r = ratio(n)
        term *= r
        total += term
        if r < 1 and term / (1 - r) < total * mpf(10) ** (-mp.dps):
            return total


def gamma_tails(a, x):
    """(P, Q) of the regularised incomplete gamma function; Q keeps 40 digits down to 1e-310."""
    a, x = mpf(a), mpf(x)
    digits = mp.dps
    mp.dps = 60 if x < a else 380
    p = exp(a * log(x) - x - loggamma(a + 1)) * series(lambda n: x / (a + n))
    result = +p, 1 - p
    mp.dps = digits
    return result


def log_weight(a, b, x, y):
    return a * log(x) + b * log(y) + loggamma(a + b) - loggamma(a) - loggamma(b)


def beta_tails(a, b, x, y=None):
    """(I_x(a, b), 1 - I_x(a, b)) by 2F1(a + b, 1; a + 1; x), whose terms are positive, from the end nearer to x."""
    a, b, x = mpf(a), mpf(b), mpf(x)
    y = 1 - x if y is None else mpf(y)
    if x > y:
        upper, lower = beta_tails(b, a, y, x)
        return lower, upper
    digits = mp.dps
    mp.dps = 60 if x * (a + b) < a else 380
    lower = exp(log_weight(a, b, x, y)) / a * series(lambda n: (a + b + n - 1) / (a + n) * x)
    result = +lower, 1 - lower
    mp.dps = digits
    return result


def t_upper(t, df):
    """P(T > t) for t >= 0."""
    digits = mp.dps
    mp.dps = 380
    t, df = mpf(t), mpf(df)
    result = beta_tails(df / 2, mpf(1) / 2, df / (df + t * t), t * t / (df + t * t))[0] / 2
    mp.dps = digits
    return result
