/** Lets this program, and the children that it starts, have their temporary files in this folder. Gives what ends that. */
export function keepTemporaryFilesIn(folder: string): () => void {
  const previous = process.env.TMPDIR
  process.env.TMPDIR = folder
  return () => {
    if (previous === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = previous
  }
}
