"""Whether a log has each decision once: standard input is what `aftercart log` told of it last; arguments are its folder, and perhaps
how many were made."""

import re
import sys

import duckdb

made, in_files, waiting, dropped = map(int, re.search(
    r"(\d+) decisions made: (\d+) in files, (\d+) in rings, (\d+) dropped", sys.stdin.read()).groups())
rows = f"'{sys.argv[1]}/decisions/*.parquet'"
[(count, once)] = duckdb.sql(f"select count(*), count(distinct (ring, number)) from {rows}").fetchall()
assert (made == int(sys.argv[2]) if len(sys.argv) > 2 else made > 70) and waiting == 0, (made, waiting)
assert count == once == in_files == made - dropped, (count, once, in_files, made, dropped)
print(f"ok: {sys.argv[1].rsplit('/')[-1]}: {made} decisions made, {count} rows, {dropped} dropped")
