/**
 * The tree that carries what msgpack alone cannot. A node is an atom (null, a boolean, a number but -0, a string that is not
 * odd) or an array that starts with a tag. Objects are numbered as their nodes open, from 0, on both sides alike;
 * `Reference` names one by its number. `Buffer`, `View` and `Text` name an entry of the table of bytes beside the tree:
 * the entry is the length of a run of bytes behind the tree, or -1 minus the index of an attachment.
 */
export const Tag = {
  Undefined: 0,
  NegativeZero: 1,
  BigInt: 2, // [, hex digits, perhaps with a sign]
  Text: 3, // [, 0, table index, byte offset, byte length]: UTF-16LE
  Reference: 4, // [, number]
  Object: 5, // [, key, node, ...]
  NullObject: 6, // [, key, node, ...]: its prototype is null
  Array: 7, // [, node, ...]
  Sparse: 8, // [, length, index, node, ...]
  Map: 9, // [, node, node, ...]
  Set: 10, // [, node, ...]
  Date: 11, // [, milliseconds or NaN]
  RegExp: 12, // [, source node, flags]
  Boxed: 13, // [, node of a primitive]
  Buffer: 14, // [, table index]
  View: 15, // [, index in viewKinds, table index, byte offset, byte length]
  Error: 16, // [, ErrorKind, class, number of hidden properties, hidden key, node, ..., key, node, ...]
  Fields: 17, // [, name of a registered type, key, node, ...]
  Custom: 18, // [, name of a registered type, node]
  Handle: 19, // [, kind, node]
  Attached: 20, // [, attachment index]
} as const

export const ErrorKind = { BuiltIn: 0, DomException: 1, Mp: 2, Registered: 3, Remote: 4 } as const

/** The order is part of the form. */
export const viewKinds: readonly string[] = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float16Array', // since Node.js 24
]

export const errorClasses: readonly string[] = [
  'Error',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'EvalError',
  'URIError',
  'AggregateError',
]

/** Own properties of an error that are carried although they do not enumerate, in the order in which they arrive. */
export const hiddenErrorKeys: readonly string[] = ['name', 'message', 'stack', 'code', 'cause', 'errors']

/** Containers within containers. Deeper values are refused, so that neither side's stack can overflow. */
export const MAX_DEPTH = 1000
