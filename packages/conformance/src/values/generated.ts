import fc from 'fast-check'

const text = fc.string({
  unit: fc.oneof(
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
    fc.constantFrom('\ud800', '\udc01', '\ufeff'),
  ),
})

const leaf = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
  maxDepth: 4,
  // Refused: see 'an object with a __proto__ key'.
  key: text.filter(key => key !== '__proto__'),
  values: [
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    text,
    fc.constantFrom<unknown>(null, undefined, -0, Number.NaN, ''),
  ],
})

const link = fc.record({
  from: fc.nat(),
  to: fc.nat(),
  by: fc.constantFrom<'field' | 'list' | 'map' | 'set' | 'cause'>('field', 'list', 'map', 'set', 'cause'),
})

/** Random values in a graph of objects, lists, maps, sets and errors, with shared references and cycles. */
export const generatedValue: fc.Arbitrary<unknown> = fc
  .record({ leaves: fc.array(leaf, { minLength: 1, maxLength: 5 }), links: fc.array(link, { maxLength: 8 }) })
  .map(({ leaves, links }) => {
    const nodes = leaves.map(value => ({
      value,
      list: [] as unknown[],
      map: new Map<unknown, unknown>(),
      set: new Set<unknown>(),
      error: new TypeError('a node'),
    }))
    for (const { from, to, by } of links) {
      const source = nodes[from % nodes.length] as (typeof nodes)[number] & Record<string, unknown>
      const end = nodes[to % nodes.length] as (typeof nodes)[number]
      if (by === 'field') source.field = end
      else if (by === 'list') source.list.push(end, end.list)
      else if (by === 'map') source.map.set(end, end.map)
      else if (by === 'set') source.set.add(end)
      else source.error.cause = end
    }
    return nodes[0]
  })
