"""The same work in Python: a child puts small objects on a multiprocessing.Queue, the parent gets and checks them.

Prints one line of JSON: {"python": "3.11.2", "values": [objects per second, one per round]}.
"""

import json
import multiprocessing
import platform
import sys
import time


def produce(queue, orders):
    while count := orders.recv():
        for sequence in range(count):
            queue.put({"id": sequence, "name": "hello", "v": [1, 2, 3]})


def consume(queue, count):
    """Seconds from the first object to the last."""
    first = None
    for sequence in range(count):
        item = queue.get()
        if first is None:
            first = time.perf_counter()
        if item != {"id": sequence, "name": "hello", "v": [1, 2, 3]}:
            sys.exit(f"expected object number {sequence}, got {item!r}")
    return time.perf_counter() - first


def main(seconds, rounds):
    queue = multiprocessing.Queue()
    orders, child_orders = multiprocessing.Pipe()
    child = multiprocessing.Process(target=produce, args=(queue, child_orders), daemon=True)
    child.start()
    values = []
    count = 2000  # for the warm-up, and as the first guess
    for _ in range(rounds + 1):
        orders.send(count)
        rate = (count - 1) / consume(queue, count)
        values.append(rate)
        count = max(100, int(rate * seconds))
    orders.send(0)
    child.join()
    print(json.dumps({"python": platform.python_version(), "values": values[1:]}))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
