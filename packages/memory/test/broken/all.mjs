import { brokenClaims } from './claims.mjs'
import { brokenDirectWires } from './direct-wires.mjs'
import { brokenPeers } from './peers.mjs'
import { brokenWires } from './wires.mjs'

/**
 * Transports each of which is wrong in one way, and the cases that must fail: the group, and how the name of the case begins.
 *
 * @type {Record<string, { transport: import('@mp/core/spi').Transport, fails: [group: string, caseBegins: string][] }>}
 */
export const all = { ...brokenWires, ...brokenPeers, ...brokenClaims, ...brokenDirectWires }
