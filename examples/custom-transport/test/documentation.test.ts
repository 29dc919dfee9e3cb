import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const example = new URL('../', import.meta.url)
const page = readFileSync(new URL('../../docs/writing-a-transport.md', example), 'utf8')

const files = ['src/', 'test/'].flatMap(folder =>
  readdirSync(new URL(folder, example))
    .filter(name => name.endsWith('.js'))
    .map(name => ({ path: folder + name, text: readFileSync(new URL(folder + name, example), 'utf8') })),
)

/** A code block, and the file that the line before it names. */
const blocks = [...page.matchAll(/^`([\w/.-]+)`[^\n]*:\n+```js\n(.*?)^```$/gms)].map(([, path = '', code = '']) => ({
  path,
  code,
}))

describe('the code in docs/writing-a-transport.md', () => {
  test('is all checked here', () => {
    expect(blocks).toHaveLength(page.match(/^```js$/gm)?.length ?? 0)
    expect(blocks.length).toBeGreaterThan(8)
  })

  test.each(blocks)('is in $path', ({ path, code }) => {
    const file = files.find(each => each.path === path)
    expect(file?.text).toContain(code.trimEnd())
  })

  test('shows something of every file', () => {
    const shown = new Set(blocks.map(each => each.path))
    expect(files.map(each => each.path).filter(path => !shown.has(path))).toEqual([])
  })
})
