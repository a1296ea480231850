"""How the firmware's own C reads and prints numbers, where that differs from a desktop's.

`strtod` of app/libc/stdlib.c keeps 18 digits, multiplies by powers of ten that are not exact, and knows neither "inf"
nor "nan". `sprintf` of app/libc/snprintf.c scales by powers of ten as it goes, knows no exponent of three digits and no
minus before zero. Both were left out of the recordings, whose board was linked with a desktop's C library.
"""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(rb"\s*([-+]?)(\d*)(\.?)(\d*)([eE][-+]?\d+)?")
_WHOLE_64 = 2**64 - 1


def chip_strtod(text: bytes) -> float:
    """What the firmware reads.

    Raises:
        ValueError: nothing was read, or not all of it.
    """
    found = _NUMBER.match(text)
    if found is None or not found[2] + found[4] or found.end() != len(text):
        raise ValueError(text)
    digits = found[2] + found[4]
    power = int(found[5][1:] if found[5] else 0)
    power += len(found[2]) - min(len(digits), 18)
    digits = digits[:18]
    fraction = 1.0e9 * int(digits[:-9] or b"0") + int(digits[-9:])
    scale, tens, left = 1.0, 10.0, min(abs(power), 511)
    while left:
        if left & 1:
            scale *= tens
        tens *= tens
        left >>= 1
    if power < 0:
        fraction /= scale
    else:
        fraction *= scale
    return -fraction if found[1] == b"-" else fraction


def _power_of_ten(exponent: int) -> float:
    result = 1.0
    for _ in range(abs(exponent)):
        result = result * 10 if exponent > 0 else result / 10
    return result


def _rounded(value: float) -> int:
    whole = int(value)
    return whole if value - whole < 0.5 else whole + 1


def _digits(value: float, precision: int) -> tuple[int, int] | None:
    """Whole part, and so many digits of the fraction as a number; None where the firmware's printing gives up."""
    if value >= _WHOLE_64:
        return None
    whole = int(value)
    fraction = _rounded(10**precision * (value - whole))
    return (whole + 1, 0) if fraction >= 10**precision else (whole, fraction)


def chip_format(value: float, precision: int, form: str) -> bytes:
    """`%.<precision>g` or `%.<precision>f`, as `form` says."""
    if math.isnan(value):
        return b"nan"
    sign = b"-" if value < 0 else b""
    value = abs(value)
    if math.isinf(value):
        return sign + b"inf"
    if form == "f":
        found = _digits(value, precision)
        return (
            b"" if found is None else sign + b"%d" % found[0] + (b".%0*d" % (precision, found[1]) if precision else b"")
        )
    precision -= 1
    exponent, scaled = 0, value
    while 0.0 < scaled < 1.0:
        exponent -= 1
        if exponent <= -99:
            break
        scaled *= 10
    while scaled >= 10.0:
        exponent += 1
        if exponent >= 99:
            break
        scaled /= 10
    found = _digits(value / _power_of_ten(exponent), precision)
    if found is None:
        return b""
    whole, fraction = found
    if whole == 10:
        whole, exponent = 1, exponent + 1
    tail = b""
    if precision + 1 > exponent >= -4:
        precision -= exponent
        found = _digits(value, precision)
        if found is None:
            return b""
        whole, fraction = found
    else:
        tail = b"e%c%02d" % (b"-+"[exponent >= 0], abs(exponent) % 100)
    point = (b".%0*d" % (precision, fraction)).rstrip(b"0").rstrip(b".") if fraction else b""
    return sign + b"%d" % whole + point + tail
