// A folder that is written in place, wherever it lies: the local disk (src/cli/nodeOutput.ts), the browser's private
// file system, or a directory that the user picked (handleOutput.ts).

export interface OutputFile {
  /** Puts bytes at an offset; the file grows as needed. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  /** What was written survives the end of the process from here on; does nothing where only closing does that. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface OutputFolder {
  name: string
  /** whether `flush` keeps what was written; false: only `close` does */
  isDurable: boolean
  /** A file to be written in place; what it holds already stays. */
  open(path: string): Promise<OutputFile>
  /** Bytes of a file; undefined when there is none. */
  size(path: string): Promise<number | undefined>
  /** Undefined when there is no such file. */
  readText(path: string): Promise<string | undefined>
  writeBytes(path: string, bytes: Uint8Array): Promise<void>
  /** Does nothing when there is no such file. */
  remove(path: string): Promise<void>
}

export const writeText = (folder: OutputFolder, path: string, text: string): Promise<void> =>
  folder.writeBytes(path, new TextEncoder().encode(text))
