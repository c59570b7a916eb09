"""Measurements: each subcommand compares with pgbench on the same server, interleaved in one run."""
