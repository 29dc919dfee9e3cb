"""The same shapes of use in Python: queues, a pipe and a lock with processes that are spawned, and a pool.

Takes the name of the pattern, the seconds of a round, and the number of rounds.
Prints one line of JSON: {"python": "3.11.2", "values": [items per second, one per round]}.
"""

import collections
import json
import multiprocessing
import platform
import sys
import time

CONTEXT = multiprocessing.get_context("spawn")
WORKERS = 2
IN_FLIGHT = 100


def item(sequence):
    return {"id": sequence, "name": "hello", "v": [1, 2, 3]}


def put_share(orders, put, producer, producers):
    while count := orders.recv():
        for n in range(count):
            put(item(n * producers + producer))


def take_share(orders, take, done, producers):
    """Answers each order with the numbers taken, and the times of the first item and the last."""
    while count := orders.recv():
        taken = []
        latest = [-1] * producers
        first = None
        for _ in range(count):
            value = take()
            if first is None:
                first = time.monotonic()  # the clock that all processes share
            sequence = value["id"]
            if sequence <= latest[sequence % producers] or value != item(sequence):
                sys.exit(f"got {value!r} after {latest}")
            latest[sequence % producers] = sequence
            taken.append(sequence)
            if done:
                done()
        orders.send((taken, first, time.monotonic()))


def put_to_queue(orders, queue, producer, producers):
    put_share(orders, queue.put, producer, producers)


def take_from_queue(orders, queue, producers):
    take_share(orders, queue.get, getattr(queue, "task_done", None), producers)


def send_to_pipe(orders, connection):
    put_share(orders, connection.send, 0, 1)


def receive_from_pipe(orders, connection):
    take_share(orders, connection.recv, None, 1)


def lock_loop(orders, lock):
    while count := orders.recv():
        before = time.perf_counter()
        for _ in range(count):
            lock.acquire()
            lock.release()
        orders.send(time.perf_counter() - before)


class Children:
    def __init__(self):
        self.started = []

    def start(self, target, *args):
        """The parent's end of the pipe that brings the child its orders."""
        ours, theirs = CONTEXT.Pipe()
        child = CONTEXT.Process(target=target, args=(theirs, *args), daemon=True)
        child.start()
        theirs.close()  # so that recv() here fails if the child ends
        # A queue or a lock that nobody here refers to would be gone before the child has opened it.
        self.started.append((child, ours, args))
        return ours

    def end(self):
        for _, orders, _ in self.started:
            orders.send(0)
        for child, _, _ in self.started:
            child.join()
            if child.exitcode != 0:
                sys.exit(f"a child ended with exit code {child.exitcode}")


def flow(producers, consumers, put=None, join=None):
    """A function that moves a number of items and gives the items per second. `put`: the parent puts."""

    def run(count):
        count -= count % max(len(producers), len(consumers))
        for orders in consumers:
            orders.send(count // len(consumers))
        for orders in producers:
            orders.send(count // len(producers))
        if put:
            for sequence in range(count):
                put(item(sequence))
        answers = [orders.recv() for orders in consumers]
        if join:
            join()
        if sorted(number for taken, _, _ in answers for number in taken) != list(range(count)):
            sys.exit("items were lost, or came twice")
        return (count - 1) / (max(last for _, _, last in answers) - min(first for _, first, _ in answers))

    return run


def queue_shape(children, producers, consumers, maxsize=0, joinable=False):
    queue = CONTEXT.JoinableQueue(maxsize) if joinable else CONTEXT.Queue(maxsize)
    sources = max(1, producers)
    takers = [children.start(take_from_queue, queue, sources) for _ in range(consumers)]
    putters = [children.start(put_to_queue, queue, n, producers) for n in range(producers)]
    return flow(putters, takers, None if producers else queue.put, queue.join if joinable else None)


def queue_to_parent(children, maxsize):
    queue = CONTEXT.Queue(maxsize)
    orders = children.start(put_to_queue, queue, 0, 1)

    def run(count):
        orders.send(count)
        first = None
        for sequence in range(count):
            value = queue.get()
            if first is None:
                first = time.perf_counter()
            if value != item(sequence):
                sys.exit(f"expected item {sequence}, got {value!r}")
        return (count - 1) / (time.perf_counter() - first)

    return run


def pipe_between_children(children):
    source, sink = CONTEXT.Pipe()
    taker = children.start(receive_from_pipe, sink)
    sender = children.start(send_to_pipe, source)
    return flow([sender], [taker])


def lock_shape(children):
    orders = children.start(lock_loop, CONTEXT.Lock())

    def run(count):
        orders.send(count)
        return count / orders.recv()

    return run


def square(n):
    return n * n


def apply_in_flight(pool, count):
    """Results in order, of which up to a hundred are awaited at once."""
    waiting = collections.deque()
    for n in range(count):
        if len(waiting) == IN_FLIGHT:
            yield waiting.popleft().get()
        waiting.append(pool.apply_async(square, (n,)))
    while waiting:
        yield waiting.popleft().get()


def imap(pool, count):
    return pool.imap(square, (n for n in range(count)))


def pool_shape(pool, results_of):
    def run(count):
        before = time.perf_counter()
        results = list(results_of(pool, count))
        rate = count / (time.perf_counter() - before)
        if results != [n * n for n in range(count)]:
            sys.exit("wrong squares")
        return rate

    return run


SHAPES = {
    "queue-to-child": lambda children: queue_shape(children, 0, 1),
    "queue-bounded": lambda children: queue_to_parent(children, 100),
    "queue-bounded-to-child": lambda children: queue_shape(children, 0, 1, maxsize=100),
    "queue-between-children": lambda children: queue_shape(children, 1, 1),
    "queue-1-to-4": lambda children: queue_shape(children, 1, 4),
    "queue-4-to-1": lambda children: queue_shape(children, 4, 1),
    "queue-4-to-4": lambda children: queue_shape(children, 4, 4),
    "joinable": lambda children: queue_shape(children, 0, 1, joinable=True),
    "pipe-between-children": pipe_between_children,
    "lock-loop": lock_shape,
}
POOL_SHAPES = {"pool-apply-100": apply_in_flight, "pool-imap": imap}


def measure(run, seconds, rounds):
    values = []
    count = 500  # for the warm-up, and as the first guess
    for _ in range(rounds + 1):
        rate = run(count)
        values.append(rate)
        count = max(100, int(rate * seconds))
    return values[1:]


def main(name, seconds, rounds):
    if name in POOL_SHAPES:
        with CONTEXT.Pool(WORKERS) as pool:
            values = measure(pool_shape(pool, POOL_SHAPES[name]), seconds, rounds)
    else:
        children = Children()
        values = measure(SHAPES[name](children), seconds, rounds)
        children.end()
    print(json.dumps({"python": platform.python_version(), "values": values}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
