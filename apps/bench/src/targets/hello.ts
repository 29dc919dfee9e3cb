import type { Connection } from '@mp/core'

// A file of its own that imports nothing: what it would import, its start would pay for.

export async function hello(connection: Connection<string, never>, greeting: string): Promise<void> {
  await connection.send(greeting)
}
