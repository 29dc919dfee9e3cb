import { within } from '@mp/conformance'
import { Process, Queue } from '@mp/worker-threads'
import { it } from 'vitest'

function target(name: string): { module: URL; export: string } {
  return { module: new URL('./fixtures/hostile.mjs', import.meta.url), export: name }
}

// What the queue's home passes on then cannot be moved as it is.
it('a thread that lets the same memory ride along twice harms nobody else', async ({ expect }) => {
  const [queue, told] = [new Queue<unknown>(), new Queue<string>()]
  const offender = new Process({ target: target('putTwice'), args: [queue] })
  await offender.start()
  await within(offender.join(), 'its end')
  const taker = new Process({ target: target('getAll'), args: [queue, 2, told] })
  await taker.start()
  await queue.put('sound')
  expect(await within(told.get(), 'the first item')).toBe('MP_DECODE')
  expect(await within(told.get(), 'the second item')).toBe('sound')
  await within(taker.join(), 'the end of the taker')
})
