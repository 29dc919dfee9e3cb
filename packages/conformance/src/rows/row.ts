/** MUST: on every transport. SHOULD: on every transport whose capabilities do not rule it out. MAY: optional. */
export type Level = 'MUST' | 'SHOULD' | 'MAY'

/** One behaviour of transports. The names of the cases that check it begin with its ID. */
export interface Row {
  readonly id: string
  readonly level: Level
  readonly section: string
  /** What holds, in one line. */
  readonly text: string
  /** A name of the vocabulary (`Pool`, `Lock`). If a context does not export it, the row does not apply. */
  readonly part: string | undefined
}

/** Makes rows. `part`: what a context must export for them to apply. */
export function section(
  title: string,
  rows: Readonly<Record<string, readonly [Level, string]>>,
  part?: string,
): readonly Row[] {
  return Object.entries(rows).map(([id, [level, text]]) => ({ id, level, section: title, text, part }))
}

/** The IDs at the beginning of a case's name: 'P28 P29 a target that throws ...' is about two rows. */
export function idsOf(name: string): readonly string[] {
  const [ids = ''] = /^(?:[A-Z]{1,2}\d+ )*/.exec(name) ?? []
  return ids.split(' ').filter(Boolean)
}
