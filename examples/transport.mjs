// `node <program>.mjs [transport]`. Your own program needs none of this: it imports the package of its transport.
const transports = {
  'worker-threads': () => import('@mp/worker-threads'),
  'child-process': () => import('@mp/child-process'),
  'shared-array-buffer': () => import('@mp/shared-array-buffer'),
  'unix-socket': () => import('@mp/unix-socket'),
  memory: () => import('@mp/memory'),
}

// On every transport children get the environment, but not always the arguments of the command line.
process.env.MP_EXAMPLE_TRANSPORT ??= process.argv[2] ?? 'worker-threads'
const name = process.env.MP_EXAMPLE_TRANSPORT

if (!Object.hasOwn(transports, name)) {
  console.error(`Unknown transport '${name}': choose one of ${Object.keys(transports).join(', ')}`)
  process.exit(2)
}

export const { Process, Queue, Pipe, Pool, Lock, currentProcess, parentProcess, isMainProcess } =
  await transports[name]()
