import { describe, expect, it } from 'vitest'
import { Context } from '../src/context/context.js'
import * as protocol from '../src/semaphore/protocol.js'
import { RemoteSemaphore } from '../src/semaphore/remote.js'
import { RawHolder as RawHome, transport, until } from './raw-holder.js'

const { ACQUIRE, GRANTED, RELEASE } = protocol

/** A semaphore whose home says what it likes. */
function make(): { semaphore: RemoteSemaphore; home: RawHome } {
  let semaphore: RemoteSemaphore | undefined
  const context = new Context({ id: 'holder', name: 'holder', pid: 1, daemon: false, path: [] }, null)
  const home = RawHome.joining(wire => {
    semaphore = new RemoteSemaphore(context, transport, 'semaphore', wire)
  })
  return { semaphore: (semaphore as unknown as RemoteSemaphore).use(), home }
}

/** Waits for a call for a permit. Gives its number. */
async function asked(home: RawHome): Promise<number> {
  await until(() => home.has(ACQUIRE))
  return home.heard.find(([type]) => type === ACQUIRE)?.[1] as number
}

describe('a semaphore whose home is elsewhere', () => {
  it.each([0, 1])('gives a permit back as it came when its call has given up (abandoned: %i)', async abandoned => {
    const { semaphore, home } = make()
    const controller = new AbortController()
    const call = semaphore.acquire('hold', { signal: controller.signal }, false, () => {})
    const number = await asked(home)
    controller.abort('enough')
    await expect(call).rejects.toBe('enough')
    home.say(GRANTED, number, 5, abandoned, 0)
    await home.hears(RELEASE, 5, abandoned)
    semaphore.close()
  })

  it('tells of what was released before it tells that it closes', async () => {
    const { semaphore, home } = make()
    const call = semaphore.acquire('hold', undefined, false, () => {})
    home.say(GRANTED, await asked(home), 5, 0, 1)
    const grant = await call
    if (!grant) throw new Error('no permit')
    semaphore.release(grant)
    semaphore.close()
    await until(() => home.end !== undefined)
    expect(home.has(RELEASE, 5, 0)).toBe(true)
  })
})
