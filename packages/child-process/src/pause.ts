const never = new Int32Array(new SharedArrayBuffer(4))

/** Blocks for 1 ms. While the event loop stands still, nothing tells that bytes have come, or that there is room for more. */
export function pause(): void {
  Atomics.wait(never, 0, 0, 1)
}
