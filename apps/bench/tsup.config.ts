import { defineConfig } from 'tsup'

export default defineConfig([
  {
    // Beside main, every file that a child or a worker loads is an entry of its own.
    entry: {
      main: 'src/main.ts',
      'scale-main': 'src/scale/main.ts',
      produce: 'src/targets/produce.ts',
      echo: 'src/targets/echo.ts',
      blocking: 'src/targets/blocking.ts',
      hello: 'src/targets/hello.ts',
      relock: 'src/targets/relock.ts',
      square: 'src/targets/square.ts',
      'queue-ends': 'src/targets/queue-ends.ts',
      'pipe-ends': 'src/targets/pipe-ends.ts',
      'lock-loop': 'src/targets/lock-loop.ts',
      scale: 'src/targets/scale.ts',
      'rival-worker': 'src/rivals/rival-worker.ts',
      'workerpool-worker': 'src/rivals/workerpool-worker.ts',
      'flood-worker': 'src/baselines/flood-worker.ts',
      'echo-worker': 'src/baselines/echo-worker.ts',
      'hello-worker': 'src/baselines/hello-worker.ts',
      'flood-process': 'src/baselines/flood-process.ts',
      'echo-process': 'src/baselines/echo-process.ts',
      'hello-process': 'src/baselines/hello-process.ts',
      'net-process': 'src/baselines/net-process.ts',
      'net-packed-process': 'src/baselines/net-packed-process.ts',
    },
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    // The two builds run side by side: each cleans only what is its own.
    clean: ['!page/**'],
    splitting: true,
    // What is only compared with is no part of the program.
    external: ['piscina', 'tinypool', 'workerpool'],
    publicDir: 'python',
  },
  {
    // The script of the HTML report, chart library included: the report is one file and loads nothing.
    entry: { page: 'src/page/page.ts' },
    outDir: 'dist/page',
    outExtension: () => ({ js: '.js' }),
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    noExternal: [/.*/],
    minify: true,
    clean: true,
    esbuildOptions(options) {
      options.legalComments = 'none' // the page itself names the library and its licence
    },
  },
])
