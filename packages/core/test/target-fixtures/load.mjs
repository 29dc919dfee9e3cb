// Loads and calls each of a record of references, and prints what came of it.
const [, , targetUrl, references] = process.argv
const { loadTarget } = await import(targetUrl)

const results = {}
for (const [label, reference] of Object.entries(JSON.parse(references))) {
  try {
    const result = await (await loadTarget(reference))()
    results[label] = typeof result?.next === 'function' ? (await result.next()).value : result
  } catch (error) {
    results[label] = `${error.code}: ${error.message}`
  }
}
console.log(JSON.stringify(results))
