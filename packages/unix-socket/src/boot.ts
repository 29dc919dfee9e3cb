import { rmSync } from 'node:fs'
import { PipeWire, runChild, WIRE } from '@mp/child-process/spi'
import { awaitParentOnInterrupt, leftover } from './program.js'
import { transport } from './transport.js'

const wire = new PipeWire({ fd: WIRE }, true)
const directory = leftover()
if (directory !== undefined) void wire.ended.then(() => rmSync(directory, { recursive: true, force: true }))
awaitParentOnInterrupt()
await runChild(transport, wire)
