#!/usr/bin/env python3
"""Peers of the search bench that only Python can drive. Started by the bench, one process for each peer.

    peers.py build NAME DATA FOLDER    builds and saves an index, on all cores
    peers.py serve NAME DATA FOLDER    loads it and answers commands, one JSON object a line, on one thread

Commands: {"do": "prepare", "kept": "10"}, {"do": "run", "values": [..], "kept": null, "queries": 2000, "limit": 60.0}.
A query is timed from the call of the library to its return; turning its answer into JSON is not timed.
"""
import json
import os
import sys
import time

SERVING = len(sys.argv) > 1 and sys.argv[1] == "serve"
if SERVING:  # before any library reads them
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"

import numpy as np

K = 10
THREADS = os.cpu_count() or 1


class Data:
    """The files of one data folder; vectors of the base are mapped, not read."""

    def __init__(self, folder):
        self.folder = folder
        self.category = np.fromfile(f"{folder}/category.i32", "<i4")
        self.n = len(self.category)
        self.dim = os.path.getsize(f"{folder}/base.f32") // 4 // self.n
        queries = np.fromfile(f"{folder}/queries.f32", "<f4").reshape(-1, 1, self.dim)
        self.queries = [np.ascontiguousarray(q) for q in queries]

    def base(self):
        return np.memmap(f"{self.folder}/base.f32", "<f4", "r", shape=(self.n, self.dim))

    def allowed(self, kept):
        """One array of n flags a query."""
        masks = np.fromfile(f"{self.folder}/mask-{kept}.u8", np.uint8).reshape(500, 1000)
        return (mask[self.category] > 0 for mask in masks)


def cells(n):
    """A power of two near 4 times the root: 4096 for 1.2 million."""
    return 1 << round(np.log2(4 * n ** 0.5))


def grid(first, second, labels):
    return [{"label": f"{labels[0]} {a}, {labels[1]} {b}", "values": [a, b]} for a in first for b in second]


class Hnswlib:
    how = "M 16, ef at build 200, f32, inner product"
    settings = filtered = [{"label": f"ef {e}", "values": [e]} for e in (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)]

    def new(self, dim):
        import hnswlib
        return hnswlib.Index("ip", dim)

    def build(self, data, folder):
        index = self.new(data.dim)
        index.init_index(data.n, ef_construction=200, M=16, random_seed=1)
        index.add_items(data.base(), np.arange(data.n), num_threads=THREADS)
        index.save_index(f"{folder}/index")

    def load(self, data, folder):
        self.index = self.new(data.dim)
        self.index.load_index(f"{folder}/index")
        self.index.set_num_threads(1)

    def small(self, rows):
        self.index = self.new(rows.shape[1])
        self.index.init_index(len(rows))
        self.index.add_items(rows)

    def prepare(self, data, kept):
        self.filters = [bytes(flags) for flags in data.allowed(kept)]

    def call(self, values, query, number):
        """A function without arguments that searches once."""
        self.index.set_ef(values[0])
        search = self.index.knn_query
        if number is None:
            return lambda: search(query, K, 1)
        allow = self.filters[number].__getitem__

        def filtered():
            try:
                return search(query, K, 1, allow)
            except RuntimeError:  # the binding refuses to return fewer than K: counted as none found
                return [[]], None
        return filtered

    def ids(self, answer):
        return answer[0][0]


class Faiss:
    how = "IVF, SQ8 on residuals, inner product, re-ranked with f32 (IndexRefineFlat)"
    settings = grid((1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256), (2, 5), ("nprobe", "refine"))
    filtered = grid((4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096), (2, 5), ("nprobe", "refine"))

    def build(self, data, folder):
        import faiss
        faiss.omp_set_num_threads(THREADS)
        base = np.ascontiguousarray(data.base())
        index = faiss.index_factory(data.dim, f"IVF{cells(data.n)},SQ8,RFlat", faiss.METRIC_INNER_PRODUCT)
        index.train(base)
        index.add(base)
        faiss.write_index(index, f"{folder}/index")

    def load(self, data, folder):
        import faiss
        faiss.omp_set_num_threads(1)
        self.use(faiss.read_index(f"{folder}/index"))

    def small(self, rows):
        import faiss
        index = faiss.index_factory(rows.shape[1], "IVF1,SQ8,RFlat", faiss.METRIC_INNER_PRODUCT)
        index.train(rows)
        index.add(rows)
        self.use(index)

    def use(self, index):
        import faiss
        self.faiss, self.index = faiss, index
        self.scores, self.found = np.empty((1, K), "f4"), np.empty((1, K), "i8")
        self.pointers = faiss.swig_ptr(self.scores), faiss.swig_ptr(self.found)
        self.parameters = {}

    def prepare(self, data, kept):
        self.bits = [np.packbits(flags, bitorder="little") for flags in data.allowed(kept)]
        self.filters = [self.faiss.IDSelectorBitmap(data.n, self.faiss.swig_ptr(bits)) for bits in self.bits]
        self.parameters = {}

    def options(self, values, number):
        key = (tuple(values), number)
        if key not in self.parameters:
            selector = {} if number is None else {"sel": self.filters[number]}
            inner = self.faiss.SearchParametersIVF(nprobe=values[0], **selector)
            outer = self.faiss.IndexRefineSearchParameters(k_factor=values[1], base_index_params=inner)
            self.parameters[key] = outer, inner
        return self.parameters[key][0]

    def call(self, values, query, number):
        # The call below Python's convenience layer, into arrays made beforehand.
        search, pointer, options = self.index.search_c, self.faiss.swig_ptr(query), self.options(values, number)
        scores, found = self.pointers
        return lambda: search(1, pointer, K, scores, found, options)

    def ids(self, answer):
        return self.found[0].copy()


