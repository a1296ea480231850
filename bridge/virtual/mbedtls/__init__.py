"""mbedTLS 2.16.3 of the stock firmware, as far as a TLS client on the board can tell."""

import warnings

# tlslite-ng imports asyncore where it is still there (Python 3.11), which warns of its own removal.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import tlslite  # noqa: F401
