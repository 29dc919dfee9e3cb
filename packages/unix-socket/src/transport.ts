import { closeSync, openSync } from 'node:fs'
import { type Boots, DESCRIPTORS, spawnChild } from '@mp/child-process/spi'
import type { NetworkTransport, Peer, SpawnOptions } from '@mp/core/spi'
import { capabilities } from './capabilities.js'
import { Introduction } from './inherited-wire.js'
import { network } from './network.js'
import { program } from './program.js'
import { wires } from './tickets.js'

const boots: Pick<Boots, 'boot' | 'bootDaemon'> = {
  boot: new URL('./boot.js', import.meta.url),
  bootDaemon: new URL('./boot-daemon.js', import.meta.url),
}

/** Descriptors that a process must have left when it starts a child: a child takes four at most, and more for its wires. */
const SPARE = 8
/** The same, for each child that has not connected to the rendezvous: for that connection, and for its first wire. */
const SPARE_EACH = 2
/** It takes 5 us to find out whether one is left. */
const MOST_SPARE = 64

let children = 0

/**
 * Throws EMFILE where descriptors are about to run out. Children that cannot connect for want of them would wait for each other:
 * none ends, and gives its descriptors back, before it has delivered what it sent.
 */
function checkDescriptors(): void {
  if (!DESCRIPTORS) return
  const unconnected = Math.max(0, children - (program().rendezvous?.contexts ?? children))
  const spare = Math.min(MOST_SPARE, SPARE + SPARE_EACH * unconnected)
  const taken: number[] = []
  try {
    while (taken.length < spare) taken.push(openSync('/dev/null', 'r'))
  } finally {
    for (const each of taken) closeSync(each)
  }
}

function spawn(options: SpawnOptions): Peer {
  checkDescriptors()
  const introduction = new Introduction()
  try {
    const { descriptors } = introduction
    const peer = spawnChild(options, { ...boots, descriptors, environment: first => introduction.environment(first) })
    introduction.meet(peer.wire)
    children++
    void peer.exited.then(() => children--)
    return peer
  } finally {
    introduction.close()
  }
}

/** Children are processes; wires are Unix sockets that lead straight from one context to another. */
export const transport: NetworkTransport = Object.freeze({
  name: 'unix-socket',
  capabilities,
  buffers: true,
  spawn,
  wires,
  network,
})
