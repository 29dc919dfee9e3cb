import { Socket } from 'node:net'
import { serve } from '@mp/core/spi'
import { transport, WIRE } from './transport.js'
import { SocketWire } from './wire.js'

// Ctrl-C is for the parent.
process.on('SIGINT', () => {})

const wire = new SocketWire()
wire.attach(new Socket({ fd: WIRE }), WIRE)
const code = await serve(transport, wire)
// Whatever timers or sockets the target has left must not hold this process.
process.exit(code === 0 ? undefined : code)
