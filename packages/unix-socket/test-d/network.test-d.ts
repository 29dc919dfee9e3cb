import { type Connection, connect, type Listener, listen, openQueue, Queue } from '@mp/unix-socket'
import { expectTypeOf } from 'vitest'

// Never run: the package's typecheck compiles it.

expectTypeOf(listen({ authKey: 'key' })).toEqualTypeOf<Promise<Listener>>()
expectTypeOf(listen('/path', { authKey: new Uint8Array(32) })).toEqualTypeOf<Promise<Listener>>()
expectTypeOf(listen(undefined, { authKey: '' })).toEqualTypeOf<Promise<Listener>>()
// @ts-expect-error: without a key nobody could be told from anybody
void listen('/path')
// @ts-expect-error: a key is text or bytes
void listen({ authKey: 5 })
// @ts-expect-error: the options are spelt so
void listen({ authkey: 'key' })

expectTypeOf(connect('/path', { authKey: 'key' })).toEqualTypeOf<Promise<Connection>>()
expectTypeOf(connect<string, number>('/path', { authKey: 'key' })).toEqualTypeOf<Promise<Connection<string, number>>>()
// @ts-expect-error: there is no fresh address to connect to
void connect({ authKey: 'key' })

expectTypeOf(openQueue<{ id: number }>('/path', 'tasks', { authKey: 'key' })).toEqualTypeOf<
  Promise<Queue<{ id: number }>>
>()

const listener = {} as Listener
expectTypeOf(listener.address).toEqualTypeOf<string>()
expectTypeOf(listener.accept({ timeout: 5 })).resolves.toEqualTypeOf<Connection>()
expectTypeOf(listener.serve({ tasks: new Queue<number>(), results: new Queue<string>(5) })).resolves.toBeVoid()
// @ts-expect-error: only queues are served
void listener.serve({ tasks: {} })
for await (const connection of listener) expectTypeOf(connection).toEqualTypeOf<Connection>()
