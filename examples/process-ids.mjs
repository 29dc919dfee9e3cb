import { currentProcess, isMainProcess, Process, parentProcess } from './transport.mjs'

export function introduce() {
  const { name, pid } = currentProcess()
  const parent = parentProcess()
  console.log(`${name}: id ${pid}, ${parent ? `child of ${parent.name}, id ${parent.pid}` : 'no parent'}`)
}

if (isMainProcess) {
  introduce()
  const child = new Process({ target: introduce })
  child.start()
  await child.join()
}
