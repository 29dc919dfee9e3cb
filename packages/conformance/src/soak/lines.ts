import { readFileSync } from 'node:fs'

/** The lines of a file. None if whoever would have written it was killed before. */
export function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').filter(Boolean)
  } catch {
    return []
  }
}
