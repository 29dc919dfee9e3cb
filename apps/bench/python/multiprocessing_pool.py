"""The same work in Python: multiprocessing.Pool(2).map of a square over numbers, with its default chunks or one by one.

Takes the number of items, the chunk size (0: the default), and the number of rounds.
Prints one line of JSON: {"python": "3.11.2", "values": [tasks per second, one per round]}.
"""

import json
import multiprocessing
import platform
import sys
import time


def square(n):
    return n * n


def main(count, chunksize, rounds):
    items = list(range(count))
    values = []
    with multiprocessing.Pool(2) as pool:
        for _ in range(rounds + 1):  # the first is the warm-up
            before = time.perf_counter()
            results = pool.map(square, items, chunksize or None)
            values.append(count / (time.perf_counter() - before))
            for n, result in enumerate(results):
                if result != n * n:
                    sys.exit(f"expected {n * n}, got {result!r}")
    print(json.dumps({"python": platform.python_version(), "values": values[1:]}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
