import { isMainProcess, Pipe, Process } from './transport.mjs'

export async function greet(writer) {
  await writer.send('hello from the child')
}

if (isMainProcess) {
  const [reader, writer] = Pipe(false)
  console.log(`reader: readable ${reader.readable}, writable ${reader.writable}`)
  console.log(`writer: readable ${writer.readable}, writable ${writer.writable}`)

  const child = new Process({ target: greet, args: [writer] })
  child.start()
  console.log(await reader.recv())
  await reader.send('hello').catch(error => console.log(`${error.code}: ${error.message}`))
  await child.join()
}
