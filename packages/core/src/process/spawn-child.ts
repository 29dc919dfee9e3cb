import { ClaimFile } from '../board/claim-file.js'
import { CHILD_VARIABLE } from '../context/child-mark.js'
import type { ChildOwner, Context } from '../context/context.js'
import { Envelope, encodeMessage } from '../context/message-writer.js'
import { hasCode, MpError } from '../errors.js'
import { discardParcels } from '../link/wire-end.js'
import { ByteBuffer } from '../runtime/byte-buffer.js'
import { checkSockets } from '../runtime/host.js'
import type { Peer, SpawnOptions, Transport } from '../transport/transport.js'
import { describeTarget } from './describe-target.js'
import { referenceFor } from './function-reference.js'
import { inheritance } from './inheritance.js'
import type { ProcessOptions, ResourceLimits } from './process-options.js'
import { SpawnedChild } from './spawned-child.js'
import type { Target } from './target.js'

/** What a child is to run, and how. */
interface SpawnRequest {
  /** As {@link Identity.path}. */
  readonly path: readonly number[]
  readonly target: Target<never[]> | undefined
  readonly args: readonly unknown[]
  readonly options: Pick<ProcessOptions, 'env' | 'execArgv' | 'cwd' | 'stdio' | 'resourceLimits'>
}

/**
 * Spawns a child and sends it the order to start. Throws MP_ENCODE, MP_BAD_TARGET, MP_NOT_SUPPORTED, or MP_SPAWN_FAILED. Nothing
 * has moved when the description of the target or the encode throws.
 */
export function spawnChild(
  context: Context,
  transport: Transport,
  owner: ChildOwner,
  { path, target, args, options }: SpawnRequest,
): SpawnedChild {
  if (transport.capabilities.isolation === 'process') checkSockets(`a process over ${transport.name}`)
  const described = target === undefined ? undefined : describeTarget(target)
  const envelope = new Envelope(transport)
  const encoded = new ByteBuffer(256)
  encodeMessage(args, encoded, envelope, 'args')
  envelope.commit()
  const { parcels } = envelope
  const id = context.nextId()
  const { name, daemon } = owner
  const files = transport.capabilities.reach === 'process' ? makeFiles() : []
  let peer: Peer
  try {
    peer = transport.spawn({
      id,
      name,
      daemon,
      ...(files.length > 0 && { inherit: files.map(({ file }) => file) }),
      ...definedOptions(options),
      ...inherited(options, transport),
    })
  } catch (error) {
    for (const file of files) file.release()
    discardParcels(parcels, transport)
    throw hasCode(error, 'MP_NOT_SUPPORTED') ? error : spawnFailed(name, error as Error)
  }
  const child = new SpawnedChild(owner, context, transport, peer, id, files)
  const { identity } = context
  child.start(
    {
      id,
      name,
      pid: peer.pid ?? null,
      daemon,
      quiet: options.stdio === 'ignore',
      handles: envelope.holdsHandles,
      path,
      parent: { pid: identity.pid, name: identity.name },
      target: target && described ? referenceFor(target, described, transport) : null,
    },
    encoded,
    parcels,
  )
  return child
}

/** How many queues of its parent's a child can take from at the lower cost: see {@link ClaimFile}. */
const FILES = 2

function makeFiles(): readonly ClaimFile[] {
  const made = Array.from({ length: FILES }, () => ClaimFile.make())
  return made.filter(each => each !== undefined)
}

/** Transports see absent members, never undefined ones. */
function definedOptions({ cwd, stdio, resourceLimits }: SpawnRequest['options']): Partial<SpawnOptions> {
  return {
    ...(cwd !== undefined && { cwd }),
    ...(stdio && { stdio }),
    ...(resourceLimits && { resourceLimits: definedLimits(resourceLimits) }),
  }
}

/** Environment and flags: what the user asks for, what a process must not inherit as it is, and what tells a child that it is one. */
function inherited({ env, execArgv }: SpawnRequest['options'], { capabilities }: Transport): Partial<SpawnOptions> {
  const { isolation } = capabilities
  if (isolation === 'none') return { ...(env && { env }), ...(execArgv && { execArgv }) }
  // A thread inherits flags best if they are not named: Node then accepts more of them.
  const own = isolation === 'process' ? inheritance() : undefined
  const flags = execArgv ?? own?.execArgv
  return { env: { ...own?.env, ...env, [CHILD_VARIABLE]: '1' }, ...(flags && { execArgv: flags }) }
}

function definedLimits(limits: ResourceLimits): NonNullable<SpawnOptions['resourceLimits']> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}

function spawnFailed(name: string, cause: Error): MpError {
  return new MpError('MP_SPAWN_FAILED', `${name} could not be started: ${cause.message}`, { cause })
}
