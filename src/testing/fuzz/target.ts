// What the fuzz runner damages: files of a kind, and what reads them. A reader may throw EngineError and nothing else.

export interface FuzzTarget {
  name: string
  /** well-formed files of a few kilobytes, each of which `run` accepts */
  seeds(): Promise<Uint8Array[]> | Uint8Array[]
  /** reads all that a user's action would; rejects with EngineError alone */
  run(bytes: Uint8Array): Promise<void>
}
