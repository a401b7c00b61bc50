"""The product, with two kinds of job that only `tests.bench.jobs` has."""
