import { section } from './row.js'

export const pipeRows = section('Pipe and Connection', {
  C1: ['MUST', 'both ends send and receive, in two independent directions'],
  C2: ['MUST', 'Pipe(false) is a receiver and a sender; the wrong direction is refused at once'],
  C3: ['MUST', 'values and bytes go there and back; send() gives nothing'],
  C4: ['MUST', 'messages keep their boundaries, whatever polls come between'],
  C5: ['MUST', 'an empty message is a message'],
  C6: ['MUST', 'each direction keeps its order, values and bytes mixed'],
  C7: ['MUST', '16 MiB of bytes come back intact'],
  C10: ['SHOULD', 'recvBytesInto() tells the count, touches no other byte, and checks its offset'],
  C12: ['MUST', 'poll() looks at once, for a time, or until there is something'],
  C13: ['MUST', 'poll() is true at the end of file, which recv() then tells'],
  C14: ['MUST', 'what was sent before a close is received, then the end of file, again and again'],
  C15: ['MUST', 'a pending recv() ends when the other side closes or dies'],
  C16: ['MUST', 'what a child sent is readable after its end'],
  C17: ['MUST', 'a send is refused when the other end was closed or its holder has ended, the first send too'],
  C18: ['SHOULD', 'a close with our message unread is an end of file'],
  C19: ['MUST', 'a message in whose middle the sender dies never arrives in part'],
  C20: ['MUST', 'after close() everything is refused; await using closes'],
  C21: ['MUST', "close() settles its own end's pending calls"],
  C22: ['MUST', 'an end that is passed to a child moves, so the end of file comes without care'],
  C23: ['MUST', 'a send of what cannot travel is refused, and nothing is sent'],
  C24: ['MUST', 'send() waits above a high-water mark: an unread pipe has bounded memory'],
  C26: ['SHOULD', 'a connection can be sent over a connection and used there, its directions kept'],
})

export const waitRows = section(
  'wait()',
  {
    W1: ['SHOULD', '[] when the time is over; at once if it is negative; null waits'],
    W3: ['SHOULD', 'connections, queues and sentinels mix'],
    W5: ['SHOULD', 'an empty list waits for the time and gives []'],
  },
  'wait',
)

export const listenerRows = section(
  'listen() and connect()',
  {
    L1: ['SHOULD', 'without an address a fresh one, in a folder of 0700, gone after close()'],
    L2: ['SHOULD', 'a second listener at the same address is refused'],
    L3: ['SHOULD', 'connect, accept, send, receive; accept after close is refused'],
    L4: ['SHOULD', 'what a client sent and closed before the accept is received'],
    L5: ['SHOULD', 'a connect to nobody is refused quickly'],
    L6: ['SHOULD', 'a wrong key is refused on both sides; an empty key still authenticates'],
    L7: ['MAY', 'both sides prove the key; nothing can be downgraded'],
  },
  'listen',
)
