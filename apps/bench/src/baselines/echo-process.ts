import { sitOn } from '../core.js'

// Raw Node: sends back what comes, until the channel ends.
const [, core] = process.argv.slice(2)

if (core !== undefined) sitOn(Number(core))
process.on('message', value => process.send?.(value))
