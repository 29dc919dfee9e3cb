import assert from 'node:assert/strict'
import { createSecretKey, generateKeyPairSync, KeyObject, webcrypto, X509Certificate } from 'node:crypto'
import { BlockList, SocketAddress } from 'node:net'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** A live object: it holds something that its properties do not show. */
export interface Live {
  readonly value: object
  /** Asserts that what arrived stands for the same thing, and works. */
  check(arrived: never): unknown
}

/** Node's types do not have it. */
const wasm = (globalThis as never as { WebAssembly: Record<'Module' | 'Instance', new (of: object) => object> })
  .WebAssembly

/** An empty module. */
const WASM = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])

/** Of nobody, and valid for a hundred years. */
const CERTIFICATE =
  'MIIBhDCCASmgAwIBAgIULY28ynwjfgPo7SesWug7tnQEaIkwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLY29uZm9ybWFuY2UwIBcN' +
  'MjYxMTI4MTM1ODE0WhgPMjEyNjExMDQxMzU4MTRaMBYxFDASBgNVBAMMC2NvbmZvcm1hbmNlMFkwEwYHKoZIzj0CAQYIKoZIzj0D' +
  'AQcDQgAErkMY7TWNppdjlJpR67m/k/Iz7jomwl8o7AUQH+u9WKpUfMBqTkcporOZz0kpeHSd1q1lz/GN9HY9WYlBLYSkgKNTMFEw' +
  'HQYDVR0OBBYEFOVHib+hdI9JKDhOkJHEj6CTqcmEMB8GA1UdIwQYMBaAFOVHib+hdI9JKDhOkJHEj6CTqcmEMA8GA1UdEwEB/wQF' +
  'MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhANwFdhwbja0T1h4wiStp8umxvtDXKl9d4i95jh6MkZ1YAiEA8SUPrVhgi7qTxwnIZRls' +
  'MHiAOdrGPZ8bGY4PvSPLcyM='

/** Objects of which a copy goes to other threads, by name. What only newer versions of Node.js carry is left out in older ones. */
export async function liveTable(): Promise<ReadonlyMap<string, Live>> {
  const secret = createSecretKey(Buffer.from('a secret'))
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const key = (value: KeyObject): Live => ({
    value,
    check: (arrived: KeyObject) => assert.ok(arrived instanceof KeyObject && arrived.equals(value)),
  })
  const histogram = createHistogram()
  histogram.record(7)
  const blocked = new BlockList()
  blocked.addAddress('127.0.0.1')
  const table: [string, Live][] = [
    [
      'a WebAssembly.Module',
      {
        value: new wasm.Module(WASM),
        check: (arrived: object) => void new wasm.Instance(arrived),
      },
    ],
    ['a secret KeyObject', key(secret)],
    ['a public KeyObject', key(publicKey)],
    ['a private KeyObject', key(privateKey)],
    [
      'a CryptoKey',
      {
        value: await webcrypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']),
        check: async (arrived: webcrypto.CryptoKey) => {
          assert.equal(arrived.extractable, false)
          const signature = await webcrypto.subtle.sign('HMAC', arrived, new Uint8Array(1))
          assert.equal(signature.byteLength, 32)
        },
      },
    ],
    [
      'an X509Certificate',
      {
        value: new X509Certificate(Buffer.from(CERTIFICATE, 'base64')),
        check: (arrived: X509Certificate) => assert.equal(arrived.subject, 'CN=conformance'),
      },
    ],
    [
      'a Blob',
      {
        value: new Blob(['the text'], { type: 'text/plain' }),
        check: async (arrived: Blob) =>
          assert.deepEqual([await arrived.text(), arrived.type], ['the text', 'text/plain']),
      },
    ],
    [
      'a Histogram',
      {
        value: histogram,
        check: (arrived: RecordableHistogram) => assert.deepEqual([arrived.count, arrived.max], [1, 7]),
      },
    ],
    ['a BlockList', { value: blocked, check: (arrived: BlockList) => assert.equal(arrived.check('127.0.0.1'), true) }],
    [
      'a SocketAddress',
      {
        value: new SocketAddress({ address: '127.0.0.1', port: 80 }),
        check: (arrived: SocketAddress) => assert.deepEqual([arrived.address, arrived.port], ['127.0.0.1', 80]),
      },
    ],
  ]
  if (keepsFiles()) {
    const check = async (arrived: File) => assert.deepEqual([arrived.name, await arrived.text()], ['a name', 'a file'])
    table.push(['a File', { value: new File(['a file'], 'a name'), check }])
  }
  return new Map(table)
}

/** Node.js 20 and 22 make a Blob of it. */
export function keepsFiles(): boolean {
  return typeof File === 'function' && structuredClone(new File([], '')) instanceof File
}
