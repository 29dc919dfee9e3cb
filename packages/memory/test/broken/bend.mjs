/**
 * @typedef {import('@mp/core/spi').Transport} Transport
 * @typedef {import('@mp/core/spi').Peer} Peer
 * @typedef {import('@mp/core/spi').Wire} Wire
 * @typedef {import('@mp/core/spi').WireSink} WireSink
 * @typedef {[bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]]} Frame
 */

/**
 * What a wire at the parent's side does differently. One object per wire.
 *
 * @typedef {object} Bend
 * @property {(frame: Frame, next: (frame: Frame) => void) => boolean | undefined | void} [send] Calls `next` with what goes on.
 * @property {(sink: WireSink) => WireSink} [sink] What comes from the child.
 * @property {(close: () => void) => void} [close]
 * @property {(start: () => void) => void} [start]
 * @property {(unref: () => void) => void} [unref]
 * @property {(timeoutMs: number, inner: Wire) => boolean} [receiveSync] Absent: the wire has none.
 * @property {(inner: Wire) => (parts: readonly Uint8Array<ArrayBuffer>[]) => boolean} [sendParts] Absent: the wire has none.
 */

/**
 * Gives the transport, but wrong in how it starts or describes peers.
 *
 * @param {Transport} transport
 * @param {(peer: Peer, options: import('@mp/core/spi').SpawnOptions) => Peer} bend
 * @returns {Transport}
 */
export function bendPeers(transport, bend) {
  return { ...transport, spawn: options => bend(transport.spawn(options), options) }
}

/**
 * Gives the transport, but wrong in how the wires to its children carry frames.
 *
 * @param {Transport} transport
 * @param {() => Bend} bend
 * @returns {Transport}
 */
export function bendWires(transport, bend) {
  return bendPeers(transport, peer => ({ ...peer, wire: bentWire(peer.wire, bend()) }))
}

/**
 * Gives the transport, but wrong in its direct wires.
 *
 * @param {Transport} transport
 * @param {() => Bend} bend One object per end.
 * @param {Partial<import('@mp/core/spi').Wires>} [own]
 * @returns {Transport}
 */
export function bendDirectWires(transport, bend, own) {
  const { wires } = transport
  return { ...transport, wires: { ...wires, open: value => bentWire(wires.open(value), bend()), ...own } }
}

/**
 * @param {Wire} inner
 * @param {Bend} bend
 * @returns {Wire}
 */
function bentWire(inner, bend) {
  const pass = ([bytes, attachments]) => void inner.send(bytes, attachments)
  return {
    ...(inner.maxFrame !== undefined && { maxFrame: inner.maxFrame }),
    start: sink => {
      const start = () => inner.start(bend.sink ? bend.sink(sink) : sink)
      if (bend.start) bend.start(start)
      else start()
    },
    send: (...frame) => {
      if (!bend.send) return inner.send(...frame)
      return bend.send(frame, pass) ?? true
    },
    close: () => (bend.close ? bend.close(() => inner.close()) : inner.close()),
    ...(bend.receiveSync && { receiveSync: timeoutMs => bend.receiveSync(timeoutMs, inner) }),
    ...(bend.sendParts && { sendParts: bend.sendParts(inner) }),
    unref: () => (bend.unref ? bend.unref(() => inner.unref()) : inner.unref()),
  }
}

/**
 * Gives the sink, with some of its calls replaced.
 *
 * @param {WireSink} sink
 * @param {Partial<WireSink>} own
 * @returns {WireSink}
 */
export function sinkBut(sink, own) {
  return {
    frame: (...args) => sink.frame(...args),
    drain: () => sink.drain(),
    close: error => sink.close(error),
    ...own,
  }
}
