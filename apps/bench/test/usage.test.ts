import { expect, test } from 'vitest'
import { bench } from './command.js'

test.each([
  { args: ['--patterms', 'spawn'], told: ["'--patterms'", 'did you mean --patterns?', '--transports'] },
  {
    args: ['--transports', 'workr-threads'],
    told: ["no transport 'workr-threads'", "did you mean 'worker-threads'?", 'memory'],
  },
  { args: ['--patterns', 'constructor'], told: ["no pattern 'constructor'", 'throughput-queue'] },
  { args: ['--patterns', 'ping-pong,walk'], told: ["no pattern 'walk'", 'throughput-queue', 'spawn'] },
  { args: ['--payloads', '64K'], told: ["no payload '64k'", "did you mean '64KiB'?", '1MiB-transfer'] },
  { args: ['--payloads'], told: ['--payloads', 'argument missing'] },
  { args: ['everything'], told: ["unexpected argument 'everything'", '--quick'] },
  { args: ['--patterns', 'ping-pong', '--payloads', '1MiB-transfer'], told: ['none of the patterns'] },
  { args: ['--json', '/no/such/folder/results.json'], told: ['cannot write /no/such/folder/results.json'] },
])('$args is refused with one line and exit code 2', async ({ args, told }) => {
  const { code, stdout, stderr } = await bench(args)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/^error: [^\n]+\n$/)
  for (const text of told) expect(stderr).toContain(text)
  expect(code).toBe(2)
})

test('--help names every flag, transport, pattern and payload', async () => {
  const { code, stdout, stderr } = await bench(['--help'])
  expect(code).toBe(0)
  expect(stderr).toBe('')
  const names = [
    'memory',
    'worker-threads',
    'throughput-queue',
    'queue-to-child',
    'queue-4-to-1',
    'throughput-pipe',
    'ping-pong',
    'lock-hand-over',
    'lock-loop',
    'shapes',
    'spawn',
    'pool-map',
    'pool-apply',
    'small',
    '1MiB-transfer',
  ]
  const flags = ['--transports', '--patterns', '--payloads', '--quick', '--json', '--html', '--help']
  for (const text of [...names, ...flags]) expect(stdout).toContain(text)
})
