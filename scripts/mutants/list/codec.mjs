const codecs = [
  'packages/core/test/codec.test.ts',
  'packages/core/test/codec-errors.test.ts',
  'packages/core/test/codec-hostile.test.ts',
]

const codecFile = 'packages/core/src/codec/codec.ts'
const graphReader = 'packages/core/src/codec/graph-reader.ts'
const reader = 'packages/core/src/codec/msgpack-reader.ts'
const writer = 'packages/core/src/codec/msgpack-writer.ts'

/** From a value to bytes, and back. */
export const codec = [
  {
    name: 'a rich object gets a prototype from its bytes',
    file: graphReader,
    from: `    if (key === '__proto__') throw malformed('a key')
    return key`,
    to: '    return key',
    tests: codecs,
  },
  {
    name: 'a plain object gets a prototype from its bytes',
    file: reader,
    from: `  if (key === '__proto__') throw malformed('a key')
`,
    to: '',
    tests: codecs,
  },
  {
    name: 'a reference leads beyond the objects',
    file: graphReader,
    from: 'if (number < 0 || number >= this.objects.length)',
    to: 'if (number < 0 || number > this.objects.length)',
    tests: codecs,
  },
  {
    name: 'a reference leads to what is still being read',
    file: graphReader,
    from: `    if (object === UNFINISHED) throw malformed('a reference')
`,
    to: '',
    tests: codecs,
  },
  {
    name: 'the indexes of a sparse array come in any order',
    file: graphReader,
    from: 'if (index <= last || index >= length)',
    to: 'if (index >= length)',
    tests: codecs,
  },
  {
    name: 'a sparse array is longer than it says',
    file: graphReader,
    from: 'if (index <= last || index >= length)',
    to: 'if (index <= last)',
    tests: codecs,
  },
  {
    name: 'bytes behind a tree are ignored',
    file: graphReader,
    from: `    if (position !== end) throw malformed('the length of bytes')
`,
    to: '',
    tests: codecs,
  },
  {
    name: 'any property of an error may be hidden',
    file: graphReader,
    from: `      if (i < fields && !hiddenErrorKeys.includes(key)) throw malformed('a hidden property')
`,
    to: '',
    tests: codecs,
  },
  {
    name: 'a rich value is as deep as it likes',
    file: graphReader,
    from: `    if (depth > MAX_DEPTH) throw malformed('the depth')
`,
    to: '',
    tests: codecs,
  },
  {
    name: 'an array claims more items than there are bytes',
    file: reader,
    from: `if (items > limit - at - owed) throw`,
    to: `if (items > 2 ** 32) throw`,
    tests: codecs,
  },
  {
    name: 'nested arrays claim the same bytes',
    file: reader,
    from: `if (items > limit - at - owed) throw`,
    to: `if (items > limit - at) throw`,
    tests: codecs,
  },
  {
    name: 'bytes behind a value are ignored',
    file: reader,
    from: `  if (at !== limit) throw malformed('the length')
`,
    to: '',
    tests: codecs,
  },
  {
    name: 'a remembered text is taken for one of the same hash',
    file: reader,
    from: 'if (i === size) return guess',
    to: 'if (i > 0) return guess',
    tests: codecs,
  },
  {
    name: 'a name that all objects have is remembered',
    file: reader,
    from: 'else if (text.length === size && !inherited)',
    to: 'else if (text.length === size)',
    tests: codecs,
  },
  {
    name: 'a value shares the memory of its frame',
    file: graphReader,
    from: 'if (!large && bytes.constructor === Uint8Array) return bytes.slice(start, end)',
    to: 'if (!large) return bytes.slice(start, end) as Uint8Array<ArrayBuffer>',
    tests: codecs,
  },
  {
    name: 'an encode that fails leaves half a value',
    file: codecFile,
    from: `    out.length = length
    const known`,
    to: '    const known',
    tests: codecs,
  },
  {
    name: 'a moved array loses what is beside it in its buffer',
    file: codecFile,
    from: '  if (moves && byteLength < buffer.byteLength) return false\n',
    to: '',
    tests: codecs,
  },
  {
    name: 'an array of a subclass arrives as plain bytes',
    file: codecFile,
    from: '  if (prototype !== Uint8Array.prototype && prototype !== Buffer.prototype) return false\n',
    to: '',
    tests: codecs,
  },
  {
    name: 'a small number is off by one',
    file: writer,
    from: 'if (value < 0x80) {',
    to: 'if (value <= 0x80) {',
    tests: codecs,
  },
  {
    name: 'a number of two bytes is off by one',
    file: writer,
    from: '} else if (value < 0x1_0000) {\n        bytes[at++] = 0xcd',
    to: '} else if (value <= 0x1_0000) {\n        bytes[at++] = 0xcd',
    tests: codecs,
  },
  {
    name: 'a small negative number is off by one',
    file: writer,
    from: '} else if (value >= -32) {',
    to: '} else if (value >= -33) {',
    tests: codecs,
  },
  {
    name: 'a negative zero is a zero',
    file: writer,
    from: '(value | 0) === value && (value !== 0 || 1 / value > 0)',
    to: '(value | 0) === value',
    tests: codecs,
  },
  {
    name: 'an object that comes twice is two',
    file: writer,
    from: 'if (this.#few.includes(value)) return true',
    to: '',
    tests: codecs,
  },
  {
    name: 'the properties of an array are dropped',
    file: writer,
    from: `if (!writeValue(array[i], seen, depth + 1)) return false
  return !hasExtraKeys(array)`,
    to: `if (!writeValue(array[i], seen, depth + 1)) return false
  return true`,
    tests: codecs,
  },
  {
    name: 'a key with half a pair is written as UTF-8',
    file: writer,
    from: `  if (isOdd(key)) return false
`,
    to: '',
    tests: codecs,
  },
  {
    name: 'an encode within a getter overwrites the outer one',
    file: writer,
    from: `  const outer = target
  // A getter of the value's may encode another value, into another buffer.
  if (outer) outer.length = at
  begin(out)
  try`,
    to: `  const outer = target
  begin(out)
  try`,
    tests: codecs,
  },
]
