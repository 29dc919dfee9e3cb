// The one entry that is built as CommonJS: `codec.ts` loads it in the middle of a synchronous decode.
export { Unpackr } from 'msgpackr/unpack'