class Scann:
    how = "tree, asymmetric hashing of 2 dimensions, re-ranked with f32"
    settings = grid((2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256), (30, 60, 120, 250), ("leaves", "reorder"))
    filtered = None

    def build(self, data, folder):
        import scann
        leaves = round(2.74 * data.n ** 0.5)  # 3000 for 1.2 million
        builder = scann.scann_ops_pybind.builder(np.ascontiguousarray(data.base()), K, "dot_product")
        builder = builder.tree(leaves, max(1, leaves // 30), training_sample_size=min(data.n, 250_000), avq=2.0)
        builder = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(100)
        builder.set_n_training_threads(THREADS).build().serialize(folder)

    def load(self, data, folder):
        import scann
        self.index = scann.scann_ops_pybind.load_searcher(folder)
        self.index.set_num_threads(1)

    def small(self, rows):
        import scann
        self.index = scann.scann_ops_pybind.builder(rows, K, "dot_product").score_brute_force().build()

    def call(self, values, query, number):
        # The wrapped searcher: the convenience layer above it only fills in defaults and checks arguments.
        search, query, (leaves, reorder) = self.index.searcher.search, query[0], values
        return lambda: search(query, K, reorder, leaves)

    def ids(self, answer):
        return answer[0]


class Rabitq:
    how = "IVF, 1-bit codes, re-ranked with raw vectors (nbits 32), L2"
    settings = [{"label": f"nprobe {p}", "values": [p]}
                for p in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)]
    filtered = None

    def build(self, data, folder):
        import faiss  # its k-means, as the library's own examples do
        import rabitqlib
        faiss.omp_set_num_threads(THREADS)
        base = np.ascontiguousarray(data.base())
        means = faiss.Kmeans(data.dim, cells(data.n), niter=10, seed=1)
        means.train(base)
        cell = means.index.search(base, 1)[1][:, 0].astype(np.uint32)
        index = rabitqlib.IvfIndex(data.dim, data.n, cells(data.n), 32, "l2")
        index.build(base, means.centroids.astype(np.float32), cell, num_threads=THREADS)
        index.save(f"{folder}/index")

    def load(self, data, folder):
        import rabitqlib
        self.index = rabitqlib.IvfIndex.load(f"{folder}/index")

    def small(self, rows):
        import rabitqlib
        self.index = rabitqlib.IvfIndex(rows.shape[1], len(rows), 1, 32, "l2")
        self.index.build(rows, rows[:1], np.zeros(len(rows), np.uint32))

    def call(self, values, query, number):
        search, nprobe = self.index.search, values[0]
        return lambda: search(query, K, nprobe)

    def ids(self, answer):
        return answer[0][0]


PEERS = {"hnswlib": Hnswlib, "faiss-ivf-sq8": Faiss, "scann": Scann, "rabitq-ivf": Rabitq}


def resident():
    """Bytes of this process in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def median_us(call, times=3000):
    clock, spent = time.perf_counter_ns, []
    for _ in range(times):
        start = clock()
        call()
        spent.append(clock() - start)
    return sorted(spent)[times // 2] / 1000


def overhead(peer, data):
    """Medians: a call of nothing at all, and of this library on 16 vectors, which bounds what the call costs."""
    small = PEERS[peer]()
    rows = np.array(data.base()[:16])
    try:
        small.small(rows)
        bound = median_us(small.call(small.settings[0]["values"], data.queries[0], None))
    except Exception as error:
        print(f"{peer}: no overhead of a call: {error}", file=sys.stderr)
        bound = None
    return {"empty_call_us": median_us(lambda: None), "small_call_us": bound}


def run(peer, data, command):
    """A warm-up pass, whose answers are kept, and a timed pass."""
    clock, values = time.perf_counter_ns, command["values"]
    filtered = command["kept"] is not None
    end = clock() + int(command["limit"] * 1e9)
    ids, nanos, padding = [], [], [-1] * K
    for timed in (False, True):
        for number in range(command["queries"]):
            call = peer.call(values, data.queries[number], number if filtered else None)
            start = clock()
            answer = call()
            stop = clock()
            if timed:
                nanos.append(stop - start)
            else:
                ids.extend((np.asarray(peer.ids(answer), dtype=np.int64).tolist() + padding)[:K])
            if stop > end:
                return {"ids": ids, "nanos": nanos, "finished": False, "resident": resident()}
    return {"ids": ids, "nanos": nanos, "finished": True, "resident": resident()}


def serve(name, data, folder):
    # Answers leave by the first standard output; whatever libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    extra = overhead(name, data)
    peer = PEERS[name]()
    before, start = resident(), time.perf_counter()
    peer.load(data, folder)
    answer({"how": peer.how, "settings": peer.settings, "filtered": peer.filtered, "before": before,
            "resident": resident(), "load_seconds": time.perf_counter() - start, **extra})
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] == "prepare":
                peer.prepare(data, command["kept"])
                answer({})
            else:
                answer(run(peer, data, command))
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})


def main():
    what, name, folder, cache = sys.argv[1:5]
    data = Data(folder)
    if what == "build":
        PEERS[name]().build(data, cache)
        print(json.dumps({"peak": peak()}))
    else:
        serve(name, data, cache)


if __name__ == "__main__":
    main()
