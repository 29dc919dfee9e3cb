import { section } from './row.js'

export const queueRows = section('Queue', {
  Q1: ['MUST', 'a new queue is empty, not full, of size 0'],
  Q2: ['MUST', 'first in, first out'],
  Q3: ['MUST', 'the items of each producer stay in its order'],
  Q4: ['MUST', 'every item is received once, by one consumer'],
  Q5: ['MUST', 'null, undefined, NaN and empty values are ordinary items'],
  Q6: ['MUST', 'items from before the start are there for the child; the child may put first'],
  Q7: ['MUST', 'a child may hand the queue on to its own child'],
  Q9: ['MUST', '16 MiB items arrive whole; small and large ones keep their order'],
  Q10: ['MUST', 'maxsize puts succeed, then the queue is full and putNowait() is refused'],
  Q11: ['MUST', 'a put with a timeout on a full queue is refused when it is over'],
  Q12: ['MUST', 'a maxsize of 0 or less is no bound'],
  Q14: ['MUST', 'a get on an empty queue is refused at once, or when its timeout is over'],
  Q15: ['MUST', 'a waiting get is woken by a put of another process'],
  Q16: ['MUST', 'a timeout bounds the whole call, also while a producer dies in the middle of a put'],
  Q18: ['SHOULD', 'an aborted put or get rejects with the reason, and loses and doubles nothing'],
  Q19: ['MUST', 'put takes the item as it is at the call'],
  Q20: ['MUST', 'a put of what cannot travel is refused, and takes no slot'],
  Q23: ['MUST', 'after an awaited put the queue is not empty for who put'],
  Q24: ['MUST', 'empty(), full() and qsize() never wait'],
  Q25: ['MUST', 'after close() every call is refused here, and nothing changes elsewhere'],
  Q27: ['MAY', 'empty(), full() and qsize() are refused after close()'],
  Q28: ['MUST', 'a producer that ends or throws has delivered all its awaited puts'],
  Q29: ['SHOULD', 'a producer that is killed never delivers a torn item'],
  Q31: ['MUST', 'join() of a producer resolves although nobody has drained the queue'],
  Q32: ['MUST', 'a put on an unbounded queue does not wait for a consumer'],
  Q33: ['MUST', 'a consumer that is killed in get() leaves the queue to the next one'],
  Q35: ['MUST', 'the death of a producer gives its slots back'],
  Q36: ['MUST', "a queue outlives its creator's orderly end, and is shut down by its crash"],
  Q37: ['MUST', 'no item is lost to a get that gave up, however its context ends later'],
  Q38: [
    'MUST',
    "each consumer sees a producer's items in their order, also beside those that give up, end or are killed",
  ],
  Q39: ['MUST', 'no item waits for a consumer that computes while another one asks'],
  Q40: ['MUST', 'a put beyond the largest message is refused at the call'],
  Q42: ['MUST', 'a queue or the end of a pipe that nobody references is freed, at both sides'],
})

export const joinableQueueRows = section(
  'JoinableQueue',
  {
    J1: ['SHOULD', 'join() of a queue that was never used resolves at once'],
    J2: ['SHOULD', 'join() resolves with the last taskDone(), whichever process makes it'],
    J3: ['SHOULD', 'one taskDone() too many is refused'],
    J5: ['MUST', 'join() takes a timeout and a signal'],
  },
  'JoinableQueue',
)

export const shutdownRows = [
  ...section('Queue.shutdown', {
    SD1: ['SHOULD', 'put and get are refused after a shutdown'],
    SD2: ['SHOULD', 'gets drain what is there first'],
    SD3: ['SHOULD', 'an immediate shutdown drops the items'],
    SD7: ['SHOULD', 'a shutdown in one process is seen in all'],
    SD8: ['SHOULD', 'for await ends at the shutdown'],
  }),
  ...section(
    'Queue.shutdown',
    { SD6: ['SHOULD', 'after a shutdown consumers may still call taskDone(), and join() resolves'] },
    'JoinableQueue',
  ),
]
