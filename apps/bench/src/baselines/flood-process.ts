import { sitOn } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'

// Raw Node: each order is a number of messages, all sent at once; they are serialised at the call. Ends with the channel.
const [payload, core] = process.argv.slice(2) as [PayloadName, string | undefined]
const { make } = messagesOf(payload)

if (core !== undefined) sitOn(Number(core))
process.on('message', (count: number) => {
  for (let sequence = 0; sequence < count; sequence++) process.send?.(make(sequence))
})
