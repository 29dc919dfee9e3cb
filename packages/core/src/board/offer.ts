import { closeSync } from 'node:fs'
import { LiveObject, type Parcel } from '../link/wire-end.js'
import type { Transport } from '../transport/transport.js'
import type { HomeBoard, Offer, OpenBoard } from './board.js'
import { type ClaimFile, InheritedBoard } from './claim-file.js'
import { FileBoard } from './file-board.js'
import { hasNonce, makeMemoryFile, openMemoryFile } from './memory-file.js'
import { SharedBoard } from './shared-board.js'

/**
 * Where the boards of one context's homes are, for one transport: in shared memory, or in a file. `text` to `uncertain` as in
 * {@link Offer}.
 */
interface Area {
  readonly text: string
  readonly parcels: readonly Parcel[] | undefined
  readonly uncertain: boolean
  /** How many slots were given out. They are not used again. */
  slots: number
  /** How many holders use one of its slots. */
  users: number
  open(slot: number): HomeBoard
  close(): void
}

const areas = new WeakMap<object, Map<Transport, Area>>()

/** A file of claims that a child has inherited, and the number that its descriptor has in the child. */
export interface InheritedFile {
  readonly file: ClaimFile
  readonly descriptor: number
}

/**
 * Makes a board for one more holder of something whose home is in `context`. `files`: those that the holder has inherited from
 * this context. Undefined if the medium has no boards.
 */
export function offerBoard(
  context: object,
  transport: Transport,
  files: readonly InheritedFile[] = [],
): Offer | undefined {
  for (const { file, descriptor } of files) {
    if (!file.take()) continue
    const close = () => file.release()
    return { board: file, uncertain: true, slot: descriptor, text: file.nonce, parcels: undefined, close }
  }
  const own = areasOf(context)
  const area = areaWithRoom(own, transport)
  if (!area) return undefined
  const slot = area.slots++
  area.users++
  const { text, parcels, uncertain } = area
  const close = () => {
    if (--area.users > 0) return
    if (own.get(transport) === area) own.delete(transport)
    area.close()
  }
  return { board: area.open(slot), uncertain, slot, text, parcels, close }
}

function areasOf(context: object): Map<Transport, Area> {
  const known = areas.get(context)
  if (known) return known
  const own = new Map<Transport, Area>()
  areas.set(context, own)
  return own
}

function areaWithRoom(own: Map<Transport, Area>, transport: Transport): Area | undefined {
  const known = own.get(transport)
  if (known && known.slots < SharedBoard.slots) return known
  const area = makeArea(transport)
  if (area) own.set(transport, area)
  return area
}

function makeArea({ capabilities }: Transport): Area | undefined {
  if (capabilities.sharedMemory && capabilities.attachments) {
    const memory = new SharedArrayBuffer(SharedBoard.bytes)
    const parcels = [new LiveObject(memory)]
    const open = (slot: number) => new SharedBoard(memory, slot)
    return { text: '', parcels, uncertain: false, slots: 0, users: 0, open, close() {} }
  }
  const made = capabilities.reach === 'process' ? makeMemoryFile(FileBoard.bytes) : undefined
  if (!made) return undefined
  const { file, nonce } = made
  const open = (slot: number) => new FileBoard(file, slot)
  const text = `${process.pid} ${file} ${nonce}`
  return { text, parcels: undefined, uncertain: true, slots: 0, users: 0, open, close: () => closeSync(file) }
}

/** Files of boards of other processes that are open here, by the text of their offers. */
const files = new Map<string, { readonly file: number; users: number }>()

/** Opens a board that home has offered. Undefined if it cannot be opened here. */
export function openBoard(slot: number, text: string, parcels: readonly Parcel[] | undefined): OpenBoard | undefined {
  if (/^[0-9a-f]{32}$/.test(text)) {
    return hasNonce(slot, text) ? { board: new InheritedBoard(slot), close() {} } : undefined
  }
  const memory = parcels?.[0] instanceof LiveObject ? parcels[0].object : undefined
  if (slot >= SharedBoard.slots) return undefined
  if (memory instanceof SharedArrayBuffer && memory.byteLength === SharedBoard.bytes) {
    return { board: new SharedBoard(memory, slot), close() {} }
  }
  const known = files.get(text) ?? openFile(text)
  if (!known) return undefined
  files.set(text, known)
  known.users++
  const close = () => {
    if (--known.users > 0) return
    files.delete(text)
    closeSync(known.file)
  }
  return { board: new FileBoard(known.file, slot), close }
}

function openFile(text: string): { file: number; users: number } | undefined {
  const match = /^(\d{1,10}) (\d{1,10}) ([0-9a-f]{32})$/.exec(text)
  if (!match) return undefined
  const [, pid, descriptor, nonce] = match as unknown as [string, string, string, string]
  const file = openMemoryFile(pid, descriptor, nonce)
  return file === undefined ? undefined : { file, users: 0 }
}
