#!/usr/bin/env python3
"""Writes vectors.tsv anew, by other code than aftercart's: needs the package xxhash. Columns: salt, layer and unit as
hexadecimal UTF-8 or bytes, XXH3-64 of their length-prefixed bytes, bucket."""
import pathlib, random, struct, xxhash

rng = random.Random(20261122)
texts = ["", "a", "summer", "2026-q4", "page-vs-nothing", "checkout", "ä", "ÄÖÜ straße", "数量", "🛒", "👩‍👩‍👧‍👦 🧾", "e\u0301", "\u00e9",
         " ", "a b", "\u0000", "x" * 64]
fixed = [b"", b"\0", b"\0\0", b"0", b"user-1", "kündin".encode(), "顧客".encode(), "🧑🏽‍🚀".encode(), bytes(16), b"\xff" * 16,
         b"A-1", b"A-2", b"l" * 240, b"l" * 241, b"long" * 150]
rows = []
def add(salt, layer, unit):
    data = b"".join(struct.pack("<I", len(part)) + part for part in (salt.encode(), layer.encode(), unit))
    h = xxhash.xxh3_64_intdigest(data)
    rows.append("\t".join([salt.encode().hex(), layer.encode().hex(), unit.hex(), f"{h:016x}", str((h * 10000) >> 64)]))
for salt in texts:                      # where one ends and the next begins matters
    for unit in fixed:
        add(salt, "page", unit)
for salt, layer, unit in [("ab", "c", b"d"), ("a", "bc", b"d"), ("a", "b", b"cd"), ("", "abc", b"d"), ("abc", "", b"d"), ("abcd", "", b"")]:
    add(salt, layer, unit)
while len(rows) < 2000:
    unit = rng.choice([rng.randbytes(16), str(rng.randrange(10**9)).encode(), rng.randbytes(rng.randrange(40))])
    add(rng.choice(texts), rng.choice(texts), unit)
(pathlib.Path(__file__).parent / "vectors.tsv").write_text("\n".join(rows) + "\n")
